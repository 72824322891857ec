"""Ask about the account and its markets: instruments, balances, positions, open orders, fills, candles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, Position
from runtime.clock import NANOS
from venues.ccxt_public.policy import TIMEFRAMES_S
from venues.ccxt_public.translate import bar_of_row
from venues.crypto.calls import Calls
from venues.crypto.dialect import Exchange, Row
from venues.crypto.errors import UNREADABLE
from venues.crypto.memory import Memory
from venues.crypto.translate import NS_PER_MS, Translator, instrument
from venues.errors import OrderNotFound, VenueCapabilityMissing, VenueDown
from venues.facets import KeyRights

__all__ = ["Account"]

_PAGE: Final = 500


class Account:
    """The account of one connection. ``spare`` makes an exchange object that nobody else uses."""

    def __init__(self, calls: Calls, words: Translator, memory: Memory, spare: Callable[[], Exchange]) -> None:
        self._spare = spare
        self._calls = calls
        self._dialect = calls.dialect
        self._words = words
        self._memory = memory
        self.unreadable = 0
        """Structures that could not be read and were left out."""

    # --- markets -------------------------------------------------------------------------------------------------------

    async def load(self) -> tuple[Instrument, ...]:
        """Load the rules of all markets in bulk, anew each time (EX-501, EX-516)."""
        markets = await self._calls.ask(self._load)
        found = {}
        for market in markets.values():
            try:
                if self._dialect.trades_here(market):
                    found[market["symbol"]] = instrument(self._dialect, market)
            except UNREADABLE:
                self.unreadable += 1
        if not found:
            raise VenueDown(self._dialect.venue, "the venue lists no market that can be traded")
        self._words.instruments = found
        return tuple(found.values())

    async def _load(self) -> dict[str, Row]:
        exchange = self._calls.exchange
        if self._dialect.loads_apart:
            exchange.set_markets_from_exchange(await asyncio.to_thread(self._load_apart))
        else:
            await exchange.load_markets(True)
        markets: dict[str, Row] = exchange.markets
        return markets

    def _load_apart(self) -> Exchange:
        """Load the markets with an exchange object and a loop of their own; for a thread."""
        apart = self._spare()

        async def load() -> None:
            try:
                await apart.load_markets()
            finally:
                await apart.close()

        asyncio.run(load())
        return apart

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return up to ``limit`` finished bars that start at or after ``since``, by the venue's clock."""
        if timeframe not in TIMEFRAMES_S or symbol not in self._words.instruments:
            raise VenueCapabilityMissing(self._dialect.venue, f"candles of {symbol[:40]} {timeframe[:16]}")
        seconds, exchange = TIMEFRAMES_S[timeframe], self._calls.exchange
        finished_before = self._calls.clock() // (seconds * NANOS) * seconds * NANOS
        bars: dict[int, Bar] = {}
        cursor = -(-since // (seconds * NANOS)) * seconds * NANOS
        while len(bars) < limit and cursor < finished_before:
            page = min(_PAGE, limit - len(bars))
            start_ms = cursor // NS_PER_MS
            rows = await self._calls.ask(lambda: exchange.fetch_ohlcv(symbol, timeframe, start_ms, page))  # noqa: B023 - awaited at once
            self._take(bars, symbol, rows, seconds, cursor, finished_before)
            newest = max((row[0] * NS_PER_MS for row in rows), default=0)
            if newest < cursor:
                break
            cursor = newest + seconds * NANOS
        return tuple(bars[at] for at in sorted(bars))[:limit]

    def _take(
        self, bars: dict[int, Bar], symbol: str, rows: list[list[int]], seconds: int, since: int, before: int
    ) -> None:
        for row in rows:
            try:
                bar = bar_of_row(symbol, row, seconds)
            except UNREADABLE:
                self.unreadable += 1
                continue
            if since <= bar.at < before:
                bars[bar.at] = bar

    # --- money ---------------------------------------------------------------------------------------------------------

    async def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount."""
        row = await self._calls.ask(lambda: self._dialect.balance(self._calls.exchange))
        return self._calls.read(lambda: self._words.balances(row))

    async def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position; none on spot accounts."""
        if not self._dialect.perp:
            return ()
        rows = await self._calls.ask(lambda: self._dialect.positions(self._calls.exchange))
        found = self._calls.read(lambda: self._words.positions(rows))
        self._memory.symbols.update(each.symbol for each in found)
        return found

    async def key_rights(self) -> KeyRights:
        """Return what the key may do, as far as the venue says it."""
        return await self._calls.ask(lambda: self._dialect.key_rights(self._calls.exchange))

    # --- orders and fills ----------------------------------------------------------------------------------------------

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill, whoever placed it."""
        dialect, exchange = self._dialect, self._calls.exchange
        rows: list[Row] = []
        for symbol in self.symbols() if dialect.orders_by_symbol else (None,):
            rows += await self._calls.ask(lambda: dialect.open_orders(exchange, symbol))  # noqa: B023 - awaited at once
        return self._calls.read(lambda: tuple(self.report(row) for row in rows))

    def report(self, row: Row) -> OrderReport:
        """Return how an order stands, and remember whose it is."""
        report = self._words.report(row, self._calls.clock())
        if report.venue_order_id:
            self._memory.numbers[report.venue_order_id] = report.client_order_id
        self._memory.symbols.add(report.symbol)
        return report

    def symbols(self) -> list[str]:
        """Return the markets to ask about where a venue must be asked by market."""
        wanted = {*self._dialect.access.symbols, *self._memory.symbols}
        return sorted(wanted & self._words.instruments.keys())

    async def fills_since(self, at: int, symbols: Iterable[str] | None = None) -> tuple[FillReport, ...]:
        """Return every fill at or after ``at``, oldest first; of ``symbols`` only where the venue is asked by market."""
        dialect, exchange = self._dialect, self._calls.exchange
        since_ms, now_ms = at // NS_PER_MS, self._calls.clock() // NS_PER_MS
        rows: list[Row] = []
        asked: list[str | None] = [None]
        if dialect.trades_by_symbol:
            asked = [*(self.symbols() if symbols is None else sorted(symbols))]
        for symbol in asked:
            rows += await self._calls.ask(lambda: dialect.my_trades(exchange, symbol, since_ms, now_ms))  # noqa: B023 - awaited at once
        found: dict[tuple[str, str], FillReport] = {}
        for row in rows:
            if (row.get("timestamp") or 0) * NS_PER_MS >= at and row.get("symbol"):
                owner = await self.owner(row)
                fill = self._calls.read(lambda: self._words.fill(row, owner))  # noqa: B023 - called at once
                found[fill.symbol, fill.trade_id] = fill
        return tuple(sorted(found.values(), key=_age))

    async def owner(self, trade: Row) -> str:
        """Return the client id of a trade's order; the venue is asked for an order that nobody here remembers."""
        number, symbol = str(trade.get("order") or ""), trade["symbol"]
        if named := self._dialect.client_id_of_trade(trade):
            return self._words.own_of(named, number)
        if number not in self._memory.numbers:
            dialect, exchange = self._dialect, self._calls.exchange
            try:
                order = await self._calls.ask(lambda: dialect.order_by_number(exchange, number, symbol))
                self._memory.numbers[number] = self._words.own_id({**order, "id": number})
            except OrderNotFound:
                self._memory.numbers[number] = self._words.own_of("", number)
        return self._memory.numbers[number]


def _age(fill: FillReport) -> tuple[int, int, str]:
    return fill.at, len(fill.trade_id), fill.trade_id
