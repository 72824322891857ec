"""Stopping: in reverse order, by deadlines, whatever a child does."""

from __future__ import annotations

import pytest

from runtime.errors import ActorCrashed, ActorStopped
from runtime.lifecycle import ExitKind
from supervision.messages import StartChild, start_child, stop_child
from supervision.tree import supervisor
from tests.supervision.stage import Crash, Finish, Hang, Note, Stage, on_stage


def test_tree_stops_in_reverse() -> None:
    """The end of the system stops the tree in the reverse of its start, children before their supervisor's elders."""
    stages: list[Stage] = []

    async def script(stage: Stage) -> None:
        stages.append(stage)
        left = supervisor("left", stage.worker("a"), stage.worker("b"))
        stage.system.start_root(supervisor("root", left, stage.worker("c")))
        await stage.pass_s(0.1)

    on_stage(script)
    assert stages[0].log == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_crash_while_stopping_is_an_end_and_is_reported() -> None:
    """A child that crashes in its stopping hook has stopped; the supervisor reports a shutdown error and goes on."""

    async def script(stage: Stage) -> None:
        root = stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        stage.bad_stops = {"c"}
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(10)
        assert stage.take_log() == ["+a", "+b", "+c", "-c", "+b", "+c"]
        assert stage.contexts() == ["child_terminated b", "restart b", "shutdown_error c"]
        await stop_child(root, "c")
        assert stage.contexts()[-1] == "shutdown_error c"
        assert stage.phases() == {"a": "up", "b": "up"}

    on_stage(script)


def test_crash_in_its_own_end_restarts_a_permanent_child() -> None:
    """A child that crashes while it ends of its own accord has crashed."""

    async def script(stage: Stage) -> None:
        stage.bad_stops = {"a"}
        stage.root(stage.worker("a", restart="transient"))
        await stage.pass_s(0.1)
        stage.tell("/a", Finish())
        await stage.pass_s(0.1)
        assert stage.contexts() == ["child_terminated a", "restart a"]
        stage.bad_stops = set()
        await stage.pass_s(5)
        assert stage.phases() == {"a": "up"}

    on_stage(script)


def test_child_that_ignores_its_end_is_killed_at_its_deadline() -> None:
    """A stopping hook that ignores its cancellation delays nobody beyond the deadline; the group comes back."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"), stage.worker("c", stop_s=3.0), strategy="rest_for_one")
        await stage.pass_s(0.1)
        stage.deaf = {"c"}
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(2.8)
        assert stage.phases()["c"] == "stopping"
        await stage.pass_s(0.3)
        stage.deaf = set()
        assert stage.take_log() == ["+a", "+b", "+c", "-c", "+b", "+c"]
        assert stage.phases() == {"a": "up", "b": "up", "c": "up"}
        assert "shutdown_error c" in stage.contexts()
        assert "killed" in stage.supervisor().reports[-1].reason
        assert stage.ignored >= 1
        assert await stage.ask("/c", Note("well")) == "well"

    on_stage(script)


def test_busy_handler_is_cut_off_at_the_deadline() -> None:
    """A child whose handler never ends is killed at its deadline; its next life gets that message and those that waited."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b", stop_s=3.0), strategy="one_for_all")
        await stage.pass_s(0.1)
        stage.tell("/b", Hang())
        stage.tell("/b", Note("kept"))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        await stage.pass_s(2.9)
        assert stage.notes == []
        stage.alive.pop("b")  # its end runs no hook
        await stage.pass_s(0.5)
        assert stage.notes == ["b:kept"]
        assert stage.hung == 2

    on_stage(script)


def test_deaf_subtree_does_not_hold_up_the_end_of_the_system() -> None:
    """Every actor of a tree that will not stop is left behind at its deadline; the end of the system comes."""
    stages: list[Stage] = []

    async def script(stage: Stage) -> int:
        stages.append(stage)
        stage.deaf = {"a", "b"}
        stage.system.start_root(supervisor("root", supervisor("left", stage.worker("a"), stage.worker("b"))))
        await stage.pass_s(0.1)
        began = stage.clock.now()
        await stage.system.stop()
        return stage.clock.now() - began

    took_ns = on_stage(script)
    assert took_ns == 4_000_000_000  # two deadlines of 2 s, one after the other
    assert stages[0].log == ["+a", "+b", "-b", "-a"]


def test_end_while_restarts_are_pending_leaves_nothing() -> None:
    """A system that stops while children wait for their restart starts none of them, and leaves no timer."""
    stages: list[Stage] = []

    async def script(stage: Stage) -> None:
        stages.append(stage)
        left = supervisor("left", stage.worker("a"), stage.worker("b"), strategy="rest_for_one")
        stage.system.start_root(supervisor("root", left, stage.worker("c")))
        await stage.pass_s(0.1)
        for path in ("/left/a", "/c"):
            with pytest.raises(ActorCrashed):
                await stage.ask(path, Crash())
        await stage.pass_s(0.1)
        assert stage.phases("/left") == {"a": "waiting", "b": "down"}
        assert stage.phases() == {"left": "up", "c": "waiting"}

    on_stage(script)  # checks that no task, timer or thread is left
    assert stages[0].log == ["+a", "+b", "+c", "-b"]


def test_who_waits_for_a_start_hears_of_the_end() -> None:
    """Whoever asked for a child that is still starting when the supervisor stops is told so."""

    async def script(stage: Stage) -> None:
        root = stage.root()
        await stage.pass_s(0.1)
        stage.slow_starts = {"a": 1_000.0}
        asked = stage.system.loop.create_task(start_child(root, stage.worker("a"), 100.0))
        await stage.pass_s(1)
        await stage.system.stop()
        with pytest.raises(ActorStopped):
            await asked

    on_stage(script)


def test_supervisor_with_a_deadline_takes_its_children_along() -> None:
    """A supervisor killed at its deadline leaves no child running."""

    async def script(stage: Stage) -> None:
        stage.deaf = {"a"}
        spec = supervisor("left", stage.worker("a", stop_s=100.0), stage.worker("b", stop_s=100.0))
        root = stage.system.start_root(supervisor("root", stage.worker("c")))
        await stage.pass_s(0.1)
        hurried = type(spec)(**{**{name: getattr(spec, name) for name in spec.__dataclass_fields__}, "stop_s": 5.0})
        root.tell(StartChild(hurried))
        await stage.pass_s(0.1)
        cells = [stage.system.cell_of(path) for path in ("/left", "/left/a", "/left/b")]
        began = stage.clock.now()
        await stop_child(root, "left")
        assert stage.clock.now() - began == 5_000_000_000
        kinds = [cell.last_exit.kind for cell in cells if cell is not None and cell.last_exit is not None]
        assert kinds == [ExitKind.KILLED, ExitKind.KILLED, ExitKind.SHUTDOWN]
        assert stage.system.paths() == ["/", "/c"]

    on_stage(script)
