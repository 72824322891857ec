"""The reconciler of one venue account: has the desk compare its books with the venue's, and groups' positions with balances.

It runs after each connect of the session, on a timer and when told to, so every reconnect ends in a reconciliation
(EX-1204, EX-1206). It also journals how the connection stands: the session itself remembers nothing.
"""

from __future__ import annotations

from typing import Final

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.holdings import Holdings, Shortage
from actors.session_topics import health_topic, session_topic
from protocol.groups import FreezeGroup, GroupChanged
from protocol.messages import Event, Message
from protocol.offset import TellStanding
from protocol.venue import (
    DifferenceFound,
    FetchVenueState,
    FillsFrom,
    ReconcileNow,
    RecoveryStep,
    SessionDown,
    SessionUp,
    VenueHealth,
    VenueSnapshot,
    VenueStatus,
    VenueStatusChanged,
)
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.errors import ActorError
from runtime.ref import ActorRef
from venues.errors import VenueError

__all__ = ["ANSWER_WITHIN_S", "CONFIRM_S", "RETRY_S", "Reconciler"]

ANSWER_WITHIN_S: Final = 60.0
"""A venue's whole truth can take several calls."""

RETRY_S: Final = 5.0
"""Wait after a reconciliation that the venue did not answer."""

CONFIRM_S: Final = 5.0
"""A shortage counts when a second look this much later shows it too: a fill may have been under way in the first."""

_OVERLAP_S: Final = 60


class _Tick(Message, frozen=True, tag=True):
    pass


class _Fetched(Message, frozen=True, tag=True):
    attempt: int
    snapshot: VenueSnapshot | None
    """None: the venue did not answer."""


class Reconciler(DurableActor):
    """Fetches the venue's truth and tells it the desk. ``every_s`` 0 switches the timer off (fast replays)."""

    def __init__(self, *, account: str, session: str, desk: str, every_s: float) -> None:
        self._account = account
        self._session = session
        self._desk = desk
        self._every_s = every_s
        self._since: int | None = None
        self._attempts = 0
        self._busy = False
        self._again = False
        self._done = 0
        self._holdings = Holdings(account)
        self._suspected: dict[str, Shortage] = {}
        self._short: dict[str, Shortage] = {}
        self._looked = False
        self._look_planned = False
        self._status: tuple[VenueStatus, str] | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Begin the timer and reconcile as soon as the session is up: at once when it is."""
        if self._every_s > 0:
            self.timers.every(self._every_s, _Tick())
        self.context.bus.subscribe(GROUPS, self.ref)
        # A session that crashes takes this actor along: what groups hold is compared again without waiting for a trade.
        self.context.bus.publish(desk_topic(self._account), TellStanding())
        self.context.bus.subscribe(health_topic(self._account), self.ref)
        self.context.bus.subscribe(session_topic(self._account), self.ref)

    def apply(self, event: Event) -> None:
        """Remember how the connection last stood."""
        if isinstance(event, VenueStatusChanged):
            self._status = (event.status, event.code)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        short = f", short of {', '.join(self._short)}" if self._short else ""
        return f"{self._done} reconciliations{short}"

    # --- how the connection stands -------------------------------------------------------------------------------------

    @handles
    def health(self, msg: VenueHealth) -> Do | None:
        """Journal a change of the connection's state; compare the books when it is back."""
        stands = (msg.status, msg.code)
        if msg.status is VenueStatus.CONNECTING or stands == self._status:
            return None
        was_down = self._status is not None and self._status[0] is VenueStatus.DOWN
        changed = VenueStatusChanged(
            account=msg.account, status=msg.status, code=msg.code, reason=msg.reason, at=self.now()
        )
        back = was_down and msg.status is VenueStatus.UP
        return Do([changed], [(self.ref, ReconcileNow())] if back else [])

    @handles
    def up(self, msg: SessionUp) -> None:  # noqa: ARG002 - the type is the message
        """Reconcile after each connect."""
        self._looked = False
        self._reconcile()

    @handles
    def down(self, msg: SessionDown) -> None:  # noqa: ARG002 - the type is the message
        """Wait for the next connect; what was asked of this one no longer counts."""
        self._busy = False
        self._attempts += 1

    # --- fetching ------------------------------------------------------------------------------------------------------

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
        session, desk = self.context.system.lookup(self._session), self.context.system.lookup(self._desk)
        if session is None or desk is None:
            return
        self._busy = True
        self._attempts += 1
        attempt = self._attempts
        self.context.pipe(
            self._fetch(session, desk),
            lambda snapshot: _Fetched(attempt, snapshot),
            lambda error: _not_fetched(attempt, error),
        )

    async def _fetch(self, session: ActorRef, desk: ActorRef) -> VenueSnapshot:
        if self._since is None:
            self._since = (await desk.ask(FillsFrom(), timeout_s=ANSWER_WITHIN_S)).since
        snapshot: VenueSnapshot = await session.ask(FetchVenueState(self._since), timeout_s=ANSWER_WITHIN_S)
        return snapshot

    @handles
    def fetched(self, msg: _Fetched) -> Do | None:
        """Hand the venue's side to the desk, or try again soon: until it succeeds nobody knows what is open."""
        if msg.attempt != self._attempts:
            return None  # of a connection that is gone
        self._busy = False
        if msg.snapshot is None:
            self.timers.after(RETRY_S, _Tick())
            return None
        self._done += 1
        newest = max((fill.at for fill in msg.snapshot.fills), default=0)
        self._since = max(self._since or 0, newest - _OVERLAP_S * NANOS)
        self.context.system.tell(self._desk, msg.snapshot)
        if self._again:
            self._again = False
            self._reconcile()
        return self._compare(msg.snapshot)

    # --- positions beside balances -------------------------------------------------------------------------------------

    @handles
    def group(self, msg: GroupChanged) -> None:
        """Note what a group holds; the first one after a start is compared soon."""
        self._holdings.take(msg)
        if not self._looked and not self._look_planned and len(self._holdings):
            self._look_planned = True
            self.timers.after(CONFIRM_S, _Tick())

    def _compare(self, venue: VenueSnapshot) -> Do | None:
        """Freeze the groups whose positions the account no longer covers, once a second look shows it too."""
        if not len(self._holdings):
            return None
        found = self._holdings.shortages(venue)
        sure = {asset: each for asset, each in found.items() if _same(each, self._suspected.get(asset))}
        if found.keys() - sure.keys():
            self.timers.after(CONFIRM_S, _Tick())
        self._suspected = found
        news = [each for asset, each in sure.items() if not _same(each, self._short.get(asset))]
        self._short = sure
        events: list[Event] = [self._mismatch(each) for each in news if not each.frozen]
        if not self._looked:
            self._looked, self._look_planned = True, False
            counts = {"assets": self._holdings.assets(), "groups": len(self._holdings), "short": len(found)}
            step = RecoveryStep(
                account=self._account, number=7, step="positions_compared", counts=counts, at=self.now()
            )
            events.append(step)
        tells = [
            (group.path, FreezeGroup(group.group_id, f"PositionMismatch: {each.detail}", self.now()))
            for each in news
            for group in each.groups
            if self.context.system.lookup(group.path) is not None
        ]
        return Do(events, tells) if events or tells else None

    def _mismatch(self, found: Shortage) -> DifferenceFound:
        frozen = "frozen: " + ", ".join(group.group_id for group in found.groups)
        return DifferenceFound(self._account, "PositionMismatch", "", found.detail, frozen, self.now())


def _same(found: Shortage, before: Shortage | None) -> bool:
    """Whether two looks show the same shortage, and not a trade under way."""
    return before is not None and (found.wanted, found.held) == (before.wanted, before.held)


def _not_fetched(attempt: int, error: Exception) -> Message:
    if not isinstance(error, ActorError | VenueError | OSError | TimeoutError):
        raise error
    return _Fetched(attempt, None)
