"""Events of open groups, for tests of backups."""

from __future__ import annotations

from protocol.groups import OpenGroup
from protocol.pool import SlotTaken

__all__ = ["slot_taken"]


def slot_taken(opening: OpenGroup) -> SlotTaken:
    """Return the event by which a group took its slot."""
    return SlotTaken(
        group_key=opening.key,
        group_id=opening.group_id,
        signal_id=opening.signal_id,
        opening=opening,
        occupied=1,
        maximum=10,
        at=opening.at,
    )
