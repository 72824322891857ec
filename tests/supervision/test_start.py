"""Starting: in order, each up before the next; failures on the way."""

from __future__ import annotations

import pytest

from runtime.errors import ActorCrashed
from supervision.errors import ChildStartFailed, SupervisionError, SupervisorExhausted
from supervision.messages import RestartDue, StartOverdue
from supervision.supervisor import Supervisor
from supervision.tree import supervisor
from tests.supervision.stage import Broken, Crash, Stage, on_stage


def test_children_start_in_order_each_up_before_the_next() -> None:
    """A child starts when the one before it is up, and the supervisor is up when all of them are."""

    async def script(stage: Stage) -> None:
        stage.slow_starts = {"a": 3.0, "b": 2.0}
        stage.system.start_root(
            supervisor("root", supervisor("left", stage.worker("a"), stage.worker("b")), stage.worker("c"))
        )
        await stage.pass_s(2.9)
        assert stage.log == ["+a"]
        await stage.pass_s(2.0)
        assert stage.log == ["+a", "+b"]
        assert stage.phases() == {"left": "starting", "c": "down"}
        await stage.pass_s(0.2)
        assert stage.log == ["+a", "+b", "+c"]
        assert stage.phases() == {"left": "up", "c": "up"}

    on_stage(script)


def test_supervisor_without_children_is_up_at_once() -> None:
    """An empty supervisor (all its children come later) does not hold up the start of the tree."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(supervisor("root", supervisor("groups"), stage.worker("a")))
        await stage.pass_s(0.1)
        assert stage.phases() == {"groups": "up", "a": "up"}

    on_stage(script)


def test_failed_first_start_fails_the_supervisor() -> None:
    """A child that does not start stops those already started, in reverse, and the supervisor's own start fails."""

    async def script(stage: Stage) -> None:
        stage.bad_starts = {"c": 1}
        stage.root(*(stage.worker(name) for name in "abcd"))
        await stage.pass_s(0.1)
        assert stage.log == ["+a", "+b", "+c", "-b", "-a"]
        assert isinstance(stage.failure, ChildStartFailed)
        assert isinstance(stage.failure.cause, Broken)
        assert stage.failure.child == "/c"

    on_stage(script)


def test_failed_first_start_deep_in_the_tree_fails_the_whole_start() -> None:
    """A subtree that does not come up at first stops what stands and fails every supervisor above it."""

    async def script(stage: Stage) -> None:
        stage.bad_starts = {"b": 1}
        left = supervisor("left", stage.worker("a"))
        stage.system.start_root(supervisor("root", left, supervisor("right", stage.worker("b"))))
        await stage.pass_s(0.1)
        assert stage.log == ["+a", "+b", "-a"]
        assert isinstance(stage.failure, ChildStartFailed)
        assert isinstance(stage.failure.cause, ChildStartFailed)

    on_stage(script)


def test_crash_in_the_wait_of_a_start_fails_it() -> None:
    """A start that fails after it has waited (an async hook) is a failed start too."""

    async def script(stage: Stage) -> None:
        spec = stage.worker("b")
        stage.root(stage.worker("a"), spec)
        stage.slow_starts = {"b": 5.0}
        await stage.pass_s(1)
        assert stage.phases() == {"a": "up", "b": "starting"}
        cell = stage.system.cell_of("/b")
        assert cell is not None
        cell.crash(Broken("on the way up"), None)
        await stage.pass_s(1)
        assert isinstance(stage.failure, ChildStartFailed)

    on_stage(script)


def test_restart_that_fails_to_start_counts_and_is_tried_again() -> None:
    """A failed start during a restart uses up the budget like a crash and is tried again after a longer wait."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(0.1)
        stage.take_log()
        stage.bad_starts = {"a": 2}
        await stage.pass_s(100)  # that it once ran for long does not shorten the waits between failed starts
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        await stage.pass_s(1.5)
        assert stage.take_log() == ["+a"]  # after 1 s
        await stage.pass_s(2)
        assert stage.take_log() == ["+a"]  # after 2 s more
        await stage.pass_s(4)
        assert stage.take_log() == ["+a"]  # after 4 s more, and up
        assert stage.phases() == {"a": "up", "b": "up"}
        assert stage.view()["a"].restarts == 3
        assert stage.contexts() == [
            "child_terminated a",
            "restart a",
            "start_error a",
            "restart a",
            "start_error a",
            "restart a",
        ]

    on_stage(script)


@pytest.mark.parametrize(
    "strategy, expected", [("rest_for_one", "+b +c +c"), ("one_for_all", "-a +a +b +c -b -a +a +b +c")]
)
def test_failed_start_in_the_middle_of_a_group_restart(strategy: str, expected: str) -> None:
    """A start that fails while a group comes back is itself a failure by the group's strategy."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy=strategy)
        await stage.pass_s(0.1)
        stage.bad_starts = {"c": 1}
        stage.take_log()
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(30)
        assert stage.take_log() == ["-c", *expected.split()]
        assert set(stage.phases().values()) == {"up"}

    on_stage(script)


def test_start_that_never_succeeds_uses_up_the_budget() -> None:
    """Restarts that only fail to start end in escalation, not in an endless loop."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        stage.bad_starts = {"a": 100}
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        await stage.pass_s(60)
        assert isinstance(stage.failure, SupervisorExhausted)
        assert stage.log == ["+a"] * 6  # the first start and the five restarts of the budget

    on_stage(script)


def test_child_that_is_not_up_in_time_failed_to_start() -> None:
    """A start has a deadline: a child that hangs in it is stopped and has failed."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b", start_s=10.0))
        stage.slow_starts = {"b": 10_000.0}
        await stage.pass_s(9.9)
        assert stage.failure is None
        await stage.pass_s(0.2)
        assert isinstance(stage.failure, ChildStartFailed)
        assert isinstance(stage.failure.cause, TimeoutError)

    on_stage(script)


@pytest.mark.parametrize("restart, outcome", [("transient", {"a": "done", "b": "up"}), ("temporary", {"b": "up"})])
def test_child_that_is_done_before_it_is_up(restart: str, outcome: dict[str, str]) -> None:
    """A child that finds nothing to do and ends in order while it starts is no failure, unless it is permanent."""

    async def script(stage: Stage) -> None:
        stage.early_ends = {"a"}
        stage.root(stage.worker("a", restart=restart), stage.worker("b"))
        await stage.pass_s(0.1)
        assert stage.phases() == outcome
        assert stage.contexts() == []

    on_stage(script)


def test_permanent_child_must_come_up() -> None:
    """A permanent child that ends in order while it starts has failed to start."""

    async def script(stage: Stage) -> None:
        stage.early_ends = {"a"}
        stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(0.1)
        assert isinstance(stage.failure, ChildStartFailed)

    on_stage(script)


def test_overtaken_timers_change_nothing() -> None:
    """A deadline or a backoff that was on its way when it lost its meaning is ignored."""

    async def script(stage: Stage) -> None:
        stage.slow_starts = {"b": 10.0}
        root = stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(0.1)
        assert stage.view()["a"].due_at is None
        for name in ("a", "b", "c"):
            root.tell(RestartDue(1_000, name))
            root.tell(StartOverdue(1_000, name))
        await stage.pass_s(20)
        assert stage.log == ["+a", "+b"]
        assert stage.phases() == {"a": "up", "b": "up"}

    on_stage(script)


def test_crash_of_a_started_child_does_not_fail_the_start() -> None:
    """A child that was up and crashes while later ones are still starting is restarted; the start goes on."""

    async def script(stage: Stage) -> None:
        stage.slow_starts = {"b": 5.0}
        stage.root(stage.worker("a"), stage.worker("b"), stage.worker("c"))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        await stage.pass_s(10)
        assert stage.take_log() == ["+a", "+b", "+a", "+c"]
        assert stage.phases() == {"a": "up", "b": "up", "c": "up"}

    on_stage(script)


def test_names_of_children_are_unique() -> None:
    """Two children of one name are a mistake that is told where the tree is written down."""

    async def script(stage: Stage) -> None:
        with pytest.raises(SupervisionError):
            Supervisor([stage.worker("a"), stage.worker("a")])
        with pytest.raises(SupervisionError):
            supervisor("root", stage.worker("a"), stage.worker("a"))
        with pytest.raises(SupervisionError):
            stage.worker("a", restart="sometimes")

    on_stage(script)
