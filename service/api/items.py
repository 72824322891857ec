"""What happened, as clients see it: one plain dictionary an event, supervision report or dead letter."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from protocol.control import ReportContext, SupervisorReport
from protocol.messages import Event
from protocol.notifications import NoticesKept, NoticesRepeated
from runtime.dead_letters import DeadLetter
from runtime.journal import Record
from service.api.answers import plain
from store.views.lines import line_of
from store.views.mentions import mentions

__all__ = ["NAMES_KEPT", "Names", "change_item", "event_item", "letter_item", "report_item", "symbol_of"]

NAMES_KEPT: Final = 10_000
"""Groups and orders whose symbol is remembered, newest first."""

_SEVERITY_OF_REPORT: Final = {
    ReportContext.RELEASED: "info",
    ReportContext.ESCALATED: "error",
    ReportContext.QUARANTINED: "error",
    ReportContext.START_ERROR: "error",
}


class Names:
    """Remembers which symbol a group trades and which group an order belongs to: most events name only an id."""

    def __init__(self) -> None:
        self._symbol_of_group: OrderedDict[str, str] = OrderedDict()
        self._group_of_order: OrderedDict[str, str] = OrderedDict()

    def learn(self, group_id: str, symbol: str, client_order_id: str = "") -> None:
        """Take over what is known; empty texts say nothing."""
        if group_id and symbol:
            _keep(self._symbol_of_group, group_id, symbol)
        if client_order_id and group_id:
            _keep(self._group_of_order, client_order_id, group_id)

    def complete(self, item: dict[str, Any]) -> dict[str, Any]:
        """Learn from an item and fill in the group and symbol it leaves out."""
        self.learn(item["group_id"], item["symbol"], item["client_order_id"])
        group = item["group_id"] or self._group_of_order.get(item["client_order_id"], "")
        item["group_id"] = group
        item["symbol"] = item["symbol"] or self._symbol_of_group.get(group, "")
        return item


def _keep(names: OrderedDict[str, str], key: str, value: str) -> None:
    names[key] = value
    if len(names) > NAMES_KEPT:
        names.popitem(last=False)


def event_item(record: Record) -> dict[str, Any]:
    """Return a record of the journal as clients see it; ids and symbol are empty where the event names none."""
    event = record.event
    line = line_of(event)
    ids = dict(reversed(list(mentions(event))))
    return {
        "kind": "notification" if isinstance(event, NoticesKept | NoticesRepeated) else "event",
        "position": record.position,
        "at": record.at,
        "stream": record.stream,
        "type": type(event).__name__,
        "severity": line.severity.value if line else "debug",
        "source": line.source.value if line else "system",
        "code": line.code if line else type(event).__name__,
        "text": line.text if line else type(event).__name__,
        "group_id": (line.group_id if line else "") or ids.get("group", ""),
        "client_order_id": (line.client_order_id if line else "") or ids.get("order", ""),
        "signal_id": (line.signal_id if line else "") or ids.get("signal", ""),
        "symbol": symbol_of(event),
        "correlation_id": record.correlation_id,
        "event": plain(event),
    }


def symbol_of(event: Event) -> str:
    """Return the symbol an event names itself, empty when it names none."""
    for holder in (event, *(getattr(event, name, None) for name in ("request", "signal", "opening"))):
        symbol = getattr(holder, "symbol", "")
        if symbol:
            return str(symbol)
    return ""


def report_item(report: SupervisorReport) -> dict[str, Any]:
    """Return a supervisor's report as clients see it."""
    delay = f", again in {report.delay_s:.1f} s" if report.delay_s else ""
    text = f"{report.offender}: {report.context.value.replace('_', ' ')}: {report.reason}{delay}"
    severity = _SEVERITY_OF_REPORT.get(report.context, "warning")
    return _item("supervision", report.at, "SupervisorReport", report.offender, severity, text, plain(report))


def letter_item(letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter as clients see it."""
    message = letter.envelope.message
    text = f"{letter.path}: {type(message).__name__} not handled: {letter.reason}"
    detail = {
        "id": str(letter.id),
        "path": letter.path,
        "reason": letter.reason,
        "error": letter.error,
        "poison": letter.poison,
        "sender": letter.envelope.sender,
        "message": type(message).__name__,
    }
    severity = "error" if letter.poison else "warning"
    item = _item("dead_letter", letter.at, "DeadLetter", letter.path, severity, text, detail)
    return {**item, "correlation_id": letter.envelope.correlation_id}


def change_item(position: int, groups: list[str], at: int) -> dict[str, Any]:
    """Return which groups look different in the read models, which are at ``position``."""
    text = f"{len(groups)} group{'s' if len(groups) != 1 else ''} changed"
    return _item("changed", at, "Changed", "", "debug", text, {"groups": groups, "position": position})


def _item(kind: str, at: int, name: str, path: str, severity: str, text: str, detail: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "position": 0,
        "at": at,
        "stream": path,
        "type": name,
        "severity": severity,
        "source": "system",
        "code": name,
        "text": text,
        "group_id": path.rpartition("~")[2] if "~" in path else "",
        "client_order_id": "",
        "signal_id": "",
        "symbol": "",
        "correlation_id": 0,
        "event": detail,
    }
