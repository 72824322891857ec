"""Say how a step of a risk plan ended in a group: once, whatever ended it (EX-1015, EX-1016, EX-1018, EX-1027)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from protocol.groups import RiskClose, RiskCloseEnded, RiskStepEnded
from protocol.messages import Event, Message
from rules.group.slip import slippage_of
from rules.group.turn import Turn
from rules.group.view import CloseView, GroupView
from rules.slippage import Slippage, Verdict

__all__ = [
    "CLOSED",
    "FAILED",
    "SKIPPED",
    "STALE_STEP_S",
    "SUPERSEDED",
    "answer_again",
    "answers",
    "end_step",
    "is_known",
    "refuse_step",
]

CLOSED: Final = "closed"
SUPERSEDED: Final = "superseded"
SKIPPED: Final = "skipped"
FAILED: Final = "failed"

STALE_STEP_S: Final = 60
"""A step that comes this long after it was decided closes nothing: its prices are gone (EX-1026)."""


def is_known(view: GroupView, plan_id: str) -> bool:
    """Whether this step runs or has ended already; told again it changes nothing."""
    return plan_id in view.risk_steps or any(close.plan_id == plan_id for close in view.closes)


def refuse_step(turn: Turn, message: RiskClose, status: str, code: str) -> None:
    """End a step that began no close."""
    turn.emit(
        RiskStepEnded(
            group_id=turn.view.group_id,
            plan_id=message.plan_id,
            reply_to=message.reply_to,
            status=status,
            code=code,
            qty=Decimal(0),
            booked_quote=Decimal(0),
            at=turn.at,
        )
    )


def end_step(turn: Turn, close: CloseView, *, failed: str = "", skipped: str = "NothingOpen") -> None:
    """End the step that a close was made for, if it was made for one and that has not ended yet.

    ``failed`` and ``skipped`` are the codes if it failed, or if nothing came of it. Whatever traded counts: a step that
    was overtaken after part of it had traded is closed with that part.
    """
    if not close.plan_id or close.plan_id in turn.view.risk_steps:
        return
    view = turn.view
    close = next(found for found in view.closes if found.number == close.number)
    sold = sum((view.orders[name].filled for name in close.orders), Decimal(0))
    status, code = _status(view, close, sold, failed, skipped)
    found = [slip for name in close.orders if (slip := slippage_of(view, view.orders[name])) is not None]
    turn.emit(
        RiskStepEnded(
            group_id=view.group_id,
            plan_id=close.plan_id,
            reply_to=close.reply_to,
            status=status,
            code=code,
            qty=sold,
            booked_quote=close.booked,
            slippage_exceeded=any(slip.verdict is Verdict.ERROR for slip in found),
            worst_slippage=_worst(found),
            at=turn.at,
        )
    )


def _status(view: GroupView, close: CloseView, sold: Decimal, failed: str, skipped: str) -> tuple[str, str]:
    if failed:
        return FAILED, failed
    if sold:
        return CLOSED, ""
    if close.scope != "group" and view.closing:
        return SUPERSEDED, "GroupClosing"
    return SKIPPED, skipped


def _worst(found: Iterable[Slippage]) -> Decimal | None:
    return max((slip.percent for slip in found), default=None)


# --- answers ----------------------------------------------------------------------------------------------------------


def _answer(step: RiskStepEnded) -> RiskCloseEnded:
    """Return what the risk engine is told of a step that ended."""
    return RiskCloseEnded(
        group_id=step.group_id,
        plan_id=step.plan_id,
        status=step.status,
        code=step.code,
        qty=step.qty,
        booked_quote=step.booked_quote,
        slippage_exceeded=step.slippage_exceeded,
        worst_slippage=step.worst_slippage,
        at=step.at,
    )


def answers(events: Iterable[Event]) -> list[tuple[str, RiskCloseEnded]]:
    """Return (path, answer) for each step that these events end."""
    return [(event.reply_to, _answer(event)) for event in events if isinstance(event, RiskStepEnded) and event.reply_to]


def answer_again(view: GroupView | None, message: Message) -> RiskCloseEnded | None:
    """Return the answer to a risk close whose step has ended before."""
    if view is None or not isinstance(message, RiskClose):
        return None
    ended = view.risk_steps.get(message.plan_id)
    return None if ended is None else _answer(ended)
