"""The OANDA adapter over a v20 server on this loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance, OrderRequest
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from runtime.clock import WallClock
from tests.servers.venues.hall import Hall
from tests.servers.venues.oanda import ACCOUNT, TOKEN, OandaServer
from tests.venues.contract_suite import TradingRig
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.access import Access, Tools
from venues.oanda import OandaVenue

D = Decimal
NOW = WallClock().now
EUR = "EUR/USD:USD"
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
_numbers = count(1)


def market(symbol: str, tick: str, step: str, least: str) -> Instrument:
    """Return a netted market; the fee stands for a commission."""
    base, _, quote = symbol.partition(":")[0].partition("/")
    rules = PrecisionRules(D(tick), D(step), D(least), D(0))
    return Instrument(
        venue="oanda",
        symbol=symbol,
        venue_symbol=f"{base}_{quote}",
        base=base,
        quote=quote,
        market_type=MarketType.PERP,
        rules=rules,
        maker_fee=D("0.0001"),
        taker_fee=D("0.0001"),
    )


def coins() -> Hall:
    """Return the hall of the contract suite: a coin as a CFD, in an account of USDT."""
    return Hall("oanda", [market("BTC/USDT:USDT", "0.01", "0.001", "0.001")])


def pairs(leverage: int = 20) -> Hall:
    """Return a hall with two currency pairs, in an account of 100 000 dollars."""
    found = [market(EUR, "0.00001", "1", "1"), market("GBP/USD:USD", "0.00001", "1", "1")]
    return Hall("oanda", found, (Balance("USD", D(100_000)),), leverage=D(leverage))


def access_to(server: OandaServer, **changes: Any) -> Access:
    """Return how the server's account is reached."""
    fields: dict[str, Any] = {"account": "acc", "venue": "oanda", "testnet": True, "url": server.url,
              "stream_url": server.url, "account_id": ACCOUNT, "secret": Secret(TOKEN),
              "market": MarketType.PERP} | changes  # fmt: skip
    return Access(**fields)


def tools() -> Tools:
    """Return a real clock and real waits, without chance."""
    return Tools(NOW, asyncio.sleep, lambda: 0.0)  # house: waits of the adapter, which no test waits for


class OandaRig(TradingRig):
    """An adapter of the server's account."""

    def __init__(self, server: OandaServer, given: Tools | None = None, symbol: str = "BTC/USDT:USDT") -> None:
        self.server = server
        self.symbol = symbol
        self.heard = Heard()
        self.venue = OandaVenue(access_to(server), given or tools())

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.server.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.server.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        if not self.venue.connected:
            return
        await asyncio.sleep(0)  # house: what was done in this turn is written down in the next
        ledger = self.venue.connection.ledger
        async with asyncio.timeout(PATIENCE_S):
            while ledger.last < int(self.server.log.last):
                await self.venue.server_time()  # goes the way of everything else, through a thread


@asynccontextmanager
async def trading(hall: Hall, given: Tools | None = None, **changes: Any) -> AsyncIterator[OandaRig]:
    """Run a server on a free port, with an adapter that is not connected."""
    async with OandaServer(hall, **changes) as server:
        rig = OandaRig(server, given, next(iter(hall.instruments())))
        try:
            yield rig
        finally:
            await rig.venue.close()


@asynccontextmanager
async def trading_euros() -> AsyncIterator[OandaRig]:
    """Run a server with two currency pairs and an adapter that is connected, with a price of the euro."""
    async with trading(pairs()) as rig:
        await rig.venue.connect(rig.heard)
        await rig.set_price(EUR, D("1.10000"), D("1.10010"))
        yield rig


def order(side: OrderSide, kind: OrderType, qty: str = "1000", **fields: Any) -> OrderRequest:
    """Return an order in euros under a new id."""
    known = {
        "client_order_id": f"bhoanda{next(_numbers):05d}",
        "symbol": EUR,
        "side": side,
        "type": kind,
        "qty": D(qty),
    }
    return OrderRequest(**known | fields)


async def held(rig: OandaRig) -> Decimal:
    """Return the net position."""
    return sum((each.qty for each in await rig.venue.positions()), D(0))
