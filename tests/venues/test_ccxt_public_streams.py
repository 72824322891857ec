"""What the streams of the ccxt adapter do beyond the contract: exact quotes, missed bars, silence, hostile frames."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from protocol.market import Bar, FeedState, FeedStatus, PriceTick
from tests.servers import binance_payloads as payloads
from tests.venues.binance_rig import POLICY, BinanceRig
from tests.venues.manual_time import NS

pytestmark = pytest.mark.anyio
BTC = "BTC/USDT"


async def test_recorded_hour_of_quotes(live: BinanceRig) -> None:
    """Recorded book events come out as the same decimals in the same order."""
    if not payloads.CAPTURE.exists():
        pytest.skip("the recorded Binance capture is not here")
    events = list(payloads.captured("btcusdt@bookTicker", 400))
    await live.quote(BTC, "1.00", "2.00")
    await live.heard.one(PriceTick, bid=Decimal(1))
    live.heard.forget()
    for event in events:
        await live.server.push("btcusdt@bookTicker", event)
    await live.quote(BTC, "3.00", "4.00")
    await live.heard.one(PriceTick, bid=Decimal(3))
    published = [(Decimal(event["b"]), Decimal(event["a"])) for event in events]
    changes = [new for old, new in pairwise([(0, 0), *published]) if new != old]
    assert [(tick.bid, tick.ask) for tick in live.heard.of(PriceTick)[:-1]] == changes


async def test_last_price_follows_candles(live: BinanceRig) -> None:
    """The last price of a tick is the close of the growing candle; half of a quote is never made up."""
    await live.candle(1_723_161_240, closed=False)
    close = Decimal(payloads.kline(1_723_161_240_000, "1m")[4])
    await live.heard.one(PriceTick, last=close, bid=Decimal("60000.10"))
    assert live.heard.of(Bar) == []


async def test_finished_candle_is_a_bar(live: BinanceRig) -> None:
    """A finished candle is told once, with its start as instant."""
    await live.candle(1_723_161_240)
    await live.candle(1_723_161_240)
    await live.candle(1_723_161_300)
    await live.heard.one(Bar, at=1_723_161_300 * NS)
    assert [bar.at // NS for bar in live.heard.of(Bar)] == [1_723_161_240, 1_723_161_300]


async def test_missed_bars_are_fetched(live: BinanceRig) -> None:
    """Bars that closed while the connection was away are fetched and told in order before the newer one."""
    await live.candle(1_723_161_180)
    await live.heard.one(Bar)
    live.time.jump(300)
    await live.candle(1_723_161_480)
    await live.heard.one(Bar, at=1_723_161_480 * NS)
    assert [bar.at // NS for bar in live.heard.of(Bar)] == list(range(1_723_161_180, 1_723_161_481, 60))


async def test_missed_bars_that_cannot_be_had(live: BinanceRig) -> None:
    """When the missing bars cannot be fetched the newer one is told all the same, and the gap is reported."""
    await live.candle(1_723_161_180)
    await live.heard.one(Bar)
    live.server.fail("klines", 500)
    live.time.jump(300)
    await live.candle(1_723_161_480)
    await live.heard.one(Bar, at=1_723_161_480 * NS)
    assert [bar.at // NS for bar in live.heard.of(Bar)] == [1_723_161_180, 1_723_161_480]
    assert any("missing" in status.detail for status in live.heard.of(FeedStatus))


async def test_quiet_symbol_degrades_nothing(live: BinanceRig) -> None:
    """One quiet symbol among live ones is resubscribed; the feed stays live and says which it was."""
    await live.source.subscribe(["ETH/USDT"])
    await live.subscribed("ETH/USDT")
    for count in range(4):
        await live.time.passes(POLICY.data_deadline_s)
        await live.quote(BTC, f"6000{count}.50", "60010.00")
        await live.heard.one(PriceTick, bid=Decimal(f"6000{count}.50"))
    await live.server.until(lambda: {"method": "UNSUBSCRIBE", "params": ["ethusdt@bookTicker", "ethusdt@kline_1m"],
                                     "id": 5} in live.server.frames)  # fmt: skip
    assert "ETH/USDT" in (await live.heard.one(FeedStatus)).detail
    assert live.heard.of(FeedStatus, state=FeedState.DEGRADED) == []


async def test_mute_resubscribes_then_reconnects(live: BinanceRig) -> None:
    """The first deadline renews the subscription on the same connection, the second opens another connection."""
    live.mute(True)
    await live.deadline()
    await live.server.until(
        lambda: [frame["method"] for frame in live.server.frames[-2:]] == ["UNSUBSCRIBE", "SUBSCRIBE"]
    )
    assert live.server.opened == 1
    await live.deadline()
    await live.retried()
    await live.server.until(lambda: live.server.opened == 2)
    assert live.source.counters.resubscriptions == 1
    assert live.source.counters.connections == 2


async def test_dead_peer_is_cut_off(rig: BinanceRig) -> None:
    """A peer that does not even answer a goodbye holds up the next connection for two seconds, not more."""
    rig.server.deaf = True
    await rig.source.connect(rig.heard)
    await rig.source.subscribe([BTC])
    await rig.server.until(lambda: rig.server.opened == 1)
    await rig.deadline()
    await rig.heard.state(FeedState.DEGRADED)
    await rig.deadline()
    rig.server.deaf = False
    await rig.time.passes(POLICY.hang_up_s)
    await rig.retried()
    await rig.subscribed(BTC)
    await rig.quote(BTC, "60000.10", "60000.20")
    await rig.heard.state(FeedState.LIVE)


async def test_backoff_doubles(live: BinanceRig) -> None:
    """Refused connections are retried after 1, 2, 4 seconds, and from the beginning once data came."""
    live.server.refuse_sockets = 3
    await live.cut()
    for number, wait_s in enumerate((1, 2, 4), 1):
        await live.time.passes(wait_s)
        await live.server.until(lambda number=number: live.server.refused == number)
    await live.time.passes(8)
    await live.subscribed(BTC)
    await live.quote(BTC, "60000.30", "60000.40")
    await live.heard.state(FeedState.LIVE)
    await live.cut()
    await live.time.passes(1)
    await live.server.until(lambda: live.server.opened == 3)


async def test_refused_socket_waits_as_told(live: BinanceRig) -> None:
    """A refusal that says when to come back is obeyed once, then the ordinary backoff goes on."""
    live.server.refuse_sockets, live.server.refuse_for_s = 1, "45"
    await live.cut()
    await live.time.passes(1)
    await live.time.passes(45)
    await live.server.until(lambda: live.server.opened == 2)
    await live.cut()
    await live.time.passes(4)
    await live.server.until(lambda: live.server.opened == 3)


@pytest.mark.parametrize("code", [1000, 1001, 1012])
async def test_polite_disconnects(live: BinanceRig, code: int) -> None:
    """A connection that the venue closes with a frame (its daily disconnect) is renewed as well."""
    await live.server.drop(code=code)
    await live.heard.state(FeedState.DOWN)
    await live.retried()
    await live.server.until(lambda: live.server.opened == 2)


async def test_pings_are_answered(live: BinanceRig) -> None:
    """The venue's ping frames get their pong, or Binance would disconnect."""
    await live.server.ping()
    await live.server.until(lambda: live.server.sockets[0].pongs == 1)


GARBAGE = (
    "{garbage", "nonsense", "[]", "[1]", "null", "12", '"text"', "{}", '{"foo": 1}', '{"e": "kline"}', '{"e": 5}',
    '{"e": "kline", "s": "BTCUSDT", "k": null}', '{"u": 1, "s": "BTCUSDT", "b": "NaN", "a": "2"}',
    '{"u": 1, "s": "BTCUSDT", "b": "-1", "a": "2"}', '{"u": 1, "s": "BTCUSDT", "b": "3", "a": "2"}',
    '{"u": 1, "s": "BTCUSDT", "b": 1.1, "a": 2.2}', '{"u": 1, "s": "NOSUCH", "b": "1", "a": "2"}',
    '{"e": "kline", "s": "BTCUSDT", "k": {"i": "5m", "t": 0, "o": "1", "h": "1", "l": "1", "c": "1", "v": "1"}}',
    '{"e": "kline", "s": "BTCUSDT", "k": {"i": "1m", "t": 7, "o": "1", "h": "1", "l": "1", "c": "1", "v": "1"}}',
    '{"e": "kline", "s": "BTCUSDT", "k": {"i": "1m", "t": 0, "o": "1", "h": "1", "l": "2", "c": "1", "v": "1"}}',
    "[" * 5000, '{"e": "depthUpdate", "s": 1}',
)  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_never_deafens(live: BinanceRig, text: str) -> None:
    """A frame that cannot be right is counted and reported; the next good one is heard on the same connection."""
    await live.server.push_text(text)
    await live.quote(BTC, "60000.50", "60000.60")
    await live.heard.one(PriceTick, bid=Decimal("60000.50"), ask=Decimal("60000.60"))
    assert live.server.opened == 1
    assert live.source.counters.malformed == 1
    assert "unreadable" in live.heard.of(FeedStatus)[0].detail
    assert len(live.heard.of(PriceTick)) == 1


async def test_binary_garbage(live: BinanceRig) -> None:
    """Bytes that are no text are counted like any other garbage."""
    await live.server.push_bytes(b"\xff\xfe\x00")
    await live.quote(BTC, "60000.50", "60000.60")
    await live.heard.one(PriceTick, bid=Decimal("60000.50"))
    assert live.source.counters.malformed == 1


async def test_garbage_flood_is_a_trickle_of_reports(live: BinanceRig) -> None:
    """Of 100 unreadable frames the 1st, 2nd, 4th, ... 64th are reported."""
    for _ in range(100):
        await live.server.push_text("{garbage")
    await live.quote(BTC, "60000.50", "60000.60")
    await live.heard.one(PriceTick, bid=Decimal("60000.50"))
    assert live.source.counters.malformed == 100
    assert len(live.heard.of(FeedStatus)) == 7


async def test_refused_subscription_is_retried(live: BinanceRig) -> None:
    """An error frame for our subscription takes the connection down with the venue's words, and it is renewed."""
    await live.server.push_text('{"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": 1}')
    assert "invalid stream" in (await live.heard.state(FeedState.DOWN)).detail
    await live.retried()
    await live.server.until(lambda: live.server.opened == 2)
