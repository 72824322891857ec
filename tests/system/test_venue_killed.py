"""A broker's session, or the thread it calls through, is killed in the middle of a chain request: nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.session import VenueSession, market_topic
from protocol.market import PriceTick
from protocol.orders import Balance
from protocol.venue import VenueHealth, VenueStatus
from runtime.actor import Actor, handles
from runtime.clock import WallClock
from runtime.metrics import BUCKETS, quantile_ns
from service.config import parse
from supervision.child import ChildSpec
from tests.actors.cast import Broken
from tests.servers.venues.oanda import OandaServer
from tests.servers.venues.tws import TwsVenue
from tests.system.running import House, alert, eventually, house_at_venues
from tests.venues.ibkr_rig import gateway
from tests.venues.oanda_rig import access_to, coins
from tests.venues.test_paper_venue import instruments
from venues.access import Access, Tools
from venues.contract import Venue
from venues.errors import VenueError
from venues.known import make_venue
from venues.paper.config import PaperConfig
from venues.practice.adapter import PracticeVenue
from venues.practice.server import PracticeServer

pytestmark = pytest.mark.slow

D = Decimal
NOW = WallClock().now
SYMBOL = "BTC/USDT"
EXPIRATION = "2025-12-19"
GROUPS = 3
LOOK_S = 1.5
PACE_S = 0.004
STALL_MS = 250.0
"""Ours share their loop with the brokers: had a kill held it up for longer than this, the slowest prices would show it."""
BACK_S = 10.0
"""The session's first waits, 0.1 s and 1 s, and a connection."""

CONFIG = """
[app]
data_dir = "{folder}"
[webhook]
port = 0
[execution_pool]
max_open_groups = 100
[[accounts]]
name = "acc"
venue = "practice"
exchange = "binance"
[[accounts]]
name = "ib"
venue = "practice"
exchange = "ibkr"
[[accounts]]
name = "fx"
venue = "practice"
exchange = "oanda"
"""


class Ear(Actor):
    """Notes how long each price of the crypto venue was under way, ms."""

    def __init__(self, lags: list[float]) -> None:
        self._lags = lags

    def started(self) -> None:
        self.context.bus.subscribe(market_topic("acc", SYMBOL), self.ref)

    @handles
    def price(self, msg: PriceTick) -> None:
        self._lags.append((NOW() - msg.at) / 1e6)


class Look:
    """What the crypto groups were like for a while: p99 of their handle times (ns), p99 of the prices' way (ms)."""

    def __init__(self, handle_ns: int, lag_ms: float, heard: int) -> None:
        self.handle_ns = handle_ns
        self.lag_ms = lag_ms
        self.heard = heard


class Rig:
    """A house with groups at a crypto venue whose prices do not rest, and two brokers beside it."""

    def __init__(self, house: House, tws: TwsVenue, lags: list[float]) -> None:
        self.house = house
        self.tws = tws
        self._lags = lags

    def session(self, account: str) -> VenueSession:
        """Return the present life of an account's session."""
        found: VenueSession = self.house.actor(f"/venues/{account}/session")
        return found

    def adapter(self, account: str) -> Any:
        """Return the adapter of an account that is connected."""
        link = self.session(account)._link
        assert link is not None
        return link.venue

    def up(self, account: str) -> bool:
        """Whether an account is connected."""
        health: VenueHealth | None = self.house.system.bus.kept(f"health:{account}")
        return health is not None and health.status is VenueStatus.UP and self.session(account)._link is not None

    async def look(self) -> Look:
        """Watch the groups for a while."""
        before = self._handle_times()
        self._lags.clear()
        await asyncio.sleep(LOOK_S)  # house: what is measured takes time on the wall clock
        times = [after - first for after, first in zip(self._handle_times(), before, strict=True)]
        lags = sorted(self._lags)
        assert len(lags) > 50, "prices flow"
        return Look(quantile_ns(times, 0.99), lags[int(0.99 * len(lags))], len(lags))

    def _handle_times(self) -> list[int]:
        cells = [self.house.cell(path) for path in self.house.groups()]
        assert len(cells) == GROUPS
        return [sum(cell.histogram[bucket] for cell in cells) for bucket in range(BUCKETS + 1)]


@asynccontextmanager
async def trading(folder: Path) -> AsyncIterator[Rig]:
    """Run everything: three venues on real sockets, three accounts, three groups."""
    practice = PracticeServer("acc", PaperConfig(balances=(Balance("USDT", D(100_000)),)), instruments(), now=NOW)
    await practice.start()
    lags: list[float] = []
    try:
        async with gateway() as tws, OandaServer(coins()) as oanda:
            tws.hall.price("AAPL/USD", D("199.99"), D("200.01"))
            for each in oanda.hall.instruments():
                oanda.hall.price(each, D(100), D(101))
            practice.exchange.tick(PriceTick(SYMBOL, NOW(), D(100), D("100.01"), D(100)))
            reach = Access(account="ib", venue="ibkr", port=tws.port, symbols=("AAPL/USD",))
            tools = Tools(NOW, asyncio.sleep, lambda: 0.5)  # house: an adapter waits on the wall clock
            makes: dict[str, Callable[[], Venue]] = {
                "acc": partial(PracticeVenue, practice.url, account="acc", name="binance", now=NOW),
                "ib": lambda: make_venue(reach, tools),
                "fx": lambda: make_venue(access_to(oanda), tools),
            }
            config = parse(CONFIG.format(folder=folder), {})
            ear = ChildSpec("ear", partial(Ear, lags))
            async with house_at_venues(config, makes, tag="kill", operators=[ear]) as house:
                rig = Rig(house, tws, lags)
                for account in makes:
                    await eventually(partial(rig.up, account), f"{account} is connected")
                for timeframe in ("1", "3", "5")[:GROUPS]:
                    status, said = await house.post(_entry(timeframe))
                    assert status == 200, said
                await eventually(lambda: len(house.groups()) == GROUPS, "the groups are open")
                ticking = asyncio.create_task(_tick(practice))
                try:
                    await rig.look()  # the first look warms everything up
                    yield rig
                finally:
                    ticking.cancel()
    finally:
        await practice.stop()


def _entry(timeframe: str) -> bytes:
    document = msgspec.json.decode(alert(SYMBOL, price=D(100), trade_id=timeframe, at=NOW(), timeframe=timeframe))
    document["tv"] |= {"exchange": "BINANCE", "symbol": SYMBOL}
    return msgspec.json.encode(document)


async def _tick(practice: PracticeServer) -> None:
    """Move the crypto market a little, all the time."""
    number = 0
    while True:
        number += 1
        bid = D(100) + D(number % 7) / 100
        practice.exchange.tick(PriceTick(SYMBOL, NOW(), bid, bid + D("0.01"), bid))
        await asyncio.sleep(PACE_S)  # house: the pace of a market on the wall clock


async def _killed_in_a_chain(rig: Rig, account: str, kill: Callable[[], Awaitable[None]]) -> tuple[Look, Any]:
    """Kill something of an account while a chain request is in flight; return what the groups were like, and the answer."""
    tws = rig.tws
    tws.held = asyncio.Event()
    tws.holding.clear()
    asking = asyncio.ensure_future(rig.adapter("ib").chain("AAPL/USD", EXPIRATION, strikes=10))
    async with asyncio.timeout(BACK_S):
        await tws.holding.wait()
    assert not asking.done()
    looking = asyncio.create_task(rig.look())
    await kill()
    tws.held.set()
    tws.held = None
    async with asyncio.timeout(BACK_S):
        answer: Any = (await asyncio.gather(asking, return_exceptions=True))[0]
        while not rig.up(account):  # noqa: ASYNC110 - the session says it on the bus, once for all
            await asyncio.sleep(0.01)  # house: sockets and threads have no clock of ours
    return await looking, answer


def _unmoved(calm: Look, struck: Look) -> None:
    """The p99 of handle times stays in its place (a histogram's step is a doubling), and no price waited for a kill."""
    assert struck.handle_ns <= 4 * calm.handle_ns, (struck.handle_ns, calm.handle_ns)
    assert struck.lag_ms <= calm.lag_ms + STALL_MS, (struck.lag_ms, calm.lag_ms)


def test_the_session_of_a_broker_is_killed_in_a_chain_request(tmp_path: Path) -> None:
    """The request fails clearly, the session is back within its backoff and answers the same request, the groups go on."""

    async def script() -> None:
        async with trading(tmp_path) as rig:
            calm = await rig.look()

            async def kill() -> None:
                rig.house.cell("/venues/ib/session").crash(Broken("killed in a chain request"), None)
                await eventually(lambda: not rig.up("ib"), "the session is gone")

            struck, answer = await _killed_in_a_chain(rig, "ib", kill)
            assert isinstance(answer, VenueError), answer
            _unmoved(calm, struck)
            chain = await rig.adapter("ib").chain("AAPL/USD", EXPIRATION, strikes=2)
            assert chain.contracts
            assert all(rig.house.cell(f"/venues/{each}/session").incarnation == 1 for each in ("acc", "fx"))

    asyncio.run(script())


def test_the_threads_of_a_broker_are_killed_in_a_chain_request(tmp_path: Path) -> None:
    """OANDA's pykka threads end while IBKR answers a chain: that chain is whole, OANDA has new ones, the groups go on."""

    async def script() -> None:
        async with trading(tmp_path) as rig:
            calm = await rig.look()
            line = rig.adapter("fx").connection.line

            async def kill() -> None:
                for crew in (line._askers, line._actors):
                    for hand in crew._idle:
                        hand._worker.stop(block=True)
                rig.house.system.tell("/venues/fx/reconciler", _reconcile())

            struck, answer = await _killed_in_a_chain(rig, "fx", kill)
            assert not isinstance(answer, BaseException), answer
            assert answer.contracts
            _unmoved(calm, struck)
            await eventually(partial(rig.up, "fx"), "OANDA is back")
            assert await rig.adapter("fx").balances()
            assert all(rig.house.cell(f"/venues/{each}/session").incarnation == 1 for each in ("acc", "ib"))

    asyncio.run(script())


def _reconcile() -> Any:
    from protocol.venue import ReconcileNow

    return ReconcileNow()
