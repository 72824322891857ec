"""Measure an alert's way to the venue in a real daemon: ``python -m benchmarks.signal_to_order [--rate R] [--seconds S]``.

A daemon runs in its own process: wall clock, real HTTP, SQLite journal on disk with full durability, paper account without
latency, synthetic prices, read models and control socket as always. This process posts alerts over connections that stay
open, at a fixed rate, each for a group of its own until a thousand are live; the further ones add pyramids to them.

- *received → order*: from the gateway's handling of the alert to its first order at the paper exchange. Between them lie
  five actors and the commit of everything they decided. Both instants are read from the journal.
- *sent → order*: the same from the moment the sender wrote its request: HTTP and every queue included.
- *HTTP round trip*: until the sender has the answer, which is given when the alert is durable.

Nobody has a peer for this; the floor is one commit of a one-page row by bare SQLite on the same disk, in turns with nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.alerts import Exchange, identities, post_all
from benchmarks.house_process import configured, running_house, said_by
from benchmarks.measure import Row, percentile, spread_percent, table
from protocol.paper import PaperOrderAccepted
from protocol.signals import SignalReceived
from store.opening import open_reader

__all__ = ["Way", "one_round", "rows"]

RATE: Final = 200.0
SECONDS: Final = 10.0
GROUPS: Final = 1_000
WARM_UP: Final = 100
"""Alerts at the beginning that are not counted: connections open, code warms up."""
ROUNDS: Final = 3
COMMITS: Final = 300


class Way(NamedTuple):
    """One alert's way, in milliseconds."""

    received_to_order: float
    sent_to_order: float
    round_trip: float


def rows(rate: float = RATE, seconds: float = SECONDS, rounds: int = ROUNDS, layers: int = 1) -> list[Row]:
    """Measure; return p50 and p99 of each distance over all rounds, spread between the rounds, and the floor."""
    floors: list[float] = []
    measured: list[list[Way]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            floors.append(statistics.median(_bare_commits(Path(folder))))
            measured.append(one_round(Path(folder), rate, seconds, layers))
    floor = statistics.median(floors)
    found = [Row("bare SQLite commit p50", floor, "ms", spread_percent(floors))]
    orders = "" if layers == 1 else f", {layers} layers"
    for field, name in (
        ("received_to_order", f"alert received -> order at venue{orders}"),
        ("sent_to_order", f"alert sent -> order at venue{orders}"),
        ("round_trip", f"alert HTTP round trip{orders}"),
    ):
        for share in (0.5, 0.99):
            each = [percentile([getattr(way, field) for way in ways], share) for ways in measured]
            middle = statistics.median(each)
            found.append(
                Row(f"{name} p{share * 100:.0f}", middle, "ms", spread_percent(each), middle / floor, "bare commit")
            )
    return found


def _bare_commits(folder: Path) -> list[float]:
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE bare (position INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
        took = []
        for number in range(COMMITS):
            began = time.perf_counter()
            connection.execute("INSERT INTO bare VALUES (?, ?)", (number, bytes(2_000)))
            took.append((time.perf_counter() - began) * 1e3)
        return took


def one_round(
    folder: Path,
    rate: float,
    seconds: float,
    layers: int,
    *,
    record: bool = True,
    look: Callable[[int], None] = lambda _: None,
) -> list[Way]:
    """Return the way of each alert of one daemon's run; ``record`` keeps the record of inputs.

    ``look`` is called with the daemon's process id before the first alert and after the last answer.
    """
    count = round(rate * seconds)
    whom = identities(min(GROUPS, count))
    whom = [whom[number % len(whom)] for number in range(count)]
    with running_house(folder / "house", layers=layers, record=record) as house:
        ready = said_by(house, "ready")
        look(house.pid)
        answers = asyncio.run(post_all(ready["url"], ready["secret"], whom, rate))
        look(house.pid)
    assert all(each.status == 200 for each in answers), "every alert was accepted"
    return _ways(configured(folder / "house", layers).journal_path, answers)


def _ways(journal: Path, answers: Sequence[Exchange]) -> list[Way]:
    """Follow each alert through the journal by its causal chain."""
    received: dict[int, tuple[int, str]] = {}
    placed: dict[int, int] = {}
    with closing(open_reader(journal, check=False)) as reader:
        for record in reader.read_all():
            if isinstance(record.event, SignalReceived) and record.event.signal is not None:
                received[record.correlation_id] = (record.event.received_at, record.event.signal.trade_id)
            elif isinstance(record.event, PaperOrderAccepted):
                placed.setdefault(record.correlation_id, record.event.at)
    by_trade = {each.trade_id: each for each in answers}
    ways = []
    for chain, (received_at, trade_id) in received.items():
        answer, order_at = by_trade[trade_id], placed[chain]
        distances = (order_at - received_at, order_at - answer.due_at, answer.answered_at - answer.due_at)
        ways.append(Way(*(distance / 1e6 for distance in distances)))
    assert len(ways) == len(answers), "every alert became an order"
    return ways[WARM_UP:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.signal_to_order", description="from alert to order")
    parser.add_argument("--rate", type=float, default=RATE, help=f"alerts a second (default {RATE:.0f})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of a round (default {SECONDS:.0f})")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--layers", type=int, default=1, help="orders a signal opens with (default 1)")
    options = parser.parse_args(arguments)
    print(table(rows(options.rate, options.seconds, options.rounds, options.layers)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
