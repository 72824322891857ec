"""How the ccxt adapter begins and ends: failed connects, nothing left behind, cheap import, quiet probe."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.market import Bar
from tests.venues.binance_rig import POLICY, BinanceRig, open_binance
from venues.ccxt_public import probe
from venues.errors import VenueDown

pytestmark = pytest.mark.anyio
BTC = "BTC/USDT"


@pytest.mark.parametrize("path", ["exchangeInfo", "time"])
async def test_failed_connect_leaves_nothing(rig: BinanceRig, path: str) -> None:
    """After a refused connect nothing is open, the sink heard nothing, and connecting again works."""
    rig.server.fail(path, 500)
    with pytest.raises(VenueDown):
        await rig.source.connect(rig.heard)
    assert rig.heard.messages == []
    with pytest.raises(VenueDown):
        await rig.source.instruments()
    await rig.source.connect(rig.heard)


async def test_nobody_there(rig: BinanceRig) -> None:
    """Without a server connect says VenueDown."""
    await rig.server.stop()
    with pytest.raises(VenueDown):
        await rig.source.connect(rig.heard)


@pytest.mark.slow
async def test_close_leaves_nothing() -> None:
    """No task, session or socket survives close, whatever was going on; warnings are errors here."""
    async with open_binance() as rig:
        before = asyncio.all_tasks()
        await rig.source.connect(rig.heard)
        await rig.source.subscribe([BTC, "ETH/USDT"])
        await rig.subscribed(BTC)
        rig.server.fail("klines", 429, retry_after="60")
        await rig.candle(1_723_161_180)
        await rig.heard.one(Bar)
        rig.time.jump(300)
        await rig.candle(1_723_161_480)
        await rig.server.until(lambda: rig.server.requests[-1].path == "klines")
        await rig.source.close()
        await rig.server.until(lambda: not rig.server.sockets)
        ours = {task for task in asyncio.all_tasks() - before if "aiohttp/web" not in repr(task.get_coro())}
        assert {task for task in ours if "RequestHandler" not in repr(task)} == set()
    gc.collect()


async def test_close_while_nobody_answers(rig: BinanceRig) -> None:
    """Closing while connecting to a dead stream ends, and ends the connection."""
    rig.server.deaf = True
    await rig.source.connect(rig.heard)
    await rig.source.subscribe([BTC])
    await rig.server.until(lambda: rig.server.opened == 1)
    closing = asyncio.create_task(rig.source.close())
    await rig.time.passes(POLICY.hang_up_s)
    await closing


# --- probe ---


async def test_probe_finds_the_venue(rig: BinanceRig) -> None:
    """A venue that answers its ping is reachable."""
    assert await probe(rest_url=rig.server.rest_url)


@pytest.mark.parametrize(
    "status, body", [(200, "<html>welcome to the hotel</html>"), (451, "{}"), (302, ""), (200, "")]
)
async def test_probe_is_not_fooled(rig: BinanceRig, status: int, body: str) -> None:
    """A captive portal or a refused country is not the venue."""
    rig.server.fail("ping", status, body=body)
    found = await probe(rest_url=rig.server.rest_url)
    assert not found
    assert str(status) in found.detail


async def test_probe_without_a_network(rig: BinanceRig, caplog: pytest.LogCaptureFixture) -> None:
    """No server, no such host, no sense in the address: unreachable, said in words, nothing logged, nothing raised."""
    await rig.server.stop()
    for url in (rig.server.rest_url, "http://nobody.invalid/api/v3", "http://[::1", "nonsense"):
        found = await probe(2.0, rest_url=url)
        assert not found
        assert found.detail
    assert caplog.records == []


async def test_probe_gives_up_in_time() -> None:
    """A host that accepts and never answers costs the timeout, not more."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, asyncio.timeout(60):
        found = await probe(0.2, rest_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v3")
    assert found == (False, "no answer within 0.2 s")


# --- import ---

IMPORT = """
import sys
from venues.ccxt_public import probe
assert "ccxt" not in sys.modules, "importing the adapter must not import ccxt"
from venues.ccxt_public.library import load
library, other = load(), load("bybit")
assert "ccxt.pro.okx" not in sys.modules and "ccxt.async_support.okx" not in sys.modules
assert "ccxt.kraken" not in sys.modules, "two exchanges, not a hundred"
import ccxt, ccxt.pro, ccxt.async_support
assert ccxt.pro.binance is library.exchange and ccxt.pro.bybit is other.exchange
assert issubclass(library.exchange, ccxt.async_support.binance)
assert ccxt.NetworkError is library.errors.NetworkError
assert ccxt.kraken().id == "kraken" and ccxt.__version__ and "okx" in ccxt.exchanges
assert ccxt.pro.binance is library.exchange and issubclass(ccxt.pro.kraken, ccxt.async_support.kraken)
assert load() == library
"""

STRANGE = """
import sys, types
from venues.ccxt_public import library
library._import_lightly = lambda name: (_ for _ in ()).throw(AttributeError("another layout"))
assert library.load().exchange is sys.modules["ccxt.pro"].binance
"""


@pytest.mark.parametrize("program", [IMPORT, STRANGE], ids=["light", "fallback"])
def test_import_is_light_and_hides_nothing(program: str) -> None:
    """Only the exchanges asked for are imported, and the rest of ccxt still works for others in the process."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
