"""What the ccxt adapter asks over REST: exact rules and candles, clock difference, refusals and rate limits."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise

import pytest

from protocol.instruments import PrecisionRules
from tests.servers import binance_payloads as payloads
from tests.venues.binance_rig import BinanceRig, open_binance
from tests.venues.manual_time import NS
from venues.ccxt_public import FeedPolicy, RateLimitMode, UnknownSymbol
from venues.errors import NetworkTimeout, PermissionDenied, RateLimited, VenueDown, VenueError

pytestmark = pytest.mark.anyio
BTC = "BTC/USDT"


async def test_rules_are_the_venues_filters(live: BinanceRig) -> None:
    """Tick, step, minimums and fees are the exact decimals of the venue, in both symbol forms (EX-501, EX-508)."""
    by_id = {item.venue_symbol: item for item in await live.source.instruments()}
    shib, btc = by_id["SHIBUSDT"], by_id["BTCUSDT"]
    assert shib.rules == PrecisionRules(Decimal("1E-8"), Decimal(1), Decimal(1), Decimal(1))
    assert (btc.symbol, btc.base, btc.quote) == ("BTC/USDT", "BTC", "USDT")
    assert str(btc.rules.step_size) == "0.00001"
    assert (btc.maker_fee, btc.taker_fee) == (Decimal("0.001"), Decimal("0.001"))


async def test_halted_markets_are_not_listed(live: BinanceRig) -> None:
    """A market that does not trade is no instrument."""
    assert "LUNAUSDT" in live.server.listings
    assert "LUNAUSDT" not in {item.venue_symbol for item in await live.source.instruments()}


async def test_unreadable_listing_is_left_out(rig: BinanceRig) -> None:
    """One market with impossible rules does not hide the others; it is counted."""
    rig.server.listings["ETHUSDT"]["filters"][0]["tickSize"] = "0.00000000"
    await rig.source.connect(rig.heard)
    symbols = {item.symbol for item in await rig.source.instruments()}
    assert BTC in symbols
    assert "ETH/USDT" not in symbols
    assert rig.source.counters.malformed == 1


async def test_candle_numbers_are_exact(live: BinanceRig) -> None:
    """Candles carry the venue's strings as decimals, with no binary noise."""
    start_s = 1_723_161_240 - 60
    (bar,) = await live.source.candles(BTC, "1m", start_s * NS, 1)
    row = payloads.kline(start_s * 1000, "1m")
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == tuple(map(Decimal, row[1:6]))


async def test_candles_are_paged(live: BinanceRig) -> None:
    """More candles than one answer holds are asked for page by page, each row once."""
    since = live.time.now_ns() - 2500 * 60 * NS
    bars = await live.source.candles(BTC, "1m", since, 2400)
    asked = [request.query["limit"] for request in live.server.requests if request.path == "klines"]
    assert asked == ["1000", "1000", "400"]
    assert all(later.at - earlier.at == 60 * NS for earlier, later in pairwise(bars))


async def test_finished_is_by_the_venues_clock(rig: BinanceRig) -> None:
    """With our clock ahead, the candle that still grows at the venue is not taken for finished."""
    rig.server.skew_ms = -90_000
    await rig.source.connect(rig.heard)
    bars = await rig.source.candles(BTC, "1m", rig.time.now_ns() - 600 * NS, 100)
    assert bars[-1].at + 60 * NS <= rig.server.now_ms * 1_000_000


@pytest.mark.parametrize("skew_ms", [-7_250, 0, 61_000])
async def test_skew(rig: BinanceRig, skew_ms: int) -> None:
    """The difference between the venue's clock and ours is measured at connect (EX-1106)."""
    rig.server.skew_ms = skew_ms
    await rig.source.connect(rig.heard)
    assert rig.source.clock_skew_ns == pytest.approx(skew_ms * 1_000_000, abs=1_000_000)
    rig.server.skew_ms = 0
    await rig.source.server_time()
    assert abs(rig.source.clock_skew_ns) <= 1_000_000


async def test_misspelt_symbol_names_near_ones(live: BinanceRig) -> None:
    """The error says which symbols were probably meant, also for the venue's own form."""
    with pytest.raises(UnknownSymbol) as refused:
        await live.source.subscribe(["BTCUSDT"])
    assert refused.value.near[0] == BTC


async def test_rate_limit_waits_as_told(live: BinanceRig) -> None:
    """429 with Retry-After: the request is sent again after exactly that wait, and others wait too (EX-1104)."""
    live.server.fail("time", 429, retry_after="7")
    limited = asyncio.create_task(live.source.server_time())
    await live.server.until(lambda: live.server.requests[-1].path == "time")
    before = len(live.server.requests)
    await live.time.passes(7)
    assert await limited == live.time.now_ns() // 1_000_000 * 1_000_000
    assert len(live.server.requests) == before + 1


async def test_rate_limit_without_a_wait(rig: BinanceRig) -> None:
    """429 without Retry-After: 1, 2, 4, 8 seconds, then the error."""
    await rig.source.connect(rig.heard)
    rig.server.fail("time", 429, times=5)
    limited = asyncio.create_task(rig.source.server_time())
    for wait_s in (1, 2, 4, 8):
        await rig.time.passes(wait_s)
    with pytest.raises(RateLimited):
        await limited


async def test_ban_is_not_waited_for(live: BinanceRig) -> None:
    """418 with a long Retry-After is answered at once, and nothing is sent while it lasts."""
    live.server.fail("time", 418, retry_after="3600")
    with pytest.raises(RateLimited) as banned:
        await live.source.server_time()
    assert banned.value.retry_after_s == 3600
    sent = len(live.server.requests)
    with pytest.raises(RateLimited):
        await live.source.candles(BTC, "1m", 0, 1)
    assert len(live.server.requests) == sent
    live.time.jump(3600)
    await live.source.server_time()


@pytest.mark.parametrize(
    "status, body, error",
    [
        (500, None, VenueDown),
        (503, "<html>maintenance</html>", VenueDown),
        (504, "", NetworkTimeout),
        (451, '{"code":0,"msg":"Service unavailable from a restricted location"}', PermissionDenied),
        (403, "<html>blocked</html>", VenueDown),
        (200, "<html>a hotel's welcome page</html>", VenueDown),
        (200, "{}", VenueDown),
        (200, "[1, 2]", VenueDown),
        (200, '{"serverTime": "soon"}', VenueDown),
    ],
)
async def test_refusals_are_typed(live: BinanceRig, status: int, body: str | None, error: type[Exception]) -> None:
    """Every way not to answer is one of our errors (EX-1104)."""
    live.server.fail("time", status, body=body)
    with pytest.raises(error):
        await live.source.server_time()


@pytest.mark.parametrize("body", ['{"code":-1121,"msg":"Invalid symbol."}', "[[]]", '[["x"]]', "{}", "[5]", "null"])
async def test_unreadable_candles(live: BinanceRig, body: str) -> None:
    """Candles that make no sense are an error or left out, never made up and never a crash."""
    live.server.fail("klines", 400 if "code" in body else 200, body=body)
    try:
        bars = await live.source.candles(BTC, "1m", live.time.now_ns() - 600 * NS, 5)
    except VenueError:
        return
    assert bars == ()


@pytest.mark.parametrize("mode", list(RateLimitMode))
async def test_rate_limit_modes(mode: RateLimitMode) -> None:
    """The local limiter uses all of the published limit, half of it, or is off (EX-1105)."""
    async with open_binance(FeedPolicy(rate_limit_mode=mode)) as rig:
        await rig.source.connect(rig.heard)
        exchange = rig.source._line._exchange
        units_a_minute = exchange.tokenBucket["refillRate"] * 60_000
        expected = {RateLimitMode.VENUE: 1200, RateLimitMode.CONSERVATIVE: 600, RateLimitMode.OFF: 1200}
        assert units_a_minute == pytest.approx(expected[mode])
        assert exchange.enableRateLimit is (mode is not RateLimitMode.OFF)
