"""What an entry would place, and what forbids it: short, layers, sizes, funds (EX-413, EX-414, EX-429, EX-505, EX-931)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from protocol.groups import OpenGroup
from protocol.instruments import Instrument
from protocol.values import MarketType, Side
from rules.ladder import Ladder, build_ladder, funds_needed, validate_levels
from rules.pool.ranking import expected_profit
from rules.pool.settings import PoolSettings
from rules.pool.state import PoolState

__all__ = ["EntryPlan", "available_funds", "figure", "plan_entry"]

_LARGE: Final = 100
"""From here on an amount of money is told to the hundredth."""


class EntryPlan(NamedTuple):
    """What an entry would do. ``code`` is what refuses it, empty for nothing; ``reasons`` explain it.

    ``funds`` is the quote currency that must be free, ``free`` what is, None when nobody knows (then the venue decides).
    """

    opening: OpenGroup
    code: str = ""
    reasons: tuple[str, ...] = ()
    profit: Decimal | None = None
    notional: Decimal = Decimal(0)
    funds: Decimal = Decimal(0)
    free: Decimal | None = None
    legs: int = 0
    dca_legs: int = 0
    ladder: Ladder | None = None

    @property
    def short_of_funds(self) -> bool:
        """Whether less is free than its orders need (EX-414)."""
        return self.free is not None and self.funds > self.free

    @property
    def refusal(self) -> tuple[str, tuple[str, ...]] | None:
        """What forbids entering at once, and why."""
        if self.code:
            return self.code, self.reasons
        if self.free is not None and self.short_of_funds:
            quote = self.opening.instrument.quote
            return "InsufficientFunds", (f"needs {_amount(self.funds)} {quote}, {_amount(self.free)} are free",)
        return None


def _amount(value: Decimal) -> str:
    """Return an amount of money to the hundredth, a small one to eight places."""
    return figure(round(value, 2 if abs(value) >= _LARGE else 8))


def figure(value: Decimal) -> str:
    """Return a number in plain digits without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plan_entry(
    opening: OpenGroup, pyramid: int, settings: PoolSettings, *, free: Decimal | None, usd: Decimal | None
) -> EntryPlan:
    """Lay out a pyramid from what would open its group, and check all that does not depend on slots.

    ``free`` is the free quote currency, ``usd`` what one unit of it is worth; None when unknown.
    """
    market = opening.instrument
    if opening.side is Side.SHORT and not market.shortable:
        reason = f"{opening.symbol} is a spot market and cannot be sold short; trade its perpetual"
        return EntryPlan(opening, "ShortNotSupported", (reason,))
    levels, config = opening.config.levels_of(pyramid), opening.config
    faults = validate_levels(levels, config.max_dca_per_pyramid, opening.side)
    if faults:
        return EntryPlan(opening, faults[0].code, tuple(f"{fault.path}: {fault.code}" for fault in faults[:8]))
    ladder = build_ladder(
        opening.side,
        opening.entry_price,
        levels,
        size=opening.size,
        size_type=opening.size_type,
        rules=market.rules,
        contract_size=market.contract_size,
        config=config,
    )
    placed = ladder.placed
    return EntryPlan(
        opening,
        ladder.refusal or "",
        _refused(ladder, opening) if ladder.refusal else (),
        expected_profit(ladder, config.tp_mode, config.tp_aggregate_percent, usd),
        ladder.total_notional,
        _funds(ladder, market, settings),
        free,
        len(placed),
        sum(1 for layer in placed if layer.layer),
        ladder,
    )


def _funds(ladder: Ladder, market: Instrument, settings: PoolSettings) -> Decimal:
    needed = funds_needed(ladder, settings.fee_buffer_percent)
    return needed / settings.leverage if market.market_type is MarketType.PERP else needed


def _refused(ladder: Ladder, opening: OpenGroup) -> tuple[str, ...]:
    if ladder.refusal == "SizeAboveCap":
        whole = sum((layer.notional for layer in ladder.layers if layer.reason is None), Decimal(0))
        cap = opening.config.max_quote_per_pyramid
        return (f"{figure(whole)} {opening.instrument.quote} is above sizing.max_quote_per_pyramid = {figure(cap)}",)
    blocked: dict[str, list[str]] = {}
    for layer in ladder.layers:
        if layer.reason:
            blocked.setdefault(layer.reason, []).append(str(layer.layer))
    count = sum(len(layers) for layers in blocked.values())
    return (
        f"{count} of {len(ladder.layers)} layers are blocked; raise the size or use fewer layers",
        *(f"{reason}: layer {', '.join(layers[:7])}" for reason, layers in blocked.items()),
    )


def available_funds(state: PoolState, currency: str, free: Decimal | None) -> Decimal | None:
    """Return what of a free balance no admission since has bound; None when the balance is unknown."""
    if free is None:
        return None
    return free - sum((each.amount for each in state.committed if each.currency == currency), Decimal(0))
