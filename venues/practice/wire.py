"""What the practice exchange and its clients say to each other: JSON over HTTP, facts over a WebSocket.

====== ====================== ==============================================================
POST   /v1/orders             place (``PlaceBody``) -> ``OrderReport``
POST   /v1/cancel             cancel (``CancelBody``) -> ``OrderReport``
GET    /v1/orders/{id}        how an order stands; ``?symbol=`` -> ``OrderReport``
GET    /v1/account            ``AccountBody``; fills from ``?since=`` (nanoseconds) on
GET    /v1/instruments        the markets
GET    /v1/time               ``TimeBody``
GET    /v1/stream             WebSocket: facts of the account and prices of ``{"symbols": [...]}`` as they are asked for
====== ====================== ==============================================================

A refusal is ``ErrorBody`` with status 4xx: nothing was carried out.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.messages import Value
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.values import Instant
from protocol.venue import BalancesChanged

__all__ = [
    "EXPIRED",
    "AccountBody",
    "CancelBody",
    "ErrorBody",
    "Fact",
    "InstrumentsBody",
    "PlaceBody",
    "SubscribeBody",
    "TimeBody",
]

EXPIRED: Final = "Expired"
"""Code of a request that arrived after its ``expires_at``."""

Fact: TypeAlias = OrderReport | FillReport | PriceTick | BalancesChanged
"""What the exchange tells on its own."""


class PlaceBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An order; not to be taken after ``expires_at`` (the exchange's clock), 0 for no limit."""

    request: OrderRequest
    expires_at: Instant = 0


class CancelBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An order to be cancelled; not after ``expires_at``, 0 for no limit."""

    client_order_id: str
    symbol: str
    expires_at: Instant = 0


class AccountBody(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The account."""

    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    open_orders: tuple[OrderReport, ...]
    fills: tuple[FillReport, ...]


class InstrumentsBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The markets."""

    instruments: tuple[Instrument, ...]


class TimeBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The exchange's clock."""

    at: Instant


class SubscribeBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Prices that are wanted too."""

    symbols: tuple[str, ...]


class ErrorBody(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Why nothing was carried out."""

    code: str
    message: str
