"""Alerts: whatever an operator must be told stands in the alert strip, pinned, until somebody has seen it (EX-1406)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from protocol.configuration import ConfigRolledBack
from protocol.event_log import EventLogged
from protocol.groups import CloseEnded, GroupAlert
from protocol.incidents import IncidentRaised, Severity
from protocol.messages import Event
from protocol.orders import OrderState, OrderStateChanged, Purpose
from protocol.precision import RulesFetchFailed
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.venue import DifferenceFound, EntriesStopped, VenueStatus, VenueStatusChanged
from rules.client_ids import parse
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene

__all__ = ["AlertsAreShown", "critical"]


def _closes(event: OrderStateChanged) -> bool:
    """Whether the order closes a position: its group tells of it, and tries it again."""
    found = parse(event.client_order_id)
    return found is not None and found.purpose is Purpose.CLOSE


_CRITICAL: Final[dict[type[Event], Callable[[Any], bool]]] = {
    # Order rejected, invalid precision.
    OrderStateChanged: lambda event: event.state is OrderState.REJECTED and not _closes(event),
    RulesFetchFailed: lambda event: bool(event.error),
    # Venue down or refusing.
    VenueStatusChanged: lambda event: event.status in (VenueStatus.DOWN, VenueStatus.STOPPED),
    EntriesStopped: lambda event: bool(event.code),
    # A close that is rejected for the first time; what a group itself calls critical.
    CloseEnded: lambda event: event.failures == 1 and event.state is OrderState.REJECTED,
    GroupAlert: lambda event: event.pinned or event.code == "PositionMismatch",
    # Positions that differ.
    DifferenceFound: lambda event: event.code in ("PositionMismatch", "ForeignEngine"),
    # The journal, the engine, the configuration, actors that are given up.
    EngineStatusChanged: lambda event: event.status is EngineStatus.ERROR,
    ConfigRolledBack: lambda event: bool(event.cause),
    IncidentRaised: lambda event: event.severity in (Severity.ERROR, Severity.CRITICAL),
    EventLogged: lambda event: event.pinned or event.code in ("ActorQuarantined", "ActorEscalated"),
}


def critical(event: Event) -> bool:
    """Whether an operator must be told of an event until somebody has seen it."""
    judge = _CRITICAL.get(type(event))
    return judge is not None and judge(event)


class AlertsAreShown(Invariant):
    """Every critical event has its line in the alert strip."""

    NAME = "every-alert-is-queued"
    WANTS = tuple(_CRITICAL)

    def __init__(self) -> None:
        self._due: Counter[tuple[str, int]] = Counter()
        self._names: dict[tuple[str, int], str] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - judged at rest
        """Note what has to be told."""
        if critical(entry.event):
            place = (entry.stream, entry.at)
            self._due[place] += 1
            self._names[place] = type(entry.event).__name__
        yield from ()

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look for the lines."""
        if not self._due:
            return
        sql = "SELECT stream, at, count(*) FROM events WHERE pinned GROUP BY stream, at"
        shown = {(stream, at): count for stream, at, count in scene.views()._fetch(sql, [])}
        for place, count in self._due.items():
            if shown.get(place, 0) < count:
                yield f"{self._names[place]} of {place[0]} at {place[1]} is not in the alert strip"
