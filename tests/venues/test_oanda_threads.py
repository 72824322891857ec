"""OANDA's threads: one that hangs is cut and replaced, one that crashes says so, and the loop never waits for either."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import oandapyV20.oandapyV20
import pytest
from aiohttp import web
from urllib3.connection import HTTPConnection

from protocol.orders import OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import OrderSide, OrderType
from tests.servers.venues.faults import Fault
from tests.servers.venues.oanda import TOKEN, OandaServer
from tests.venues.manual_time import PATIENCE_S, ManualTime
from tests.venues.oanda_rig import OandaRig, access_to, coins, pairs, tools, trading
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, VenueDown, VenueError
from venues.oanda import OandaVenue
from venues.oanda.hands import LAST_WAIT_S, MAX_LOST, Crew, Roster, TookTooLong
from venues.oanda.line import ACT_S
from venues.oanda.wire import Endpoint, Wire, environment

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
EUR = "EUR/USD:USD"
NOWHERE = Access(account="acc", venue="oanda", url="http://127.0.0.1:9", account_id="1", secret=Secret(TOKEN))


def buys(number: int) -> OrderRequest:
    """Return a market order."""
    return OrderRequest(
        client_order_id=f"bhthread{number:04d}", symbol=EUR, side=OrderSide.BUY, type=OrderType.MARKET, qty=D(1000)
    )


@asynccontextmanager
async def still() -> AsyncIterator[tuple[OandaRig, ManualTime]]:
    """Run a server with a connected adapter whose time stands still."""
    time = ManualTime()
    async with trading(pairs(), Tools(time.now_ns, time.sleep, lambda: 0.0)) as rig:
        rig.server.hall.price(EUR, D("1.10000"), D("1.10010"))
        await rig.venue.connect(rig.heard)
        yield rig, time


async def test_a_call_that_hangs() -> None:
    """The venue takes an order and does not answer: the loop goes on, the thread is cut and replaced, the order unknown."""
    async with still() as (rig, time):
        rig.server.faults.latency_s = 3_600
        rig.server.faults.arm(Fault.LATENCY, 1, "orders")
        placing = asyncio.ensure_future(rig.venue.place(buys(1)))
        async with asyncio.timeout(PATIENCE_S):
            while not rig.server.faults.happened.get(Fault.LATENCY):
                await rig.venue.server_time()  # other calls are answered meanwhile
        await time.passes(ACT_S)
        with pytest.raises(NetworkTimeout):
            await placing
        assert rig.venue.connection.line.replaced == 1
        assert (await rig.venue.place(buys(2))).state is OrderState.FILLED
        assert (await rig.venue.query(buys(1).client_order_id, EUR)).state is OrderState.UNKNOWN


async def test_a_caller_that_gives_up() -> None:
    """A call that is cancelled from outside takes its thread with it: nothing of it goes on."""
    async with still() as (rig, _):
        rig.server.faults.latency_s = 3_600
        rig.server.faults.arm(Fault.LATENCY, 1, "orders")
        placing = asyncio.ensure_future(rig.venue.place(buys(1)))
        async with asyncio.timeout(PATIENCE_S):
            while not rig.server.faults.happened.get(Fault.LATENCY):
                await rig.venue.server_time()
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        assert rig.venue.connection.line.replaced == 1
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(buys(1))


async def test_a_thread_that_crashes() -> None:
    """Whatever a job raises comes back to its caller; the thread takes the next job."""
    roster = Roster("oanda", tools().sleep)
    crew = Crew("oanda", roster, lambda: Wire(NOWHERE), 1)

    def crash(_: Wire) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await crew.do(crash, 5)
    assert await crew.do(lambda _: threading.current_thread().daemon, 5)
    assert crew.replaced == 0
    await roster.disband()


async def test_threads_that_hang_for_good() -> None:
    """No more than a bounded number is left behind; when they have ended, work goes on."""
    time, release = ManualTime(), threading.Event()
    roster = Roster("oanda", time.sleep)
    crew = Crew("oanda", roster, lambda: Wire(NOWHERE), 1)
    for _ in range(MAX_LOST):
        hanging = asyncio.ensure_future(crew.do(lambda _: release.wait(), 5))
        await time.passes(5)
        with pytest.raises(TookTooLong):
            await hanging
    with pytest.raises(VenueDown, match="threads hang"):
        await crew.do(lambda _: True, 5)
    release.set()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*[each.gone for each in tuple(roster._hands)])
    assert await crew.do(lambda _: True, 5)
    ending = asyncio.ensure_future(roster.disband())
    await asyncio.wait({ending})
    assert LAST_WAIT_S < 1


async def test_a_connection_that_comes_about_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that hung while it connected, and was given up, sends nothing when it wakes."""
    async with trading(pairs()) as rig:
        wire = Wire(access_to(rig.server))
        connect = HTTPConnection._new_conn

        def late(self: HTTPConnection) -> Any:
            found = connect(self)
            wire.cut()
            return found

        monkeypatch.setattr(HTTPConnection, "_new_conn", late)
        with pytest.raises(OSError, match="cut"):
            await asyncio.to_thread(wire.call, Endpoint("POST", "v3/accounts/x/orders", data={"order": {}}))
        assert not wire.sent
        await asyncio.to_thread(wire.close)
        assert rig.server.requests == []


async def test_a_redirected_order_is_not_sent_again() -> None:
    """An answer that points elsewhere is no answer: the order is unknown, and goes nowhere else."""
    async with _Redirecting(pairs()) as server:
        rig = OandaRig(server, symbol=EUR)
        await rig.venue.connect(rig.heard)
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(buys(1))
        await rig.venue.close()
        assert len([each for each in server.requests if each.startswith("POST")]) == 1


class _Redirecting(OandaServer):
    """Sends orders elsewhere."""

    async def create(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": str(request.url)})


async def test_nobody_there() -> None:
    """A wrong address is a venue that is down, and nothing is left open."""
    venue = OandaVenue(NOWHERE, tools())
    with pytest.raises(VenueDown):
        await venue.connect(lambda _: None)
    assert not venue.connected
    with pytest.raises(VenueDown):
        await venue.place(buys(1))


def test_addresses() -> None:
    """The practice and live addresses are the library's; replaced ones are used for both."""
    assert environment(Access(account="a", venue="oanda", testnet=True)) == "practice"
    assert environment(Access(account="a", venue="oanda")) == "live"
    own = environment(Access(account="a", venue="oanda", url="http://one/", stream_url="http://two"))
    assert oandapyV20.oandapyV20.TRADING_ENVIRONMENTS[own] == {"api": "http://one", "stream": "http://two"}


async def test_the_token_is_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """After a session with errors of every kind the token is in no message, error, representation, log or address."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with trading(coins()) as rig:
        rig.server.hall.price("BTC/USDT:USDT", D(60_000), D(60_001))
        await rig.venue.connect(rig.heard)
        await rig.venue.subscribe(["BTC/USDT:USDT"])
        for fault in (Fault.TOO_MANY, Fault.SERVER_ERROR, Fault.MALFORMED, Fault.ANSWER_LOST, Fault.REQUEST_LOST):
            rig.server.faults.arm(fault, 1, "reads")
            try:
                await rig.venue.balances()
            except VenueError as error:
                said += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
        assert len(said) >= 8  # some befall what the adapter reads by itself
        rig.server.token = "another"
        with pytest.raises(VenueError) as refused:
            await rig.venue.balances()
        said += [repr(refused.value), repr(vars(rig.venue)), repr(vars(rig.venue.connection)), str(rig.server.requests)]
    said += [repr(each) for each in rig.heard.messages] + [each.getMessage() for each in caplog.records]
    assert not [each for each in said if TOKEN in each]
