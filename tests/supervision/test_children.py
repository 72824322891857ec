"""Children that come and go: added and stopped by message, restarted by an operator; poison messages."""

from __future__ import annotations

import pytest

from protocol.control import RestartActor
from runtime.actor import handles
from runtime.errors import ActorCrashed
from runtime.lifecycle import Terminated
from supervision.errors import ChildExists, ChildStartFailed, NoSuchChild, Overtaken
from supervision.messages import StartChild, StopChild, start_child, stop_child
from supervision.supervisor import Supervisor
from supervision.tree import supervisor
from tests.supervision.stage import Broken, Crash, Finish, Note, Stage, on_stage


def test_child_is_added_stopped_and_added_again() -> None:
    """A child can be added under a name, stopped for good, and another be added under the same name."""

    async def script(stage: Stage) -> None:
        root = stage.root()
        await stage.pass_s(0.1)
        ref = await start_child(root, stage.worker("a"))
        assert await ref.ask(Note("one")) == "one"
        with pytest.raises(ChildExists):
            await start_child(root, stage.worker("a"))
        await stop_child(root, "a")
        assert stage.system.lookup("/a") is None
        with pytest.raises(NoSuchChild):
            await stop_child(root, "a")
        again = await start_child(root, stage.worker("a"))
        assert await again.ask(Note("two")) == "two"
        assert await ref.ask(Note("three")) == "three"  # an old reference reaches whoever lives there now
        assert stage.log == ["+a", "-a", "+a"]

    on_stage(script)


def test_asked_child_that_does_not_start_is_gone() -> None:
    """As in OTP a child whose first start fails is not kept, and the asker hears why."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("b"))
        await stage.pass_s(0.1)
        stage.bad_starts = {"a": 1}
        with pytest.raises(ChildStartFailed) as caught:
            await start_child(root, stage.worker("a"))
        assert isinstance(caught.value.cause, Broken)
        assert stage.phases() == {"b": "up"}
        assert stage.contexts() == ["start_error a"]
        await start_child(root, stage.worker("a"))
        assert stage.phases() == {"b": "up", "a": "up"}

    on_stage(script)


def test_told_child_that_does_not_start_is_tried_again() -> None:
    """When nobody waits for the answer a failed first start is a failure like any other, not a silent loss."""

    async def script(stage: Stage) -> None:
        root = stage.root()
        await stage.pass_s(0.1)
        stage.bad_starts = {"a": 2}
        root.tell(StartChild(stage.worker("a")))
        await stage.pass_s(0.1)
        stage.tell("/a", Note("first"))
        await stage.pass_s(10)
        assert stage.phases() == {"a": "up"}
        assert stage.notes == ["a:first"]

    on_stage(script)


def test_finished_child_can_be_added_again() -> None:
    """The kept spec of a transient child that is done gives way to a new one of its name."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("b"))
        await stage.pass_s(0.1)
        await start_child(root, stage.worker("a", restart="transient"))
        stage.tell("/a", Finish())
        await stage.pass_s(0.1)
        assert stage.phases() == {"b": "up", "a": "done"}
        assert stage.system.lookup("/a") is None
        await start_child(root, stage.worker("a", restart="transient"))
        assert stage.phases() == {"b": "up", "a": "up"}

    on_stage(script)


def test_stop_during_a_start_or_a_wait() -> None:
    """A child is stopped for good in whatever phase it is; whoever waits for its start hears that it was overtaken."""

    async def script(stage: Stage) -> None:
        root = stage.root()
        await stage.pass_s(0.1)
        stage.slow_starts = {"a": 100.0}
        starting = stage.system.loop.create_task(start_child(root, stage.worker("a")))
        await stage.pass_s(1)
        await stop_child(root, "a")
        with pytest.raises(Overtaken):
            await starting
        stage.alive.clear()
        stage.slow_starts = {}
        await start_child(root, stage.worker("b"))
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(0.1)
        assert stage.phases() == {"b": "waiting"}
        await stop_child(root, "b")
        await stage.pass_s(100)
        assert stage.phases() == {}
        assert stage.log.count("+b") == 1

    on_stage(script)


def test_added_child_belongs_to_the_order() -> None:
    """Under rest_for_one an added child comes after all others, in restarts and stops too."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        await start_child(root, stage.worker("b"))
        await start_child(root, stage.worker("c"))
        stage.take_log()
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(5)
        assert stage.take_log() == ["-c", "+b", "+c"]
        await stage.system.stop()
        assert stage.take_log() == ["-c", "-b", "-a"]

    on_stage(script)


@pytest.mark.parametrize(
    "strategy, expected",
    [("one_for_one", "-b +b"), ("rest_for_one", "-c -b +b +c"), ("one_for_all", "-c -b -a +a +b +c")],
)
def test_operator_restarts_by_the_strategy(strategy: str, expected: str) -> None:
    """An operator's restart stops in order, takes along whom a failure would, waits for nothing and costs no budget."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy=strategy)
        await stage.pass_s(0.1)
        stage.take_log()
        began = stage.clock.now()
        standing = await stage.ask("/", RestartActor("/b"))
        assert (standing.path, standing.state, standing.restarts) == ("/b", "up", 1)
        assert stage.clock.now() == began
        await stage.pass_s(0.1)
        assert stage.take_log() == expected.split()
        for _ in range(10):
            await stage.ask("/", RestartActor("/b"))
        assert stage.failure is None

    on_stage(script)


def test_operator_restarts_what_waits_or_is_done() -> None:
    """An operator need not wait for a backoff, may wake a finished child, and keeps a temporary one."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b", restart="transient"), stage.worker("c", restart="temporary"))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        stage.tell("/b", Finish())
        await stage.pass_s(0.1)
        assert stage.phases() == {"a": "waiting", "b": "done", "c": "up"}
        for path in ("/a", "/b", "/c"):
            assert (await stage.ask("/", RestartActor(path))).state == "up"
        assert stage.phases() == {"a": "up", "b": "up", "c": "up"}
        assert [ref.path for ref in stage.supervisor().context.children] == ["/a", "/b", "/c"]
        await stage.pass_s(10)
        assert stage.log.count("+a") == 2

    on_stage(script)


def test_group_restart_by_an_operator_does_not_wait_for_a_backoff() -> None:
    """Under rest_for_one an operator's restart of the failed child ends the pause of the whole group."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(0.1)
        stage.take_log()
        began = stage.clock.now()
        await stage.ask("/", RestartActor("/b"))
        assert stage.clock.now() == began
        await stage.pass_s(0.1)
        assert stage.take_log() == ["+b", "+c"]
        await stage.pass_s(10)
        assert stage.take_log() == []

    on_stage(script)


def test_slow_restart_by_an_operator_holds_up_nobody() -> None:
    """Under one_for_one the restarts, starts and stops of others go on while one child takes long to stop."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a", stop_s=100.0), stage.worker("b"), stage.worker("c"))
        await stage.pass_s(0.1)
        stage.slow_stops = {"a": 50.0}
        slow = stage.system.loop.create_task(stage.ask("/", RestartActor("/a"), 90.0))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.ask("/", RestartActor("/c"))
        await start_child(root, stage.worker("d"))
        await stage.pass_s(2)
        assert stage.phases() == {"a": "stopping", "b": "up", "c": "up", "d": "up"}
        assert (await slow).state == "up"

    on_stage(script)


def test_stop_for_good_while_a_group_stops() -> None:
    """A child that is being stopped with its group can be stopped for good meanwhile; it can no longer be restarted."""

    async def script(stage: Stage) -> None:
        specs = (stage.worker("a"), stage.worker("b"), stage.worker("c", stop_s=100.0))
        root = stage.root(*specs, strategy="rest_for_one")
        await stage.pass_s(0.1)
        stage.slow_stops = {"c": 10.0}
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(0.1)
        assert stage.phases() == {"a": "up", "b": "waiting", "c": "stopping"}
        gone = stage.system.loop.create_task(stop_child(root, "c"))
        await stage.pass_s(0.1)
        with pytest.raises(NoSuchChild):
            await stage.ask("/", RestartActor("/c"))
        await gone
        assert stage.clock.now() == 10_100_000_000  # not before it has stopped
        await stage.pass_s(1)
        assert stage.phases() == {"a": "up", "b": "up"}
        assert stage.log == ["+a", "+b", "+c", "-c", "+b"]

    on_stage(script)


def test_poison_message_is_parked_and_can_be_replayed() -> None:
    """A told message that crashes its actor twice is parked; the actor goes on, and the message can be told again."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        for text in ("one", "poison", "two"):
            stage.tell("/a", Note(text))
        await stage.pass_s(10)
        assert stage.notes == ["a:one", "a:two"]
        assert stage.view()["a"].restarts == 2
        (letter,) = stage.system.dead_letters.all()
        assert letter.poison
        assert letter.path == "/a"
        assert "poison" in letter.error
        assert stage.system.replay_dead_letter(letter.id) == "/a"
        await stage.pass_s(20)
        assert stage.view()["a"].restarts == 4
        assert [each.poison for each in stage.system.dead_letters.all()] == [True]
        assert await stage.ask("/a", Note("three")) == "three"

    on_stage(script)


def test_asker_of_a_crashing_child_is_told_at_once() -> None:
    """Who asks an actor that crashes on it hears ActorCrashed with the cause, and the request is not tried again."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        began = stage.clock.now()
        with pytest.raises(ActorCrashed) as caught:
            await stage.ask("/a", Note("poison"))
        assert isinstance(caught.value.cause, Broken)
        assert stage.clock.now() == began
        await stage.pass_s(10)
        assert stage.view()["a"].restarts == 1
        assert len(stage.system.dead_letters) == 0

    on_stage(script)


class House(Supervisor):
    """A supervisor with children of its own choosing."""

    def __init__(self, stage: Stage, children: tuple[object, ...] = (), **options: object) -> None:
        super().__init__(children, **options)  # type: ignore[arg-type]
        self.stage = stage
        self.gone: list[str] = []

    @handles
    def note(self, msg: Note) -> None:
        """Open or close a room."""
        if msg.text.startswith("-"):
            self.stop_child(msg.text[1:])
        else:
            self.start_child(self.stage.worker(msg.text))
            ref = self.context.system.lookup(f"{self.context.path}/{msg.text}")
            assert ref is not None
            self.context.watch(ref)

    @handles
    def terminated(self, news: Terminated) -> None:
        """Remember who is gone."""
        self.gone.append(f"{news.path} {news.exit.kind}")


def test_subclass_adds_and_stops_children_itself() -> None:
    """A subclass starts and stops children from its own handlers; a watcher hears of their end for good only."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(
            supervisor("root", supervisor("house", kind=lambda *args, **options: House(stage, *args, **options)))
        )
        await stage.pass_s(0.1)
        stage.tell("/house", Note("a"))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/house/a", Crash())
        await stage.pass_s(5)
        house = stage.supervisor("/house")
        assert isinstance(house, House)
        assert house.gone == []
        stage.tell("/house", Note("-a"))
        await stage.pass_s(1)
        assert house.gone == ["/house/a shutdown"]
        assert stage.phases("/house") == {}

    on_stage(script)


def test_told_stop_of_nobody_changes_nothing() -> None:
    """A told request that cannot be met is refused without harm to the supervisor."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a"))
        await stage.pass_s(0.1)
        root.tell(StopChild("nobody"))
        root.tell(StartChild(stage.worker("a")))
        await stage.pass_s(0.1)
        assert stage.phases() == {"a": "up"}
        assert stage.failure is None

    on_stage(script)
