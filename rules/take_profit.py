"""Where a position takes its profit: leg targets, watched targets, progress (EX-601..616)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from protocol.groups import PriceRounding, PyramidScope, TpMode
from protocol.values import Side
from rules.precision import floor_to, quotient, round_price

__all__ = ["Lot", "RestingTarget", "TpPlan", "WatchedTarget", "leg_tp_price", "tp_plan", "tp_progress"]


class Lot(NamedTuple):
    """What is open of one leg: quantity in base units, average fill price, its own target percent."""

    leg_id: str
    pyramid: int
    qty: Decimal
    price: Decimal
    tp_percent: Decimal


class RestingTarget(NamedTuple):
    """A limit order at a leg's target."""

    leg_id: str
    qty: Decimal
    price: Decimal


class WatchedTarget(NamedTuple):
    """A target the engine watches itself; ``scope`` is ``group`` or ``pyramid:<n>``."""

    scope: str
    qty: Decimal
    avg_entry: Decimal
    tp_percent: Decimal
    target: Decimal


class TpPlan(NamedTuple):
    """The targets of a position."""

    resting: tuple[RestingTarget, ...]
    watch: tuple[WatchedTarget, ...]


def leg_tp_price(
    side: Side,
    fill_price: Decimal,
    tp_percent: Decimal,
    tick: Decimal,
    rounding: PriceRounding = PriceRounding.DOWN,
) -> Decimal:
    """Return a leg's target from its actual fill; always on the profit side, a short's never below a tick (EX-602, 603)."""
    wanted = fill_price + side.sign * fill_price * tp_percent / 100
    target = round_price(wanted, tick, side.exit, rounding)
    if side is Side.LONG:
        return target if target > fill_price else floor_to(fill_price, tick) + tick
    # A buy is rounded down in either mode, so a short's target is below the fill already.
    return max(target, tick)


def tp_plan(
    mode: TpMode,
    side: Side,
    lots: Sequence[Lot],
    *,
    aggregate_percent: Decimal = Decimal(1),
    pyramid_percents: Mapping[int, Decimal] | None = None,
    scope: PyramidScope = PyramidScope.COMBINED,
    tick: Decimal,
    rounding: PriceRounding = PriceRounding.DOWN,
) -> TpPlan:
    """Return the resting orders and watched targets of open lots (EX-601..609)."""
    lots = [lot for lot in lots if lot.qty > 0]
    resting: tuple[RestingTarget, ...] = ()
    if mode.rests:
        resting = tuple(
            RestingTarget(lot.leg_id, lot.qty, leg_tp_price(side, lot.price, lot.tp_percent, tick, rounding))
            for lot in lots
        )
    if mode is TpMode.PER_LEG or not lots:
        return TpPlan(resting, ())
    if mode is not TpMode.PYRAMID_AGGREGATE:
        return TpPlan(resting, (_watched("group", side, lots, dict.fromkeys(_pyramids(lots), aggregate_percent)),))
    own = pyramid_percents or {}
    percents = {pyramid: own.get(pyramid, aggregate_percent) for pyramid in _pyramids(lots)}
    if scope is PyramidScope.COMBINED:
        return TpPlan((), (_watched("group", side, lots, percents),))
    return TpPlan(
        (),
        tuple(
            _watched(f"pyramid:{pyramid}", side, [lot for lot in lots if lot.pyramid == pyramid], percents)
            for pyramid in percents
        ),
    )


def _pyramids(lots: Sequence[Lot]) -> list[int]:
    return sorted({lot.pyramid for lot in lots})


def _watched(scope: str, side: Side, lots: Sequence[Lot], percents: Mapping[int, Decimal]) -> WatchedTarget:
    """Aggregate lots into one target, weighting each pyramid's percent by its cost.

    The target is one quotient of exact sums, so that it does not inherit the rounding of the average or the percent.
    """
    qty = sum((lot.qty for lot in lots), Decimal(0))
    cost = sum((lot.qty * lot.price for lot in lots), Decimal(0))
    weighted = sum((lot.qty * lot.price * percents[lot.pyramid] for lot in lots), Decimal(0))
    return WatchedTarget(
        scope,
        qty,
        quotient(cost, qty),
        quotient(weighted, cost),
        quotient(cost + side.sign * weighted / 100, qty),
    )


def tp_progress(side: Side, fill_price: Decimal, tp_price: Decimal, price: Decimal) -> Decimal:
    """Return how much of the way from fill to target is done, in percent from 0 to 100 (EX-612)."""
    way = side.sign * (tp_price - fill_price)
    done = side.sign * (price - fill_price)
    if done <= 0 or way <= 0:
        return Decimal(0)
    return min(Decimal(100), quotient(done * 100, way))
