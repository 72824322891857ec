"""Measure what a group's market orders slipped by (EX-720..723)."""

from __future__ import annotations

from protocol.groups import Severity
from protocol.values import OrderType
from rules.group.turn import Turn
from rules.group.view import GroupView, OrderView
from rules.slippage import Slippage, Verdict, slippage, slippage_limit

__all__ = ["judge_slippage", "slippage_of"]


def slippage_of(view: GroupView, order: OrderView) -> Slippage | None:
    """Compare what a market order achieved on average with the price expected when it was sent; None if not one."""
    if order.expected_price is None or order.request.type is OrderType.LIMIT or not order.filled:
        return None
    return slippage(
        order.request.side,
        order.expected_price,
        order.value / order.filled,
        limit_percent=slippage_limit(view.config.max_slippage_percent, view.max_slippage_percent),
        action=view.config.slippage_action,
    )


def judge_slippage(turn: Turn, order: OrderView) -> None:
    """Warn when a market order slipped by more than the limit, or say it in red (EX-722)."""
    found = slippage_of(turn.view, order)
    if found is None or found.verdict is Verdict.OK:
        return
    warns = found.verdict is Verdict.WARNING
    text = f"order {order.request.client_order_id} slipped {found.percent.normalize():f} %"
    turn.alert(
        "SlippageWarning" if warns else "SlippageExceeded",
        Severity.WARNING if warns else Severity.ERROR,
        f"{text}, the limit is {found.limit_percent} %",
        leg_id=order.leg_id,
        pinned=not warns,
    )
