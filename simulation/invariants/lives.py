"""Groups: every move is one of the table of EX-803, from where the group really was."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.groups import GroupOpened, GroupState, GroupStateChanged
from rules.group.states import Cause, IllegalTransition, check_transition
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene

__all__ = ["GroupLife"]


class GroupLife(Invariant):
    """A group's states follow one another by the table."""

    NAME = "group-life"
    WANTS = (GroupOpened, GroupStateChanged)

    def __init__(self) -> None:
        self._states: dict[str, GroupState | None] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow the group."""
        event = entry.event
        if isinstance(event, GroupOpened):
            self._states[event.group_id] = None
            return
        assert isinstance(event, GroupStateChanged)
        known = self._states.get(event.group_id)
        if known is not event.old:
            yield f"{event.group_id} goes from {event.old} and was {known}"
        try:
            check_transition(Cause(event.cause), event.old, event.new)
        except (IllegalTransition, ValueError) as error:
            yield f"{event.group_id}: {error}"
        self._states[event.group_id] = event.new
