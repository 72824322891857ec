"""What is asked over REST: markets, candles, the newest quotes, the venue's clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from protocol.instruments import Instrument
from protocol.market import Bar
from venues.ccxt_public.errors import UNREADABLE
from venues.ccxt_public.policy import TIMEFRAMES_S, FeedPolicy
from venues.ccxt_public.rest import RestCaller
from venues.ccxt_public.translate import as_decimal, bar_of_row, book_prices, instrument
from venues.errors import VenueCapabilityMissing

__all__ = ["Queries", "Quote"]

T = TypeVar("T")

_PAGE: Final = 1000
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_TRADING: Final = {"symbolStatus": "TRADING", "showPermissionSets": "false"}


class Quote(NamedTuple):
    """Best bid, best ask and last price of a symbol."""

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal


class Queries:
    """Questions to one exchange object. A row that cannot be read is told to ``malformed`` and left out."""

    def __init__(
        self,
        venue: str,
        exchange: Any,
        errors: type[Exception],
        policy: FeedPolicy,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now_ns: Callable[[], int],
        malformed: Callable[[str], None],
    ) -> None:
        self._venue = venue
        self._exchange = exchange
        self._call = RestCaller(venue, errors, policy, sleep, now_ns)
        self._now_ns = now_ns
        self._malformed = malformed
        self.skew_ns = 0

    async def markets(self) -> tuple[Instrument, ...]:
        """Return every spot market that trades now."""
        markets = await self._call(lambda: self._exchange.load_markets(False, _TRADING))
        found: list[Instrument] = []
        for market in markets.values():
            if market["spot"] and market["active"]:
                self._read(found, market["id"], instrument, self._venue, market)
            market["info"] = None  # read above and never again: two thirds of the memory of all markets
        return tuple(found)

    async def server_time(self) -> int:
        """Return the venue's clock in ns; note its difference to ours, taken in the middle of the round trip."""
        return await self._call(self._time)

    async def _time(self) -> int:
        sent = self._now_ns()
        venue_ns = int(await self._exchange.fetch_time()) * _NS_PER_MS
        self.skew_ns = venue_ns - (sent + self._now_ns()) // 2
        return venue_ns

    async def quotes(self, symbols: list[str]) -> list[Quote]:
        """Return the newest quote of each symbol that has one."""
        tickers = await self._call(lambda: self._exchange.fetch_tickers(symbols))
        found: list[Quote] = []
        for symbol, ticker in tickers.items():
            self._read(found, symbol, _quote, symbol, ticker["info"])
        return found

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return up to ``limit`` finished bars that start at or after ``since``, oldest first; asks in pages of 1000.

        Finished is by the venue's clock. Raises VenueCapabilityMissing for another timeframe.
        """
        if timeframe not in TIMEFRAMES_S:
            raise VenueCapabilityMissing(self._venue, f"candles of {timeframe[:16]}")
        step_ns = TIMEFRAMES_S[timeframe] * _NS_PER_S
        finished_before = (self._now_ns() + self.skew_ns) // step_ns * step_ns
        bars: list[Bar] = []
        cursor = -(-since // _NS_PER_MS)
        while len(bars) < limit and cursor * _NS_PER_MS < finished_before:
            page = min(_PAGE, limit - len(bars))
            rows = await self._page(symbol, timeframe, cursor, page, finished_before // _NS_PER_MS - 1)
            for row in rows:
                self._read(bars, symbol, bar_of_row, symbol, row, TIMEFRAMES_S[timeframe])
            starts = [row[0] for row in rows if isinstance(row[0], int)]
            if len(rows) < page or not starts:
                break
            cursor = max(cursor, *starts) + 1
        return tuple(bars)

    async def _page(self, symbol: str, timeframe: str, since_ms: int, limit: int, until_ms: int) -> list[list[Any]]:
        params = {"until": until_ms}
        rows: list[list[Any]] = await self._call(
            lambda: self._exchange.fetch_ohlcv(symbol, timeframe, since_ms, limit, params)
        )
        return rows

    def _read(self, into: list[T], what: str, read: Callable[..., T], *of: Any) -> None:
        try:
            into.append(read(*of))
        except UNREADABLE as error:
            self._malformed(f"{what}: {type(error).__name__}: {error}")


def _quote(symbol: str, info: dict[str, Any]) -> Quote:
    bid, ask = book_prices(info["bidPrice"], info["askPrice"])
    return Quote(symbol, bid, ask, as_decimal(info["lastPrice"]))
