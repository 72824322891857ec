"""What the guard of a bracket decides, by table and by property (PF-234)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.brackets import BracketOrderMoved, BracketStep, BracketStepTaken, BracketWanted
from protocol.orders import OrderState
from protocol.values import OrderSide
from rules.broker.bracket_ids import (
    bracket_id_of,
    close_id,
    entry_id,
    is_attached,
    is_bracket,
    stop_again_id,
    stop_id,
    target_id,
)
from rules.broker.guarded import Guarded, Role, began
from rules.broker.protection import CANCELS_WAIT_S, PROTECT_WITHIN_S, UNPROTECTED, next_due, next_steps
from rules.client_ids import parse
from rules.order_life import IllegalOrderMove, advance

D = Decimal
S = 10**9
T0 = 1_000 * S
TAG = "test"
ID = bracket_id_of("acc", "b1")
ENTRY = entry_id(TAG, ID)
IDS = {
    "entry": ENTRY, "stop": stop_id(ENTRY), "target": target_id(ENTRY), "again": stop_again_id(TAG, ID),
    **{f"close{number}": close_id(TAG, ID, number) for number in range(1, 9)},
}  # fmt: skip
NAMES = {key: name for name, key in IDS.items()}


def wanted(**changes: Any) -> BracketWanted:
    """Return a bracket that buys 100."""
    fields: dict[str, Any] = {
        "bracket_id": ID, "client_id": "b1", "symbol": "EUR/USD:USD", "side": OrderSide.BUY, "qty": D(100),
        "stop": D(95), "target": D(110), "reference": D(100), "tag": TAG, "reduce_only": True, "rides": False, "at": T0,
    }  # fmt: skip
    return BracketWanted(**(fields | changes))


def moved(name: str, state: str, filled: int = 0, *, at_s: float = 0) -> BracketOrderMoved:
    """Return how an order stands ``at_s`` seconds after the beginning."""
    return BracketOrderMoved(
        bracket_id=ID,
        client_order_id=IDS[name],
        state=OrderState(state),
        filled_qty=D(filled),
        at=T0 + round(at_s * S),
    )


def after(*events: BracketOrderMoved, decide: bool = True, **changes: Any) -> Guarded:
    """Return a bracket after words of its orders, each followed by what is decided at once."""
    bracket = began(wanted(**changes))
    for event in events:
        bracket = bracket.after(event)
        for step in next_steps(bracket, event.at, T0) if decide else ():
            bracket = bracket.after(step)
    return bracket


def said(steps: list[BracketStepTaken]) -> list[str]:
    """Return steps in short."""
    return [" ".join(filter(None, (each.step.value, NAMES.get(each.client_order_id, "")))) for each in steps]


FILLED = moved("entry", "filled", 100)
NO_STOP = (FILLED, moved("target", "open"), moved("stop", "rejected"))


@pytest.mark.parametrize(
    ("events", "at_s", "expected"),
    [
        ((), 100, []),
        ((FILLED, moved("stop", "open"), moved("target", "open")), 1_000, []),
        (
            (moved("stop", "open"), moved("target", "open"), moved("entry", "rejected")),
            0,
            ["cancel stop", "cancel target"],
        ),
        ((moved("entry", "rejected"), moved("stop", "rejected"), moved("target", "rejected")), 0, ["ended"]),
        (NO_STOP, 4.999, []),
        (NO_STOP, 5, ["stop_sent_again again"]),
        ((FILLED, moved("stop", "unknown")), 9.999, []),
        ((FILLED, moved("stop", "unknown")), 10, ["closing", "cancel stop", "cancel target"]),
        ((FILLED,), 10, ["closing", "cancel stop", "cancel target"]),
        ((FILLED, moved("stop", "open"), moved("target", "filled", 100)), 0, ["cancel stop"]),
        ((FILLED, moved("target", "open"), moved("stop", "filled", 100)), 0, ["cancel target"]),
        ((FILLED, moved("target", "cancelled"), moved("stop", "filled", 100)), 0, ["ended"]),
        ((moved("entry", "partially_filled", 40), moved("stop", "open")), 1_000, []),
        ((moved("entry", "partially_filled", 40), moved("stop", "rejected")), 5, ["stop_sent_again again"]),
        ((moved("stop", "filled", 100),), 1_000, []),  # the entry's own word is still under way
    ],
)
def test_decisions(events: tuple[BracketOrderMoved, ...], at_s: float, expected: list[str]) -> None:
    """PF-234, case by case: what is decided at an instant, given what the orders have said at the beginning."""
    bracket = after(*events, decide=False)
    assert said(next_steps(bracket, T0 + round(at_s * S), T0)) == expected


def test_a_stop_that_is_sent_again_has_five_seconds_more() -> None:
    """Resubmitted once; still none five seconds later: closed, when what rests is cancelled or two seconds have passed."""
    bracket = after(*NO_STOP)
    again = next_steps(bracket, T0 + 5 * S, T0)
    bracket = bracket.after(again[0])
    assert next_due(bracket, T0 + 5 * S, T0) == T0 + 10 * S
    bracket = bracket.after(moved("again", "rejected", at_s=5))
    assert next_steps(bracket, T0 + 10 * S - 1, T0) == []
    steps = next_steps(bracket, T0 + 10 * S, T0)
    assert said(steps) == ["closing", "cancel target"]
    assert steps[0].reason == UNPROTECTED
    for step in steps:
        bracket = bracket.after(step)
    assert next_due(bracket, T0 + 10 * S, T0) == T0 + (10 + CANCELS_WAIT_S) * S
    assert said(next_steps(bracket, T0 + (10 + CANCELS_WAIT_S) * S, T0)) == ["close_sent close1"]
    bracket = bracket.after(moved("target", "cancelled", at_s=10))
    (close,) = next_steps(bracket, T0 + 10 * S, T0)
    assert (close.step, close.qty) == (BracketStep.CLOSE_SENT, D(100))


@pytest.mark.parametrize("heard_at", [None, T0 + 60 * S])
def test_time_counts_only_while_the_venue_is_heard(heard_at: int | None) -> None:
    """In the dark nothing is decided that would have to be sent; afterwards the seconds begin anew."""
    bracket = after(*NO_STOP)
    assert next_steps(bracket, T0 + 64 * S, heard_at) == []
    later = said(next_steps(bracket, T0 + 65 * S, heard_at))
    assert later == ([] if heard_at is None else ["stop_sent_again again"])


def test_a_close_that_is_refused_waits_longer_each_time() -> None:
    """Five seconds, then ten, twenty, up to five minutes, and never given up."""
    bracket, refused_at, now = after(*NO_STOP, decide=False), 0, T0 + 10 * S
    bracket = bracket.after(moved("target", "cancelled"))
    asked = BracketStepTaken(bracket_id=ID, client_id="b1", step=BracketStep.CLOSING, reason="asked", at=now)
    bracket, waits = bracket.after(asked), []
    for number in range(1, 9):
        while not (steps := next_steps(bracket, now, T0)):
            due = next_due(bracket, now, T0)
            assert due is not None
            now = due
        assert said(steps) == [f"close_sent close{number}"]
        waits.append((now - refused_at) // S)
        bracket = bracket.after(steps[0]).after(moved(f"close{number}", "rejected", at_s=(now - T0) / S))
        refused_at = now
    assert waits[1:] == [5, 10, 20, 40, 80, 160, 300]


def test_ids() -> None:
    """Every order has an id of its own, of at most 28 letters and digits; none looks like an order of a group (EX-422)."""
    assert len(set(IDS.values())) == len(IDS)
    assert all(len(key) <= 28 and key.isalnum() and key == key.lower() for key in IDS.values())
    assert all(parse(key) is None and is_bracket(key) for key in IDS.values())
    assert [name for name, key in IDS.items() if is_attached(key)] == ["entry", "stop", "target"]
    assert bracket_id_of("acc", "b2") != ID != bracket_id_of("other", "b1")
    assert not is_bracket("bhtest" + "0" * 22)


# --- any venue ---------------------------------------------------------------------------------------------------------

_STATES = ("open", "partially_filled", "filled", "cancelled", "rejected", "unknown")


@given(st.data())
def test_whatever_a_venue_says(data: st.DataObject) -> None:
    """Whatever comes in whatever order: at most one second stop, never beside one that may work; closes never overlap."""
    bracket, now = began(wanted(rides=data.draw(st.booleans()))), T0
    for _ in range(data.draw(st.integers(0, 25))):
        now += data.draw(st.integers(0, 4)) * S
        key = data.draw(st.sampled_from(sorted(bracket.legs)))
        leg = bracket.legs[key]
        old = OrderState.SENT if leg.state is OrderState.INTENDED else leg.state
        try:
            state = advance(old, OrderState(data.draw(st.sampled_from(_STATES))))
        except IllegalOrderMove:
            continue
        filled = {OrderState.FILLED: leg.qty, OrderState.REJECTED: D(0)}.get(
            state, D(data.draw(st.integers(0, int(leg.qty))))
        )
        event = BracketOrderMoved(bracket_id=ID, client_order_id=key, state=state, filled_qty=filled, at=now)
        bracket = bracket.after(event)
        heard = data.draw(st.sampled_from([None, T0]))
        for step in next_steps(bracket, now, heard):
            _check(bracket, step, now)
            bracket = bracket.after(step)
        due = next_due(bracket, now, T0)
        assert due is None or due > now
    assert bracket.after(moved("entry", "filled", 100)).wanted == bracket.wanted


def _check(bracket: Guarded, step: BracketStepTaken, now: int) -> None:
    assert not bracket.end
    if step.step in (BracketStep.STOP_SENT_AGAIN, BracketStep.CLOSE_SENT):
        assert step.client_order_id not in bracket.legs
        assert 0 < step.qty == bracket.open_qty
    if step.step is BracketStep.STOP_SENT_AGAIN:
        assert all(leg.over for leg in bracket.of(Role.STOP))
        assert not bracket.closing
    if step.step is BracketStep.CLOSE_SENT:
        assert all(leg.over for leg in bracket.of(Role.CLOSE))
        resting = [leg for leg in bracket.unfinished() if leg.role is not Role.CLOSE]
        assert not resting or now >= bracket.closing_at + CANCELS_WAIT_S * S
    if step.step is BracketStep.CLOSING and step.reason == UNPROTECTED:
        assert now >= bracket.exposed_at + 2 * PROTECT_WITHIN_S * S or bracket.sent_again_at
        assert bracket.covered_qty < bracket.open_qty
    if step.step is BracketStep.ENDED:
        assert all(leg.over for leg in bracket.legs.values())
        assert bracket.open_qty <= 0
