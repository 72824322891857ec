"""Break a group's profit down by pyramid, by leg and by exit reason; the parts of each sum to the group's own figures.

Realized amounts are in quote currency before fees. An entry's fees stand under the reason ``entry``; those of a closing fill
are shared over what it closed by quantity, the last part taking what rounding left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import field

from protocol.groups import ClosedLot, CloseFilled, CloseReason, LegFilled, TargetFilled
from protocol.messages import Event, Value
from rules.precision import quotient

__all__ = ["Breakdown", "ProfitLine", "breakdown"]

_ZERO = Decimal(0)
_NO_LEG = "-"
"""Under which name a fill is counted that closed nothing of any leg."""


class ProfitLine(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One part of a group's profit. ``qty`` is what was closed, base units; ``fees`` are by currency."""

    name: str
    qty: Decimal = _ZERO
    realized_quote: Decimal = _ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)


class Breakdown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A group's profit in parts; pyramids and legs in their order, reasons in that of their first fill."""

    total: ProfitLine
    by_pyramid: tuple[ProfitLine, ...]
    by_leg: tuple[ProfitLine, ...]
    by_reason: tuple[ProfitLine, ...]


class _Sums:
    def __init__(self) -> None:
        self.lines: dict[str, ProfitLine] = {}

    def add(self, name: str, qty: Decimal, realized: Decimal, fees: Mapping[str, Decimal]) -> None:
        line = self.lines.get(name, ProfitLine(name=name))
        paid = dict(line.fees)
        for currency, fee in fees.items():
            paid[currency] = paid.get(currency, _ZERO) + fee
        self.lines[name] = ProfitLine(
            name=name, qty=line.qty + qty, realized_quote=line.realized_quote + realized, fees=paid
        )

    def sorted(self) -> tuple[ProfitLine, ...]:
        return tuple(self.lines[name] for name in sorted(self.lines, key=_place))


def _place(name: str) -> tuple[int, int]:
    pyramid, _, layer = name.removeprefix("p").partition(".l")
    return (int(pyramid), int(layer or 0)) if pyramid.isdecimal() else (1 << 30, 0)


def breakdown(events: Iterable[Event]) -> Breakdown:
    """Return the parts of what a group's events have realized; events that are no fills count nothing."""
    pyramids, legs, reasons, total = _Sums(), _Sums(), _Sums(), _Sums()
    for event in events:
        for reason, leg_id, qty, realized, fees in _parts(event):
            pyramids.add(leg_id.partition(".")[0], qty, realized, fees)
            legs.add(leg_id, qty, realized, fees)
            reasons.add(reason, qty, realized, fees)
            total.add("group", qty, realized, fees)
    return Breakdown(
        total=total.lines.get("group", ProfitLine(name="group")),
        by_pyramid=pyramids.sorted(),
        by_leg=legs.sorted(),
        by_reason=tuple(reasons.lines.values()),
    )


def _parts(event: Event) -> Iterable[tuple[str, str, Decimal, Decimal, dict[str, Decimal]]]:
    """Yield (reason, leg, quantity closed, realized, fees) for what a fill did to each leg."""
    if isinstance(event, LegFilled):
        yield "entry", event.leg_id, _ZERO, _ZERO, _fees(event.fee_currency, event.fee)
    elif isinstance(event, TargetFilled):
        yield from _closed(CloseReason.LEG_TP, event)
    elif isinstance(event, CloseFilled):
        yield from _closed(event.reason, event)


def _closed(
    reason: CloseReason, event: TargetFilled | CloseFilled
) -> Iterable[tuple[str, str, Decimal, Decimal, dict[str, Decimal]]]:
    lots = event.lots or (ClosedLot(_NO_LEG, _ZERO, _ZERO, _ZERO),)
    whole = sum((lot.qty for lot in lots), _ZERO)
    left = event.fee
    for number, lot in enumerate(lots, start=1):
        share = left if number == len(lots) else quotient(event.fee * lot.qty, whole)
        left -= share
        yield reason.value, lot.leg_id, lot.qty, lot.realized, _fees(event.fee_currency, share)


def _fees(currency: str, fee: Decimal) -> dict[str, Decimal]:
    return {currency: fee} if fee else {}
