"""Signals are filled on Binance's quotes, heard through the real client library from a server that speaks Binance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from protocol.groups import GroupState
from protocol.market import FeedState
from protocol.signals import InjectSignal, SignalKind, SizeType
from protocol.values import Side
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.active import ActiveConfig
from service.config import Config, parse
from service.house import GATEWAY, Plan, build_house
from service.markets import binance_market
from tests.servers.binance import BinanceServer
from tests.system.accounts import check_no_order_twice, trades_of
from tests.system.running import SECRETS, eventually
from venues.ccxt_public import Endpoints

PATHS = AccountPaths("paper")
CONFIG = """
[app]
data_dir = "{folder}"
[market]
source = "binance"
symbols = ["BTC/USDT"]
[[accounts]]
name = "paper"
latency_ms = 0
slippage_bps = 0
"""


@asynccontextmanager
async def house_on(server: BinanceServer, config: Config, journal: MemoryJournal) -> AsyncIterator[ActorSystem]:
    """Run a house whose prices come from the server, as the daemon would from Binance."""
    market = await binance_market(config, Endpoints(server.rest_url, server.ws_url))
    async with ActorSystem(clock=WallClock(), journal=journal) as system:
        plan = Plan(active=ActiveConfig(config), system=system, tag="test", secrets=SECRETS, markets={"paper": market})
        system.start_root(build_house(plan))
        await system.ready()
        yield system


def state_of(system: ActorSystem) -> FeedState | None:
    """Return how the feed says it is."""
    cell = system.cell_of(PATHS.feed)
    return getattr(cell.actor, "_state", None) if cell is not None else None


def group_of(system: ActorSystem) -> Any:
    """Return the view of the one group, None while there is none."""
    names = [path for path in system.paths() if path.startswith(f"{PATHS.groups}/")]
    cell = system.cell_of(names[-1]) if names else None
    return getattr(cell.actor, "_view", None) if cell is not None else None


def priced(system: ActorSystem) -> bool:
    """Whether the paper exchange knows a price."""
    cell = system.cell_of(PATHS.exchange)
    engine = getattr(cell.actor, "_engine", None) if cell is not None else None
    return engine is not None and engine.newest("BTC/USDT") is not None


def entry(price: str | None = None) -> InjectSignal:
    """Return an operator's entry of 500 USDT."""
    return InjectSignal(
        user="trader",
        venue="binance",
        symbol="BTC/USDT",
        timeframe="1h",
        kind=SignalKind.ENTRY,
        side=Side.LONG,
        size=Decimal(500),
        size_type=SizeType.QUOTE,
        price=Decimal(price) if price else None,
    )


def test_a_signal_is_filled_and_taken_profit_of_on_binances_quotes(tmp_path: Path) -> None:
    """Layers fill when Binance's ask reaches them, the target when its bid does; a lost connection only pauses it."""

    async def run() -> MemoryJournal:
        config, journal = parse(CONFIG.format(folder=tmp_path), {}), MemoryJournal()
        async with BinanceServer() as server, house_on(server, config, journal) as system:
            await eventually(lambda: "btcusdt@bookTicker" in server.streams, "subscribed")
            await server.push_book("BTCUSDT", "60000.00000000", "60000.10000000")
            await server.push_trade("BTCUSDT", "60000.05000000")
            await eventually(lambda: state_of(system) is FeedState.LIVE, "a live feed")
            await eventually(lambda: priced(system), "a price at the exchange")

            gateway = system.lookup(GATEWAY)
            assert gateway is not None
            answer = await gateway.ask(entry())
            assert answer.outcome == "accepted", answer
            await eventually(lambda: group_of(system) is not None and group_of(system).open_qty > 0, "the first layer")

            await server.push_book("BTCUSDT", "59699.00000000", "59699.50000000")
            await eventually(
                lambda: sum(leg.filled > 0 for leg in group_of(system).legs.values()) == 2, "the second layer"
            )

            await server.drop()
            await eventually(lambda: state_of(system) is FeedState.DOWN, "the feed says that it is down")
            await eventually(lambda: "btcusdt@bookTicker" in server.streams, "subscribed again")
            for bid, ask in (("59990.00000000", "59990.10000000"), ("60601.00000000", "60601.10000000")):
                await server.push_book("BTCUSDT", bid, ask)
            await eventually(lambda: group_of(system).state is GroupState.CLOSED, "all targets hit")
        return journal

    journal = asyncio.run(run())
    records = list(journal.read_all())
    check_no_order_twice(records)
    trades = trades_of(records)
    first = trades[0]
    assert (first[1], str(first[4])) == ("entry", "60000.10")
    assert {purpose for _, purpose, *_ in trades} == {"entry", "tp"}


def test_without_binance_the_rules_of_last_time_are_used(tmp_path: Path) -> None:
    """Instruments are kept: a start while Binance cannot be reached still knows every precision rule."""

    async def run() -> None:
        config = parse(CONFIG.format(folder=tmp_path), {})
        async with BinanceServer() as server:
            endpoints = Endpoints(server.rest_url, server.ws_url)
            first = await binance_market(config, endpoints)
        again = await binance_market(config, endpoints)
        assert again.instruments == first.instruments
        assert [each.symbol for each in again.instruments] == ["BTC/USDT"]

    asyncio.run(run())
