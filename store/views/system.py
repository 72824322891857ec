"""Projections of the engine's status and of the pools."""

from __future__ import annotations

from protocol.pool import SlotFreed, SlotTaken
from protocol.risk import EngineStatusChanged
from store.views.registry import Writer, insert, projection

__all__ = ["slot_freed", "slot_taken", "status_changed"]


@projection(EngineStatusChanged)
def status_changed(writer: Writer, event: EngineStatusChanged) -> None:
    """Write the engine's status as it is now."""
    insert(writer, "engine", one=1, number=event.number, status=event.status, reason=event.reason, at=event.at)


@projection(SlotTaken)
def slot_taken(writer: Writer, event: SlotTaken) -> None:
    """Write how full the pool is."""
    _fill(writer, event)


@projection(SlotFreed)
def slot_freed(writer: Writer, event: SlotFreed) -> None:
    """Write how full the pool is."""
    _fill(writer, event)


def _fill(writer: Writer, event: SlotTaken | SlotFreed) -> None:
    pool = writer.record.stream
    insert(writer, "pools", pool=pool, occupied=event.occupied, maximum=event.maximum, at=event.at)
