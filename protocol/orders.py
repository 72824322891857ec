"""Orders and fills: what groups want, what the desk sends, what venues report.

A *group* tells the order desk ``SubmitOrder`` or ``CancelOrder`` and hears ``OrderUpdate`` and ``FillReported``. The
desk tells the venue session ``PlaceAtVenue`` and ``CancelAtVenue`` and hears ``OrderReport`` and ``FillReport``. The
desk's journal events are the third part. A client order id names one order for ever and is never used for a second one
(EX-422).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.messages import Event, Message, Value
from protocol.values import Instant, Name, OrderSide, OrderType, Text, check_non_negative, check_positive

__all__ = [
    "Balance",
    "CancelAtVenue",
    "CancelOrder",
    "CancelRequested",
    "ClientOrderId",
    "DeskUp",
    "FillRecorded",
    "FillReport",
    "FillReported",
    "OrderRefused",
    "OrderReport",
    "OrderRequest",
    "OrderSent",
    "OrderState",
    "OrderStateChanged",
    "OrderUpdate",
    "PlaceAtVenue",
    "Position",
    "Purpose",
    "RetellOrders",
    "SubmitOrder",
]

ClientOrderId = Annotated[str, Meta(pattern=r"^[a-z0-9]{6,28}$")]
"""At most 28 lower-case letters and digits (EX-422): fits the strictest venue."""


class OrderState(StrEnum):
    """Life cycle of an order; the table of legal moves is ``rules.order_life``."""

    INTENDED = "intended"
    SENT = "sent"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing can follow but late fills."""
        return self in _FINAL


_FINAL = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED})


class Purpose(StrEnum):
    """Why an order exists (EX-422)."""

    ENTRY = "entry"
    TP = "tp"
    CLOSE = "close"


class OrderRequest(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One order as a venue is to receive it: ``qty`` in base units, ``price`` the limit, ``stop_price`` the trigger."""

    client_order_id: ClientOrderId
    symbol: Name
    side: OrderSide
    type: OrderType
    qty: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    reduce_only: bool = False

    def __post_init__(self) -> None:
        check_positive("qty", self.qty)
        check_positive("price", self.price)
        check_positive("stop_price", self.stop_price)
        if self.type in (OrderType.LIMIT, OrderType.IOC) and self.price is None:
            raise ValueError("`price` is required for a limit order")
        if self.type is OrderType.STOP and self.stop_price is None:
            raise ValueError("`stop_price` is required for a stop order")


# --- group <-> desk ---------------------------------------------------------------------------------------------------


class DeskUp(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A desk begins a life: owners tell it again every order and cancel whose outcome they do not know."""

    OVERFLOW: ClassVar[str] = "keep"

    account: Name


class SubmitOrder(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group wants this order working. Telling it again with the same client id changes nothing.

    ``owner`` is the path of the actor that hears the updates; ``group_id``, ``leg_id`` and ``purpose`` say what it is
    for.
    ``adds_risk`` orders need a fresh risk permit; the others never do. ``wanted_at`` is when the group decided on it (0: not
    said): a desk that has forgotten older orders must not take it for a new one.
    """

    OVERFLOW: ClassVar[str] = "keep"

    request: OrderRequest
    owner: Name
    group_id: Name
    leg_id: str
    purpose: Purpose
    attempt: int = 1
    adds_risk: bool
    expected_price: Decimal | None = None
    wanted_at: Instant = 0


class CancelOrder(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group wants this order gone; answered by an ``OrderUpdate`` in a final state (it may have filled)."""

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    owner: Name


class RetellOrders(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group begins a life: tell it again every fill and the state of every order that it owns.

    What the desk heard while nobody lived at the owner's path (the time before a start) reaches it this way.
    """

    OVERFLOW: ClassVar[str] = "keep"

    owner: Name


class OrderUpdate(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The desk's word to the owner of an order: its state is now this.

    ``filled_qty`` is what the venue says has traded; fills that are still to be told may be among it.
    ``absent_proven`` (with state rejected): the venue never had this order and never will; the next attempt may be sent.
    ``code`` names the error of the spec that ``reason`` says in a sentence (``PrecisionRejected``, ``InsufficientFunds``).
    """

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    state: OrderState
    filled_qty: Decimal = Decimal(0)
    reason: Text = ""
    code: str = ""
    absent_proven: bool = False
    at: Instant


class FillReported(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The desk's word to the owner of an order: this much traded. Told once a venue trade id; a repeat changes nothing.

    ``qty`` in base units, ``price`` in quote, ``fee`` in ``fee_currency``.
    """

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    trade_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    at: Instant


# --- desk <-> session <-> venue ---------------------------------------------------------------------------------------


class PlaceAtVenue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to session: send this order. The journal already says that it is being sent.

    Not after ``valid_until``: a message that was held up (a crash, a replayed dead letter) must not become an order that
    nobody expects any more. ``adds_risk``: when calls must wait for the venue's limits, all others go before it (EX-1104).
    """

    OVERFLOW: ClassVar[str] = "keep"
    REPLAYABLE: ClassVar[bool] = False
    """An operator must not send an order by replaying a dead letter: what became of it is asked for instead."""

    request: OrderRequest
    valid_until: Instant
    adds_risk: bool = False


class CancelAtVenue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to session: cancel this order."""

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    symbol: Name


class OrderReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What a venue says of one order. ``state`` unknown = the venue gave no usable answer.

    ``absent_proven`` is true only with ``state`` rejected: the venue has proven that it never accepted and can no
    longer accept this order, so the next attempt may be sent. ``code`` is the typed error (EX-1104): ``PrecisionRejected``
    for a price, quantity or notional that the venue's format refuses (EX-516).
    """

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    symbol: Name
    state: OrderState
    venue_order_id: str = ""
    filled_qty: Decimal = Decimal(0)
    reason: Text = ""
    code: str = ""
    absent_proven: bool = False
    at: Instant


class FillReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """One trade of one of our orders, as the venue reports it. ``trade_id`` is unique within venue and symbol."""

    OVERFLOW: ClassVar[str] = "keep"

    client_order_id: ClientOrderId
    trade_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    at: Instant

    def __post_init__(self) -> None:
        check_positive("qty", self.qty)
        check_positive("price", self.price)


class Balance(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Free and locked amount of one currency in an account."""

    currency: Name
    free: Decimal
    locked: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        check_non_negative("locked", self.locked)


class Position(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Net quantity a venue holds for us in one symbol: positive long, negative short, in base units."""

    symbol: Name
    qty: Decimal


# --- journal events of the order desk ---------------------------------------------------------------------------------


class OrderSent(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The desk decided to send this order; journalled before the first byte leaves."""

    request: OrderRequest
    owner: Name
    group_id: Name
    leg_id: str
    purpose: Purpose
    attempt: int
    expected_price: Decimal | None
    permit: int
    correlation_id: int
    at: Instant


class OrderRefused(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The desk did not send an order: ``code`` says why (``NoPermit``, ``EnginePaused``, ``VenueDown`` ...)."""

    request: OrderRequest
    owner: Name
    group_id: Name
    leg_id: str
    purpose: Purpose
    attempt: int
    code: Name
    reason: Text
    correlation_id: int
    at: Instant


class CancelRequested(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The desk decided to ask the venue to cancel this order."""

    client_order_id: ClientOrderId
    at: Instant


class OrderStateChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An order moved to a new state; ``filled_qty`` is what the venue then said has traded."""

    client_order_id: ClientOrderId
    state: OrderState
    venue_order_id: str = ""
    filled_qty: Decimal = Decimal(0)
    reason: Text = ""
    code: str = ""
    absent_proven: bool = False
    at: Instant


class FillRecorded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A fill the desk had not seen before."""

    client_order_id: ClientOrderId
    trade_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    at: Instant
