"""A plan being carried out: winners first, then as much of the loser as they really paid for (EX-1015, EX-1016, EX-1027).

A *flight* is the plan with the steps taken so far, folded from its events; ``next_move`` says what follows. A step is one
``RiskClose``: asked, and some time later ended.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

import msgspec

from protocol.messages import Value
from protocol.offset import OffsetPlan, OffsetStarted, OffsetStepAsked, OffsetStepEnded
from rules.offset.figures import LIVE_STATES, Candidate, below_minimum, closing_unit_usd, unit_usd
from rules.offset.plan import loser_slice
from rules.offset.settings import OffsetSettings

__all__ = [
    "STALE_PLAN_S",
    "Ask",
    "End",
    "Flight",
    "Move",
    "Outcome",
    "Step",
    "Wait",
    "begin",
    "fold_step",
    "next_move",
]

STALE_PLAN_S: Final = 60
"""After this long a plan asks no winner any more whose price is not known now (EX-1026)."""

_ZERO: Final = Decimal(0)
_SECOND: Final = 10**9


class Step(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One close asked of a group; ``status`` is empty until it has ended. ``qty`` None: all of it.

    ``asked_at`` is when it was decided, 0 in old journals.
    """

    step_id: str
    group_id: str
    path: str
    qty: Decimal | None
    loser: bool
    status: str = ""
    code: str = ""
    closed_qty: Decimal = _ZERO
    booked_usd: Decimal = _ZERO
    slipped: bool = False
    asked_at: int = 0


class Flight(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A plan in execution. ``number`` is its place in its cycle."""

    plan_id: str
    decision_id: str
    plan: OffsetPlan
    quote_usd: dict[str, Decimal]
    paths: dict[str, str]
    number: int
    forced: bool
    began_at: int
    steps: tuple[Step, ...] = ()

    @property
    def open_step(self) -> Step | None:
        """The step that is asked and not answered, if any."""
        return self.steps[-1] if self.steps and not self.steps[-1].status else None

    @property
    def booked_usd(self) -> Decimal:
        """What all steps so far have booked, fees taken off."""
        return sum((step.booked_usd for step in self.steps), _ZERO)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups the plan holds: its winners, then its loser."""
        return (*(winner.group_id for winner in self.plan.winners), self.plan.loser)


def begin(event: OffsetStarted) -> Flight:
    """Return the flight that an event starts."""
    return Flight(
        plan_id=event.plan_id,
        decision_id=event.decision_id,
        plan=event.plan,
        quote_usd=event.quote_usd,
        paths=event.paths,
        number=event.number,
        forced=event.forced,
        began_at=event.at,
    )


def fold_step(flight: Flight, event: OffsetStepAsked | OffsetStepEnded) -> Flight:
    """Return the flight after a step was asked or has ended."""
    if isinstance(event, OffsetStepAsked):
        step = Step(
            step_id=event.step_id,
            group_id=event.group_id,
            path=event.path,
            qty=event.qty,
            loser=event.loser,
            asked_at=event.at,
        )
        return msgspec.structs.replace(flight, steps=(*flight.steps, step))
    *before, last = flight.steps
    ended = msgspec.structs.replace(
        last,
        status=event.status,
        code=event.code,
        closed_qty=event.qty,
        booked_usd=event.booked_usd,
        slipped=event.slippage_exceeded,
    )
    return msgspec.structs.replace(flight, steps=(*before, ended))


# --- what follows ------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """How a plan ends: ``done``, ``stopped`` or ``nothing_closed``; ``code`` says why unless it is done."""

    word: str
    code: str = ""


class Ask(NamedTuple):
    """Have a group close ``qty``, or everything when None."""

    group_id: str
    qty: Decimal | None
    loser: bool


class End(NamedTuple):
    """The plan is over."""

    outcome: Outcome


class Wait(NamedTuple):
    """Nothing can be done before an ``answer``, the ``venue``'s word, the loser's ``standing`` or its ``price``."""

    what: str


Move: TypeAlias = Ask | End | Wait


def next_move(
    flight: Flight,
    settings: OffsetSettings,
    *,
    loser: Candidate | None,
    winners: Mapping[str, Candidate | None],
    blocked: Collection[str],
    venue_up: bool | None,
    now: int,
) -> Move:
    """Return what follows in a flight. ``loser`` and ``winners`` are as they are now, None for who has not said.

    ``venue_up`` is None while nothing was heard of the venue, as after a restart: then the plan waits for its word.
    """
    last = flight.steps[-1] if flight.steps else None
    if last is not None:
        if not last.status:
            return Wait("answer")
        over = _over_after(last, settings)
        if over is not None:
            return End(over)
    if venue_up is None:
        return Wait("venue")
    if not venue_up:
        return End(Outcome("stopped", "VenueDown"))
    asked = {step.group_id for step in flight.steps}
    for winner in flight.plan.winners:
        if winner.group_id in asked or winner.group_id in blocked:
            continue
        if _still_wins(winners.get(winner.group_id), is_old=now - flight.began_at > STALE_PLAN_S * _SECOND):
            return Ask(winner.group_id, None if winner.full else winner.qty, loser=False)
    if not any(step.closed_qty > 0 for step in flight.steps):
        return End(Outcome("nothing_closed", _why_nothing(flight, blocked)))
    if flight.plan.loser in blocked:
        return End(Outcome("stopped", "GroupBlocked"))
    return _loser_move(flight, loser, settings)


def _still_wins(winner: Candidate | None, *, is_old: bool) -> bool:
    """Tell whether a winner still pays: what it brings now, or, while its price is not known, a plan that is not old.

    A winner that has fallen since would book a loss of its own; a plan that slept with the daemon knows old prices only.
    """
    unit = closing_unit_usd(winner) if winner is not None else None
    return unit > 0 if unit is not None else not is_old


def _why_nothing(flight: Flight, blocked: Collection[str]) -> str:
    if flight.steps:
        return flight.steps[-1].code or flight.steps[-1].status
    return "GroupBlocked" if all(each.group_id in blocked for each in flight.plan.winners) else "NotWinning"


def _over_after(last: Step, settings: OffsetSettings) -> Outcome | None:
    """Return the end that a step means, None when the plan goes on."""
    if last.loser:
        return Outcome("done") if last.closed_qty > 0 else Outcome("stopped", last.code or last.status)
    if last.status == "failed":
        return Outcome("stopped", last.code or "failed")
    if last.slipped and settings.reject_slippage:
        return Outcome("stopped", "SlippageExceeded")
    return None


def _loser_move(flight: Flight, loser: Candidate | None, settings: OffsetSettings) -> Move:
    """Close as much of the loser as the winners have really paid for, at its present price and with its fees (EX-1016)."""
    if loser is None:
        return Wait("standing")
    if loser.state not in LIVE_STATES or loser.open_qty <= 0:
        return End(Outcome("stopped", "NotLive"))
    if loser.mark is None:
        return Wait("price")
    if loser.quote_usd is None:
        loser = loser._replace(quote_usd=flight.quote_usd[loser.group_id])
    unit = unit_usd(loser)
    closing = closing_unit_usd(loser)
    if unit is None or closing is None or unit >= 0:
        return End(Outcome("stopped", "NotLosing"))
    if below_minimum(loser, loser.open_qty):
        return End(Outcome("stopped", "loser_below_min"))
    booked, required = flight.booked_usd, -closing * loser.open_qty
    if booked < required and not settings.partial_close_enabled:
        return End(Outcome("stopped", "insufficient_winners"))
    part = loser_slice(loser, booked, required, settings)
    if part.reason:
        return End(Outcome("stopped", part.reason))
    return Ask(loser.group_id, None if part.full else part.qty, loser=True)
