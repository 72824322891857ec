"""What a trader is told of orders, fills and groups: pair, side, quantity, price, result (DS-720). One function an event."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from protocol.brackets import BracketStepTaken
from protocol.groups import (
    CloseEnded,
    CloseFinished,
    CloseGroup,
    CloseReason,
    CloseSkipped,
    CloseStarted,
    EntryEnded,
    GroupAlert,
    GroupClosed,
    GroupFrozen,
    GroupOpened,
    PyramidRefused,
    RulesTaken,
    TriggerHeld,
)
from protocol.groups.naming import leg_name, scope_name
from protocol.groups.recovery import GroupRecovered
from protocol.offset import OffsetDecided, OffsetEnded, OffsetStepEnded
from protocol.orders import FillRecorded, OrderRefused, OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.values import OrderSide
from rules.client_ids import parse
from rules.money import result_of
from rules.notation import plain, words
from rules.notices.sentence import GROUP, Sentence, SentenceOf, coded, market_of

__all__ = ["OF_TRADES"]

_PURPOSES: Final = {Purpose.ENTRY: "entry", Purpose.TP: "target", Purpose.CLOSE: "close"}
_DONE: Final = {OrderSide.BUY: "Bought", OrderSide.SELL: "Sold"}
_WHY: Final = {
    CloseReason.EXIT_SIGNAL: "on its exit signal",
    CloseReason.OPERATOR: "by an operator",
    CloseReason.STOP: "at its stop",
    CloseReason.RISK_CLOSE: "by the loss offset",
    CloseReason.RISK_PARTIAL: "in part by the loss offset",
    CloseReason.REDUCE: "by a reduce signal",
    CloseReason.AGGREGATE_TP: "at the target of the group",
    CloseReason.PYRAMID_TP: "at the target of a pyramid",
    CloseReason.LEG_TP: "at the target of a leg",
    CloseReason.TAKE_PROFIT: "at its target",
    CloseReason.ENTRY_FAILED: "because its entry failed",
    CloseReason.UNFILLED_CANCELLED: "before anything was filled",
    CloseReason.RECOVERY: "by its recovery contract",
}
_ENDS: Final = {
    OrderState.REJECTED: "was rejected by the venue",
    OrderState.EXPIRED: "expired at the venue",
    OrderState.UNKNOWN: "is in doubt: the venue is being asked whether it has it",
}


_ALERTS: Final[Mapping[str, str]] = {
    "CloseFailing": "cannot be closed: ",
    "LateFill": "an order was filled too late: ",
    "LayerCancelled": "the venue cancelled an entry: ",
    "OrderRejected": "an order was rejected: ",
    "PositionGone": "the position is not there: ",
    "PositionMismatch": "the position does not agree with the venue: ",
    "SlippageExceeded": "too much slippage: ",
    "SlippageHeld": "held back because of slippage: ",
    "TargetLost": "its target is gone: ",
    "UnknownOrder": "a fill of an unknown order: ",
}
"""Code of a group's alert -> what it means, before its own words."""


def _and(text: str) -> str:
    return f": {coded(text)}" if text else ""


def _order(client_order_id: str) -> tuple[str, str]:
    """Return what an order of ours is for, and its leg."""
    found = parse(client_order_id)
    if found is None:
        return "order", ""
    leg = leg_name(f"p{found.pyramid}.l{found.layer}") if found.purpose is not Purpose.CLOSE else ""
    return f"{_PURPOSES[found.purpose]} order", leg


def _fill(e: FillRecorded) -> Sentence:
    what, leg = _order(e.client_order_id)
    ours = what != "order"
    purpose = f" ({what.removesuffix(' order')})" if ours else ""
    body = ", ".join(each for each in (GROUP if ours else "", leg, f"fee {plain(e.fee)} {e.fee_currency}") if each)
    return Sentence(f"{_DONE[e.side]} {plain(e.qty)} {e.symbol} at {plain(e.price)}{purpose}", body)


def _sent(e: OrderSent) -> Sentence:
    request = e.request
    price = "at the market" if request.price is None else f"at {plain(request.price)}"
    said = f"Sent to {request.side.value} {plain(request.qty)} {request.symbol} {price} ({_PURPOSES[e.purpose]})"
    return Sentence(said, f"{GROUP}, {leg_name(e.leg_id)}" if e.leg_id else GROUP)


def _refused(e: OrderRefused) -> Sentence:
    request = e.request
    order = f"{_PURPOSES[e.purpose]} order to {request.side.value} {plain(request.qty)} {request.symbol}"
    return Sentence(f"Not sent: {order}{_and(e.reason or e.code)}", GROUP)


def _order_state(e: OrderStateChanged) -> Sentence:
    what, leg = _order(e.client_order_id)
    whose = f"{GROUP}: its {what}" if what != "order" else "An order"
    return Sentence(f"{whose} {_ENDS.get(e.state, words(e.state.value))}{_and(e.reason)}", leg)


def _opened(e: GroupOpened) -> Sentence:
    said = f"Opening {e.side.value} {e.symbol} {e.timeframe} at {plain(e.base_entry_price)}"
    return Sentence(said, f"{e.strategy}, account {e.account}")


def _closed(e: GroupClosed) -> Sentence:
    symbol, market = market_of(e.key)
    said = f"{market or GROUP} closed {_WHY[e.reason]}"
    if not e.realized_quote and not e.fees:
        return Sentence(f"{said}: nothing was traded")
    quote = symbol.partition("/")[2].partition(":")[0]
    net = e.realized_quote - e.fees.get(quote, Decimal(0))
    fees = ", ".join(f"{plain(amount)} {currency}" for currency, amount in sorted(e.fees.items())) or "none"
    return Sentence(f"{said}: {result_of(net, quote)}", f"fees {fees}")


def _closing(e: CloseStarted) -> Sentence:
    return Sentence(f"{GROUP}: closing {scope_name(e.scope)} {_WHY[e.reason]}", "at the market")


def _close_ended(e: CloseEnded) -> Sentence:
    again = f"it is tried again in {e.retry_after_s} s" if e.retry_after_s else ""
    return Sentence(f"{GROUP}: its close order {_ENDS.get(e.state, words(e.state.value))}{_and(e.reason)}", again)


def _close_finished(e: CloseFinished) -> Sentence:
    return Sentence(f"{GROUP}: the close of {scope_name(e.scope)} was given up", f"it was to close {_WHY[e.reason]}")


def _close_skipped(e: CloseSkipped) -> Sentence:
    return Sentence(f"{GROUP}: {plain(e.qty)} stay open, they are too little to sell", words(e.trigger.value))


def _entry_ended(e: EntryEnded) -> Sentence:
    said = _ENDS.get(e.state, words(e.state.value))
    return Sentence(f"{GROUP}: the entry of {leg_name(e.leg_id)} {said}{_and(e.reason)}")


def _alert(e: GroupAlert) -> Sentence:
    return Sentence(f"{GROUP}: {_ALERTS.get(e.code, '')}{coded(e.text)}", leg_name(e.leg_id))


def _recovered(e: GroupRecovered) -> Sentence:
    then = "it closes itself" if e.flattens else "it goes on"
    return Sentence(f"{GROUP}: bulkhead was away for {e.down_s} s; {then}", "by its recovery contract")


def _frozen(e: GroupFrozen) -> Sentence:
    return Sentence(
        f"{GROUP} is frozen: {coded(e.reason)}", "no automatic orders until somebody unfreezes or closes it"
    )


def _held(e: TriggerHeld) -> Sentence:
    why = _WHY[e.trigger.reason] if isinstance(e.trigger, CloseGroup) else "in part"
    return Sentence(f"{GROUP} is frozen: closing it {why} waits until somebody unfreezes it")


def _pyramid_refused(e: PyramidRefused) -> Sentence:
    return Sentence(f"{GROUP}: no further pyramid: {coded(e.text or e.code)}")


def _rules(e: RulesTaken) -> Sentence:
    symbol = e.instrument.symbol
    return Sentence(f"{symbol}: no answer about its trading rules; the strictest known are used", GROUP)


def _offset_step(e: OffsetStepEnded) -> Sentence:
    slipped = ", more slippage than allowed" if e.slippage_exceeded else ""
    said = f"{GROUP}: its part of the loss offset {coded(e.status)}{_and(e.code)}"
    return Sentence(said, f"{result_of(e.booked_usd, 'USD')} booked{slipped}")


def _offset(e: OffsetEnded) -> Sentence:
    return Sentence(f"Loss offset {coded(e.outcome)}{_and(e.code)}", f"{result_of(e.booked_usd, 'USD')} booked in all")


def _offset_decided(e: OffsetDecided) -> Sentence:
    return Sentence(f"The loss offset leaves out {len(e.left_out)} groups", "; ".join(map(coded, e.left_out.values())))


def _bracket(e: BracketStepTaken) -> Sentence:
    return Sentence(f"Entry with stop {e.client_id}: {words(e.step.value)}{_and(e.reason)}")


OF_TRADES: Final[Mapping[str, SentenceOf]] = {
    "BracketStepTaken": _bracket,
    "CloseEnded": _close_ended,
    "CloseFinished": _close_finished,
    "CloseSkipped": _close_skipped,
    "CloseStarted": _closing,
    "EntryEnded": _entry_ended,
    "FillRecorded": _fill,
    "GroupAlert": _alert,
    "GroupClosed": _closed,
    "GroupFrozen": _frozen,
    "GroupOpened": _opened,
    "GroupRecovered": _recovered,
    "OffsetDecided": _offset_decided,
    "OffsetEnded": _offset,
    "OffsetStepEnded": _offset_step,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderStateChanged": _order_state,
    "PyramidRefused": _pyramid_refused,
    "RulesTaken": _rules,
    "TriggerHeld": _held,
}
"""Event type -> what is said of it."""
