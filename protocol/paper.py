"""Journal events of the paper exchange: enough to rebuild its book, balances and answers without market data.

Every amount that depended on a setting (locks, fees, the instant an order becomes active, leverage) is written into the
event, so that replaying an old journal under new settings gives the old state.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from protocol.messages import Event, Message
from protocol.orders import Balance, ClientOrderId, OrderRequest
from protocol.values import Instant, MarketType, Name, OrderSide, Text

__all__ = [
    "PaperAccountOpened",
    "PaperOrderAccepted",
    "PaperOrderArrived",
    "PaperOrderCancelled",
    "PaperOrderFilled",
    "PaperOrderRejected",
    "PaperOrderTriggered",
    "ScriptVenue",
    "VenueFault",
]


class VenueFault(StrEnum):
    """What a simulated venue can be told to do wrong (EX-1107)."""

    REJECT = "reject"
    """Refuse the next ``count`` orders as ``code``."""
    DISCONNECT = "disconnect"
    """Drop the connection and refuse a new one for ``seconds``."""
    RATE_LIMIT = "rate_limit"
    """Answer every call for ``seconds`` with "too many requests"; it tells the wait when ``count`` is above 0."""
    LOSE_ANSWER = "lose_answer"
    """Do what the next ``count`` orders or cancels ask and let the answer be lost."""
    REFUSE_KEY = "refuse_key"
    """Refuse the account's key for ``seconds``."""
    DELAY = "delay"
    """Answer every call for ``seconds`` only after ``delay_ms``."""
    PARTIAL = "partial"
    """Fill the next ``count`` orders that would fill at once only by ``share``."""


class ScriptVenue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Have a simulated account's venue misbehave as a script says (EX-1107). Only paper exchanges take it.

    Scripted faults are weather: they are not journalled and end with the exchange's life.
    """

    LANE: ClassVar[str] = "control"

    fault: VenueFault
    count: int = 1
    seconds: float = 0.0
    code: str = "OrderRejected"
    delay_ms: int = 0
    share: Decimal = Decimal("0.5")


class PaperAccountOpened(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The paper account exists with these starting balances; ``leverage`` divides the notional of perpetuals."""

    venue: Name
    balances: tuple[Balance, ...]
    leverage: Decimal = Decimal(1)
    at: Instant


class PaperOrderAccepted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An order was accepted and ``locked`` of ``lock_currency`` set aside; it matches nothing before ``active_at``.

    ``active_at`` later than ``at`` means that the order is still on its way; ``PaperOrderArrived`` follows. ``base``,
    ``quote`` and ``market_type`` stand here so that the books can be rebuilt after an instrument left the configuration.
    """

    request: OrderRequest
    base: Name
    quote: Name
    market_type: MarketType
    venue_order_id: Name
    locked: Decimal
    lock_currency: Name
    active_at: Instant
    at: Instant


class PaperOrderRejected(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An order was refused; ``code`` names the rule it broke (``MinNotional``), ``reason`` says it in a sentence."""

    request: OrderRequest
    code: Name
    reason: Text
    at: Instant


class PaperOrderArrived(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An order that was on its way reached the book."""

    client_order_id: ClientOrderId
    at: Instant


class PaperOrderTriggered(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A stop order's price traded: it is a market order from now on."""

    client_order_id: ClientOrderId
    at: Instant


class PaperOrderFilled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Part or all of an order traded. ``still_locked`` is what stays set aside for the rest of it.

    ``qty`` in base units, ``price`` in quote currency; a negative ``fee`` is a rebate.
    """

    client_order_id: ClientOrderId
    trade_id: Name
    symbol: Name
    side: OrderSide
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: Name
    maker: bool
    still_locked: Decimal
    at: Instant


class PaperOrderCancelled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The unfilled rest of an order is gone; ``reason`` says who wanted that."""

    client_order_id: ClientOrderId
    reason: Text
    at: Instant
