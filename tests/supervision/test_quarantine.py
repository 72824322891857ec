"""Quarantine: an actor that holds money stays down, with its mailbox, until an operator releases it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from protocol.control import ReleaseActor, RestartActor
from runtime.errors import ActorCrashed
from supervision.budget import Intensity
from supervision.errors import ChildExists, ChildQuarantined, ChildStartFailed, NoSuchChild, NotQuarantined
from supervision.messages import start_child, stop_child
from supervision.tree import describe, supervisor
from tests.supervision.stage import Broken, Crash, Note, Stage, on_stage

ONE = Intensity(1, 1_000)


@dataclass(frozen=True)
class Fact:
    """Something that is never dropped while its reader can be waited for."""

    OVERFLOW: ClassVar[str] = "keep"


async def quarantine(stage: Stage, path: str, crashes: int = 2) -> None:
    """Have an actor use up its budget."""
    await stage.pass_s(0.1)
    for _ in range(crashes):
        with pytest.raises(ActorCrashed):
            await stage.ask(path, Crash())
        await stage.pass_s(5)


def test_exhausted_child_is_quarantined_and_its_siblings_go_on() -> None:
    """Instead of failing the supervisor, the child stays down; nobody else is touched."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine"), stage.worker("b"), intensity=ONE)
        await quarantine(stage, "/a")
        await stage.pass_s(10_000)
        assert stage.phases() == {"a": "quarantined", "b": "up"}
        assert stage.contexts()[-1] == "quarantined a"
        assert stage.log == ["+a", "+b", "+a"]
        assert stage.failure is None
        assert [(row.path, row.state) for row in describe(stage.system)] == [
            ("/", "running"),
            ("/a", "quarantined"),
            ("/b", "running"),
        ]

    on_stage(script)


def test_without_restarts_by_themselves_a_crash_waits_for_an_operator() -> None:
    """EX-1302: app.auto_restart false leaves a crashed child down at its first crash, mail kept, until it is released."""

    async def script(stage: Stage) -> None:
        by_itself = [False]
        stage.root(stage.worker("a", by_itself=lambda: by_itself[0]), stage.worker("b"), intensity=ONE)
        await quarantine(stage, "/a", crashes=1)
        await stage.pass_s(10_000)
        assert stage.phases() == {"a": "quarantined", "b": "up"}
        assert stage.failure is None
        await stage.ask("/", ReleaseActor("/a"))
        assert stage.phases() == {"a": "up", "b": "up"}
        by_itself[0] = True
        await quarantine(stage, "/a", crashes=1)
        assert stage.phases() == {"a": "up", "b": "up"}

    on_stage(script)


def test_quarantined_children_do_not_use_the_common_budget() -> None:
    """A child that ends in quarantine has a budget of its own: its failures never bring its supervisor nearer to its end."""

    async def script(stage: Stage) -> None:
        names = ("a", "b", "c")
        stage.root(*(stage.worker(name, on_exhausted="quarantine") for name in names), stage.worker("d"), intensity=ONE)
        for name in names:
            await quarantine(stage, f"/{name}")
        await quarantine(stage, "/d", crashes=1)
        assert stage.phases() == {"a": "quarantined", "b": "quarantined", "c": "quarantined", "d": "up"}
        assert stage.failure is None

    on_stage(script)


def test_release_starts_it_with_a_fresh_budget_and_its_mailbox() -> None:
    """A released child handles what was told meanwhile, and may fail as often as a new one."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine"), intensity=ONE)
        await quarantine(stage, "/a")
        stage.tell("/a", Note("kept"))
        await stage.pass_s(100)
        assert stage.notes == []
        standing = await stage.ask("/", ReleaseActor("/a"))
        assert (standing.path, standing.state) == ("/a", "up")
        await stage.pass_s(0.1)
        assert stage.notes == ["a:kept"]
        assert stage.contexts()[-1] == "released a"
        await quarantine(stage, "/a", crashes=1)
        assert stage.phases() == {"a": "up"}
        assert stage.supervisor().reports[-1].delay_s == 1.0
        await quarantine(stage, "/a", crashes=1)
        assert stage.phases() == {"a": "quarantined"}

    on_stage(script)


def test_release_that_does_not_start_says_so() -> None:
    """A release whose start fails is answered with the failure; the child goes on by its fresh budget."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine"), intensity=ONE)
        await quarantine(stage, "/a")
        stage.bad_starts = {"a": 1}
        with pytest.raises(ChildStartFailed):
            await stage.ask("/", ReleaseActor("/a"))
        assert stage.phases() == {"a": "waiting"}
        await stage.pass_s(5)
        assert stage.phases() == {"a": "up"}

    on_stage(script)


def test_refused_requests() -> None:
    """Only a quarantined child is released, only one that is not is restarted, and both must be there."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a", on_exhausted="quarantine"), stage.worker("b"), intensity=ONE)
        await quarantine(stage, "/a")
        with pytest.raises(NotQuarantined):
            await stage.ask("/", ReleaseActor("/b"))
        with pytest.raises(ChildQuarantined):
            await stage.ask("/", RestartActor("/a"))
        for path in ("/c", "/b/c", "b", ""):
            with pytest.raises(NoSuchChild):
                await stage.ask("/", ReleaseActor(path or "/"))
            with pytest.raises(NoSuchChild):
                await stage.ask("/", RestartActor(path or "/"))
        with pytest.raises(ChildExists):
            await start_child(root, stage.worker("a"))
        assert stage.phases() == {"a": "quarantined", "b": "up"}

    on_stage(script)


def test_quarantine_outlives_its_supervisor() -> None:
    """Only an operator ends a quarantine: a restart of the supervisor leaves the child down."""

    async def script(stage: Stage) -> None:
        inner = supervisor(
            "inner", stage.worker("a", on_exhausted="quarantine"), stage.worker("b"), intensity=Intensity(1, 1_000)
        )
        stage.system.start_root(supervisor("root", inner, stage.worker("z")))
        await stage.pass_s(0.1)
        root = stage.system.lookup("/inner")
        assert root is not None
        await start_child(root, stage.worker("c", on_exhausted="quarantine"))
        await quarantine(stage, "/inner/a")
        await quarantine(stage, "/inner/c")
        cell = stage.system.cell_of("/inner")
        assert cell is not None
        cell.crash(Broken("the supervisor itself"), None)
        await stage.pass_s(5)
        assert stage.phases("/inner") == {"a": "quarantined", "b": "up", "c": "quarantined"}
        await stage.ask("/inner", ReleaseActor("/inner/c"))
        assert stage.phases("/inner") == {"a": "quarantined", "b": "up", "c": "up"}

    on_stage(script)


def test_rest_for_one_holds_what_depends_on_it() -> None:
    """Under rest_for_one those started after a quarantined child stay down with it, and come back in order with it."""

    async def script(stage: Stage) -> None:
        stage.root(
            stage.worker("a"),
            stage.worker("b", on_exhausted="quarantine"),
            stage.worker("c"),
            strategy="rest_for_one",
            intensity=ONE,
        )
        await quarantine(stage, "/b")
        assert stage.phases() == {"a": "up", "b": "quarantined", "c": "down"}
        stage.take_log()
        await quarantine(stage, "/a", crashes=1)
        assert stage.take_log() == ["+a"]
        assert (await stage.ask("/", ReleaseActor("/b"))).state == "up"
        await stage.pass_s(0.1)
        assert stage.take_log() == ["+b", "+c"]

    on_stage(script)


def test_one_for_all_holds_everybody() -> None:
    """Under one_for_all nobody runs while one is quarantined; the release starts all in order."""

    async def script(stage: Stage) -> None:
        names = (stage.worker("a"), stage.worker("b", on_exhausted="quarantine"), stage.worker("c"))
        stage.root(*names, strategy="one_for_all", intensity=ONE)
        await quarantine(stage, "/b")
        stage.take_log()
        assert stage.phases() == {"a": "down", "b": "quarantined", "c": "down"}
        await stage.ask("/", ReleaseActor("/b"))
        await stage.pass_s(0.1)
        assert stage.take_log() == ["+a", "+b", "+c"]

    on_stage(script)


def test_stopping_a_quarantined_child_frees_those_it_held() -> None:
    """An operator may give a quarantined child up: it is forgotten, what waited becomes dead letters, others go on."""

    async def script(stage: Stage) -> None:
        specs = (stage.worker("a", on_exhausted="quarantine"), stage.worker("b"))
        root = stage.root(*specs, strategy="rest_for_one", intensity=ONE)
        await quarantine(stage, "/a")
        stage.tell("/a", Note("lost"))
        await stop_child(root, "a")
        await stage.pass_s(0.1)
        assert stage.phases() == {"b": "up"}
        assert [letter.envelope.message for letter in stage.system.dead_letters.all()] == [Note("lost")]
        await start_child(root, stage.worker("a"))
        assert stage.phases() == {"b": "up", "a": "up"}

    on_stage(script)


def test_kept_mailbox_is_bounded_and_blocks_nobody() -> None:
    """Beyond its capacity a quarantined child's mailbox refuses even facts: who tells them must not wait for an operator."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine", capacity=3), stage.worker("b"), intensity=ONE)
        await quarantine(stage, "/a")
        for _ in range(10):
            stage.tell("/a", Fact())
        cell = stage.system.cell_of("/a")
        assert cell is not None
        assert len(cell.mailbox) == 3
        assert len(stage.system.dead_letters) == 7
        assert all(letter.reason == "the mailbox is full" for letter in stage.system.dead_letters.all())

    on_stage(script)
