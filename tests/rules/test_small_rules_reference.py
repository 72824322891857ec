"""Small pure functions against second tellings: rules of a market, slippage, masks, keys, segments of the log."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import SlippageAction
from protocol.instruments import PrecisionRules
from protocol.signals import PrecisionMode
from protocol.values import OrderSide
from rules.event_log.segments import Retention, RetentionMode, Segment, prune_segments
from rules.precision import Fetch, precision_decision
from rules.security import derive_data_key, mask_secret
from rules.slippage import cap_price, slippage, slippage_limit

CACHED = PrecisionRules(Decimal("0.05"), Decimal("0.001"), Decimal("0.001"), Decimal(5))
FORCED = {
    "absent": (None, "ForcedPrecisionMissing"),
    "the same": (CACHED, None),
    "coarser": (PrecisionRules(Decimal("0.25"), Decimal("0.01"), Decimal(0), Decimal(0)), None),
    "finer tick": (
        PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal(1), Decimal(5)),
        "ForcedPrecisionIncompatible",
    ),
    "finer step": (
        PrecisionRules(Decimal("0.05"), Decimal("0.0001"), Decimal(1), Decimal(5)),
        "ForcedPrecisionIncompatible",
    ),
    "odd tick": (
        PrecisionRules(Decimal("0.12"), Decimal("0.001"), Decimal(1), Decimal(5)),
        "ForcedPrecisionIncompatible",
    ),
    "odd step": (
        PrecisionRules(Decimal("0.1"), Decimal("0.0015"), Decimal(1), Decimal(5)),
        "ForcedPrecisionIncompatible",
    ),
}
ROWS: dict[tuple[str, str, bool], tuple[str | None, str, str | None]] = {
    ("absent", "ok", True): ("venue", "proceed", None),
    ("absent", "ok", False): ("venue", "proceed", None),
    ("stale", "ok", True): ("venue", "proceed", None),
    ("stale", "ok", False): ("venue", "proceed", None),
    ("absent", "symbol_absent", True): (None, "reject", "PrecisionMissing"),
    ("absent", "symbol_absent", False): ("fallback", "proceed", "PrecisionFallback"),
    ("stale", "symbol_absent", True): (None, "reject", "PrecisionMissing"),
    ("stale", "symbol_absent", False): ("fallback", "proceed", "PrecisionFallback"),
    ("absent", "failed", True): (None, "hold", "PrecisionFetchFailed"),
    ("absent", "failed", False): ("fallback", "proceed", "PrecisionFallback"),
    ("stale", "failed", True): (None, "hold", "PrecisionFetchFailed"),
    ("stale", "failed", False): ("stale_cache", "proceed", "PrecisionStale"),
}
"""EX-506, mode auto, by what is known, how the refresh ended, and whether missing rules block."""


@pytest.mark.parametrize("age", [0, 1, 59.999, 60, 60.001, 61, 1e9, None])
@pytest.mark.parametrize("fetch", [None, "ok", "symbol_absent", "failed"])
@pytest.mark.parametrize("blocks", [True, False])
def test_every_row_and_age_of_the_automatic_mode(age: float | None, fetch: str | None, blocks: bool) -> None:
    """EX-506: rules as old as the limit are fresh; only older or absent ones are refreshed, and then the table decides."""
    fresh = age is not None and age <= 60
    if fetch is None and not fresh:
        return  # a refresh has an outcome
    for forced in (None, CACHED):
        found = precision_decision(
            PrecisionMode.AUTO,
            cached=None if age is None else CACHED,
            cache_age_s=age,
            refresh_s=60,
            fetch=None if fetch is None else Fetch(fetch),
            block_on_missing=blocks,
            forced=forced,
        )
        row = ("cache", "proceed", None) if fresh else ROWS["absent" if age is None else "stale", str(fetch), blocks]
        assert tuple(found) == (*row, not fresh)


@pytest.mark.parametrize(("forced", "code"), FORCED.values(), ids=FORCED)
def test_every_row_of_the_forced_mode(forced: PrecisionRules | None, code: str | None) -> None:
    """EX-506: forced rules need no fetch, no fresh cache and no switch; only cached tick and step can refuse them."""
    for (known, age), fetch, blocks in product(
        ((CACHED, 1), (CACHED, 1e9), (None, None)), (None, *Fetch), (True, False)
    ):
        found = precision_decision(
            PrecisionMode.FORCE,
            cached=known,
            cache_age_s=age,
            refresh_s=60,
            fetch=fetch,
            block_on_missing=blocks,
            forced=forced,
        )
        expected = None if known is None and forced is not None else code
        good = ("forced", "proceed", None, False)
        assert tuple(found) == (good if expected is None else (None, "reject", expected, False))


PRICES = st.decimals("0.00000001", "100000", places=8)
PERCENTS = st.decimals("0", "50", places=3)


@given(st.sampled_from(OrderSide), PRICES, PRICES, PERCENTS, st.none() | PERCENTS, st.sampled_from(SlippageAction))
def test_every_slippage(
    side: OrderSide, expected: Decimal, fill: Decimal, limit: Decimal, own: Decimal | None, action: SlippageAction
) -> None:
    """EX-720 to EX-722: how much worse the fill was, the tighter limit, exceeded only strictly above it."""
    least = slippage_limit(limit, own)
    assert least == (limit if own is None or own > limit else own)
    found = slippage(side, expected, fill, limit_percent=least, action=action)
    worse = Fraction(fill) - Fraction(expected)
    exact = (worse if side is OrderSide.BUY else -worse) / Fraction(expected) * 100
    percent = Fraction(round(exact * 10**18), 10**18)
    assert Fraction(found.percent) == percent
    assert found.exceeded == (percent > Fraction(least))
    exceeds = {"warn": "warning:SlippageWarning", "reject": "error:SlippageExceeded"}[action.value]
    assert found.verdict.value == (exceeds if found.exceeded else "ok")


@pytest.mark.parametrize(
    ("side", "fill", "limit", "percent", "verdict"),
    [
        ("buy", "101", "1", "1", "ok"),
        ("buy", "101.000001", "1", "1.000001", "error:SlippageExceeded"),
        ("sell", "99", "1", "1", "ok"),
        ("sell", "98.99", "1", "1.01", "error:SlippageExceeded"),
        ("buy", "90", "0", "-10", "ok"),
        ("buy", "100", "0", "0", "ok"),
        ("sell", "99.99", "0", "0.01", "error:SlippageExceeded"),
        ("sell", "130", "1", "-30", "ok"),
    ],
)
def test_slippage_by_hand(side: str, fill: str, limit: str, percent: str, verdict: str) -> None:
    """EX-720 to EX-722: fills against 100, worked out by hand; a limit of nothing still lets an equal price pass."""
    found = slippage(
        OrderSide(side), Decimal(100), Decimal(fill), limit_percent=Decimal(limit), action=SlippageAction.REJECT
    )
    assert (found.percent, found.verdict.value) == (Decimal(percent), verdict)


@given(PRICES, PERCENTS, st.sampled_from(["0.00000001", "0.01", "0.05", "0.25", "0.0025", "3"]))
def test_every_cap(expected: Decimal, limit: Decimal, tick: str) -> None:
    """EX-724: buys floored, sells ceiled to the tick."""
    price, part, unit = Fraction(expected), Fraction(limit) / 100, Fraction(tick)
    buy = cap_price(OrderSide.BUY, expected, limit, Decimal(tick))
    sell = cap_price(OrderSide.SELL, expected, limit, Decimal(tick))
    assert Fraction(buy) == floor(price * (1 + part) / unit) * unit
    assert Fraction(sell) == ceil(price * (1 - part) / unit) * unit


@pytest.mark.parametrize("kind", ["api_key", "api_secret", "passphrase", "webhook_secret", "webhook_hmac_key"])
@pytest.mark.parametrize("length", [1, 9, 19, 20, 21, 64, 256])
def test_every_mask(kind: str, length: int) -> None:
    """EX-1503: six characters before the last three of an API key of 20 or more; eight stars for all else."""
    value = "".join(chr(ord("a") + index % 26) for index in range(length))
    shown = "****" + value[length - 9 : length - 3] + "***"
    assert mask_secret(kind, value) == (shown if kind == "api_key" and length >= 20 else "********")
    assert mask_secret(kind, None) == "(not set)"


@given(st.binary(min_size=32, max_size=32), st.text(max_size=40), st.text(max_size=40))
def test_every_data_key(master: bytes, deployment: str, binding: str) -> None:
    """EX-1502: HKDF of RFC 5869 step by step: extract with the salt, expand one block with the info."""
    salt = hashlib.sha256((deployment + "|" + binding).encode()).digest()
    extracted = hmac.new(salt, master, "sha256").digest()
    expanded = hmac.new(extracted, b"bulkhead.secrets.v1\x01", "sha256").digest()
    assert derive_data_key(master, deployment, binding) == expanded[:32]


TODAY = date(2026, 3, 1)
SEGMENTS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0, 1, 50, 100]), st.booleans()), max_size=14)


@given(SEGMENTS, st.sampled_from(RetentionMode), st.integers(1, 12), st.sampled_from([0, 1, 100, 150, 400, 5000]))
def test_every_pruning(rows: list[Any], mode: RetentionMode, days: int, limit: int) -> None:
    """EX-1408: oldest first, never today's nor kept ones; by age, or only as long as the total exceeds the limit."""
    rows = sorted(rows, key=lambda row: -row[0])
    segments = [
        Segment(id=str(number), day=TODAY - timedelta(days=ago), size=size, keep=keep)
        for number, (ago, size, keep) in enumerate(rows)
    ]
    gone: list[str] = []
    for each in segments:
        total = sum(one.size for one in segments if one.id not in gone)
        due = TODAY - each.day > timedelta(days=days) if mode is RetentionMode.DAYS else total > limit
        if due and not each.keep and each.day != TODAY:
            gone.append(each.id)
    found = prune_segments(segments, Retention(mode=mode, keep_days=days, max_total=limit), TODAY)
    assert found == gone
    backwards = prune_segments(segments[::-1], Retention(mode=mode, keep_days=days, max_total=limit), TODAY)
    assert [TODAY - segments[int(name)].day for name in backwards] == sorted(
        (TODAY - segments[int(name)].day for name in backwards), reverse=True
    )
