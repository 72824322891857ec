"""The contract that every venue adapter keeps: paper, replay and the real ones (EX-1103, EX-1107).

Two ways back from a venue. What was asked is answered by the awaited call. What the venue says on its own
(``OrderReport``, ``FillReport``, ``PriceTick``, ``Bar``, ``FeedStatus``, ``BalancesChanged``, and ``SessionDown`` when the
connection is lost for good) goes to the ``sink`` given to ``connect``; the sink never blocks. A fact may arrive both ways
and more than once; receivers key orders by client id and fills by trade id.

Every method may raise any ``VenueError``; the ones named in a docstring have a special meaning there. Quantities are
base units, prices quote currency, instants nanoseconds UTC.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, NamedTuple, TypeAlias

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.messages import Message
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from venues.errors import VenueCapabilityMissing

__all__ = ["REQUIRED_CAPABILITIES", "CallLimit", "Capability", "Sink", "Venue", "check_capabilities"]

Sink: TypeAlias = Callable[[Message], None]
"""Takes what the venue says on its own; never blocks and never raises."""


class Capability(StrEnum):
    """What a connection can be able to do (EX-1103)."""

    MARKETS = "markets"
    LIMIT_ORDERS = "limit_orders"
    MARKET_ORDERS = "market_orders"
    IOC_ORDERS = "ioc_orders"
    STOP_ORDERS = "stop_orders"
    CANCEL = "cancel"
    QUERY_BY_CLIENT_ID = "query_by_client_id"
    OPEN_ORDERS = "open_orders"
    FILLS_SINCE = "fills_since"
    BALANCES = "balances"
    QUOTES = "quotes"
    FILL_UPDATES = "fill_updates"
    SERVER_TIME = "server_time"
    CANDLES = "candles"


REQUIRED_CAPABILITIES = frozenset(Capability) - {Capability.STOP_ORDERS, Capability.CANDLES}
"""Without any one of these a connection is not opened."""


def check_capabilities(venue: str, offered: Iterable[Capability]) -> None:
    """Raise ``VenueCapabilityMissing`` naming the first required capability (by name) that is not offered (EX-1103)."""
    if missing := sorted(REQUIRED_CAPABILITIES - set(offered)):
        raise VenueCapabilityMissing(venue, missing[0])


class CallLimit(NamedTuple):
    """What a venue publishes: so many calls within a window of seconds (EX-1105)."""

    calls: int
    window_s: float


class Venue(ABC):
    """One account at one venue. ``name`` is the venue's name as instruments carry it.

    ``limit`` is the published limit, None when there is none; ``weights`` is what a call of a method of this contract costs
    of it, 1 for each that is not named. ``clock_offset`` is how many nanoseconds the venue's clock is ahead of ours: an
    adapter that signs with times adds it to them (EX-1106). ``send_by`` says until which instant (our
    clock) an order or cancel of ours may be carried out, None for no limit: an adapter asks it before it builds a request,
    sends nothing afterwards, and has the venue refuse what arrives later wherever the venue can (recvWindow and its like).
    A process that slept longer than its lease cannot be stopped otherwise: it wakes between the check and the wire.
    """

    name: str
    capabilities: ClassVar[frozenset[Capability]] = REQUIRED_CAPABILITIES
    limit: CallLimit | None = None
    weights: Mapping[str, int] = MappingProxyType({})
    clock_offset: int = 0
    send_by: Callable[[], int | None] = staticmethod(lambda: None)

    @abstractmethod
    async def connect(self, sink: Sink) -> None:
        """Open the connection; from now on facts go to ``sink``.

        Raises AuthFailed, PermissionDenied or VenueCapabilityMissing when retrying is useless, VenueDown otherwise.
        After it raised, nothing is open and ``sink`` is not called.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; ``sink`` is not called afterwards. Orders stay at the venue. Harmless when repeated."""

    @abstractmethod
    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every market the account may trade, with tick, step, minimums and fees."""

    @abstractmethod
    async def balances(self) -> tuple[Balance, ...]:
        """Return every currency with a non-zero amount; free and locked as the venue counts them."""

    @abstractmethod
    async def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position. Spot holdings are balances, not positions."""

    @abstractmethod
    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its client id; return what the venue made of it.

        Idempotent by client id: a second call with a known id places nothing and returns the known order. A refusal by the
        venue is an answer (state rejected, ``reason`` its text), not an exception. Raises RateLimited or VenueDown
        only when the order certainly did not reach the venue, and NetworkTimeout when that cannot be told: the order is
        then unknown until ``query`` proves otherwise, and is never sent again blindly (EX-426).
        """

    @abstractmethod
    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state, which may be filled. Harmless when repeated.

        Raises OrderNotFound when the venue does not know the order (fills must then be checked), NetworkTimeout
        when it cannot be told whether the cancel arrived.
        """

    @abstractmethod
    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Return the venue's present word on an order; never raises OrderNotFound.

        Never accepted, and the venue proves it (its memory is complete for this id and nothing is in flight): state
        rejected with ``absent_proven`` true. Cannot be told: state unknown. Unknown is never turned into yes or no here.
        """

    @abstractmethod
    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order of the account that can still fill, including ones that we did not place."""

    @abstractmethod
    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill of the account at or after ``at``, oldest first; may repeat known ones, never omits one."""

    @abstractmethod
    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Deliver quotes of these symbols to the sink too, as ``PriceTick``, beginning with the newest known."""

    @abstractmethod
    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return up to ``limit`` FINISHED bars that start at or after ``since``, oldest first; gaps stay gaps.

        ``timeframe`` is ``1m``, ``5m``, ``15m``, ``1h``, ``4h`` or ``1d``. Raises VenueCapabilityMissing when not offered.
        """

    @abstractmethod
    async def server_time(self) -> int:
        """Return the venue's clock; the session compares it with ours (EX-1106)."""
