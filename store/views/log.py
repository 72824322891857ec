"""Projection of the event log: one line an event, its words and tags, and which alerts were seen (EX-1401 to EX-1410)."""

from __future__ import annotations

from typing import Final, NamedTuple

from protocol.event_log import EventsAcknowledged
from protocol.messages import Event
from rules.event_log.classify import line_of
from rules.event_log.line import Line
from rules.event_log.tags import tags_of
from store.views.registry import Writer, projection, run

__all__ = ["acknowledged", "write_line"]


class _Identity(NamedTuple):
    """Pair, timeframe and side of what a line is about; all empty when it is about none."""

    symbol: str = ""
    timeframe: str = ""
    side: str = ""

    def __str__(self) -> str:
        return " ".join(each for each in self if each)


_NOBODY: Final = _Identity()

_LINE: Final = (
    *("position", "at", "source", "severity", "code", "identity", "symbol", "timeframe", "group_id", "client_order_id"),
    *("signal_id", "text", "tags", "pinned", "correlation_id", "stream"),
)
_TAG: Final = ("tag", "position")


def write_line(writer: Writer, event: Event) -> bool:
    """Write the line of a record's event; return whether it has one."""
    line = line_of(event)
    if line is None:
        return False
    record, tags = writer.record, tags_of(event, line)
    line = line._replace(group_id=line.group_id or _group_of(writer, line.client_order_id))
    identity = _identity(writer, line)
    row = (record.position, record.at, line.source.value, line.severity.value, line.code, str(identity))
    about = (identity.symbol, identity.timeframe, line.group_id, line.client_order_id, line.signal_id, line.text)
    rest = (" ".join(tags), line.pinned, record.correlation_id, record.stream)
    database = writer.database
    database.append("events", _LINE, (*row, *about, *rest))
    for tag in dict.fromkeys(tags):
        database.append("event_tags", _TAG, (tag.value, record.position))
    database.index_words(
        record.position, f"{line.text} {line.code} {identity} {line.group_id} {line.client_order_id} {line.signal_id}"
    )
    return True


def _group_of(writer: Writer, client_order_id: str) -> str:
    """Return the group an order is of, empty when that is not known."""
    if not client_order_id:
        return ""
    sql = "SELECT group_id FROM orders WHERE client_order_id = ?"
    return str((writer.known(sql, client_order_id) or ("",))[0])


def _identity(writer: Writer, line: Line) -> _Identity:
    """Return pair, timeframe and side of the group or of the signal that a line is about."""
    if line.group_id:
        sql = "SELECT symbol, timeframe, side FROM groups WHERE group_id = ?"
        if (found := writer.known(sql, line.group_id)) is not None:
            return _Identity(*found)
    if line.signal_id:
        sql = "SELECT symbol, timeframe, side FROM signals WHERE signal_id = ? AND symbol IS NOT NULL"
        if (found := writer.known(sql, line.signal_id)) is not None:
            return _Identity(*(each or "" for each in found))
    return _NOBODY


@projection(EventsAcknowledged)
def acknowledged(writer: Writer, event: EventsAcknowledged) -> None:
    """Take alerts off the strip; who saw one first stays."""
    writer.database.settle()
    sql = """UPDATE events SET acknowledged_at = ?, acknowledged_by = ?
        WHERE pinned AND acknowledged_at IS NULL AND position"""
    run(writer, f"{sql} <= ?", event.at, event.operator, event.through)
    for position in event.positions:
        run(writer, f"{sql} = ?", event.at, event.operator, position)
