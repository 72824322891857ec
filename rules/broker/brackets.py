"""One entry with its stop and target, as three orders that are sent as one (PF-232, PF-233)."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from protocol.errors import ValidationError
from protocol.values import OrderSide

__all__ = ["STOP_SUFFIX", "TARGET_SUFFIX", "BracketOrder", "bracket"]

STOP_SUFFIX: Final = "-SL"
TARGET_SUFFIX: Final = "-TP"


class BracketOrder(NamedTuple):
    """One of the three: ``type`` is MKT, STP or LMT; ``parent`` the client id of the entry, None for the entry itself."""

    type: str
    side: OrderSide
    qty: Decimal
    client_id: str
    parent: str | None
    price: Decimal | None


def bracket(
    side: OrderSide,
    qty: Decimal,
    *,
    reference: Decimal,
    stop: Decimal | None,
    target: Decimal | None,
    tick: Decimal,
    client_id: str,
) -> tuple[BracketOrder, ...]:
    """Return entry, stop and (when wanted) target. Stop and target are rounded to the tick toward the reference price.

    Raises ValidationError with code BracketStopMissing, InvalidQuantity, BracketStopWrongSide or BracketTargetWrongSide.
    """
    if stop is None:
        raise ValidationError("$.stop", "a bracket needs a stop", code="BracketStopMissing")
    if qty <= 0:
        raise ValidationError("$.qty", "must be above 0", code="InvalidQuantity", value=str(qty))
    buys = side is OrderSide.BUY
    stop = _toward(stop, reference, tick)
    if not (stop < reference if buys else stop > reference):
        raise ValidationError("$.stop", _wrong("stop", reference), code="BracketStopWrongSide", value=str(stop))
    leaves = OrderSide.SELL if buys else OrderSide.BUY
    orders = [
        BracketOrder("MKT", side, qty, client_id, None, None),
        BracketOrder("STP", leaves, qty, client_id + STOP_SUFFIX, client_id, stop),
    ]
    if target is not None:
        target = _toward(target, reference, tick)
        if not (target > reference if buys else target < reference):
            raise ValidationError(
                "$.target", _wrong("target", reference), code="BracketTargetWrongSide", value=str(target)
            )
        orders.append(BracketOrder("LMT", leaves, qty, client_id + TARGET_SUFFIX, client_id, target))
    return tuple(orders)


def _toward(price: Decimal, reference: Decimal, tick: Decimal) -> Decimal:
    rounding = ROUND_CEILING if price < reference else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding) * tick


def _wrong(name: str, reference: Decimal) -> str:
    return f"the {name} is on the wrong side of {reference}"
