"""The end of a budget: a supervisor that runs out of it has failed, and is never left down silently."""

from __future__ import annotations

import pytest

from protocol.control import SupervisorReport
from runtime.actor import Actor
from runtime.errors import ActorCrashed
from runtime.spec import Spec
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.errors import SupervisorExhausted
from supervision.messages import StartChild, start_child
from supervision.tree import supervisor
from tests.supervision.stage import STEADY, Broken, Crash, Finish, Listener, Note, Stage, on_stage


async def crash(stage: Stage, path: str) -> None:
    """Have an actor crash on a request, which is not tried again."""
    with pytest.raises(ActorCrashed):
        await stage.ask(path, Crash())


def test_budget_is_for_all_children_together() -> None:
    """As in OTP the intensity is the supervisor's: failures of different children add up."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"), intensity=Intensity(2, 60))
        await stage.pass_s(0.1)
        await crash(stage, "/a")
        await stage.pass_s(2)
        await crash(stage, "/b")
        await stage.pass_s(2)
        assert stage.failure is None
        await crash(stage, "/a")
        await stage.pass_s(2)
        assert isinstance(stage.failure, SupervisorExhausted)
        assert stage.failure.child == "/a"
        assert isinstance(stage.failure.cause, Broken)

    on_stage(script)


def test_failures_outside_the_window_do_not_count() -> None:
    """A child that fails now and then, but slower than the intensity, is restarted for ever."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), intensity=Intensity(1, 10))
        await stage.pass_s(0.1)
        for _ in range(5):
            await crash(stage, "/a")
            await stage.pass_s(70)
        assert stage.failure is None
        assert stage.view()["a"].restarts == 5

    on_stage(script)


def test_no_restarts_allowed() -> None:
    """An intensity of no restarts escalates the first failure."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), intensity=Intensity(0, 10))
        await stage.pass_s(0.1)
        await crash(stage, "/a")
        await stage.pass_s(1)
        assert isinstance(stage.failure, SupervisorExhausted)
        assert stage.log == ["+a"]

    on_stage(script)


def test_crash_storm_climbs_two_levels_to_the_system() -> None:
    """A child that only crashes uses up its supervisor's budget, that one its parent's, and the system fails."""
    reports: list[SupervisorReport] = []

    async def script(stage: Stage) -> None:
        little = Intensity(1, 1_000)
        inner = supervisor("inner", stage.worker("a", restart="transient"), stage.worker("b"), intensity=little)
        outer = supervisor("outer", inner, intensity=little)
        listener = ChildSpec("listener", lambda: Listener(reports))
        stage.system.start_root(supervisor("root", listener, outer, intensity=little))
        for _ in range(8):
            await stage.pass_s(20)
            if stage.failure is None:
                await crash(stage, "/outer/inner/a")
        await stage.pass_s(1)
        assert isinstance(stage.failure, SupervisorExhausted)
        assert stage.failure.supervisor == "/"
        assert stage.failure.child == "/outer"
        assert isinstance(stage.failure.cause, SupervisorExhausted)
        assert isinstance(stage.failure.cause.cause, SupervisorExhausted)
        assert isinstance(stage.failure.cause.cause.cause, Broken)
        # Two lives of a in each of two lives of inner in each of two lives of outer.
        assert stage.log.count("+a") == 8
        assert stage.log.count("+b") == 4

    on_stage(script)
    escalated = [each.supervisor for each in reports if each.context == "escalated"]
    assert escalated.count("/outer/inner") == 4
    assert escalated.count("/outer") == 2


def test_escalation_stops_the_siblings_in_reverse() -> None:
    """A supervisor that gives up stops what still runs, last started first."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), intensity=Intensity(0, 10))
        await stage.pass_s(0.1)
        stage.take_log()
        await crash(stage, "/b")
        await stage.pass_s(1)
        assert stage.log == ["-c", "-a"]

    on_stage(script)


@pytest.mark.parametrize("restart", ["permanent", "transient"])
def test_exhausted_supervisor_is_restarted_by_its_parent(restart: str) -> None:
    """A supervisor that ran out of its budget has crashed: its parent restarts it, with a fresh budget."""

    async def script(stage: Stage) -> None:
        inner = supervisor("inner", stage.worker("a"), intensity=Intensity(0, 10), restart=restart)
        stage.system.start_root(supervisor("root", inner))
        await stage.pass_s(0.1)
        await crash(stage, "/inner/a")
        await stage.pass_s(5)
        assert stage.log == ["+a", "+a"]
        assert stage.contexts() == ["child_terminated inner", "restart inner"]
        assert stage.failure is None

    on_stage(script)


def test_exhausted_temporary_supervisor_is_not_dropped() -> None:
    """A temporary supervisor that ran out of its budget is a failure of its parent: a subtree never vanishes silently."""

    async def script(stage: Stage) -> None:
        inner = supervisor("inner", stage.worker("a"), intensity=Intensity(0, 10), restart="temporary")
        stage.system.start_root(supervisor("root", inner))
        await stage.pass_s(0.1)
        await crash(stage, "/inner/a")
        await stage.pass_s(5)
        assert isinstance(stage.failure, SupervisorExhausted)
        assert isinstance(stage.failure.cause, SupervisorExhausted)

    on_stage(script)


def test_temporary_supervisor_that_is_told_to_stop_is_removed() -> None:
    """Only exhaustion makes the end of a temporary supervisor a failure."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(supervisor("root", supervisor("inner", stage.worker("a"), restart="temporary")))
        await stage.pass_s(0.1)
        cell = stage.system.cell_of("/inner")
        assert cell is not None
        cell.begin_stop()
        await stage.pass_s(5)
        assert stage.phases() == {}
        assert stage.failure is None

    on_stage(script)


class Leaver(Actor):
    """A root that ends by itself."""

    def started(self) -> None:
        """Leave."""
        self.context.stop()


def test_root_that_ends_by_itself_fails_the_system() -> None:
    """Whoever waits for the system's failure hears of any end of the root that nobody ordered."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(Spec("root", Leaver))
        assert "root" in str(await stage.system.failed())

    on_stage(script)


def test_ordered_stop_is_no_failure() -> None:
    """Stopping the system is not a failure, even of children that stop badly."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        stage.bad_stops = {"a"}
        await stage.system.stop()
        assert stage.failure is None

    on_stage(script)


def test_who_waits_for_a_start_hears_of_the_exhaustion() -> None:
    """Whoever asked for a child of a supervisor that gives up is told at once, with the reason."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a"), intensity=Intensity(0, 10))
        await stage.pass_s(0.1)
        stage.slow_starts = {"b": 30.0}
        asked = stage.system.loop.create_task(start_child(root, stage.worker("b")))
        await stage.pass_s(0.1)
        await crash(stage, "/a")
        with pytest.raises(SupervisorExhausted):
            await asked
        assert stage.clock.now() == 200_000_000

    on_stage(script)


def test_news_of_an_earlier_life_is_void() -> None:
    """An exit that was on its way to a supervisor when that one crashed does not count in its next life."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(supervisor("root", supervisor("inner", stage.worker("a"))))
        await stage.pass_s(0.1)
        for path in ("/inner/a", "/inner"):
            cell = stage.system.cell_of(path)
            assert cell is not None
            cell.crash(Broken(path), None)
        stage.alive.clear()
        await stage.pass_s(5)
        assert stage.log == ["+a", "+a"]
        assert stage.phases("/inner") == {"a": "up"}
        assert stage.contexts("/inner") == []
        assert stage.view()["inner"].restarts == 1

    on_stage(script)


async def fail(stage: Stage, path: str, times: int) -> None:
    """Have an actor crash some times, and let it come back each time."""
    for _ in range(times):
        await crash(stage, path)
        await stage.pass_s(10)


def test_group_waits_for_the_longest_backoff() -> None:
    """Under rest_for_one a failure during the wait for another lengthens the pause of the group, never shortens it."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one", intensity=Intensity(20, 60))
        await stage.pass_s(0.1)
        await fail(stage, "/b", 2)
        await crash(stage, "/b")  # it waits for 4 s
        await stage.pass_s(1)
        stage.take_log()
        await crash(stage, "/a")  # it alone would wait for 1 s
        await stage.pass_s(2.9)
        assert stage.take_log() == []
        await stage.pass_s(0.2)
        assert stage.take_log() == ["+a", "+b", "+c"]
        await fail(stage, "/a", 1)
        stage.take_log()
        await crash(stage, "/c")  # 1 s
        await crash(stage, "/a")  # 4 s
        await stage.pass_s(3.9)
        assert stage.take_log() == ["-b"]
        await stage.pass_s(0.2)
        assert stage.take_log() == ["+a", "+b", "+c"]

    on_stage(script)


def test_waits_grow_and_shrink_again() -> None:
    """Each failure in a row doubles the wait; who ran long enough begins at the first wait again."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), intensity=Intensity(10, 60))
        await stage.pass_s(0.1)
        for _ in range(3):
            await crash(stage, "/a")
            await stage.pass_s(10)
        await stage.pass_s(60)
        await crash(stage, "/a")
        await stage.pass_s(10)
        delays = [each.delay_s for each in stage.supervisor().reports if each.context == "restart"]
        assert delays == [1.0, 2.0, 4.0, 1.0]

    on_stage(script)


def test_messages_wait_for_the_next_life() -> None:
    """What is told while a child waits for its restart is handled by its next life, in order."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        ref = stage.system.lookup("/a")
        assert ref is not None
        ref.tell(Note("before"))
        await crash(stage, "/a")
        ref.tell(Note("during"))
        asked = stage.system.loop.create_task(ref.ask(Note("asked"), 30.0))
        await stage.pass_s(0.5)
        assert stage.notes == ["a:before"]
        assert stage.phases() == {"a": "waiting"}
        await stage.pass_s(1)
        assert stage.notes == ["a:before", "a:during", "a:asked"]
        assert await asked == "asked"

    on_stage(script)


def test_dynamic_children_survive_their_supervisor() -> None:
    """A new life of a supervisor brings back the children it was given, except the temporary ones, with their mailboxes."""

    async def script(stage: Stage) -> None:
        inner = supervisor("inner", stage.worker("a"), intensity=Intensity(0, 10))
        stage.system.start_root(supervisor("root", inner))
        await stage.pass_s(0.1)
        for name, restart in (("d", "permanent"), ("e", "transient"), ("f", "temporary"), ("g", "transient")):
            stage.tell("/inner", StartChild(stage.worker(name, restart=restart)))
        await stage.pass_s(0.1)
        stage.tell("/inner/g", Finish())
        await stage.pass_s(0.1)
        stage.take_log()
        await crash(stage, "/inner/a")
        stage.tell("/inner/d", Note("kept"))
        await stage.pass_s(5)
        assert stage.log == ["-f", "-e", "-d", "+a", "+d", "+e"]
        assert stage.notes == ["d:kept"]
        assert stage.phases("/inner") == {"a": "up", "d": "up", "e": "up"}

    on_stage(script)


def test_dynamic_child_that_no_longer_starts_does_not_fail_the_start() -> None:
    """A brought-back child that does not start is tried again by the budget; the static tree comes up meanwhile."""

    async def script(stage: Stage) -> None:
        inner = supervisor("inner", stage.worker("a"), intensity=Intensity(3, 1_000))
        stage.system.start_root(supervisor("root", inner, stage.worker("z")))
        await stage.pass_s(0.1)
        stage.tell("/inner", StartChild(stage.worker("d", backoff=STEADY)))
        await stage.pass_s(0.1)
        cell = stage.system.cell_of("/inner")
        assert cell is not None
        cell.crash(Broken("the supervisor itself"), None)
        stage.bad_starts = {"d": 1}
        await stage.pass_s(0.5)
        assert stage.phases("/inner") == {"a": "up", "d": "waiting"}
        await stage.pass_s(2)
        assert stage.phases("/inner") == {"a": "up", "d": "up"}

    on_stage(script)
