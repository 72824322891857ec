"""What the guard of brackets tells the desk, and the incidents it raises, made from what it decided."""

from __future__ import annotations

from typing import Any, Final

from protocol.brackets import BracketEnd, BracketStep, BracketStepTaken, SubmitBracket
from protocol.incidents import IncidentRaised, Severity
from protocol.orders import CancelOrder, OrderRequest, OrderState, Purpose, SubmitOrder
from protocol.values import OrderSide, OrderType
from rules.broker.guarded import Guarded, Leg, Role
from rules.broker.protection import UNPROTECTED
from runtime.clock import NANOS

__all__ = ["OVERSHOT", "SEND_WITHIN_S", "alarm_of", "order_of", "retold", "tells_of", "unreachable", "whole"]

SEND_WITHIN_S: Final = 10
"""A bracket that has not left the desk this long after it was wanted is not sent any more."""

OVERSHOT: Final = "BRACKET_OVERSHOT"
"""Kind of the incident of a bracket that closed more than it had opened."""

_PURPOSES: Final = {Role.ENTRY: Purpose.ENTRY, Role.TARGET: Purpose.TP}
_TYPES: Final = {Role.STOP: OrderType.STOP, Role.STOP_AGAIN: OrderType.STOP, Role.TARGET: OrderType.LIMIT}


def order_of(bracket: Guarded, leg: Leg, owner: str) -> SubmitOrder:
    """Return one order of a bracket as the desk is asked for it."""
    wanted, entry = bracket.wanted, leg.role is Role.ENTRY
    away = OrderSide.SELL if wanted.side is OrderSide.BUY else OrderSide.BUY
    stops = leg.role in (Role.STOP, Role.STOP_AGAIN)
    request = OrderRequest(
        client_order_id=leg.client_order_id,
        symbol=wanted.symbol,
        side=wanted.side if entry else away,
        type=_TYPES.get(leg.role, OrderType.MARKET),
        qty=leg.qty,
        price=wanted.target if leg.role is Role.TARGET else None,
        stop_price=wanted.stop if stops else None,
        reduce_only=wanted.reduce_only and not entry,
    )
    return SubmitOrder(
        request=request,
        owner=owner,
        group_id=f"bracket:{wanted.client_id}",
        leg_id="" if entry else leg.role.value,
        purpose=_PURPOSES.get(leg.role, Purpose.CLOSE),
        adds_risk=entry,
        expected_price=wanted.reference if entry else None,
        wanted_at=leg.sent_at or wanted.at,
    )


def whole(bracket: Guarded, owner: str) -> SubmitBracket:
    """Return entry, stop and target as the desk is asked for them."""
    stop, target = bracket.of(Role.STOP), bracket.of(Role.TARGET)
    return SubmitBracket(
        entry=order_of(bracket, bracket.entry, owner),
        stop=order_of(bracket, stop[0], owner),
        target=order_of(bracket, target[0], owner) if target else None,
        valid_until=bracket.wanted.at + SEND_WITHIN_S * NANOS,
    )


def tells_of(bracket: Guarded, step: BracketStepTaken, owner: str) -> list[Any]:
    """Return what the desk is told of a step; ``bracket`` stands as after it."""
    if step.step is BracketStep.CANCEL:
        return [CancelOrder(step.client_order_id, owner)]
    if step.step in (BracketStep.STOP_SENT_AGAIN, BracketStep.CLOSE_SENT):
        return [order_of(bracket, bracket.legs[step.client_order_id], owner)]
    return []


def retold(bracket: Guarded, owner: str) -> list[Any]:
    """Return what a desk is told again that may not have heard it: told twice, it changes nothing."""
    told: list[Any] = []
    if bracket.entry.state is OrderState.INTENDED:
        told.append(whole(bracket, owner))
    for leg in bracket.unfinished():
        if leg.role in (Role.STOP_AGAIN, Role.CLOSE):
            told.append(order_of(bracket, leg, owner))
        if leg.cancelling:
            told.append(CancelOrder(leg.client_order_id, owner))
    return told


def alarm_of(bracket: Guarded, step: BracketStepTaken, account: str) -> IncidentRaised | None:
    """Return what an operator must know of a step at once, None when nothing."""
    if step.step is BracketStep.CLOSING and step.reason == UNPROTECTED:
        why = (
            "its stop was refused or lost, and the second one too" if bracket.sent_again_at else "its stop is not known"
        )
        text = f"{_named(bracket)} has no working stop ({why}): it is closed at the market"
        return _raised(UNPROTECTED, bracket, account, text, step.at)
    if step.step is BracketStep.ENDED and step.reason == BracketEnd.OVERSHOT:
        text = f"{_named(bracket)}: more was closed than opened ({-bracket.open_qty} too much); look at the account"
        return _raised(OVERSHOT, bracket, account, text, step.at)
    return None


def unreachable(bracket: Guarded, account: str, at: int) -> IncidentRaised:
    """Return that a position has no stop, and that nothing can be done about it before the venue is back."""
    text = (
        f"{_named(bracket)} has no working stop and the venue cannot be reached: nothing can be sent; it is looked after "
        "as soon as the connection is back"
    )
    return _raised(UNPROTECTED, bracket, account, text, at)


def _named(bracket: Guarded) -> str:
    wanted = bracket.wanted
    return f"bracket {wanted.client_id}: {wanted.side.value} of {wanted.symbol}, {bracket.open_qty} open"


def _raised(kind: str, bracket: Guarded, account: str, text: str, at: int) -> IncidentRaised:
    subject = f"{account} {bracket.wanted.client_id}"
    return IncidentRaised(kind=kind, severity=Severity.CRITICAL, subject=subject, text=text, at=at)
