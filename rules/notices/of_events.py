"""Event in, notice out: the one path by which an operator is told of anything (DS-720, EX-1406, ML-1083)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from protocol.groups import CloseReason, GroupOpened
from protocol.messages import Event
from protocol.notifications import GroupNamed
from protocol.risk import EngineStatus
from rules.client_ids import group_hash, parse
from rules.event_log.classify import line_of
from rules.event_log.line import Line, LineSeverity
from rules.notices.of_house import OF_HOUSE
from rules.notices.of_trades import OF_TRADES
from rules.notices.sentence import GROUP, Sentence, SentenceOf, capital, coded, one_line
from rules.notices.shelf import Draft

__all__ = ["draft_of", "group_of"]

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
    "AccountPaused": "kill_switch.activated",
    "AccountResumed": "engine.running",
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


_SENTENCES: Final[Mapping[str, SentenceOf]] = {**OF_TRADES, **OF_HOUSE}


def group_of(event: Event) -> GroupNamed | None:
    """Return who a group is that an event begins, None for all other events."""
    if not isinstance(event, GroupOpened):
        return None
    return GroupNamed(group_hash(event.group_id), event.symbol, event.timeframe, event.side)


def draft_of(event: Event, position: int = 0, at: int = 0) -> Draft | None:
    """Return the notice of an event, None for what nobody needs to be told of."""
    line = line_of(event)
    if line is None:
        return None
    of = _TYPES.get(type(event).__name__)
    kind = _by_line(line) if of is None else of if isinstance(of, str) else of(event, line)
    if not kind:
        return None
    said = _sentence(event, line)
    return Draft(
        type=kind,
        title=one_line(said.title)[:1000],
        body=one_line(said.body)[:1000],
        link=_link(line),
        key=f"j{position}" if position else "",
        position=position,
        pinned=line.pinned,
        at=at,
        group=_group(line),
    )


def _sentence(event: Event, line: Line) -> Sentence:
    """Return what is said of an event; of one that has no sentence of its own what its line in the log says."""
    of = _SENTENCES.get(type(event).__name__)
    if of is not None:
        return of(event)
    return Sentence(f"{GROUP}: {coded(line.text)}" if line.group_id else capital(coded(line.text)))


def _link(line: Line) -> str:
    if line.group_id:
        return f"group:{line.group_id}"
    if line.client_order_id:
        return f"order:{line.client_order_id}"
    return f"signal:{line.signal_id}" if line.signal_id else ""


def _group(line: Line) -> str:
    """Return the hash of the group that an event is about: its orders name it by that only."""
    if line.group_id:
        return group_hash(line.group_id)
    order = parse(line.client_order_id)
    return order.group_hash if order is not None else ""
