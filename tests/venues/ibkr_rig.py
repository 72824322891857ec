"""The adapter of Interactive Brokers over a TWS gateway on this loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance, OrderReport, OrderRequest
from protocol.values import MarketType, OrderSide, OrderType
from rules.broker.pacing import DATA_LIMIT, MESSAGE_LIMIT, WINDOW_NS, Kind, Sent
from runtime.clock import WallClock
from tests.servers.venues.hall import Hall
from tests.servers.venues.tws import TwsVenue
from tests.servers.venues.tws_words import Listed
from tests.venues.manual_time import Heard
from tests.venues.trading_suite import TradingRig
from venues.access import Access, Tools
from venues.ibkr import IbkrVenue, pace

D = Decimal
NOW = WallClock().now
COINS = Listed(
    479624278, "BTC", "CRYPTO", "PAXOS", "USD", "BTC/USD", tick="0.01", min_size="0.0001", increment="0.00000001"
)
SHARES = Listed(265598, "AAPL", "STK", "SMART", "USD", "AAPL/USD", hours="20251121:0930-20251121:1600")
EURO = Listed(12087792, "EUR", "CASH", "IDEALPRO", "USD", "EUR/USD:USD", local="EUR.USD", tick="0.00005", min_size="1")
MINI = Listed(
    495512563,
    "ES",
    "FUT",
    "CME",
    "USD",
    "ES/USD:USD-251219",
    local="ESZ5",
    expiry="20251219",
    multiplier="50",
    tick="0.25",
)
OPTIONS = tuple(
    Listed(700_000_000 + number, "AAPL", "OPT", "SMART", "USD", f"AAPL/USD:USD-251219-{strike}-{right}",
           local=f"AAPL  251219{right}{strike:05d}000", expiry="20251219", strike=str(strike), right=right, multiplier="100")
    for number, (strike, right) in enumerate((strike, right) for strike in range(150, 250, 10) for right in "CP")
)  # fmt: skip
CONTRACTS = (COINS, SHARES, EURO, MINI, *OPTIONS)


def shares(number: int, price: str | None = "150", side: OrderSide = OrderSide.BUY, qty: str = "10") -> OrderRequest:
    """Return an order for shares; without a price at the market."""
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else D(price)
    return OrderRequest(
        client_order_id=f"bhibkr{number:04d}", symbol="AAPL/USD", side=side, type=kind, qty=D(qty), price=limit
    )


def listed(each: Listed) -> Instrument:
    """Return a contract as the hall's market."""
    size = D(each.multiplier or 1) if each.kind != "OPT" else D(100)
    perp = each.kind in ("CASH", "FUT")
    least = D(10) if each.kind == "CRYPTO" else D(0)
    rules = PrecisionRules(D(each.tick), D(each.increment) * size, D(each.min_size) * size, least)
    base = each.symbol if each.kind != "OPT" else each.market
    return Instrument(
        venue="ibkr",
        symbol=each.market,
        venue_symbol=each.local or each.symbol,
        base=base,
        quote=each.currency,
        market_type=MarketType.PERP if perp else MarketType.SPOT,
        rules=rules,
    )


def gateway(contracts: Iterable[Listed] = CONTRACTS, money: int = 100_000) -> TwsVenue:
    """Return a gateway with money."""
    hall = Hall("ibkr", [listed(each) for each in contracts], [Balance("USD", D(money))])
    return TwsVenue(hall, contracts)


def real_tools(now: Callable[[], int] = NOW) -> Tools:
    """Return real waits, a clock that is real unless it is given, and no chance."""
    return Tools(now, asyncio.sleep, lambda: 0.5)  # house: the adapter's own waits, no test's


class Kept(IbkrVenue):
    """Connects anew when its connection was lost, as the session does."""

    heard: Heard

    async def _again(self) -> None:
        if self._line is not None and self._line.ended:
            await self.close()
            await self.connect(self.heard)

    async def place(self, request: OrderRequest) -> OrderReport:
        await self._again()
        return await super().place(request)

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        await self._again()
        return await super().cancel(client_order_id, symbol)

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        await self._again()
        return await super().query(client_order_id, symbol)


class IbkrRig(TradingRig):
    """An adapter and its gateway."""

    symbol = "BTC/USD"

    def __init__(self, server: TwsVenue, folder: str = "", **changes: Any) -> None:
        self.server = server
        self.heard = Heard()
        fields: dict[str, Any] = {"account": "acc", "venue": "ibkr", "port": server.port, "folder": folder}
        fields |= {"symbols": (self.symbol,)}
        self.access = Access(**(fields | changes))
        self.symbol = self.access.symbols[0] if self.access.symbols else self.symbol
        self.venue: IbkrVenue = self.another()

    def keep(self) -> None:
        """Have the adapter connect anew by itself."""
        self.venue = kept = Kept(self.access, real_tools())
        kept.heard = self.heard

    def another(self) -> IbkrVenue:
        """Return a new adapter of the same account: the next life of the session."""
        return IbkrVenue(self.access, real_tools())

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.server.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.server.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        # All that the gateway says comes in order on one socket: after its answer everything before has come.
        if self.venue.phase == "open":
            await self.venue.server_time()


@asynccontextmanager
async def serving(folder: str = "", *, money: int = 100_000, **changes: Any) -> AsyncIterator[IbkrRig]:
    """Run a gateway on a free port with an adapter that is not connected."""
    async with gateway(money=money) as server:
        rig = IbkrRig(server, folder, **changes)
        try:
            yield rig
        finally:
            await rig.venue.close()


@asynccontextmanager
async def connected(folder: str = "", **changes: Any) -> AsyncIterator[IbkrRig]:
    """Run a gateway with a connected adapter and prices."""
    async with serving(folder, **changes) as rig:
        rig.server.hall.price("BTC/USD", D(60000), D("60000.1"))
        rig.server.hall.price("AAPL/USD", D("199.99"), D("200.01"))
        rig.server.hall.price("EUR/USD:USD", D("1.08500"), D("1.08505"))
        await rig.venue.connect(rig.heard)
        yield rig


def noting_turns(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Return a list of when each message is let go: a busy machine delivers in bunches what left one after the other."""
    let_go: list[Sent] = []

    def noted(at: int, kind: Kind) -> Sent:
        let_go.append(Sent(at, kind))
        return let_go[-1]

    monkeypatch.setattr(pace, "Sent", noted)
    return let_go


def assert_in_pace(let_go: list[Sent]) -> None:
    """Never more messages a second than the broker takes, nor more for data (DK-67)."""
    for each in let_go:
        window = [other for other in let_go if each.at - WINDOW_NS < other.at <= each.at]
        assert len(window) <= MESSAGE_LIMIT
        assert sum(other.kind is Kind.DATA for other in window) <= DATA_LIMIT
