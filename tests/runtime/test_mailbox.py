"""Mailboxes: lanes in their order, and the stated policy when they are full."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Request
from runtime.actor import Actor, handles
from runtime.envelope import Envelope
from runtime.errors import SpawnRefused
from runtime.lifecycle import ChildStarted
from runtime.mailbox import Mailbox, Put, route_of
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Cue, Fact, Line, Player, Tick, pass_s, play


class Latest(Request[int], frozen=True):
    """A request of a conflating type."""

    CONFLATE_BY: ClassVar[str] = "symbol"

    symbol: str


def put(mailbox: Mailbox, message: Any, message_id: int = 1, reply: Any = None) -> Put:
    """Put a message into a mailbox as the cell does."""
    return mailbox.put(Envelope(message, "", message_id, message_id, 0, message_id, reply), route_of(type(message)))


def handled(tell: Any, **spec: Any) -> list[Any]:
    """Return what a player handles of what is told to it in one go."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        tell(system.spawn(Spec("player", lambda: Player(log=log), **spec)))
        await pass_s()

    play(scenario)
    return log


def test_control_overtakes_data_and_lanes_keep_their_order() -> None:
    """Control messages are handled before waiting data; within a lane the first told is the first handled."""

    def tell(ref: Any) -> None:
        for message in (Line("1"), Cue("a"), Line("2"), Cue("b"), Fact(3)):
            ref.tell(message)

    assert handled(tell) == [Cue("a"), Cue("b"), Line("1"), Line("2"), Fact(3)]


def test_news_of_children_overtake_everything() -> None:
    """The system lane comes before control and data."""
    order: list[str] = []

    class Parent(Actor):
        @handles
        def heard(self, msg: ChildStarted) -> None:
            order.append("system")

        @handles
        def cue(self, msg: Cue) -> None:
            order.append("control")

        @handles
        def line(self, msg: Line) -> None:
            order.append("data")

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("parent", Parent))
        for message in (Line("1"), Cue("2"), ChildStarted("/parent/x", "x")):
            ref.tell(message)
        await pass_s()

    play(scenario)
    assert order == ["system", "control", "data"]


def test_what_a_full_mailbox_refuses_is_a_dead_letter_with_its_reason() -> None:
    """A told message beyond the capacity becomes a dead letter; nothing is raised in the sender."""

    async def scenario(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = system.spawn(Spec("player", lambda: Player(log=log), capacity=2))
        for text in "abcd":
            ref.tell(Line(text))
        await pass_s()
        assert log == [Line("a"), Line("b")]
        letters = system.dead_letters.all()
        assert [(each.path, each.envelope.message, each.reason) for each in letters] == [
            ("/player", Line("c"), "the mailbox is full"),
            ("/player", Line("d"), "the mailbox is full"),
        ]
        assert next(each for each in system.stats() if each.path == "/player").rejected == 2

    play(scenario)


def test_facts_are_never_dropped() -> None:
    """Facts beyond the capacity wait all the same, in order, among ordinary messages that are refused."""

    def tell(ref: Any) -> None:
        for number in range(50):
            ref.tell(Fact(number))
            ref.tell(Line(str(number)))

    log = handled(tell, capacity=4)
    assert [each for each in log if isinstance(each, Fact)] == [Fact(number) for number in range(50)]
    assert [each for each in log if isinstance(each, Line)] == [Line("0"), Line("1")]


def test_control_and_data_share_one_capacity() -> None:
    """Waiting control messages count against the capacity of data."""

    def tell(ref: Any) -> None:
        for message in (Line("0"), Cue("1"), Cue("2"), Line("refused")):
            ref.tell(message)

    assert handled(tell, capacity=3) == [Cue("1"), Cue("2"), Line("0")]


def test_only_the_newest_tick_of_a_symbol_waits() -> None:
    """A waiting tick is replaced by the next of its symbol, keeps its place, and the metric counts it."""

    async def scenario(system: ActorSystem) -> list[Any]:
        log: list[Any] = []
        ref = system.spawn(Spec("player", lambda: Player(log=log)))
        for tick in (Tick("a", 1), Tick("b", 1), Tick("a", 2), Tick("a", 3)):
            ref.tell(tick)
        await pass_s()
        ref.tell(Tick("a", 4))
        await pass_s()
        assert next(each for each in system.stats() if each.path == "/player").conflated == 2
        return log

    assert play(scenario) == [Tick("a", 3), Tick("b", 1), Tick("a", 4)]


def test_a_conflated_message_carries_the_ids_of_the_newest() -> None:
    """Ids, chain and sender are the newest message's, so that its effects are traced to the right cause."""
    mailbox = Mailbox()
    route = route_of(Tick)
    first = Envelope(Tick("a", 1), "/old", 1, 10, 100, 5, None, 1)
    mailbox.put(first, route)
    assert mailbox.put(Envelope(Tick("a", 2), "/new", 2, 20, 200, 7), route) is Put.CONFLATED
    taken = mailbox.take()
    assert (taken.message, taken.sender, taken.message_id) == (Tick("a", 2), "/new", 2)
    assert (taken.correlation_id, taken.causation_id) == (20, 200)
    assert taken.attempts == 0, "the newest message has crashed nobody yet"
    assert taken.enqueued_at == 5, "the age is that of the place in the queue"


def test_requests_of_a_conflating_type_are_all_answered() -> None:
    """A request is never replaced by another: each asker waits for its own answer."""
    mailbox = Mailbox()
    for number in (1, 2):
        assert put(mailbox, Latest("a"), number, reply=lambda *_: None) is Put.QUEUED
    assert [mailbox.take().message_id, mailbox.take().message_id] == [1, 2]


def test_a_capacity_is_at_least_one() -> None:
    """An actor that may hold no message could never handle one."""
    with pytest.raises(SpawnRefused, match="capacity"):
        Spec("player", Player, capacity=0)


messages = st.one_of(
    st.builds(Line, st.sampled_from("ab")),
    st.builds(Cue, st.sampled_from("ab")),
    st.builds(Fact, st.integers(0, 9)),
    st.builds(Tick, st.sampled_from("ab"), st.integers(0, 9)),
)
steps = st.lists(st.one_of(messages, st.just("take"), st.just("put back")), max_size=60)


@given(steps, st.integers(1, 6))
def test_a_mailbox_loses_nothing_it_did_not_refuse_or_replace(script: list[Any], capacity: int) -> None:
    """Over any script every message is taken, refused, replaced or still there, once; facts and ticks are never refused."""
    mailbox = Mailbox(capacity)
    put_in, taken, refused, replaced = 0, 0, 0, 0
    last: Envelope | None = None
    for step in script:
        if step == "take" and len(mailbox):
            last = mailbox.take()
            taken += 1
        elif step == "put back" and last is not None:
            mailbox.put_back(last, route_of(type(last.message)))
            last, taken = None, taken - 1
        elif not isinstance(step, str):
            put_in += 1
            outcome = put(mailbox, step, put_in)
            refused += outcome is Put.REJECTED
            replaced += outcome is Put.CONFLATED
            assert outcome is not Put.REJECTED or isinstance(step, Line | Cue)
    assert put_in == taken + refused + replaced + len(mailbox)
    assert (refused, replaced) == (mailbox.rejected, mailbox.conflated)
    rest = [mailbox.take().message for _ in range(len(mailbox))]
    lanes = [route_of(type(each)).lane for each in rest]
    assert lanes == sorted(lanes)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=40))
def test_a_slow_reader_of_ticks_sees_the_newest_of_each_symbol(ticks: list[tuple[str, int]]) -> None:
    """However many ticks come, one a symbol waits: its newest, in the order in which the symbols first came."""
    mailbox = Mailbox(1)
    for number, tick in enumerate(ticks, 1):
        put(mailbox, Tick(*tick), number)
    waiting = [mailbox.take().message for _ in range(len(mailbox))]
    assert waiting == [Tick(symbol, price) for symbol, price in dict(ticks).items()]
