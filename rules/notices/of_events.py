"""Event in, notice out: the one path by which an operator is told of anything (DS-720, EX-1406, ML-1083)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups import CloseReason
from protocol.messages import Event
from protocol.risk import EngineStatus
from rules.event_log.classify import line_of
from rules.event_log.line import Line, LineSeverity
from rules.notices.shelf import Draft

__all__ = ["draft_of"]

_LOUD: Final = (LineSeverity.ERROR, LineSeverity.WARNING)


def _status(event: Any, line: Line) -> str:  # noqa: ARG001 - all of a table
    return "engine.running" if event.status is EngineStatus.RUNNING else "kill_switch.activated"


def _alert(event: Any, line: Line) -> str:
    return "exit.failing" if event.code == "CloseFailing" else _by_line(line)


def _closing(event: Any, line: Line) -> str:
    return "stop_loss.triggered" if event.reason is CloseReason.STOP else _by_line(line)


def _venue(event: Any, line: Line) -> str:
    if line.severity is LineSeverity.INFO:
        return "link.restored" if event.status.value == "up" else ""
    return "alert.pinned"


def _by_line(line: Line) -> str:
    """Return the type of what has no type of its own: what is pinned is critical, what is loud a warning, else nothing."""
    if line.pinned:
        return "alert.pinned"
    return "alert.triggered" if line.severity in _LOUD else ""


_TYPES: Final[dict[str, str | Callable[[Any, Line], str]]] = {
    "AccountArmed": "engine.running",
    "AccountStopped": "kill_switch.activated",
    "ApprovalAsked": "approval.asked",
    "ApprovalEnded": "approval.ended",
    "CloseStarted": _closing,
    "ConfigApplied": "config.applied",
    "DaemonStarted": "daemon.started",
    "DaySummaryKept": "summary.day",
    "EngineStatusChanged": _status,
    "FillRecorded": "order.filled",
    "GroupAlert": _alert,
    "GroupClosed": "group.closed",
    "GroupOpened": "group.opened",
    "OrderSent": "order.submitted",
    "SelfChecked": "run.finished",
    "VenueStatusChanged": _venue,
}
"""Event type -> type of its notice; one that is not here goes by its line in the log."""


def draft_of(event: Event, position: int = 0, at: int = 0) -> Draft | None:
    """Return the notice of an event, None for what nobody needs to be told of."""
    line = line_of(event)
    if line is None:
        return None
    of = _TYPES.get(type(event).__name__)
    kind = _by_line(line) if of is None else of if isinstance(of, str) else of(event, line)
    if not kind:
        return None
    link = (
        f"group:{line.group_id}"
        if line.group_id
        else f"order:{line.client_order_id}"
        if line.client_order_id
        else f"signal:{line.signal_id}"
        if line.signal_id
        else ""
    )
    return Draft(kind, line.text[:1000], line.code, link, f"j{position}" if position else "", position, line.pinned, at)
