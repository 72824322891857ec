"""Through the whole house: one account executes, the prices of another count (PF-230, PF-231)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from actors.session import market_topic
from protocol.market import PriceTick
from protocol.orders import Balance
from protocol.venue import VenueStatus
from protocol.webhook import NewestPrice
from runtime.clock import WallClock
from service.config import parse
from tests.system.running import House, alert, eventually, house_at_venues
from tests.venues.test_paper_venue import instruments
from venues.paper.config import PaperConfig
from venues.practice.adapter import PracticeVenue
from venues.practice.server import PracticeServer

pytestmark = pytest.mark.slow

D = Decimal
NOW = WallClock().now
SYMBOL = "BTC/USDT"
CONFIG = """
[app]
data_dir = "{folder}"
[webhook]
port = 0
[[accounts]]
name = "quotes"
venue = "practice"
exchange = "okx"
[[accounts]]
name = "main"
venue = "practice"
exchange = "binance"
data = "quotes"
"""


def tick(price: int) -> PriceTick:
    """Return a quote of now."""
    return PriceTick(SYMBOL, NOW(), D(price), D(price) + D("0.01"), D(price))


def test_an_entry_waits_for_the_prices_that_count_and_is_judged_by_them(tmp_path: Path) -> None:
    """While the data account tells nothing an entry stays at the desk; its first quote lets it leave, at its prices."""

    async def script() -> None:
        async with AsyncExitStack() as stack:
            servers = {}
            for name in ("quotes", "main"):
                config = PaperConfig(balances=(Balance("USDT", D(100_000)),))
                servers[name] = server = PracticeServer(name, config, instruments(), now=NOW)
                await server.start()
                stack.push_async_callback(server.stop)
            servers["main"].exchange.tick(tick(300))
            makes = {
                "quotes": partial(PracticeVenue, servers["quotes"].url, account="quotes", name="okx", now=NOW),
                "main": partial(PracticeVenue, servers["main"].url, account="main", name="binance", now=NOW),
            }
            house = await stack.enter_async_context(
                house_at_venues(parse(CONFIG.format(folder=tmp_path), {}), makes, tag="data")
            )
            await _plays(house, servers)

    asyncio.run(script())


async def _plays(house: House, servers: dict[str, PracticeServer]) -> None:
    bus = house.system.bus
    for name in servers:
        await eventually(partial(_up, house, name), f"{name} is compared")
    status, said = await house.post(alert(SYMBOL, price=D(100), trade_id="one", at=NOW()))
    assert status == 200, said
    desk = house.actor("/venues/main/desk")
    await eventually(lambda: desk._hold.sent, "the session has kept the entry back")
    assert bus.kept(market_topic("main", SYMBOL)) is None, "the executing venue's own price counts for nothing"
    assert not servers["main"].exchange.engine.open_orders(NOW())
    servers["quotes"].exchange.tick(tick(101))
    await eventually(lambda: servers["main"].exchange.engine.open_orders(NOW()), "the entry has left")
    session = house.system.lookup("/venues/main/session")
    assert session is not None
    newest = (await session.ask(NewestPrice(SYMBOL), 5.0)).tick
    assert newest is not None
    assert newest.bid == D(101)


def _up(house: House, account: str) -> bool:
    health = house.system.bus.kept(f"health:{account}")
    return getattr(health, "status", None) is VenueStatus.UP and house.actor(f"/venues/{account}/reconciler")._done > 0
