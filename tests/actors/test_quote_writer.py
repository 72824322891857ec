"""Quotes in the cache: the newest of each symbol, now and then, at no price for those who trade."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from actors.quote_writer import Quoted, QuoteWriter
from actors.session_topics import market_topic
from protocol.market import PriceTick
from protocol.nodes import Quote
from store.cache.memory import MemoryCache
from tests.actors.cast import D, Stage, play

ACCOUNTS = {"paper": Quoted("SYNTHETIC", ("BTC/USDT", "ETH/USDT")), "live": Quoted("binance", ("BTC/USDT",))}


class Counting(MemoryCache):
    """Counts writes, and holds them up while a test says so."""

    def __init__(self, now: Any) -> None:
        super().__init__(now)
        self.batches: list[list[str]] = []
        self.gate: asyncio.Event | None = None

    async def set_many(self, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        self.batches.append(sorted(values))
        if self.gate is not None:
            await self.gate.wait()
        return await super().set_many(values, ttl_s)


def tick(stage: Stage, account: str, symbol: str, last: int) -> None:
    """Publish a price as an account's session does."""
    stage.system.bus.publish(
        market_topic(account, symbol), PriceTick(symbol, stage.now, D(last), D(last + 1), D(last)), keep=True
    )


def writer(stage: Stage) -> Counting:
    """Start a writer; return its cache."""
    cache = Counting(stage.system.clock.now)
    stage.add("quotes", lambda: QuoteWriter(cache, ACCOUNTS))
    return cache


def test_the_newest_of_many_is_written_once() -> None:
    """Of a thousand ticks in a second one is written, under account and symbol, with its source; it ends after 120 s."""

    async def script(stage: Stage) -> None:
        cache = writer(stage)
        for number in range(1_000):
            tick(stage, "paper", "BTC/USDT", number + 1)
        tick(stage, "live", "BTC/USDT", 7)
        at = stage.now
        await stage.passes(1.5)
        assert cache.batches == [["quotes:live:BTC/USDT", "quotes:paper:BTC/USDT"]]
        assert cache.read("quotes:paper:BTC/USDT", Quote) == Quote("SYNTHETIC", at, D(1_000), D(1_001), D(1_000))
        assert cache.read("quotes:live:BTC/USDT", Quote) == Quote("binance", at, D(7), D(8), D(7))
        assert stage.actor("quotes").detail.startswith("2 symbols, 2 quotes written")
        handled = stage.system.cell_of("/house/quotes")
        assert handled is not None
        assert handled.handled == 2, "ticks are no messages to it"
        await stage.passes(121)
        assert cache.read("quotes:paper:BTC/USDT", Quote) is None

    play(script)


def test_what_has_not_changed_is_not_written_again() -> None:
    """DK-251: a quote that stands still ends; only a new one is written."""

    async def script(stage: Stage) -> None:
        cache = writer(stage)
        tick(stage, "paper", "BTC/USDT", 1)
        await stage.passes(10)
        assert len(cache.batches) == 1
        tick(stage, "paper", "ETH/USDT", 2)
        await stage.passes(10)
        assert cache.batches[1:] == [["quotes:paper:ETH/USDT"]]

    play(script)


def test_a_slow_cache_is_waited_for_by_nobody() -> None:
    """While a write is under way further ones pass; afterwards the newest of what came meanwhile is written in one."""

    async def script(stage: Stage) -> None:
        cache = writer(stage)
        cache.gate = asyncio.Event()
        tick(stage, "paper", "BTC/USDT", 1)
        # The clock would wait for what is under way: time goes on by the test's own hand.
        stage.tell("quotes", *_due(3))
        await asyncio.sleep(0)  # house: lets the write begin
        await asyncio.sleep(0)  # house: lets the write begin
        tick(stage, "paper", "BTC/USDT", 2)
        tick(stage, "paper", "BTC/USDT", 3)
        stage.tell("quotes", *_due(3))
        await asyncio.sleep(0)  # house: lets the messages be handled
        assert len(cache.batches) == 1
        cache.gate.set()
        await stage.passes(1.5)
        assert len(cache.batches) == 2
        found = cache.read("quotes:paper:BTC/USDT", Quote)
        assert found is not None
        assert found.last == 3

    play(script)


def _due(times: int) -> list[Any]:
    from actors.quote_writer import _Due

    return [_Due()] * times
