"""The small rules of the cache: frames, health of a link, what waits, the process's own limits."""

from __future__ import annotations

import contextlib
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import MAX_MESSAGE_BYTES
from protocol.nodes import CacheState, FromNode, NodeFact, NodeLeft
from store.cache import keys
from store.cache.errors import BadFrame
from store.cache.frames import COMPRESS_FROM, frame, framed, unframed
from store.cache.health import LinkHealth, reconnect_delay_s
from store.cache.memory import MemoryCache
from store.cache.waiting import Waiting
from tests.actors.nodes import alive

HEALTHY, DEGRADED, RECONNECTING = CacheState.HEALTHY, CacheState.DEGRADED, CacheState.RECONNECTING


# --- frames ------------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=4_000) | st.text(max_size=4_000))
def test_frames_come_back(value: bytes | str) -> None:
    """DS-712: whatever is framed comes back, and a frame is never larger than codec byte and body."""
    data = framed(value)
    assert data is not None
    assert unframed(data, object) == value
    assert len(data) <= len(value if isinstance(value, bytes) else value.encode()) + 6


def test_compression_only_where_it_helps() -> None:
    """DS-712: tried from 1,024 bytes on, and used only when smaller."""
    assert frame(b"a" * (COMPRESS_FROM - 1))[:1] == b"\x00"
    assert frame(b"a" * COMPRESS_FROM)[:1] == b"\x01"
    assert frame(bytes(range(256)) * 4)[:1] == b"\x01"
    noise = hashlib.shake_256(b"noise").digest(2 * COMPRESS_FROM)
    assert frame(noise) == b"\x00" + noise


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02abc",
        b"\x00",
        b"\x01",
        b"\x01garbage",
        b"\x01" + zlib.compress(b"\xa1x")[:-2],
        b"\x01" + zlib.compress(b"\xa1x") + b"more",
        b"\x01" + zlib.compress(b"\xa1" * (MAX_MESSAGE_BYTES + 9)),
        b"\x00\xa1",
    ],
)
def test_bad_frames_are_refused(data: bytes) -> None:
    """DS-712: an empty frame, an unknown codec, a corrupt, cut or oversized body is BadFrame and nothing else."""
    with pytest.raises(BadFrame):
        unframed(data, str)


@given(st.binary(max_size=200))
def test_nothing_else_comes_out_of_garbage(data: bytes) -> None:
    """Whatever stands in a cache: it is read as the type or refused as BadFrame."""
    with contextlib.suppress(BadFrame):
        assert isinstance(unframed(b"\0" + data, FromNode), FromNode)


# --- health ------------------------------------------------------------------------------------------------------------

MS = 1_000_000


def test_three_failed_pings_are_a_lost_link() -> None:
    """DS-710: one or two failed pings change nothing, the third is RECONNECTING, and any answer ends it."""
    link = LinkHealth()
    assert link.state is RECONNECTING
    assert link.answered(MS) is HEALTHY
    assert [link.failed(), link.failed()] == [HEALTHY, HEALTHY]
    assert link.answered(MS) is HEALTHY
    assert [link.failed(), link.failed(), link.failed(), link.failed()] == [
        HEALTHY,
        HEALTHY,
        RECONNECTING,
        RECONNECTING,
    ]
    assert link.answered(MS) is HEALTHY


def test_a_slow_median_is_degraded() -> None:
    """DS-710: above 250 ms in the median of the last five pings; a single slow one is none."""
    link = LinkHealth()
    states = [link.answered(each * MS) for each in (1, 1, 900, 900, 250, 251, 251, 1, 1, 1)]
    assert states == [HEALTHY] * 5 + [DEGRADED] * 3 + [HEALTHY] * 2
    assert link.ping_ns == MS


def test_a_link_that_is_back_is_judged_anew() -> None:
    """How slow a server was before it was lost says nothing about the one that answers now."""
    link = LinkHealth()
    for _ in range(5):
        link.answered(900 * MS)
    assert link.state is DEGRADED
    for _ in range(3):
        link.failed()
    assert link.answered(MS) is HEALTHY


def test_delays_grow_to_half_a_minute() -> None:
    """DS-706: upper limits 0.5, 1, 2, 4, 8, 16, 30, 30 s, drawn evenly below, never under a tenth of a second."""
    assert [reconnect_delay_s(attempt, 1.0) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [reconnect_delay_s(attempt, 0.0) for attempt in (1, 4, 10_000)] == [0.1, 0.1, 0.1]
    assert reconnect_delay_s(4, 0.5) == 2.0


# --- what waits --------------------------------------------------------------------------------------------------------


def said(seq: int, *, informational: bool) -> FromNode:
    """Return a fact that may go first, or one that may not."""
    fact: NodeFact = alive("a") if informational else NodeLeft(1)
    return FromNode("c", "a", 1, seq, fact)


def test_too_many_facts_lose_the_oldest_informational_one() -> None:
    """DS-711: facts wait in order; beyond the limit the oldest informational goes, counted, and important ones last."""
    waiting = Waiting(limit=4)
    for seq, informational in enumerate([False, True, False, True, False, False, False], 1):
        waiting.add(said(seq, informational=informational))
    assert [each.seq for each in waiting.first(9)] == [3, 5, 6, 7]
    assert waiting.overflowed == 3
    waiting.sent(waiting.first(2))
    assert [each.seq for each in waiting.first(9)] == [6, 7]


# --- the process's own -------------------------------------------------------------------------------------------------


async def _fill(cache: MemoryCache) -> None:
    await cache.set("ends", 1, 5)
    await cache.set("old", 1)
    await cache.set("b", 1)


@pytest.mark.anyio
async def test_the_process_keeps_so_many_and_no_more() -> None:
    """Beyond the limit what has ended makes room, then what was written longest ago; that is counted."""
    now = [0]
    cache = MemoryCache(lambda: now[0], max_keys=3)
    await _fill(cache)
    now[0] = 6_000_000_000
    await cache.set("c", 1)
    assert await cache.get_many(["old", "b", "c"], int) == [1, 1, 1]
    assert cache.stats().dropped == 0
    await cache.set("old", 2)
    await cache.set("d", 1)
    assert await cache.get_many(["old", "b", "c", "d"], int) == [2, None, 1, 1]
    assert (len(cache), cache.stats().dropped) == (3, 1)


def test_the_layout_is_that_of_the_specification() -> None:
    """DK-251, RG-1201: names and times of the keys."""
    assert keys.chain_key("SPY", "2026-12-18") == "chain:SPY:2026-12-18"
    assert keys.bot_state_key("b1") == "bot:state:b1"
    assert keys.breaker_key("live", "day") == "circuit_breaker:live:day"
    assert keys.prompt_key("p1") == "prompt:p1"
    assert keys.order_lock("b1") == "locks:order:b1"
    assert keys.quote_key("paper", "BTC/USDT") == "quotes:paper:BTC/USDT"
    regimes = (keys.REGIME_MACRO, keys.REGIME_FX, keys.REGIME_CRYPTO, keys.REGIME_CORRELATION, keys.REGIME_PRESSURE)
    assert regimes == (
        *("regime:macro:current", "regime:fx:current", "regime:crypto:current"),
        *("regime:correlation", "regime:pressure"),
    )
    assert keys.REGIME_HURST == "regime:hurst"
    assert (keys.QUOTE_TTL_S, keys.REGIME_TTL_S) == (120, 604_800)
