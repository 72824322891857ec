"""Whom the pool tells what: its events as messages to groups and to their supervisor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from protocol.groups import CloseGroup, CloseReason, OpenGroup
from protocol.messages import Event
from protocol.pool import GroupCloseAsked, GroupMail, PyramidAdmitted, SlotTaken, StartGroup
from rules.pool import LiveGroup, PoolState

__all__ = ["close_of", "group_name", "group_path", "tells_of", "untold"]


def group_name(opening: OpenGroup) -> str:
    """Return the name of a group's actor: what it trades, and its id, so that two lives of a key never share one."""
    symbol = opening.symbol.replace("/", "").replace(":", ".")
    return f"{opening.venue}:{symbol}:{opening.timeframe}:{opening.side.value}~{opening.group_id}"


def group_path(groups: str, opening: OpenGroup) -> str:
    """Return where a group of an account lives."""
    return f"{groups}/{group_name(opening)}"


def close_of(group_id: str, signal_id: str, at: int) -> CloseGroup:
    """Return what a group is told by a signal that closes it."""
    return CloseGroup(group_id=group_id, reason=CloseReason.EXIT_SIGNAL, signal_id=signal_id, at=at)


def tells_of(events: Iterable[Event], state: PoolState, groups: str) -> Iterator[StartGroup | GroupMail]:
    """Yield what follows from some events; ``state`` is the one they led to."""
    for event in events:
        match event:
            case SlotTaken():
                yield StartGroup(event.opening)
            case PyramidAdmitted():
                yield GroupMail(group_path(groups, state.live[event.group_key].opening), event.add)
            case GroupCloseAsked():
                path = group_path(groups, state.live[event.group_key].opening)
                yield GroupMail(path, close_of(event.group_id, event.signal_id, event.at))


def untold(group: LiveGroup, groups: str) -> list[GroupMail]:
    """Return what a live group was told and may not have heard; it acts on each signal once."""
    path = group_path(groups, group.opening)
    mails = [GroupMail(path, add) for add in group.adds.values()]
    if group.closing_by:
        mails.append(GroupMail(path, close_of(group.group_id, group.closing_by, group.changed_at)))
    return mails
