"""The reconciler of one venue account: has the desk compare its books with the venue's.

It runs after each connect of the session, on a timer and when told to. It is the last of its venue's actors to start, so
every reconnect ends in a reconciliation.
"""

from __future__ import annotations

from actors.session import session_topic
from protocol.messages import Message
from protocol.venue import FetchVenueState, ReconcileNow, SessionDown, SessionUp, VenueSnapshot
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from runtime.errors import ActorError

__all__ = ["OVERLAP_S", "RETRY_S", "Reconciler"]

OVERLAP_S = 60
"""Fills are asked for from this long before the newest known one (EX-1204)."""

RETRY_S = 5.0
"""Wait after a reconciliation that the venue did not answer."""


class _Tick(Message, frozen=True, tag=True):
    pass


class _Failed(Message, frozen=True, tag=True):
    reason: str


class Reconciler(Actor):
    """Fetches the venue's truth and tells it the desk. ``every_s`` 0 switches the timer off (fast replays)."""

    def __init__(self, *, account: str, session: str, desk: str, every_s: float) -> None:
        self._account = account
        self._session = session
        self._desk = desk
        self._every_s = every_s
        self._since = 0
        self._busy = False
        self._again = False
        self._done = 0

    def started(self) -> None:
        """Begin the timer and reconcile as soon as the session is up: at once when it is."""
        if self._every_s > 0:
            self.timers.every(self._every_s, _Tick())
        self.context.bus.subscribe(session_topic(self._account), self.ref)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._done} reconciliations"

    @handles
    def up(self, msg: SessionUp) -> None:  # noqa: ARG002 - the type is the message
        """Reconcile after each connect."""
        self._reconcile()

    @handles
    def down(self, msg: SessionDown) -> None:  # noqa: ARG002 - the type is the message
        """Wait for the next connect."""
        self._busy = False

    @handles
    def tick(self, msg: _Tick) -> None:  # noqa: ARG002 - the type is the message
        """Reconcile on the timer."""
        self._reconcile()

    @handles
    def now_please(self, msg: ReconcileNow) -> None:  # noqa: ARG002 - the type is the message
        """Reconcile because somebody has a reason to."""
        self._reconcile()

    def _reconcile(self) -> None:
        if self._busy:
            self._again = True
            return
        session = self.context.system.lookup(self._session)
        if session is None:
            return
        self._busy = True
        request = FetchVenueState(self._since)
        self.context.pipe(session.ask(request, timeout_s=60.0), lambda snapshot: snapshot, _failure)

    @handles
    def fetched(self, msg: VenueSnapshot) -> None:
        """Hand the venue's side to the desk."""
        self._busy = False
        self._done += 1
        newest = max((fill.at for fill in msg.fills), default=0)
        self._since = max(self._since, newest - OVERLAP_S * NANOS)
        self.context.system.tell(self._desk, msg)
        if self._again:
            self._again = False
            self._reconcile()

    @handles
    def failed(self, msg: _Failed) -> None:  # noqa: ARG002 - the type is the message
        """Try again soon: until it succeeds nobody knows what is open."""
        self._busy = False
        self.timers.after(RETRY_S, _Tick())


def _failure(error: Exception) -> Message:
    if not isinstance(error, ActorError | OSError | TimeoutError):
        raise error
    return _Failed(repr(error))
