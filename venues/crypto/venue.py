"""One account at a crypto exchange, by the venue contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.rates import FundingRate, OpenInterest
from venues.access import Access, Tools
from venues.ccxt_public.errors import UnknownSymbol
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.crypto.dialects import dialect_of
from venues.crypto.exchange import Clock
from venues.crypto.line import Line
from venues.errors import VenueDown
from venues.facets import KeyRights, MarketFacts, PublicTrade

__all__ = ["CryptoVenue"]


class CryptoVenue(Venue):
    """Spot or perpetuals of one exchange for one account, whichever dialect ``access.venue`` names."""

    capabilities = REQUIRED_CAPABILITIES | {Capability.CANDLES}

    def __init__(self, access: Access, tools: Tools) -> None:
        self.name = access.venue
        self._access = access
        self._tools = tools
        self._clock = Clock(tools.now)
        self._line: Line | None = None
        dialect = dialect_of(access)
        self.limit = dialect.call_limits.get(access.market)
        self.weights = dialect.weights
        if dialect.takes_stops:
            self.capabilities = self.capabilities | {Capability.STOP_ORDERS}  # type: ignore[misc] # this exchange's own

    @property
    def clock_offset(self) -> int:
        """How many nanoseconds the venue's clock is ahead of ours; what is signed carries its time (EX-1106)."""
        return self._clock.offset

    @clock_offset.setter
    def clock_offset(self, offset: int) -> None:
        self._clock.offset = offset

    @property
    def closed(self) -> bool:
        """Whether there is no connection."""
        return self._line is None

    # --- the connection ------------------------------------------------------------------------------------------------

    async def connect(self, sink: Sink) -> None:
        """Import ccxt, load the markets, check the key, open the account's streams."""
        if self._line is not None:
            raise VenueDown(self.name, "already connected")
        line = await asyncio.to_thread(
            Line, self._access, dialect_of(self._access), self._tools, self._clock, lambda: self.send_by(), sink
        )
        try:
            await line.open()
        except BaseException:
            await line.close()
            raise
        self._line = line

    async def close(self) -> None:
        """Close every stream and socket; orders stay at the venue. Harmless when repeated."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _connected(self) -> Line:
        if self._line is None:
            raise VenueDown(self.name, "not connected")
        return self._line

    @property
    def line(self) -> Line:
        """The open connection and its counters; raises VenueDown without one."""
        return self._connected()

    # --- the account ---------------------------------------------------------------------------------------------------

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every market of the account's family; rules older than ten seconds are loaded anew."""
        return await self._connected().instruments()

    async def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount."""
        return await self._connected().account.balances()

    async def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position."""
        return await self._connected().account.positions()

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return await self._connected().account.open_orders()

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant, oldest first."""
        return await self._connected().account.fills_since(at)

    async def key_rights(self) -> KeyRights:
        """Return what the key may do, as far as the venue says it."""
        return await self._connected().account.key_rights()

    # --- orders --------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its client id and not after ``send_by``."""
        line = self._connected()
        return line.heard(await line.orders.place(request))

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state, which may be filled."""
        line = self._connected()
        return line.heard(await line.orders.cancel(client_order_id, symbol))

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say how an order stands; absent only when the venue has proven it."""
        line = self._connected()
        return line.heard(await line.orders.query(client_order_id, symbol))

    async def amend(
        self, client_order_id: str, symbol: str, *, price: Decimal | None = None, qty: Decimal | None = None
    ) -> OrderReport:
        """Change a resting order in place; VenueCapabilityMissing where the venue cannot."""
        line = self._connected()
        return line.heard(await line.orders.amend(client_order_id, symbol, price=price, qty=qty))

    # --- markets -------------------------------------------------------------------------------------------------------

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Deliver quotes of these symbols too; raises UnknownSymbol, then nothing was added."""
        line, wanted = self._connected(), list(symbols)
        for symbol in wanted:
            if symbol not in line.words.instruments:
                raise UnknownSymbol(self.name, symbol, line.words.instruments)
        line.prices.want(wanted)

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return finished bars."""
        return await self._connected().account.candles(symbol, timeframe, since, limit)

    async def server_time(self) -> int:
        """Return the venue's clock."""
        return await self._connected().calls.server_time()

    async def recent_trades(self, symbol: str, limit: int = 100) -> tuple[PublicTrade, ...]:
        """Return the newest trades of a market, oldest first."""
        return await self._connected().rates.recent_trades(symbol, limit)

    async def funding_rate(self, symbol: str) -> FundingRate:
        """Return the next funding of a perpetual; VenueCapabilityMissing on spot accounts."""
        return await self._connected().rates.funding_rate(symbol)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """Return how much of a perpetual is held; VenueCapabilityMissing on spot accounts."""
        return await self._connected().rates.open_interest(symbol)

    async def market_facts(self, symbol: str) -> MarketFacts:
        """Return the largest leverage of a perpetual."""
        return self._connected().rates.market_facts(symbol)
