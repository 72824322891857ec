"""What the guard of a bracket does next (PF-234). Values in, events out; it knows no venue and no clock.

``heard_at`` is since when the venue can be heard and our books agree with its: the five seconds count from there when it
is later, and while it is None nothing is decided that would have to be sent. A stop whose state nobody knows is never
sent a second time; when it stays unknown as long as a second one would have had, the position is closed instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from protocol.brackets import BracketEnd, BracketStep, BracketStepTaken
from protocol.orders import OrderState
from rules.broker.bracket_ids import close_id, stop_again_id
from rules.broker.guarded import Guarded, Leg, Role

__all__ = ["CANCELS_WAIT_S", "CLOSE_AGAIN_S", "PROTECT_WITHIN_S", "UNPROTECTED", "next_due", "next_steps"]

PROTECT_WITHIN_S: Final = 5
"""How long something filled may be without a working stop, and once more after the stop was sent again (PF-234)."""

CANCELS_WAIT_S: Final = 2
"""How long a close at the market waits until what rests is cancelled: both could trade otherwise."""

CLOSE_AGAIN_S: Final = 5
"""Wait after a close that the venue refused; doubled with each, up to ``_LONGEST_S``."""

UNPROTECTED: Final = "UNPROTECTED_POSITION"
"""Kind of the incident, and reason of a close, of a position without a stop."""

_ZERO: Final = Decimal(0)
_LONGEST_S: Final = 300
_NANOS: Final = 10**9
_MOST: Final = 64
"""More decisions at one instant than a bracket can need."""


def next_steps(bracket: Guarded, now: int, heard_at: int | None) -> list[BracketStepTaken]:
    """Return everything that is decided at this instant, in order."""
    steps: list[BracketStepTaken] = []
    for _ in range(_MOST):
        step = next(_decide(bracket, now, heard_at), None)
        if step is None:
            return steps
        steps.append(step)
        bracket = bracket.after(step)
    raise AssertionError(f"{bracket.wanted.client_id}: decisions in a circle: {steps[-3:]}")


def next_due(bracket: Guarded, now: int, heard_at: int | None) -> int | None:
    """Return the next instant at which time alone may decide something, None when only news can."""
    if heard_at is None or bracket.end:
        return None
    instants = [*_deadlines(bracket, heard_at)]
    return min((at for at in instants if at > now), default=None)


def _deadlines(bracket: Guarded, heard_at: int) -> Iterator[int]:
    if bracket.closing_at:
        yield max(bracket.closing_at, heard_at) + CANCELS_WAIT_S * _NANOS
        yield _close_again_at(bracket)
    elif bracket.exposed_at:
        yield _resend_at(bracket, heard_at)
        yield _give_up_at(bracket, heard_at)


def _resend_at(bracket: Guarded, heard_at: int) -> int:
    return max(bracket.exposed_at, heard_at) + PROTECT_WITHIN_S * _NANOS


def _give_up_at(bracket: Guarded, heard_at: int) -> int:
    """Return when it is closed: so long after the stop was sent again, or could have been."""
    if bracket.sent_again_at:
        since = max(bracket.exposed_at, bracket.sent_again_at, heard_at)
        return since + PROTECT_WITHIN_S * _NANOS
    return _resend_at(bracket, heard_at) + PROTECT_WITHIN_S * _NANOS


# --- decisions --------------------------------------------------------------------------------------------------------


def _decide(bracket: Guarded, now: int, heard_at: int | None) -> Iterator[BracketStepTaken]:
    """Yield the next decision, if there is one; the first that holds counts."""
    if bracket.end:
        return
    entry = bracket.entry
    if entry.over and not bracket.moved:
        yield from _wind_up(bracket, now, BracketEnd.REFUSED)
    elif entry.over and bracket.open_qty <= 0:
        yield from _wind_up(bracket, now, _end_of(bracket))
    elif bracket.closing:
        yield from _close(bracket, now, heard_at)
    elif bracket.open_qty > 0:
        yield from _protect(bracket, now, heard_at)


def _wind_up(bracket: Guarded, now: int, end: BracketEnd) -> Iterator[BracketStepTaken]:
    """Cancel what still rests; the bracket has ended when nothing does."""
    yield from _cancels(bracket, bracket.unfinished(), now)
    if all(leg.over for leg in bracket.legs.values()):
        yield _step(bracket, BracketStep.ENDED, now, reason=end.value)


def _end_of(bracket: Guarded) -> BracketEnd:
    if bracket.open_qty < 0:
        return BracketEnd.OVERSHOT
    if any(leg.filled for leg in bracket.of(Role.CLOSE)):
        return BracketEnd.CLOSED
    return BracketEnd.TARGET if any(leg.filled for leg in bracket.of(Role.TARGET)) else BracketEnd.STOPPED


def _protect(bracket: Guarded, now: int, heard_at: int | None) -> Iterator[BracketStepTaken]:
    yield from _fit(bracket, now)
    if not bracket.exposed_at or heard_at is None:
        return
    stops = bracket.of(Role.STOP)
    if not bracket.sent_again_at and all(leg.over for leg in stops):
        # What we cancelled ourselves for its size is replaced at once.
        if any(leg.cancelling for leg in stops) or now >= _resend_at(bracket, heard_at):
            wanted = bracket.wanted
            again = stop_again_id(wanted.tag, wanted.bracket_id)
            yield _step(bracket, BracketStep.STOP_SENT_AGAIN, now, again, bracket.open_qty)
    elif now >= _give_up_at(bracket, heard_at):
        yield _step(bracket, BracketStep.CLOSING, now, reason=UNPROTECTED)


def _fit(bracket: Guarded, now: int) -> Iterator[BracketStepTaken]:
    """Have nothing rest that would close more than is open, where the venue does not see to that by itself."""
    if bracket.wanted.rides or not bracket.entry.over:
        return
    if bracket.entry.filled < bracket.wanted.qty and not bracket.sent_again_at:
        yield from _cancels(bracket, bracket.of(Role.STOP, Role.TARGET), now)
    if bracket.sent_again_at and any(leg.filled and not leg.over for leg in bracket.of(Role.TARGET)):
        # The two do not know of each other: the stop would still sell what the target has sold.
        yield _step(bracket, BracketStep.CLOSING, now, reason=BracketEnd.TARGET.value)


def _close(bracket: Guarded, now: int, heard_at: int | None) -> Iterator[BracketStepTaken]:
    """Cancel what rests, wait for that a little, then close what is open, again and again until it is closed."""
    closes = bracket.of(Role.CLOSE)
    resting = [leg for leg in bracket.unfinished() if leg.role is not Role.CLOSE]
    yield from _cancels(bracket, resting, now)
    if heard_at is None or bracket.open_qty <= 0 or any(not leg.over for leg in closes):
        return
    if resting and now < max(bracket.closing_at, heard_at) + CANCELS_WAIT_S * _NANOS:
        return
    if closes and now < _close_again_at(bracket):
        return
    wanted = bracket.wanted
    key = close_id(wanted.tag, wanted.bracket_id, len(closes) + 1)
    yield _step(bracket, BracketStep.CLOSE_SENT, now, key, bracket.open_qty)


def _close_again_at(bracket: Guarded) -> int:
    closes = bracket.of(Role.CLOSE)
    if not closes:
        return 0
    last = closes[-1]
    if last.state is OrderState.FILLED or last.filled:
        return last.ended_at
    refused = sum(1 for leg in closes if not leg.filled)
    return last.ended_at + min(CLOSE_AGAIN_S << min(refused - 1, 10), _LONGEST_S) * _NANOS


def _cancels(bracket: Guarded, legs: Iterator[Leg] | list[Leg], now: int) -> Iterator[BracketStepTaken]:
    for leg in legs:
        if not leg.over and not leg.cancelling and leg.filled < leg.qty:
            yield _step(bracket, BracketStep.CANCEL, now, leg.client_order_id)


def _step(
    bracket: Guarded, step: BracketStep, now: int, key: str = "", qty: Decimal = _ZERO, reason: str = ""
) -> BracketStepTaken:
    return BracketStepTaken(
        bracket_id=bracket.wanted.bracket_id,
        client_id=bracket.wanted.client_id,
        step=step,
        client_order_id=key,
        qty=qty,
        reason=reason,
        at=now,
    )
