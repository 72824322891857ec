"""Sentences for the order desk, the venue and the risk coordinator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from protocol.groups import OrderWanted
from protocol.groups.naming import leg_name, scope_name
from protocol.orders import (
    CancelRequested,
    FillRecorded,
    OrderRefused,
    OrderSent,
    OrderState,
    OrderStateChanged,
    Purpose,
)
from protocol.paper import PaperOrderRejected, PaperOrderTriggered
from protocol.risk import EngineStatusChanged
from protocol.venue import DifferenceFound, Reconciled
from service.explain.story import Story
from service.explain.words import number, order_words, words

__all__ = ["OF_ORDERS"]

_SentenceOf: TypeAlias = Callable[[Any, Story], str]


def _wanted(e: OrderWanted, story: Story) -> str:
    order = e.request
    what = order_words(order)
    again = (
        f" It takes the place of the one before it, which did not fill (attempt {e.attempt})." if e.attempt > 1 else ""
    )
    whose = f"for {leg_name(e.leg_id) or scope_name(e.scope)} ({order.client_order_id})"
    if e.purpose is Purpose.ENTRY:
        return f"The group wanted a {what} {whose}.{_leg_plan(e, story)}{again}"
    if e.purpose is Purpose.TP:
        return f"The group wanted its take profit at once: a {what} {whose}.{again}"
    why = f" because of the {words(e.reason)}" if e.reason is not None else ""
    return f"The group wanted out{why}: a {what} {whose}.{again}"


def _leg_plan(e: OrderWanted, story: Story) -> str:
    """Return which rule gave an entry its price and size."""
    for event in story.records:
        for leg in getattr(event.event, "legs", ()):
            if getattr(leg, "leg_id", "") == e.leg_id and getattr(event.event, "group_id", "") == e.group_id:
                return (
                    f" The plan for that layer: {number(leg.gap_percent)} % from the entry, {number(leg.weight_percent)} % "
                    f"of the size, take profit {number(leg.tp_percent)} % away, rounded to the market's tick and step."
                )
    return ""


def _sent(e: OrderSent, _: Story) -> str:
    ident = e.request.client_order_id
    entry = e.purpose is Purpose.ENTRY
    allowed = f"permit {e.permit} of the risk coordinator allowed it" if entry else "an exit needs no permit"
    return (
        f"The desk sent {ident} to the venue: {allowed}, and the journal held the decision before the first byte left."
    )


def _refused(e: OrderRefused, _: Story) -> str:
    why = {
        "NoPermit": "there was no fresh permit of the risk coordinator",
        "EnginePaused": "the engine takes no entries at present",
        "AccountPaused": "an operator has paused this account",
        "AccountStopped": "an operator has stopped this account",
        "CancelledUnsent": "it was cancelled while it still waited",
        "VenueDown": "the venue was not connected",
    }.get(e.code, words(e.code))
    return f"The desk did not send {e.request.client_order_id}: {why} ({e.reason})."


_STATES: Final = {
    OrderState.OPEN: "The venue took order {} into its book.",
    OrderState.PARTIALLY_FILLED: "Order {} was filled in part.",
    OrderState.FILLED: "Order {} was filled completely.",
    OrderState.CANCELLED: "Order {} is cancelled; nothing more will come of it.",
    OrderState.REJECTED: "The venue rejected order {}.",
    OrderState.EXPIRED: "Order {} expired unfilled.",
    OrderState.UNKNOWN: "The venue gave no usable answer about order {}; it is asked again and nothing is guessed.",
}


def _state(e: OrderStateChanged, _: Story) -> str:
    text = _STATES.get(e.state, "Order {} is now " + e.state.value + ".").format(e.client_order_id)
    reason = f" Reason: {e.reason}." if e.reason else ""
    proof = " The venue has proven that it never had this order." if e.absent_proven else ""
    return f"{text}{reason}{proof}"


def _cancel(e: CancelRequested, _: Story) -> str:
    return f"The desk asked the venue to cancel order {e.client_order_id}."


def _fill(e: FillRecorded, story: Story) -> str:
    verb = "Bought" if e.side.value == "buy" else "Sold"
    kind = "as a maker" if e.maker else "as a taker"
    wanted = story.order(e.client_order_id)
    expected = getattr(wanted, "expected_price", None)
    slip = ""
    if expected:
        worse = (e.price - expected) * (1 if e.side.value == "buy" else -1)
        percent = worse / expected * 100
        slip = (
            f", {abs(percent):.4f} % {'worse' if worse > 0 else 'better'} than expected" if worse else ", as expected"
        )
    return f"{verb} {number(e.qty)} {e.symbol} at {number(e.price)} {kind}{slip}; fee {number(e.fee)} {e.fee_currency}."


def _paper_rejected(e: PaperOrderRejected, _: Story) -> str:
    return f"The paper venue refused {e.request.client_order_id} as a real one would: {e.reason} ({e.code})."


def _triggered(e: PaperOrderTriggered, _: Story) -> str:
    return f"The trigger price of {e.client_order_id} traded: it is a market order from here on."


def _engine(e: EngineStatusChanged, _: Story) -> str:
    reason = f": {e.reason}" if e.reason else ""
    return f"The engine is {e.status.value}{reason} (permit {e.number})."


def _difference(e: DifferenceFound, _: Story) -> str:
    done = f" What was done: {e.correction}." if e.correction else ""
    return f"Comparing with the venue showed a difference ({e.code}): {e.detail}.{done}"


def _reconciled(e: Reconciled, _: Story) -> str:
    return (
        f"Orders and fills of {e.account} were compared with the venue: {e.open_orders} open orders, {e.fills_seen} fills, "
        f"{e.fills_missed} of them news, {e.differences} differences."
    )


def _silent(_event: Any, _: Story) -> str:
    return ""


OF_ORDERS: Final[dict[str, _SentenceOf]] = {
    "CancelRequested": _cancel,
    "DifferenceFound": _difference,
    "EngineStatusChanged": _engine,
    "FillRecorded": _fill,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderStateChanged": _state,
    "OrderWanted": _wanted,
    # The paper venue's own books: the desk tells the same in its words.
    "PaperOrderAccepted": _silent,
    "PaperOrderArrived": _silent,
    "PaperOrderCancelled": _silent,
    "PaperOrderFilled": _silent,
    "PaperOrderRejected": _paper_rejected,
    "PaperOrderTriggered": _triggered,
    "Reconciled": _reconciled,
}
"""Event type -> its sentence."""
