"""Measure searching the event log: ``python -m benchmarks.log_search [--events N] [--rounds N]``.

A journal's worth of made-up trading is projected into read models in a file, then searched as ``bulkhead log`` does
(EX-1410: within a second over a million events). The floor is a scan of the same lines by their text.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.measure import Row, row_of, table
from protocol.groups import GroupAlert, Severity
from protocol.messages import Event
from protocol.orders import FillRecorded, OrderState, OrderStateChanged
from protocol.pool import SlotFreed
from protocol.signals import Signal, SignalKind, SignalReceived, SignalSource
from protocol.values import OrderSide, Side
from rules.event_log.line import Category, Tag
from runtime.journal import Record
from store.event_search import EventFilter
from store.projector import BATCH, Projector
from store.queries import Views, open_views

__all__ = ["SEARCHES", "made_up", "rows"]

EVENTS: Final = 1_000_000
ROUNDS: Final = 5
PAGE: Final = 200
_PAIRS: Final = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "ADA", "XRP", "DOT", "LINK", "AVAX", "ATOM", "NEAR")]
_SECOND: Final = 1_000_000_000

SEARCHES: Final = {
    "a rare word": EventFilter(text="lighthouse"),
    "a frequent word": EventFilter(text="filled"),
    "two words of a fill": EventFilter(text="BTC/USDT buy"),
    "category error": EventFilter(categories=[Category.ERROR]),
    "tag api_reject and a pair": EventFilter(tags=[Tag.API_REJECT], pair="btcusdt"),
    "a pair and a timeframe": EventFilter(pair="NEAR/USDT", timeframe="4h"),
    "one causal chain": EventFilter(correlation_id=500_000),
    "an hour long ago": EventFilter(since=10_000 * _SECOND, until=13_600 * _SECOND),
    "a word, a category, a day": EventFilter(
        text="minimum", categories=[Category.WARNING], since=0, until=86_400 * _SECOND
    ),
    "nothing there": EventFilter(text="filled", categories=[Category.PRECISION]),
}


def made_up(count: int, seed: int = 1) -> Iterator[Record]:
    """Yield records of signals, orders, fills and alerts, one a second; the same for the same seed."""
    rng = Random(seed)
    for position in range(1, count + 1):
        at, chain = position * _SECOND, position - position % 20
        yield Record(position, "/made/up", position, _event(rng, position, at), at, position, chain, 0)


def _event(rng: Random, position: int, at: int) -> Event:
    order, pair = f"order{position % 5_000:06}", rng.choice(_PAIRS)
    kind = rng.random()
    if kind < 0.1:
        return _signal(rng, position, at, pair)
    if kind < 0.5:
        state = OrderState.REJECTED if rng.random() < 0.02 else rng.choice((OrderState.OPEN, OrderState.FILLED))
        return OrderStateChanged(client_order_id=order, state=state, at=at)
    if kind < 0.8:
        side, price = rng.choice((OrderSide.BUY, OrderSide.SELL)), Decimal(rng.randrange(1, 100_000)) / 100
        one, fee = Decimal(1), Decimal("0.1")
        return FillRecorded(
            client_order_id=order, trade_id=str(position), symbol=pair, side=side, qty=one, price=price, fee=fee,
            fee_currency="USDT", maker=True, at=at,
        )  # fmt: skip
    if kind < 0.95:
        return SlotFreed(group_key=pair, group_id=f"g{position % 9_000}", occupied=3, maximum=10, at=at)
    word = "lighthouse" if position % 50_000 < 20 else "below the minimum notional"
    return GroupAlert(
        group_id=f"g{position % 9_000}", code="BelowMinNotional", severity=Severity.WARNING, text=word, at=at
    )


def _signal(rng: Random, position: int, at: int, pair: str) -> SignalReceived:
    name = f"s{position:08}"
    signal = Signal(
        signal_id=name, user="ann", source=SignalSource.TRADINGVIEW, received_at=at, fired_at=at, venue="paper",
        symbol=pair, timeframe=rng.choice(("15m", "1h", "4h")), kind=SignalKind.ENTRY, side=Side.LONG,
        entry_price=Decimal(100), trade_id=name,
    )  # fmt: skip
    return SignalReceived(
        signal_id=name,
        user="ann",
        received_at=at,
        source_address="10.0.0.1",
        body="{}",
        signal=signal,
        outcome="accepted",
    )


def _project(path: Path, events: int) -> float:
    """Project made-up records into a file; return how many a second."""
    projector, began, batch = Projector(path), time.perf_counter(), []
    for record in made_up(events):
        batch.append(record)
        if len(batch) == BATCH:
            projector.apply(batch)
            batch = []
    projector.apply(batch)
    projector.close()
    return events / (time.perf_counter() - began)


def _seconds(views: Views, wanted: EventFilter) -> float:
    began = time.perf_counter()
    views.events(wanted, limit=PAGE)
    return time.perf_counter() - began


def rows(events: int = EVENTS, rounds: int = ROUNDS) -> list[Row]:
    """Measure; return the time of each search for a page of lines, and how fast lines were projected."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "views.db"
        speed = _project(path, events)
        views = open_views(path)
        floor = []
        for _ in range(rounds):
            began = time.perf_counter()
            views._fetch("SELECT count(*) FROM events WHERE instr(lower(text), 'lighthouse') > 0")
            floor.append((time.perf_counter() - began) * 1000)
        found = [
            row_of(
                f"log, {name}", [_seconds(views, wanted) * 1000 for _ in range(rounds)], "ms", against=("scan", floor)
            )
            for name, wanted in SEARCHES.items()
        ]
        views.close()
    return [row_of(f"log lines projected, {events} events", [speed], "/s"), *found, row_of("log, scan", floor, "ms")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log_search", description="searching the event log")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    print(table(rows(options.events, options.rounds)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
