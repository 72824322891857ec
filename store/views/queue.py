"""Projections of the waiting queues: who waited, for how long, and how it ended (EX-1202)."""

from __future__ import annotations

from protocol.pool import EntryPromoted, PyramidAdmitted, QueuedReplaced, QueueRemoved, SignalQueued
from store.views.registry import Writer, insert, projection, run

__all__ = ["admitted", "promoted", "queued", "removed", "replaced"]


@projection(SignalQueued)
def queued(writer: Writer, event: SignalQueued) -> None:
    """Write a new entry."""
    signal = event.signal
    insert(
        writer,
        "queue_entries",
        pool=writer.record.stream,
        queue_id=event.queue_id,
        position=writer.record.position,
        group_key=event.group_key,
        signal_id=event.signal_id,
        user_id=signal.user,
        venue=signal.venue,
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=signal.side,
        entry_price=signal.entry_price,
        reason=event.reason,
        reverse=event.reverse,
        expected_profit=event.expected_profit,
        queued_at=event.at,
        updated_at=event.at,
    )


@projection(QueuedReplaced)
def replaced(writer: Writer, event: QueuedReplaced) -> None:
    """Write what a newer signal changed; the place in time stays."""
    sql = """UPDATE queue_entries SET signal_id = ?, entry_price = ?, reverse = ?, replacement_count = ?,
        expected_profit = ?, updated_at = ? WHERE pool = ? AND queue_id = ?"""
    signal, stream = event.signal, writer.record.stream
    values = (event.signal_id, signal.entry_price, event.reverse, event.replacements, event.expected_profit, event.at)
    run(writer, sql, *values, stream, event.queue_id)


@projection(EntryPromoted)
def promoted(writer: Writer, event: EntryPromoted) -> None:
    """Write that an entry left the queue to enter."""
    _end(writer, event, "entered", event.how.value)


@projection(QueueRemoved)
def removed(writer: Writer, event: QueueRemoved) -> None:
    """Write that an entry left the queue without entering, and why."""
    _end(writer, event, "removed", event.reason)


def _end(writer: Writer, event: EntryPromoted | QueueRemoved, status: str, reason: str) -> None:
    sql = """UPDATE queue_entries SET status = ?, closed_reason = ?, closed_detail = ?, closed_at = ?
        WHERE pool = ? AND queue_id = ?"""
    detail = "; ".join(event.reasons)
    run(writer, sql, status, reason, detail, event.at, writer.record.stream, event.queue_id)


@projection(PyramidAdmitted)
def admitted(writer: Writer, event: PyramidAdmitted) -> None:
    """Write how full the pool is."""
    pool = writer.record.stream
    insert(writer, "pools", pool=pool, occupied=event.occupied, maximum=event.maximum, at=event.at)
