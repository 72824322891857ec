"""The memory of a paper exchange: bounded, and still a proof of absence (EX-1107, EX-426)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import encode_msgpack
from protocol.orders import OrderState
from tests.venues.paper_helpers import D, applied, engine, order, place, tick
from venues.paper import PaperEngine
from venues.paper.ended import KEPT_WHOLE, MOVED_AT_ONCE, EndedOrders
from venues.paper.numbers import hashed
from venues.paper.state import MAX_FILLS_KEPT

MANY = 2 * KEPT_WHOLE


def key(number: int) -> str:
    """Return a client id."""
    return f"bhold{number:06d}"


def traded(orders: int) -> PaperEngine:
    """Return an exchange where every third order was filled, cancelled, refused."""
    made = engine(usdt="100000000")
    made.on_tick(tick("99", "100"))
    for number in range(orders):
        if number % 3 == 0:
            place(made, order(key(number), "buy", "market", "0.1"))
        elif number % 3 == 1:
            place(made, order(key(number), "buy", "limit", "0.1", "90"))
            applied(made, made.cancel(key(number), 1))
        else:
            place(made, order(key(number), "buy", "limit", "0.1", "90.005"))
    return made


def test_ended_orders_leave_memory_and_are_still_answered_for() -> None:
    """EX-1107: an exchange that traded for years keeps the newest ended orders whole and of the others how they ended."""
    made = traded(MANY)
    memory = made.state.memory
    assert len(memory.orders) + len(memory.refused) < KEPT_WHOLE + MOVED_AT_ONCE
    assert len(memory.orders) + len(memory.refused) + memory.past.count == MANY
    for number, state, filled in (
        (0, OrderState.FILLED, "0.1"),
        (1, OrderState.CANCELLED, "0"),
        (2, OrderState.REJECTED, "0"),
        (MANY - 1, OrderState.REJECTED if (MANY - 1) % 3 == 2 else None, "0"),
    ):
        found = made.query(key(number), "BTC/USDT", 5)
        assert state is None or (found.state, found.filled_qty) == (state, D(filled))
        assert not found.absent_proven
    assert made.query("bhnever000001", "BTC/USDT", 5).absent_proven


def test_an_id_is_used_once_for_ever() -> None:
    """EX-422: the client id of an order that left memory long ago places nothing, and hears how that one ended."""
    made = traded(MANY)
    again = order(key(0), "buy", "market", "0.1")
    before = made.balances()
    assert made.place(again, 9) == ()
    assert made.answer(again, 9).state is OrderState.FILLED
    assert made.refuse(again, "OrderRejected", 9) == ()
    assert made.balances() == before


def test_a_snapshot_brings_all_of_it_back_and_stays_small() -> None:
    """EX-1205: memory from a snapshot is the memory it was taken of; an ended order takes a few bytes of it."""
    made, more = traded(MANY), traded(MANY + 1_000)
    other = engine()
    other.state.load(made.state.dump())
    assert other.state.memory == made.state.memory
    growth = len(more.state.dump()) - len(made.state.dump())
    assert growth < 1_000 * 250  # a third of them traded: their fills are kept, up to a bound of their own
    assert MAX_FILLS_KEPT <= 10_000


def test_the_memory_of_an_older_release_is_completed() -> None:
    """EX-1205: a snapshot without the newer fields gives the same answers, and numbers orders where it left off."""
    made = traded(9)
    memory = made.state.memory
    memory.done.clear()
    memory.accepted = 0
    other = engine()
    other.state.load(made.state.dump())
    assert other.state.memory.accepted == 6
    assert len(other.state.memory.done) == 9
    (accepted, *_) = place(other, order(key(99), "buy", "limit", "0.1", "50"))
    assert accepted.venue_order_id == "p7"


def test_how_orders_ended_is_taken_over_from_an_older_release() -> None:
    """EX-422: ids that an older release kept in a dictionary still place nothing."""
    made = traded(9)
    made.state.memory.ended = {hashed(key(500)): "filled 0.5", hashed(key(501)): "cancelled 0"}
    other = engine()
    other.state.load(made.state.dump())
    assert other.state.memory.ended == {}
    assert other.query(key(500), "BTC/USDT", 5).filled_qty == D("0.5")
    assert other.query(key(501), "BTC/USDT", 5).state is OrderState.CANCELLED
    assert other.query(key(502), "BTC/USDT", 5).absent_proven


ENDINGS = st.tuples(
    # A few numbers that share their last bits, so that places are taken already; 0 is a hash like any other.
    st.integers(0, 2**64 - 1) | st.integers(0, 40).map(lambda each: each << 32),
    st.sampled_from(["filled 0.5", "filled 1", "cancelled 0", "rejected 0"]),
)


@given(st.lists(ENDINGS, max_size=200), st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_the_table_says_what_a_dictionary_would(endings: list[tuple[int, str]], others: list[int]) -> None:
    """EX-422: every order that ended is known with its newest ending, and no other, also after a snapshot."""
    table, peer = EndedOrders(), dict[int, str]()
    for number, text in endings:
        table.add(number, text)
        peer[number] = text
    again = msgspec.msgpack.decode(encode_msgpack(table), type=EndedOrders)
    assert again == table
    assert table.count == len(peer)
    texts = ["", *again.texts]
    for number in (*peer, *(others if peer else [])):
        assert texts[again.outcome(number)] == peer.get(number, "")
