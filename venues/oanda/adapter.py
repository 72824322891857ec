"""The adapter: the venue contract over OANDA's REST interface and its two streams."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, OrderState, Position
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.contract import REQUIRED_CAPABILITIES, CallLimit, Capability, Sink
from venues.errors import VenueDown
from venues.oanda.abilities import Abilities
from venues.oanda.connection import Connection, read
from venues.oanda.desk import UNDER_WAY_S
from venues.oanda.ledger import foreign_id
from venues.oanda.words import (
    balance_of,
    bars_of,
    instant_of,
    position_of,
    rfc3339,
    symbol_of,
    venue_symbol_of,
)

__all__ = ["GRANULARITIES", "OandaVenue"]

GRANULARITIES: Final = {
    "1m": ("M1", 60),
    "5m": ("M5", 300),
    "15m": ("M15", 900),
    "1h": ("H1", 3_600),
    "4h": ("H4", 14_400),
    "1d": ("D", 86_400),
}
_SIDES: Final = {"mid": "M", "bid": "B", "ask": "A"}
_MAX_CANDLES: Final = 5_000
_AGAIN_S: Final = 0.3
_STUBBORN: Final = 5


class OandaVenue(Abilities):
    """One v20 account. ``access.account_id`` is its number, ``access.secret`` the token.

    ``under_way_s``: how long a request that was given up may still be on its way to the venue (see ``venues.oanda.desk``).
    """

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS, Capability.CANDLES}
    limit = CallLimit(100, 1.0)

    def __init__(self, access: Access, tools: Tools, *, under_way_s: float = UNDER_WAY_S) -> None:
        self.name = access.venue
        self._access = access
        self._tools = tools
        self._under_way_s = under_way_s
        self._connection: Connection | None = None

    # --- the connection ------------------------------------------------------------------------------------------------

    async def connect(self, sink: Sink) -> None:
        """Learn the account and follow it; the streams open on their own, the log fills what they miss."""
        await self.close()
        made = Connection(
            self.name,
            self._access,
            self._tools,
            sink,
            send_by=lambda: self.send_by(),
            under_way_s=self._under_way_s,
        )
        await made.open()
        self._connection = made

    async def close(self) -> None:
        """End streams, calls and threads; orders stay at the venue."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""
        return self._connection is not None

    @property
    def connection(self) -> Connection:
        """What exists while connected; raises VenueDown otherwise."""
        if self._connection is None:
            raise VenueDown(self.name, "not connected")
        return self._connection

    # --- orders --------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its id and not after ``send_by``."""
        return await self.connection.desk.place(request)

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state."""
        return await self.connection.desk.cancel(client_order_id, symbol)

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say where an order stands; absence is proven by the venue's log (see ``venues.oanda.desk``)."""
        return await self.connection.desk.query(client_order_id, symbol)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every pending order, stops and targets of open trades too."""
        here = self.connection
        answer = await here.line.ask(here.line.calls.pending())
        orders = read(self.name, lambda: list(answer["orders"]))
        trades = await self._trade_symbols() if any("instrument" not in each for each in orders) else {}
        return tuple(read(self.name, lambda: [self._open(each, trades) for each in orders]))

    async def _trade_symbols(self) -> dict[str, str]:
        here = self.connection
        answer = await here.line.ask(here.line.calls.open_trades())
        found: dict[str, str] = read(
            self.name, lambda: {str(each["id"]): symbol_of(str(each["instrument"])) for each in answer["trades"]}
        )
        return found

    def _open(self, order: dict[str, Any], trades: dict[str, str]) -> OrderReport:
        number = str(order["id"])
        key = str((order.get("clientExtensions") or {}).get("id") or foreign_id(number))
        known = self.connection.ledger.orders.get(key)
        if known is not None and not known.state.final and known.symbol:
            return known.report()
        named = order.get("instrument")
        return OrderReport(
            client_order_id=key,
            symbol=symbol_of(str(named)) if named else trades.get(str(order.get("tradeID")), "unknown"),
            state=OrderState.OPEN,
            venue_order_id=number,
            at=instant_of(order["createTime"]),
        )

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant, from the log."""
        here, calls = self.connection, self.connection.line.calls
        since = rfc3339(max(at, here.created_at))
        for _ in range(_STUBBORN):
            listed = await here.line.ask(calls.from_time(since, "ORDER_FILL"))
            if read(self.name, lambda said: int(said["lastTransactionID"]), listed) >= here.ledger.last:
                break
            await self._tools.sleep(_AGAIN_S)  # this answer is older than what we have read already
        else:
            raise VenueDown(self.name, "the venue's history lags behind what it told before")
        found: list[FillReport] = []
        for url in read(self.name, lambda: list(listed["pages"])):
            page = read(self.name, calls.page, url, "ORDER_FILL")
            told = await here.line.ask(page)
            fills = read(self.name, lambda said: [here.ledger.fill(each) for each in said["transactions"]], told)
            found += [fill for fill in fills if fill is not None and fill.at >= at]
        return tuple(sorted(found, key=lambda fill: (fill.at, int(fill.trade_id))))

    # --- the account ---------------------------------------------------------------------------------------------------

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets of the account, as netted positions with margin."""
        here = self.connection
        await here.refresh_markets()
        return tuple(each.instrument for each in here.markets.values())

    async def balances(self) -> tuple[Balance, ...]:
        """Return the account's one currency: free for new margin, and the rest of the cash."""
        account = await self.connection.account()
        return (read(self.name, lambda: balance_of(account)),)

    async def positions(self) -> tuple[Position, ...]:
        """Return the net position of every instrument that is held."""
        here = self.connection
        answer = await here.line.ask(here.line.calls.positions())
        found = read(self.name, lambda: [position_of(each) for each in answer["positions"]])
        return tuple(each for each in found if each.qty)

    # --- prices --------------------------------------------------------------------------------------------------------

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Follow prices of these symbols too; ones that the account has no market for are left out.

        One unknown name would have the venue refuse the whole stream.
        """
        here = self.connection
        here.prices.want(venue_symbol_of(each) for each in symbols if each in here.markets)

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return finished candles of the middle between bid and ask."""
        return await self.candles_of(symbol, timeframe, since, limit, "mid")

    async def candles_of(self, symbol: str, timeframe: str, since: int, limit: int, side: str) -> tuple[Bar, ...]:
        """Return finished candles of ``mid``, ``bid`` or ``ask``; days and four hours begin at midnight UTC."""
        name, seconds = GRANULARITIES[timeframe]
        here, found = self.connection, list[Bar]()
        start = -(-since // (seconds * NANOS)) * seconds * NANOS
        while len(found) < limit and start + seconds * NANOS <= self._tools.now() + self.clock_offset:
            params = {
                "granularity": name,
                "price": _SIDES[side],
                "from": rfc3339(start),
                "count": min(limit - len(found) + 1, _MAX_CANDLES),
                "dailyAlignment": 0,
                "alignmentTimezone": "UTC",
            }
            answer = await here.line.ask(here.line.calls.candles(venue_symbol_of(symbol), params))
            bars = read(self.name, bars_of, symbol, seconds, answer, side)
            new = [each for each in bars if each.at >= start]
            found += new
            if not new:
                break
            start = new[-1].at + seconds * NANOS
        return tuple(found[:limit])

    async def server_time(self) -> int:
        """Return the venue's clock: the time of a price answer, or its HTTP date to half a second."""
        here = self.connection
        names = [venue_symbol_of(each) for each in (*self._access.symbols, *here.markets) if each in here.markets][:1]
        answer, headers = await here.line.asked(here.line.calls.pricing(names))
        if "time" in answer:
            return int(read(self.name, lambda: instant_of(answer["time"])))
        told = read(self.name, lambda: parsedate_to_datetime(headers["date"]))
        return int(told.timestamp()) * NANOS + NANOS // 2
