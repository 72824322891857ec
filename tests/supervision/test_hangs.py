"""Handlers that do not return: found by deadline, ended, restarted; on the virtual clock, and once in a real thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from protocol.incident_files import IncidentFile, IncidentKind
from runtime.actor import Actor, handles
from runtime.errors import ActorCrashed, SpawnRefused
from runtime.spec import Spec
from runtime.system import ActorSystem
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.supervision.stage import Hang, Note, Stage, on_stage


def test_a_handler_that_never_returns_is_ended_by_its_deadline_and_its_message_tried_again() -> None:
    """The actor is restarted by its supervisor, the hung message is handled once more, what waited behind it too."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", hang_s=10.0))
        await stage.pass_s(1)
        stage.tell("/a", Hang())
        stage.tell("/a", Note("behind"))
        await stage.pass_s(11)
        assert stage.phases() == {"a": "up"}, "the grace is not over yet"
        assert stage.notes == []
        stage.alive.clear()
        await stage.pass_s(4)
        assert stage.contexts() == ["child_terminated a", "restart a"]
        assert stage.hung == 2
        assert stage.notes == ["a:behind"]

    on_stage(script)


def test_a_hang_leaves_an_incident_that_says_where_the_handler_waits() -> None:
    """Kind, message, supervisor's decision, and the line of the handler that waits stand in one incident."""

    async def script(stage: Stage) -> list[IncidentFile]:
        found: list[IncidentFile] = []
        stage.system.black_box.sink = found.append
        stage.root(stage.worker("a", hang_s=10.0))
        await stage.pass_s(1)
        stage.tell("/a", Hang())
        await stage.pass_s(12.5)
        stage.alive.clear()
        await stage.pass_s(2)
        return found

    (incident,) = on_stage(script)
    assert incident.kind is IncidentKind.HANG
    assert incident.message is not None
    assert (incident.message.type, incident.message.attempts) == ("Hang", 1)
    assert incident.message.outcome == "handled once more in the next life"
    assert incident.decision is not None
    assert (incident.decision.action, incident.decision.supervisor) == ("restart", "/")
    assert "await asyncio.get_running_loop().create_future()" in incident.stacks
    assert "waits for Future" in incident.stacks


def test_whoever_asked_hears_of_the_hang() -> None:
    """An asker is told that the actor crashed; the request is not handled behind its back."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", hang_s=5.0))
        await stage.pass_s(1)
        with pytest.raises(ActorCrashed, match="has not ended after 7 s"):
            await stage.ask("/a", Hang())
        stage.alive.clear()
        await stage.pass_s(3)
        assert stage.hung == 1

    on_stage(script)


def test_a_handler_that_hangs_again_is_parked() -> None:
    """The second hang on one message parks it as poison, as any second crash does."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", hang_s=5.0))
        await stage.pass_s(1)
        stage.tell("/a", Hang())
        for _ in range(2):
            await stage.pass_s(7.5)
            stage.alive.clear()
            stage.hung = 0
        letters = stage.system.dead_letters.all()
        assert [(letter.path, letter.poison) for letter in letters] == [("/a", True)]

    on_stage(script)


def test_none_waits_for_ever() -> None:
    """A spec without ``hang_s`` lets a handler take as long as it wants; nothing is left waiting for it at the end."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", hang_s=None))
        await stage.pass_s(1)
        stage.tell("/a", Hang())
        await stage.pass_s(100_000)
        assert stage.contexts() == []
        assert len(stage.system.hangs) == 0

    on_stage(script)


def test_a_handler_that_returns_leaves_no_deadline_behind() -> None:
    """After an async handler has returned nothing is due any more: virtual time has no reason to go on."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(1)
        stage.hung = 1
        stage.tell("/a", Hang())
        await stage.pass_s(1)
        assert stage.hung == 2
        assert stage.system.hangs.next_at() is None

    on_stage(script)


def test_a_deadline_is_above_zero() -> None:
    """A deadline of nothing would end every handler."""
    with pytest.raises(SpawnRefused, match="hang_s"):
        Spec("a", Actor, hang_s=0)


class _Stuck(Actor):
    """Blocks its thread on the first message of all lives."""

    release = threading.Event()
    entered = 0
    handled: asyncio.Event

    @handles
    def note(self, msg: Note) -> None:
        """Block once."""
        _Stuck.entered += 1
        if _Stuck.entered == 1:
            _Stuck.release.wait(30)
        else:
            self.context.system.loop.call_soon_threadsafe(_Stuck.handled.set)


def test_a_thread_that_hangs_is_left_behind_and_its_actor_goes_on_in_another() -> None:
    """On the wall clock: the incident holds the stuck thread's stack, the message is handled by the next life."""

    async def main() -> list[IncidentFile]:
        _Stuck.handled = asyncio.Event()
        found: list[IncidentFile] = []
        async with ActorSystem() as system:
            system.black_box.sink = found.append
            system.start_root(supervisor("root", ChildSpec("stuck", _Stuck, dispatch="thread", hang_s=0.05)))
            await system.ready()
            system.tell("/stuck", Note("once"))
            async with asyncio.timeout(20):
                await _Stuck.handled.wait()
            _Stuck.release.set()
        return found

    (incident,) = asyncio.run(main())
    assert incident.kind is IncidentKind.HANG
    assert "_Stuck.release.wait(30)" in incident.stacks
