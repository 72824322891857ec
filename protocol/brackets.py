"""Entries with a stop and, when wanted, a target (PF-232 to PF-234): what is asked, what is sent, what was decided.

Whoever wants one tells ``/venues/<account>/brackets`` ``PlaceBracket``. The guard there tells the order desk
``SubmitBracket``, the desk tells the session ``PlaceBracketAtVenue``. The guard's journal events are the last part.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.messages import Event, Message, Request, Value
from protocol.orders import OrderRequest, OrderState, SubmitOrder
from protocol.values import Instant, Name, OrderSide, Text

__all__ = [
    "BracketAnswer",
    "BracketEnd",
    "BracketList",
    "BracketOrderMoved",
    "BracketStanding",
    "BracketStep",
    "BracketStepTaken",
    "BracketWanted",
    "CloseBracket",
    "ListBrackets",
    "PlaceBracket",
    "PlaceBracketAtVenue",
    "SubmitBracket",
]

_BracketName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""The name that whoever wants a bracket gives it; the ids of its orders are derived from it."""


class BracketStep(StrEnum):
    """What the guard of brackets decides, in the order of a bracket that goes wrong."""

    STOP_SENT_AGAIN = "stop_sent_again"
    CLOSING = "closing"
    """It is closed at the market, whatever else happens: ``reason`` says why."""
    CANCEL = "cancel"
    CLOSE_SENT = "close_sent"
    ENDED = "ended"


class BracketEnd(StrEnum):
    """How a bracket ended."""

    REFUSED = "refused"
    """Nothing was bought or sold: the entry was refused, or came to nothing."""
    STOPPED = "stopped"
    TARGET = "target"
    CLOSED = "closed"
    """At the market, by the guard."""
    OVERSHOT = "overshot"
    """More was closed than opened: an operator must look at the account."""


# --- whoever wants one -> guard ---------------------------------------------------------------------------------------


class BracketStanding(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How one bracket stands: ``open_qty`` base units are held by it, ``covered_qty`` are behind a working stop."""

    client_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    stop: Decimal
    target: Decimal | None
    open_qty: Decimal
    covered_qty: Decimal
    exposed: bool
    closing: str
    end: str
    orders: dict[str, str]


class BracketAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What became of a request: ``code`` empty: taken (or known already); its intent is then durable."""

    client_id: str
    code: str = ""
    message: Text = ""
    standing: BracketStanding | None = None


class PlaceBracket(Request[BracketAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Open a position at the market with its stop and, when wanted, its target. Told again, it changes nothing.

    ``qty`` in base units; ``reference`` is the price against which stop and target are judged and rounded (PF-233). A
    missing stop is refused as ``BracketStopMissing``.
    """

    client_id: _BracketName
    symbol: Name
    side: OrderSide
    qty: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None
    reference: Decimal


class CloseBracket(Request[BracketAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Cancel what rests of a bracket and close at the market what it holds."""

    client_id: _BracketName


class BracketList(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The brackets of an account, oldest first."""

    brackets: tuple[BracketStanding, ...] = ()


class ListBrackets(Request[BracketList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask for the brackets that live; ``ended`` for those that are over as well."""

    ended: bool = False


# --- guard -> desk -> session -----------------------------------------------------------------------------------------


class SubmitBracket(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Guard to desk: send these orders as one. Telling it again with the same ids changes nothing.

    Not after ``valid_until``: an entry at the market that waited is not the one that was asked for. A child is never sent
    without its entry, nor an entry without its stop.
    """

    OVERFLOW: ClassVar[str] = "keep"
    REPLAYABLE: ClassVar[bool] = False

    entry: SubmitOrder
    stop: SubmitOrder
    target: SubmitOrder | None = None
    valid_until: Instant

    @property
    def parts(self) -> tuple[SubmitOrder, ...]:
        """The two or three orders, the entry first."""
        return (self.entry, self.stop) if self.target is None else (self.entry, self.stop, self.target)


class PlaceBracketAtVenue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to session: send these orders as one; the journal already says so. As ``PlaceAtVenue`` otherwise."""

    OVERFLOW: ClassVar[str] = "keep"
    REPLAYABLE: ClassVar[bool] = False

    entry: OrderRequest
    stop: OrderRequest
    target: OrderRequest | None
    valid_until: Instant

    @property
    def parts(self) -> tuple[OrderRequest, ...]:
        """The two or three orders, the entry first."""
        return (self.entry, self.stop) if self.target is None else (self.entry, self.stop, self.target)


# --- journal events of the guard --------------------------------------------------------------------------------------


class BracketWanted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A bracket was taken; journalled before anything is sent.

    ``reduce_only``: orders that close say so to the venue (it nets positions). ``rides``: the venue keeps stop and target
    at the size of what the entry has opened.
    """

    bracket_id: Name
    client_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    stop: Decimal
    target: Decimal | None
    reference: Decimal
    tag: Name
    reduce_only: bool
    rides: bool
    at: Instant


class BracketOrderMoved(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An order of a bracket moved, or (``trade_id``) traded ``qty`` more; ``filled_qty`` is what the venue said in all."""

    bracket_id: Name
    client_order_id: Name
    state: OrderState
    filled_qty: Decimal = Decimal(0)
    trade_id: str = ""
    qty: Decimal = Decimal(0)
    code: str = ""
    reason: Text = ""
    at: Instant


class BracketStepTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The guard decided on a step; what it means to send is sent after this is durable.

    ``client_order_id`` is the order that is cancelled or sent, ``qty`` base units, ``reason`` a code or a ``BracketEnd``.
    """

    bracket_id: Name
    client_id: Name
    step: BracketStep
    client_order_id: str = ""
    qty: Decimal = Decimal(0)
    reason: str = ""
    at: Instant
