"""KuCoin's streams as the core needs them: a fresh token each connection, and nothing told that is not so."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from venues.crypto.dialect import Exchange, Row

__all__ = ["tell_exactly"]


def tell_exactly(exchange: Exchange) -> None:
    """Put what stands here in place of ccxt's own."""
    exchange.negotiate = _Addresses(exchange).negotiate
    exchange.parse_ws_order = _dated(exchange.parse_ws_order)
    exchange.handle_my_trade = _silent
    exchange.handle_contract_ticker = _last_prices(exchange)


class _Addresses:
    """Where the streams of one exchange object are: ccxt keeps an address with its token for ever, KuCoin takes it a day."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: dict[bool, str] = {}
        self._asking: dict[bool, asyncio.Task[str]] = {}

    async def negotiate(self, private: bool, futures: bool = False, _: Any = None) -> str:
        """Return the address of the open connection, or one with a fresh token."""
        known = self._known.get(private)
        if known is not None and known in self._exchange.clients:
            return known
        asking = self._asking.get(private)
        if asking is None or asking.done():
            asking = self._asking[private] = asyncio.ensure_future(_bullet(self._exchange, private, futures))
            asking.add_done_callback(_looked_at)
        address = self._known[private] = await asyncio.shield(asking)
        return address


async def _bullet(exchange: Exchange, private: bool, futures: bool) -> str:
    """Ask for a token and return the address that takes it."""
    if futures:
        ask = exchange.futuresPrivatePostBulletPrivate if private else exchange.futuresPublicPostBulletPublic
    else:
        ask = exchange.privatePostBulletPrivate if private else exchange.publicPostBulletPublic
    data = (await ask())["data"]
    server = data["instanceServers"][0]
    query = {"token": data["token"], "connectId": "private" if private else "public"}
    address = f"{server['endpoint']}?{urlencode(query)}"
    exchange.client(address).keepAlive = int(server["pingInterval"])
    return address


def _dated(parse: Any) -> Any:
    """Date an order of the stream by what it tells: ``orderTime`` is in milliseconds or in nanoseconds, as it pleases."""

    def dated(order: Row, market: Any = None) -> Any:
        parsed = parse(order, market)
        at = int(order["ts"]) // 1_000_000
        return {**parsed, "timestamp": at, "lastUpdateTimestamp": at}

    return dated


def _last_prices(exchange: Exchange) -> Any:
    """Take nothing but the last price of a contract's ticker: it comes with trades, its book is as old as the last one."""

    def heard(client: Any, message: Any) -> None:
        market = exchange.safe_market(message["data"]["symbol"])
        ticker = {**exchange.parse_ticker(message["data"], market), "bid": None, "ask": None}
        exchange.tickers[market["symbol"]] = ticker
        client.resolve(ticker, f"ticker:{market['symbol']}")

    return heard


def _looked_at(asked: asyncio.Task[str]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not asked.cancelled():
        asked.exception()


def _silent(client: Any, message: Any) -> None:
    """Hear nothing of a trade."""
