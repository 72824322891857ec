"""The life of an order."""

from __future__ import annotations

from itertools import product

import pytest

from protocol.orders import OrderState
from rules.order_life import MOVES, STALE, IllegalOrderMove, advance

S = OrderState


def test_every_pair_of_states_is_decided_once() -> None:
    """A report moves an order, is stale, repeats, or is illegal: the tables never contradict each other."""
    assert set(MOVES) == set(STALE) == set(OrderState)
    for old in OrderState:
        assert not MOVES[old] & STALE[old]
        assert old not in MOVES[old] | STALE[old]


@pytest.mark.parametrize(("old", "new"), list(product(OrderState, repeat=2)))
def test_advance_follows_the_tables(old: OrderState, new: OrderState) -> None:
    """Moves change the state, stale and repeated reports do not, all else raises and names both states."""
    if new in MOVES[old]:
        assert advance(old, new) is new
    elif new is old or new in STALE[old]:
        assert advance(old, new) is old
    else:
        with pytest.raises(IllegalOrderMove) as caught:
            advance(old, new)
        assert (caught.value.old, caught.value.new) == (old, new)


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ([S.SENT, S.OPEN, S.PARTIALLY_FILLED, S.FILLED], S.FILLED),
        ([S.SENT, S.UNKNOWN, S.OPEN, S.CANCELLED], S.CANCELLED),
        ([S.SENT, S.UNKNOWN, S.REJECTED], S.REJECTED),
        ([S.SENT, S.FILLED, S.OPEN, S.PARTIALLY_FILLED, S.CANCELLED, S.UNKNOWN], S.FILLED),
        ([S.SENT, S.CANCELLED, S.FILLED], S.FILLED),
        ([S.CANCELLED, S.SENT, S.OPEN], S.CANCELLED),
        ([S.REJECTED, S.SENT], S.REJECTED),
    ],
)
def test_lives_of_orders(path: list[OrderState], end: OrderState) -> None:
    """Orders live from intended to an end; late reports after the end are ignored."""
    state = S.INTENDED
    for reported in path:
        state = advance(state, reported)
    assert state is end


@pytest.mark.parametrize(("old", "new"), [(S.REJECTED, S.FILLED), (S.REJECTED, S.OPEN), (S.INTENDED, S.OPEN)])
def test_impossible_moves_raise(old: OrderState, new: OrderState) -> None:
    """A refused order cannot trade, one that was not sent cannot be open."""
    with pytest.raises(IllegalOrderMove, match=f"{old} to {new}"):
        advance(old, new)
