"""Between the actors of one venue account: session, order desk, feed and reconciler.

A *session* says ``SessionUp`` after each connect; the *reconciler* then asks it for the venue's whole truth
(``FetchVenueState``) and tells the desk ``VenueSnapshot``, so that every connection begins with a reconciliation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from protocol.instruments import Instrument
from protocol.messages import Event, Message, Request
from protocol.orders import Balance, ClientOrderId, FillReport, OrderReport, Position
from protocol.values import Instant, Name, Text

__all__ = [
    "AllowEntries",
    "BalancesChanged",
    "DifferenceFound",
    "EntriesAllowed",
    "EntriesStopped",
    "FetchVenueState",
    "FillsFrom",
    "FillsKnown",
    "MarketsClosed",
    "QueryAtVenue",
    "ReconcileNow",
    "Reconciled",
    "RecoveryStep",
    "SessionDown",
    "SessionStep",
    "SessionUp",
    "VenueHealth",
    "VenueSnapshot",
    "VenueStatus",
    "VenueStatusChanged",
]


class VenueStatus(StrEnum):
    """How an account's connection stands."""

    CONNECTING = "connecting"
    """The first try of this life is under way."""
    UP = "up"
    DOWN = "down"
    """It cannot be reached, or too many calls failed; tried again by itself (EX-106, EX-1207)."""
    STOPPED = "stopped"
    """The venue refuses the account: no further try until an operator restarts the session (EX-1104)."""


class SessionStep(StrEnum):
    """Where a session stands on its way to trading: the steps in their order, and ``wait`` before the next try."""

    CONNECT = "connect"
    """The venue is reached, its login is shown and its clock asked."""
    MARKETS = "markets"
    AUTHENTICATE = "authenticate"
    """The account's own balances are told: the credentials are good."""
    SUBSCRIBE = "subscribe"
    RESYNC = "resync"
    """Connected; orders and fills of the time away are being compared."""
    READY = "ready"
    WAIT = "wait"


class VenueHealth(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """How an account's connection stands; published by its session on ``health:<account>`` (kept) when that changes.

    ``code`` is the error that brought it down, ``retry_at`` when it is tried again (None: it is not, or it is up).
    ``step`` is a ``SessionStep``; ``entries`` says whether the session lets entries through, ``code`` why not.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    status: VenueStatus
    code: str = ""
    reason: Text = ""
    retry_at: Instant | None = None
    at: Instant
    step: str = ""
    entries: bool = True


class SessionUp(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The session is connected; ``instruments`` are the venue's present rules.

    On the control lane: whoever begins a life knows the markets before it takes what an earlier life left waiting.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    instruments: tuple[Instrument, ...]
    at: Instant


class MarketsClosed(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Which of the markets that an account follows are closed; published by its session on ``hours:<account>`` (kept)."""

    CONFLATE_BY: ClassVar[str] = "account"

    account: Name
    symbols: tuple[Name, ...]
    at: Instant


class SessionDown(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The session lost its connection; what is under way is unknown until the next reconciliation."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    reason: Text
    at: Instant


class BalancesChanged(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An account's balances, all of them; published by its session on ``balances:<account>`` (kept)."""

    OVERFLOW: ClassVar[str] = "keep"
    CONFLATE_BY: ClassVar[str] = "account"

    account: Name
    balances: tuple[Balance, ...]
    at: Instant


class QueryAtVenue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to session: what does the venue know of this order? Answered by an ``OrderReport``."""

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    symbol: Name


class VenueSnapshot(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The venue's side of a reconciliation: open orders, fills since ``since``, balances and positions."""

    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    open_orders: tuple[OrderReport, ...]
    fills: tuple[FillReport, ...]
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    since: Instant
    at: Instant


class FetchVenueState(Request[VenueSnapshot], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask a session for the venue's side of a reconciliation; fills from ``since`` on."""

    since: Instant


class FillsKnown(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """From which instant on the venue is to be asked for fills: what lies before is in the desk's books (EX-1204)."""

    since: Instant


class FillsFrom(Request[FillsKnown], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Reconciler to desk: say from when on fills may be missing."""


class ReconcileNow(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Compare orders, fills and balances with the venue now (an operator, a timer, a new connection)."""

    LANE: ClassVar[str] = "control"


class AllowEntries(Request["EntriesAllowed"], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator has seen to it that no other engine trades the account: allow entries again (EX-1108)."""

    LANE: ClassVar[str] = "control"

    account: Name


class EntriesStopped(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The desk lets no entry of this account through until an operator says so; ``code`` says why (``ForeignEngine``)."""

    account: Name
    code: Name
    reason: Text
    at: Instant


class EntriesAllowed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator allowed an account's entries again."""

    account: Name
    at: Instant


class VenueStatusChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An account's connection came up, went down or was stopped by the venue; ``code`` is the error that did it."""

    account: Name
    status: VenueStatus
    code: str = ""
    reason: Text = ""
    at: Instant


class RecoveryStep(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A step of a reconciliation after a (re)connect is done; ``number`` and ``step`` are those of EX-1204.

    ``counts`` says how much of what was dealt with (``{"open_orders": 3, "adopted": 1}``).
    """

    account: Name
    number: int
    step: Name
    counts: dict[str, int]
    at: Instant


class DifferenceFound(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A reconciliation found that the venue and the desk disagree; ``correction`` says what was done."""

    account: Name
    code: Name
    client_order_id: str
    detail: Text
    correction: Text
    at: Instant


class Reconciled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A reconciliation is complete: how much was compared and how many differences there were."""

    account: Name
    open_orders: int
    fills_seen: int
    fills_missed: int
    differences: int
    at: Instant
    fills_to: Instant = 0
    """The newest fill that the venue showed (its clock): everything up to it is in the books; 0 for none, or unknown."""
