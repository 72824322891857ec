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
from venues.errors import VenueError

__all__ = ["ANSWER_WITHIN_S", "OVERLAP_S", "RETRY_S", "Reconciler"]

ANSWER_WITHIN_S = 60.0
"""A venue's whole truth can take several calls."""

OVERLAP_S = 60
"""Fills are asked for from this long before the newest known one (EX-1204)."""

RETRY_S = 5.0
"""Wait after a reconciliation that the venue did not answer."""


class _Tick(Message, frozen=True, tag=True):
    pass


class _Fetched(Message, frozen=True, tag=True):
    attempt: int
    snapshot: VenueSnapshot | None
    """None: the venue did not answer."""


class Reconciler(Actor):
    """Fetches the venue's truth and tells it the desk. ``every_s`` 0 switches the timer off (fast replays)."""

    def __init__(self, *, account: str, session: str, desk: str, every_s: float) -> None:
        self._account = account
        self._session = session
        self._desk = desk
        self._every_s = every_s
        self._since = 0
        self._attempts = 0
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
        """Wait for the next connect; what was asked of this one no longer counts."""
        self._busy = False
        self._attempts += 1

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
        self._attempts += 1
        attempt = self._attempts
        self.context.pipe(
            session.ask(FetchVenueState(self._since), timeout_s=ANSWER_WITHIN_S),
            lambda snapshot: _Fetched(attempt, snapshot),
            lambda error: _not_fetched(attempt, error),
        )

    @handles
    def fetched(self, msg: _Fetched) -> None:
        """Hand the venue's side to the desk, or try again soon: until it succeeds nobody knows what is open."""
        if msg.attempt != self._attempts:
            return  # of a connection that is gone
        self._busy = False
        if msg.snapshot is None:
            self.timers.after(RETRY_S, _Tick())
            return
        self._done += 1
        newest = max((fill.at for fill in msg.snapshot.fills), default=0)
        self._since = max(self._since, newest - OVERLAP_S * NANOS)
        self.context.system.tell(self._desk, msg.snapshot)
        if self._again:
            self._again = False
            self._reconcile()


def _not_fetched(attempt: int, error: Exception) -> Message:
    if not isinstance(error, ActorError | VenueError | OSError | TimeoutError):
        raise error
    return _Fetched(attempt, None)
