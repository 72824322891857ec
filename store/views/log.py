"""Projection of the event log: one line an event, its words and tags, and which alerts were seen (EX-1401 to EX-1410)."""

from __future__ import annotations

from typing import Final

from protocol.event_log import EventsAcknowledged
from protocol.messages import Event
from protocol.offset import OffsetDecided, OffsetStarted
from rules.event_log.classify import line_of
from rules.event_log.line import Line
from rules.event_log.tags import tags_of
from store.views.identity import NOBODY, Identity, group_identity
from store.views.registry import Writer, projection, run
from store.views.risk_decisions import groups_of

__all__ = ["acknowledged", "write_line"]


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
    text = line.text
    line = line._replace(
        group_id=line.group_id or _group_of(writer, line.client_order_id), text=_with_names(writer, event, text)
    )
    identity = _identity(writer, line)
    row = (record.position, record.at, line.source.value, line.severity.value, line.code, str(identity))
    about = (identity.symbol, identity.timeframe, line.group_id, line.client_order_id, line.signal_id, line.text)
    rest = (" ".join(tags), line.pinned, record.correlation_id, record.stream)
    database = writer.database
    database.append("events", _LINE, (*row, *about, *rest))
    for tag in dict.fromkeys(tags):
        database.append("event_tags", _TAG, (tag.value, record.position))
    database.index_words(
        record.position,
        f"{text} {line.text} {line.code} {identity} {line.group_id} {line.client_order_id} {line.signal_id}",
    )
    return True


def _with_names(writer: Writer, event: Event, text: str) -> str:
    """Put who a group is where its id stands: a plan names groups that its line is not about."""
    for group_id in groups_of(event) if isinstance(event, OffsetDecided | OffsetStarted) else ():
        text = text.replace(group_id, str(group_identity(writer, group_id)) or group_id)
    return text


def _group_of(writer: Writer, client_order_id: str) -> str:
    """Return the group an order is of, empty when that is not known."""
    if not client_order_id:
        return ""
    sql = "SELECT group_id FROM orders WHERE client_order_id = ?"
    return str((writer.known(sql, client_order_id) or ("",))[0])


def _identity(writer: Writer, line: Line) -> Identity:
    """Return pair, timeframe and side of the group or of the signal that a line is about."""
    if (group := group_identity(writer, line.group_id)) != NOBODY:
        return group
    if line.signal_id:
        sql = "SELECT symbol, timeframe, side FROM signals WHERE signal_id = ? AND symbol IS NOT NULL"
        if (found := writer.known(sql, line.signal_id)) is not None:
            return Identity(*(each or "" for each in found))
    return NOBODY


@projection(EventsAcknowledged)
def acknowledged(writer: Writer, event: EventsAcknowledged) -> None:
    """Take alerts off the strip; who saw one first stays."""
    writer.database.settle()
    sql = """UPDATE events SET acknowledged_at = ?, acknowledged_by = ?
        WHERE pinned AND acknowledged_at IS NULL AND position"""
    run(writer, f"{sql} <= ?", event.at, event.operator, event.through)
    for position in event.positions:
        run(writer, f"{sql} = ?", event.at, event.operator, position)
