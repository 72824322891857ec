"""May a position that was opened by hand be adopted, and what follows: by what the venue and our groups hold."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from protocol.groups import GroupChanged, OpenGroup
from protocol.groups.editing import EditEffect, EditProblem
from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import Balance, Position
from protocol.values import MarketType, Side
from rules.group.adoption import adopt_group
from rules.group.edit_preview import effects_of
from rules.group.evolve import evolve
from rules.group.settle import settle
from rules.notation import plain
from rules.precision import check_order

__all__ = ["adoption_effects", "adoption_problems", "held_at_venue", "signed"]


def adoption_effects(opening: OpenGroup, at: int, tick: PriceTick | None) -> tuple[EditEffect, ...]:
    """Return what adopting leads to: the orders and watched prices that the group begins with."""
    if opening.adopted is None:
        return ()
    turn = adopt_group(opening, opening.adopted, at, tick)
    settle(turn)
    first, *others = turn.events
    return tuple(effects_of(evolve(None, first), others))


def signed(group: GroupChanged) -> Decimal:
    """Return what a group holds, negative for shorts."""
    return group.open_qty if group.side is Side.LONG else -group.open_qty


def held_at_venue(market: Instrument, balances: Iterable[Balance], positions: Iterable[Position]) -> Decimal:
    """Return what an account holds of a market: the base currency on spot, the signed position of a perpetual."""
    if market.market_type is MarketType.SPOT:
        return sum((each.free + each.locked for each in balances if each.currency == market.base), Decimal(0))
    return sum((each.qty for each in positions if each.symbol == market.symbol), Decimal(0))


def adoption_problems(
    opening: OpenGroup, at_venue: Decimal, in_groups: Decimal, tick: PriceTick | None
) -> tuple[EditProblem, ...]:
    """Return what stands against adopting; ``at_venue`` and ``in_groups`` are signed base units."""
    adopted, market = opening.adopted, opening.instrument
    assert adopted is not None, "only openings of adopted positions are judged here"
    if opening.side is Side.SHORT and not market.shortable:
        text = f"{opening.symbol} is a spot market and cannot be held short"
        return (EditProblem("ShortNotSupported", "side", text, opening.side.value),)
    found = []
    free = opening.side.sign * (at_venue - in_groups)
    if free < adopted.qty:
        text = (
            f"the account holds {plain(at_venue)}, our groups count on {plain(in_groups)}: "
            f"{plain(max(free, Decimal(0)))} can be adopted, not {plain(adopted.qty)}"
        )
        found.append(EditProblem("PositionNotThere", "qty", text, plain(adopted.qty)))
    rules = market.rules
    price = adopted.avg_price if tick is None else tick.last
    code = check_order(price, adopted.qty, rules, enforce_min_notional=opening.config.enforce_min_notional)
    if code is not None:
        text = f"so little cannot be sold ({code}): at least {plain(rules.min_qty)}, worth {plain(rules.min_notional)}"
        found.append(EditProblem("BelowMinimum", "qty", text, plain(adopted.qty)))
    return (*found, *_wrong_references(opening, price))


def _wrong_references(opening: OpenGroup, price: Decimal) -> Iterable[EditProblem]:
    sign = opening.side.sign
    if opening.stop_price is not None and sign * (price - opening.stop_price) <= 0:
        text = f"the price of {plain(price)} has passed it: the group would close at once"
        yield EditProblem("StopOnWrongSide", "stop_price", text, plain(opening.stop_price))
    if opening.target_price is not None and sign * (opening.target_price - price) <= 0:
        text = f"the price of {plain(price)} has passed it: the group would close at once"
        yield EditProblem("TargetOnWrongSide", "target_price", text, plain(opening.target_price))
