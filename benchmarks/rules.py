"""Measure the rules alone: ``python -m benchmarks.rules [--rounds N]``.

- *one signal*: a webhook body is parsed, validated, classified and fingerprinted, looked up among the duplicates, given its
  market rules, its ladder and its funds check, and gets a slot. Everything between the HTTP request and the journal but
  the proof of who sent it.
- *ranking 100 entries*: the whole order of a waiting queue with what decided each place, and the choice of the best alone.
- *an offset over 500 groups*: a whole cycle: eligibility of every loser, ranking, winners, plan.

The floor of the first is decoding the same body by msgspec; of the others, sorting as many decimals by Python's own sort.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any, Final

import msgspec

from benchmarks.measure import Row, in_turns, row_of, table
from protocol.groups import GridConfig, GroupState, OpenGroup
from protocol.instruments import Instrument, PrecisionRules
from protocol.signals import Signal
from protocol.values import Scope, Side
from rules.offset import Candidate, OffsetSettings, risk_cycle
from rules.pool import (
    Contender,
    Enter,
    EntryPlan,
    KnownMarkets,
    PoolSettings,
    PoolState,
    RulesFound,
    Surroundings,
    decide,
    find_rules,
    plan_entry,
    rank_queue,
)
from rules.pool.settings import RankRule
from rules.signals import (
    DuplicateMemory,
    DuplicateWindows,
    build_signal,
    fingerprint,
    interpret_payload,
    parse_body,
    sighting_of,
)

__all__ = ["rows"]

ROUNDS: Final = 7
SIGNALS: Final = 300
ENTRIES: Final = 100
GROUPS: Final = 500
NOW: Final = 1_772_366_400 * 10**9
MARKET: Final = Instrument(
    venue="binance",
    symbol="BTC/USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    rules=PrecisionRules(Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(5)),
)
KNOWN: Final = KnownMarkets({MARKET.symbol: MARKET}, NOW)
NAMES: Final = {"binance": {"BTCUSDT": "BTC/USDT", "BTC/USDT": "BTC/USDT"}}


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; return microseconds a decision beside the floors."""
    bodies = [_body(number) for number in range(SIGNALS)]
    entries, groups = _entries(), _groups()
    keys = [entry.entry_price for entry in entries]
    marks = [group.mark or Decimal(0) for group in groups]
    figures = in_turns(
        rounds,
        {
            "rules: one signal, body to slot": partial(_each, bodies, _decided),
            "msgspec decode of the body": partial(_each, bodies, msgspec.json.decode),
            "rules: rank 100 queued entries": partial(_repeated, 20, partial(rank_queue, entries, tuple(RankRule))),
            "sort of 100 decimals": partial(_repeated, 200, partial(sorted, keys)),
            "rules: offset cycle over 500 groups": partial(_repeated, 5, partial(_cycle, groups)),
            "sort of 500 decimals": partial(_repeated, 50, partial(sorted, marks)),
        },
    )
    floors = ("msgspec decode of the body", "sort of 100 decimals", "sort of 500 decimals")
    named = [name for name in figures if name.startswith("rules:")]
    return [
        row_of(name, figures[name], "us", against=(floor, figures[floor]))
        for name, floor in zip(named, floors, strict=True)
    ]


def _each(items: Sequence[Any], work: Callable[[Any], Any]) -> float:
    """Return the median microseconds of one call."""
    times = []
    for item in items:
        begin = perf_counter()
        work(item)
        times.append(perf_counter() - begin)
    return 1e6 * sorted(times)[len(times) // 2]


def _repeated(times: int, work: Callable[[], Any]) -> float:
    return _each(range(times), lambda _: work())


# --- one signal -------------------------------------------------------------------------------------------------------


def _body(number: int) -> bytes:
    return msgspec.json.encode(
        {
            "secret": "correct-horse-battery",
            "timestamp": "2026-03-01T12:00:00Z",
            "tv": {
                "exchange": "BINANCE",
                "symbol": "BTCUSDT",
                "timeframe": "15",
                "action": "buy",
                "market_position": "long",
                "market_position_size": "2",
                "prev_market_position": "flat",
                "prev_market_position_size": "0",
                "entry_price": "65000.5",
                "order_size": "1000",
            },
            "strategy_info": {"trade_id": f"t{number}", "alert_name": "benchmark"},
            "execution_intent": {"type": "signal", "side": "buy", "position_size_type": "quote"},
        }
    )


def _decided(body: bytes, memory: DuplicateMemory | None = None) -> None:
    found = interpret_payload(parse_body(body), venues=("binance",), markets=NAMES)
    assert found.classification is not None, found.problems
    signal = build_signal(found.clean, found.classification, signal_id="s1", user="u1", received_at=NOW)
    sighting = sighting_of(signal)
    fingerprint(sighting)
    (memory or DuplicateMemory()).judge(sighting, windows=DuplicateWindows())
    decision = decide(PoolState(), Enter(signal), _world(PoolSettings()))
    assert decision.outcomes == ("opened",), decision.outcomes


def _world(settings: PoolSettings) -> Surroundings:
    def plan(signal: Signal, pyramid: int, found: RulesFound, state: PoolState) -> EntryPlan:
        del state
        assert found.instrument is not None
        opening = _opening(signal, found.instrument)
        return plan_entry(opening, pyramid, settings, free=Decimal(10_000), usd=Decimal(1))

    return Surroundings(
        now=NOW,
        settings=settings,
        barred=None,
        price=lambda _: Decimal(65_000),
        market_price=lambda _: Decimal(65_000),
        rules=lambda signal: find_rules(signal, KNOWN, NOW, settings),
        plan=plan,
        most_pyramids=lambda _: 5,
    )


def _opening(signal: Signal, market: Instrument) -> OpenGroup:
    assert signal.entry_price is not None
    assert signal.order_size is not None
    return OpenGroup(
        group_id="g1",
        key=signal.group_key,
        user=signal.user,
        scope=Scope.PAPER,
        venue=signal.venue,
        account="paper",
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=signal.side,
        tag="test",
        signal_id=signal.signal_id,
        entry_price=signal.entry_price,
        size=signal.order_size,
        size_type=signal.size_type,
        config=GridConfig(),
        instrument=market,
        at=NOW,
    )


# --- queue and offset --------------------------------------------------------------------------------------------------


def _entries() -> list[Contender]:
    draw = random.Random(1)
    return [
        Contender(
            f"q{number}",
            Side.LONG,
            Decimal(100),
            Decimal(str(round(100 + draw.gauss(0, 2), 2))),
            draw.randrange(3),
            Decimal(draw.randrange(5, 15)),
            NOW - draw.randrange(10**12),
            draw.random() < 0.2,
        )
        for number in range(ENTRIES)
    ]


def _groups() -> list[Candidate]:
    draw = random.Random(2)
    return [
        Candidate(
            f"g{number}",
            Side.LONG,
            GroupState.ACTIVE,
            Decimal(100),
            Decimal(str(round(100 + draw.gauss(-1, 6), 2))),
            Decimal(draw.randrange(1, 50)),
            Decimal(1),
            Decimal("0.001"),
            Decimal("0.001"),
            Decimal(5),
            NOW - draw.randrange(1, 10**15),
            5,
            NOW - 10**9,
        )
        for number in range(GROUPS)
    ]


def _cycle(groups: Sequence[Candidate]) -> None:
    found = risk_cycle(groups, OffsetSettings(), NOW)
    assert found.plan is not None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the rules alone")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(table(rows(parser.parse_args().rounds)))
