"""Lay out the layers of a pyramid: validate, generate, price, size, block (EX-401..415, EX-320..326)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from protocol.groups import BlockedLegPolicy, GridConfig, LegState, Level, PlannedLeg
from protocol.instruments import PrecisionRules
from protocol.signals import SizeType
from protocol.values import Side
from rules.precision import check_order, floor_to, quotient, round_price, round_qty

__all__ = [
    "Ladder",
    "LevelError",
    "PlannedLayer",
    "build_ladder",
    "funds_needed",
    "generate_levels",
    "leg_id",
    "levels_source",
    "next_pyramid",
    "validate_levels",
]


class LevelError(NamedTuple):
    """One fault of a list of layers."""

    path: str
    code: str


def validate_levels(levels: Sequence[Level], most: int, side: Side | None = None) -> tuple[LevelError, ...]:
    """Return every fault of a list of layers (EX-404, EX-405); targets of shorts must stay below 100 %."""
    if not levels:
        return (LevelError("levels", "EmptyLevels"),)
    errors = [LevelError("levels", "TooManyLayers")] if len(levels) > most else []
    above: Decimal | None = None
    for index, level in enumerate(levels):
        errors += _level_errors(f"levels[{index}]", level, above, side)
        above = level.gap_percent
    weights = sum((level.weight_percent for level in levels), Decimal(0))
    if not Decimal("99.9") <= weights <= 100:
        errors.append(LevelError("levels", "WeightSum"))
    return tuple(errors)


def _level_errors(path: str, level: Level, above: Decimal | None, side: Side | None) -> list[LevelError]:
    errors = []
    if level.gap_percent > 0:
        errors.append(LevelError(f"{path}.gap_percent", "InvalidGapSign"))
    elif level.gap_percent <= -100:
        errors.append(LevelError(f"{path}.gap_percent", "OutOfRange"))
    elif above is not None and level.gap_percent >= above:
        errors.append(LevelError(f"{path}.gap_percent", "GapsNotDescending"))
    if not 0 < level.weight_percent <= 100:
        errors.append(LevelError(f"{path}.weight_percent", "OutOfRange"))
    if not 0 < level.tp_percent <= 1000 or (side is Side.SHORT and level.tp_percent >= 100):
        errors.append(LevelError(f"{path}.tp_percent", "OutOfRange"))
    return errors


def generate_levels(count: int, gap_percent: Decimal, tp_percent: Decimal) -> tuple[Level, ...]:
    """Return ``count`` equal layers ``gap_percent`` apart; the last takes what rounding left of the weight (EX-406)."""
    weight = floor_to(Decimal(100) / count, Decimal("0.01"))
    last = 100 - weight * (count - 1)
    return tuple(
        Level(-index * gap_percent, last if index == count - 1 else weight, tp_percent) for index in range(count)
    )


class PlannedLayer(NamedTuple):
    """One layer of a ladder; ``reason`` is the code that blocks it, or None."""

    layer: int
    level: Level
    price: Decimal
    qty: Decimal
    reason: str | None

    @property
    def notional(self) -> Decimal:
        """Value at the layer price, in quote currency."""
        return self.price * self.qty


class Ladder(NamedTuple):
    """All layers of a pyramid. ``refusal`` is why nothing is placed, or None; totals count placed layers only."""

    layers: tuple[PlannedLayer, ...]
    refusal: str | None
    warnings: tuple[str, ...]

    @property
    def placed(self) -> tuple[PlannedLayer, ...]:
        """The layers that become orders."""
        return () if self.refusal else tuple(layer for layer in self.layers if layer.reason is None)

    @property
    def total_qty(self) -> Decimal:
        """Base units of all placed layers."""
        return sum((layer.qty for layer in self.placed), Decimal(0))

    @property
    def total_notional(self) -> Decimal:
        """Quote currency of all placed layers."""
        return sum((layer.notional for layer in self.placed), Decimal(0))

    @property
    def expected_profit(self) -> Decimal:
        """Quote currency earned if every placed layer fills at its price and hits its target (before fees)."""
        return sum((layer.notional * layer.level.tp_percent / 100 for layer in self.placed), Decimal(0))

    def legs(self, pyramid: int) -> tuple[PlannedLeg, ...]:
        """Return the layers as legs of a pyramid, blocked ones included."""
        return tuple(
            PlannedLeg(
                leg_id=leg_id(pyramid, layer.layer),
                pyramid=pyramid,
                layer=layer.layer,
                price=layer.price,
                qty=layer.qty,
                gap_percent=layer.level.gap_percent,
                weight_percent=layer.level.weight_percent,
                tp_percent=layer.level.tp_percent,
                state=LegState.BLOCKED if layer.reason else LegState.PENDING,
                reason=layer.reason or "",
            )
            for layer in self.layers
        )


def leg_id(pyramid: int, layer: int) -> str:
    """Return the name of a leg, ``p<pyramid>.l<layer>`` (EX-430)."""
    return f"p{pyramid}.l{layer}"


def build_ladder(
    side: Side,
    entry_price: Decimal,
    levels: Sequence[Level],
    *,
    size: Decimal,
    size_type: SizeType,
    rules: PrecisionRules,
    contract_size: Decimal = Decimal(1),
    config: GridConfig | None = None,
) -> Ladder:
    """Price and size every layer from the pyramid's entry price (EX-403..411, EX-502..505, EX-413).

    ``config`` gives rounding, checks, blocked-leg policy and size cap (its layers are not looked at); None: defaults.
    """
    config = config or GridConfig()
    base_size = size * contract_size if size_type is SizeType.CONTRACTS else size
    layers = tuple(
        _layer(index, level, side, entry_price, base_size, size_type is SizeType.QUOTE, rules, config)
        for index, level in enumerate(levels)
    )
    ladder = Ladder(layers, None, _collapsed(layers))
    return ladder._replace(refusal=_refusal(ladder, config))


def _layer(
    index: int,
    level: Level,
    side: Side,
    entry_price: Decimal,
    size: Decimal,
    in_quote: bool,
    rules: PrecisionRules,
    config: GridConfig,
) -> PlannedLayer:
    price = entry_price + side.sign * entry_price * level.gap_percent / 100
    if config.enforce_tick_size:
        price = round_price(price, rules.tick_size, side.entry, config.price_rounding)
    qty = size * level.weight_percent / 100
    if in_quote:
        qty = quotient(qty, price) if price > 0 else Decimal(0)
    if config.enforce_step_size:
        qty = round_qty(qty, rules.step_size)
    reason = check_order(price, qty, rules, enforce_min_notional=config.enforce_min_notional)
    return PlannedLayer(index, level, price, qty, reason)


def _collapsed(layers: Sequence[PlannedLayer]) -> tuple[str, ...]:
    """Name the placed layers that share a price with an earlier one (EX-408)."""
    first_at: dict[Decimal, int] = {}
    warnings = []
    for layer in layers:
        if layer.reason is None:
            first = first_at.setdefault(layer.price, layer.layer)
            if first != layer.layer:
                warnings.append(f"LayersCollapsed:{first},{layer.layer}")
    return tuple(warnings)


def _refusal(ladder: Ladder, config: GridConfig) -> str | None:
    blocked = [layer.reason for layer in ladder.layers if layer.reason]
    if len(blocked) == len(ladder.layers):
        return "NoOrderableLeg"
    if blocked and config.blocked_leg_policy is BlockedLegPolicy.REJECT_PYRAMID:
        return blocked[0]
    if 0 < config.max_quote_per_pyramid < ladder.total_notional:
        return "SizeAboveCap"
    return None


def funds_needed(ladder: Ladder, fee_buffer_percent: Decimal) -> Decimal:
    """Return the quote currency that must be free before the first order of a pyramid (EX-414)."""
    return ladder.total_notional * (1 + fee_buffer_percent / 100)


def next_pyramid(received: int, most: int) -> int | None:
    """Return the index of the next pyramid after ``received`` entries, or None when there may be no more (EX-323)."""
    return received if received < most else None


def levels_source(config: GridConfig, pyramid: int) -> str:
    """Name where the layers of a pyramid come from (EX-325)."""
    own = pyramid and pyramid in config.pyramid_specific_levels
    return f"pyramid_specific_levels[{pyramid}]" if own else "levels"
