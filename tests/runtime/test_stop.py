"""Stopping: in order, by its deadlines, and nothing is left: no task, thread, timer or open file."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.actor import Actor
from runtime.clock import NANOS
from runtime.errors import ActorCrashed, ActorStopped
from runtime.lifecycle import ChildExited, ExitKind
from runtime.loop import VirtualLoop
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, Nurse, Player, Question, SlowPlayer, Teller, pass_s, play, under_nurse


class Member(Actor):
    """Starts children and logs when it stops."""

    def __init__(self, log: list[str], name: str, children: list[Spec], stop_takes_s: float = 0.0) -> None:
        self.log = log
        self.name = name
        self.specs = children
        self.stop_takes_s = stop_takes_s

    def started(self) -> None:
        """Start the children."""
        for spec in self.specs:
            self.context.spawn(spec)

    async def stopping(self) -> None:  # type: ignore[override]
        """Take a while, then log."""
        await pass_s(self.stop_takes_s)
        self.log.append(self.name)


def member(log: list[str], name: str, *children: Spec, takes_s: float = 0.0, stop_s: float | None = 5.0) -> Spec:
    """Return the recipe of a member."""
    return Spec(name, lambda: Member(log, name, list(children), takes_s), stop_s=stop_s)


def test_a_tree_stops_in_reverse_order_children_first() -> None:
    """The last started stops first, each actor after its children."""
    log: list[str] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(member(log, "a", member(log, "a1"), member(log, "a2")))
        system.spawn(member(log, "b", member(log, "b1")))
        await pass_s()
        await system.stop()

    play(scenario)
    assert log == ["b1", "b", "a2", "a1", "a"]


def test_stopping_twice_or_at_once_from_two_sides_is_one_stop() -> None:
    """A second stop waits for the first and changes nothing."""
    log: list[str] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(member(log, "a", takes_s=1.0))
        await pass_s()
        await asyncio.gather(system.stop(), system.stop())
        await system.stop()

    play(scenario)
    assert log == ["a"]


@pytest.mark.parametrize(("parent_s", "child_s", "takes"), [(1.0, 5.0, 1.0), (5.0, 1.0, 1.0), (2.0, 2.0, 2.0)], ids=str)
def test_no_deadline_is_waited_beyond(parent_s: float, child_s: float, takes: float) -> None:
    """A child that never stops costs no more than the shorter of its own and its parent's deadline."""
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> float:
        child = member([], "child", takes_s=10_000, stop_s=child_s)
        system.spawn(Spec("nurse", lambda: Nurse([child], exits), stop_s=parent_s))
        await pass_s()
        began = system.now()
        await system.stop()
        return (system.now() - began) / NANOS

    assert play(scenario) == takes


def test_waiting_for_an_end_ends_with_that_life() -> None:
    """Whoever waits for a life to end goes on when it has, also when the parent begins the next life at once."""

    def act(*_: Any) -> None:
        raise Broken("bad")

    async def scenario(system: ActorSystem) -> int:
        ref = under_nurse(system, Spec("child", lambda: Player(act)))
        cell = system.cell_of(ref.path)
        assert cell is not None
        ended = asyncio.ensure_future(cell.settled())
        await pass_s()
        assert not ended.done()
        with pytest.raises(ActorCrashed):
            await ref.ask(Question("bad"))
        await asyncio.wait_for(ended, 60)
        return cell.lives

    assert play(scenario) == 2


def test_a_hook_that_raises_is_a_crash_and_still_an_end() -> None:
    """A failing ``stopping`` ends its actor as a crash; the others stop all the same."""
    log: list[str] = []
    exits: list[ChildExited] = []

    class Bad(Player):
        def stopping(self) -> None:
            raise Broken("stopping")

    async def scenario(system: ActorSystem) -> None:
        system.spawn(member(log, "other"))
        system.spawn(Spec("nurse", lambda: Nurse([Spec("bad", Bad)], exits, lives=0)))
        await pass_s()
        nurse = system.cell_of("/nurse")
        assert nurse is not None
        nurse.children["bad"].begin_stop()
        await pass_s()
        await system.stop()

    play(scenario)
    assert log == ["other"]
    assert [(news.exit.kind, str(news.exit.error)) for news in exits] == [(ExitKind.CRASH, "stopping")]


def test_nobody_is_left_waiting() -> None:
    """Whoever asked and is not answered by the end hears ActorStopped, not a timeout."""

    async def act(*_: Any) -> None:
        await asyncio.Event().wait()

    async def scenario(system: ActorSystem) -> list[str]:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act, []), stop_s=1.0))
        asked = [asyncio.ensure_future(ref.ask(Question(text), 600)) for text in "ab"]
        await pass_s()
        await system.stop()
        asked.append(asyncio.ensure_future(ref.ask(Question("c"))))
        await asyncio.wait(asked)
        return [type(each.exception()).__name__ for each in asked]

    assert play(scenario) == ["ActorCrashed", "ActorStopped", "ActorStopped"]


def test_a_cancelled_body_still_stops_the_tree_in_order() -> None:
    """Cancelling whoever runs the system stops the tree in order first."""
    log: list[str] = []

    async def main(system: ActorSystem) -> None:
        async with ActorSystem(clock=system.clock) as inner:
            inner.spawn(member(log, "a", member(log, "b"), takes_s=2.0))
            await asyncio.Event().wait()

    async def scenario(system: ActorSystem) -> None:
        task = asyncio.ensure_future(main(system))
        await pass_s(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(scenario)
    assert log == ["b", "a"]


def test_an_error_of_the_body_passes_through_after_the_stop() -> None:
    """What the body raises is raised again when the tree has stopped."""
    log: list[str] = []

    async def scenario(system: ActorSystem) -> None:
        async with ActorSystem(clock=system.clock) as inner:
            inner.spawn(member(log, "a"))
            await pass_s()
            raise Broken("body")

    with pytest.raises(Broken, match="body"):
        play(scenario)
    assert log == ["a"]


def test_the_end_of_the_root_fails_the_system() -> None:
    """A root that crashes is the system's failure; nobody waits for ever for a tree that is gone."""

    def act(*_: Any) -> None:
        raise Broken("root")

    async def scenario(system: ActorSystem) -> BaseException:
        system.start_root(Spec("root", lambda: Player(act))).tell(Line("x"))
        return await asyncio.wait_for(system.failed(), 60)

    assert str(play(scenario)) == "root"


def busy_tree(system: ActorSystem) -> None:
    """Start a bit of everything: timers, pipes, threads, async handlers, asks, crashes, subscriptions."""

    def act(player: Player, msg: Any) -> None:
        if msg.text in ("near", "far"):
            return
        player.timers.after(3_600, Line("far"))
        player.timers.every(0.001, Line("near"))
        player.context.bus.subscribe("news", player.ref)
        player.context.pipe(asyncio.get_running_loop().create_future(), Line)
        if msg.text == "bad":
            raise Broken("bad")

    async def slow(*_: Any) -> None:
        await asyncio.Event().wait()

    system.spawn(Spec("thread", lambda: Player(lambda *_: None), dispatch="thread")).tell(Line("x"))
    ref = under_nurse(system, Spec("player", lambda: Player(act)))
    for text in ("good", "bad", "good"):
        ref.tell(Line(text))
    system.spawn(Spec("slow", lambda: SlowPlayer(slow), stop_s=0.01)).tell(Line("x"))
    system.spawn(Spec("teller", Teller)).tell(Line("x"))


def left_timers(loop: asyncio.AbstractEventLoop) -> list[object]:
    """Return the timer handles of a loop that may still fire."""
    return [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]


def open_files() -> set[str]:
    """Return the open file descriptors of this process, where the system tells them."""
    if not Path("/proc/self/fd").exists():
        return set()
    found = set()
    for each in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{each} {os.readlink(f'/proc/self/fd/{each}')}")
        except OSError:
            continue  # the descriptor of the listing itself
    return found


async def leftovers(system: ActorSystem) -> list[object]:
    """Run a busy tree to its end; return every task, timer and alarm that is left on the loop."""
    loop = asyncio.get_running_loop()
    ours = asyncio.all_tasks()
    busy_tree(system)
    await pass_s(0.02)
    await system.stop()
    alarms = list(loop._jumping.alarms) if isinstance(loop, VirtualLoop) else []
    return [*(asyncio.all_tasks() - ours), *left_timers(loop), *alarms]


@pytest.mark.parametrize("options", [{}, {"threaded_journal": True}, {"inline_threads": False}], ids=str)
def test_a_stopped_system_leaves_nothing_on_virtual_time(options: dict[str, Any]) -> None:
    """After stop no task runs, no timer waits, no thread lives."""
    before = set(threading.enumerate())
    assert play(leftovers, **options) == []
    assert set(threading.enumerate()) - before == set()


def test_a_stopped_system_leaves_nothing_on_real_time() -> None:
    """After stop on the wall clock no task runs, no timer waits, no thread lives, no file is open."""
    before, files = set(threading.enumerate()), open_files()

    async def main() -> list[object]:
        async with ActorSystem(journal=MemoryJournal(), threaded_journal=True) as system:
            return await leftovers(system)

    assert asyncio.run(main()) == []
    assert set(threading.enumerate()) - before == set()
    assert open_files() - files == set()


def test_telling_a_stopped_system_is_a_dead_letter() -> None:
    """A reference that outlives its system raises nothing."""

    async def scenario(system: ActorSystem) -> str:
        ref = system.spawn(Spec("player", Player))
        await system.stop()
        ref.tell(Line("late"))
        with pytest.raises(ActorStopped):
            await ref.ask(Question("?"))
        return system.dead_letters.all()[0].reason

    assert play(scenario) == "the actor has stopped"
