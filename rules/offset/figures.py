"""What a group looks like to the offset: its size, its price, what it stands at (EX-1002)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from protocol.groups import GroupState
from protocol.values import Side
from rules.precision import floor_to, quotient

__all__ = [
    "LIVE_STATES",
    "Candidate",
    "below_minimum",
    "ceil_to",
    "closing_unit_usd",
    "loss_percent",
    "unit_usd",
    "unrealized_usd",
]

LIVE_STATES: Final = frozenset({GroupState.ACTIVE, GroupState.PARTIALLY_FILLED})
"""States in which a group may lose or win in an offset (EX-1003, EX-1009)."""


class Candidate(NamedTuple):
    """One group in a cycle.

    ``mark`` is the executable price (quote currency), None when unknown or too old; ``quote_usd`` USD per unit of quote
    currency, None when unknown. ``min_notional`` is in quote currency. Instants are nanoseconds, None for never.
    ``fee_rate`` is what an order costs, as a fraction of its notional: what a group brings or costs when it is closed now
    is its unrealized profit less the fees of entry and exit. Who loses, and how much in percent, is told without them.
    """

    group_id: str
    side: Side
    state: GroupState
    avg_entry: Decimal | None
    mark: Decimal | None
    open_qty: Decimal
    quote_usd: Decimal | None
    step: Decimal
    min_qty: Decimal
    min_notional: Decimal
    first_fill_at: int | None = None
    received: int = 0
    expires_at: int | None = None
    blocked: bool = False
    skip_once: bool = False
    fee_rate: Decimal = Decimal(0)


def unit_usd(group: Candidate) -> Decimal | None:
    """Return the unrealized USD of one base unit; None when price, rate or position is missing."""
    if group.mark is None or group.avg_entry is None or group.quote_usd is None or group.open_qty <= 0:
        return None
    return group.side.sign * (group.mark - group.avg_entry) * group.quote_usd


def unrealized_usd(group: Candidate) -> Decimal | None:
    """Return the unrealized USD of all that is open (EX-1002); zero when nothing is, None when it cannot be said."""
    if group.open_qty <= 0:
        return Decimal(0)
    unit = unit_usd(group)
    return None if unit is None else unit * group.open_qty


def closing_unit_usd(group: Candidate) -> Decimal | None:
    """Return the USD that closing one base unit now brings, fees of entry and exit taken off; None as ``unit_usd``."""
    unit = unit_usd(group)
    if unit is None or not group.fee_rate:
        return unit
    assert group.mark is not None, "it has a price, or there would be no unit"
    assert group.avg_entry is not None, "it has a position, or there would be no unit"
    assert group.quote_usd is not None, "it has a rate, or there would be no unit"
    return unit - (group.avg_entry + group.mark) * group.fee_rate * group.quote_usd


def loss_percent(group: Candidate) -> Decimal | None:
    """Return the unrealized percent, fees excluded; None when nothing is open or there is no price."""
    if group.mark is None or not group.avg_entry or group.open_qty <= 0:
        return None
    return quotient(group.side.sign * (group.mark - group.avg_entry) * 100, group.avg_entry)


def below_minimum(group: Candidate, qty: Decimal) -> bool:
    """Tell whether a quantity is below what the venue takes: minimum quantity or minimum notional."""
    assert group.mark is not None, "only priced groups are weighed"
    return qty < group.min_qty or qty * group.mark < group.min_notional


def ceil_to(qty: Decimal, step: Decimal) -> Decimal:
    """Round a quantity up to the step: only the offset does (EX-503, EX-1010)."""
    lower = floor_to(qty, step)
    return lower if lower == qty else lower + step
