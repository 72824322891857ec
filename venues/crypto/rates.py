"""Funding and open interest of perpetuals, and recent public trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from protocol.rates import FundingRate, OpenInterest
from protocol.values import OrderSide
from venues.ccxt_public.translate import as_decimal
from venues.crypto.calls import Calls
from venues.crypto.translate import NS_PER_MS, Translator
from venues.errors import VenueCapabilityMissing, VenueDown
from venues.facets import MarketFacts, PublicTrade

__all__ = ["Rates"]

_HOURS: Final = Decimal(8)
"""The usual interval, where a venue does not say its own."""


class Rates:
    """Questions about a perpetual's holding costs."""

    def __init__(self, calls: Calls, words: Translator) -> None:
        self._calls = calls
        self._words = words

    async def recent_trades(self, symbol: str, limit: int) -> tuple[PublicTrade, ...]:
        """Return the newest public trades, oldest first."""
        if symbol not in self._words.instruments:
            raise VenueCapabilityMissing(self._calls.dialect.venue, f"trades of {symbol[:40]}")
        exchange, size = self._calls.exchange, self._words.size(symbol)
        rows: list[dict[str, Any]] = await self._calls.ask(lambda: exchange.fetch_trades(symbol, None, limit))
        found = self._calls.read(lambda: [_public(row, size) for row in rows])
        return tuple(sorted(found, key=lambda each: each.at))[-limit:]

    def _perpetual(self, symbol: str, what: str) -> str:
        if not self._calls.dialect.perp or symbol not in self._words.instruments:
            raise VenueCapabilityMissing(self._calls.dialect.venue, f"{what} of {symbol[:40]}")
        return symbol

    async def funding_rate(self, symbol: str) -> FundingRate:
        """Return the next funding."""
        name, exchange = self._perpetual(symbol, "funding"), self._calls.exchange
        row = await self._calls.ask(lambda: self._calls.dialect.funding(exchange, name))
        if row.get("fundingRate") is None:
            raise VenueDown(self._calls.dialect.venue, f"no funding rate of {symbol}")
        hours = str(row.get("interval") or "").removesuffix("h")
        next_ms = row.get("fundingTimestamp") or row.get("nextFundingTimestamp") or 0
        return FundingRate(
            symbol,
            as_decimal(row["fundingRate"]),
            Decimal(hours) if hours.isdigit() and int(hours) else _HOURS,
            int(next_ms) * NS_PER_MS,
        )

    def market_facts(self, symbol: str) -> MarketFacts:
        """Return the largest leverage of a perpetual as the rules of its market say it."""
        if symbol not in self._words.instruments:
            raise VenueCapabilityMissing(self._calls.dialect.venue, f"facts of {symbol[:40]}")
        limits = self._calls.exchange.market(symbol).get("limits") or {}
        most = (limits.get("leverage") or {}).get("max")
        return MarketFacts(max_leverage=as_decimal(most) if self._calls.dialect.perp and most is not None else None)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """Return how much is held."""
        name, exchange = self._perpetual(symbol, "open interest"), self._calls.exchange
        row: dict[str, Any] = await self._calls.ask(lambda: exchange.fetch_open_interest(name))
        amount = row.get("openInterestAmount")
        if amount is None:
            raise VenueDown(self._calls.dialect.venue, f"no open interest of {symbol}")
        value = row.get("openInterestValue")
        stamp = row.get("timestamp")
        return OpenInterest(
            symbol,
            as_decimal(amount) * self._words.size(symbol),
            as_decimal(value) if value is not None else None,
            int(stamp) * NS_PER_MS if stamp else self._calls.clock(),
        )


def _public(row: dict[str, Any], size: Decimal) -> PublicTrade:
    return PublicTrade(
        str(row.get("id") or ""),
        OrderSide(row["side"]),
        as_decimal(row["amount"]) * size,
        as_decimal(row["price"]),
        int(row["timestamp"]) * NS_PER_MS,
    )
