"""Quarantine by an operator: an actor is stopped in order and stays down, mailbox and all, until it is released."""

from __future__ import annotations

import asyncio

import pytest

from protocol.control import QuarantineActor, ReleaseActor, RestartActor
from runtime.errors import ActorCrashed
from supervision.errors import ChildQuarantined, NoSuchChild, Overtaken
from supervision.tree import supervisor
from tests.supervision.stage import Crash, Note, Stage, on_stage


def test_it_stops_in_order_and_keeps_its_mail() -> None:
    """It is down when the request is answered, nobody else is touched, and what is told meanwhile is handled afterwards."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(0.1)
        standing = await stage.ask("/", QuarantineActor("/a"))
        assert (standing.path, standing.state) == ("/a", "quarantined")
        assert stage.log == ["+a", "+b", "-a"]
        assert stage.contexts()[-1] == "quarantined a"
        stage.tell("/a", Note("kept"))
        await stage.pass_s(10_000)
        assert (stage.phases(), stage.notes) == ({"a": "quarantined", "b": "up"}, [])
        with pytest.raises(ChildQuarantined):
            await stage.ask("/", RestartActor("/a"))
        assert (await stage.ask("/", QuarantineActor("/a"))).state == "quarantined"
        await stage.ask("/", ReleaseActor("/a"))
        await stage.pass_s(0.1)
        assert (stage.phases(), stage.notes) == ({"a": "up", "b": "up"}, ["a:kept"])

    on_stage(script)


def test_one_that_waits_for_its_backoff_starts_no_more() -> None:
    """Quarantined between a crash and its restart, it stays down."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        assert stage.phases()["a"] == "waiting"
        assert (await stage.ask("/", QuarantineActor("/a"))).state == "quarantined"
        await stage.pass_s(10_000)
        assert stage.phases() == {"a": "quarantined", "b": "up"}

    on_stage(script)


def test_who_depends_on_it_goes_down_with_it() -> None:
    """Under rest_for_one those that were started later are down until it is released; those before go on."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        await stage.ask("/", QuarantineActor("/b"))
        await stage.pass_s(100)
        assert set(stage.alive) == {"a"}
        await stage.ask("/", ReleaseActor("/b"))
        await stage.pass_s(100)
        assert set(stage.alive) == {"a", "b", "c"}

    on_stage(script)


def test_a_later_request_decides() -> None:
    """A restart that comes while it is being stopped overtakes the quarantine."""

    async def script(stage: Stage) -> None:
        stage.root(supervisor("x", stage.worker("a")))
        stage.slow_stops = {"a": 2.0}
        await stage.pass_s(0.1)
        first = asyncio.create_task(stage.ask("/x", QuarantineActor("/x/a")))
        await stage.pass_s(1.0)
        again = asyncio.create_task(stage.ask("/x", RestartActor("/x/a")))
        with pytest.raises(Overtaken):
            await first
        assert (await again).state == "up"

    on_stage(script)


def test_what_is_not_there_is_refused() -> None:
    """Only a child that has begun can be quarantined."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        for path in ("/b", "/a/x", ""):
            with pytest.raises(NoSuchChild):
                await stage.ask("/", QuarantineActor(path))

    on_stage(script)
