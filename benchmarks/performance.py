"""Measure performance figures of a long history: ``python -m benchmarks.performance [--trades N] [--days N]``.

A made-up history is read and computed as the API does: all of it, its last 30 days, one pair; and computed again when what
was read is kept, as after a fill; and how long an event loop waits beside it. The floor is reading all rows of trades,
realizations and equity, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, in_turns, row_of, table
from benchmarks.trade_history import BEGIN, DAY, make_history
from protocol.values import Scope
from service.report.figures import answer_of, live
from service.report.history import Book, Terms, history
from store.performance import Wanted
from store.queries import Views, open_views
from store.tables.opening import write_tables

__all__ = ["rows", "terms_at"]

TRADES: Final = 100_000
DAYS: Final = 700
ROUNDS: Final = 3
_BEAT_S: Final = 0.005


def terms_at(now: int) -> Terms:
    """Return the defaults of a configuration."""
    return Terms(
        now=now,
        zone=UTC,
        starting_equity=None,
        histogram_bins=20,
        risk_free_annual_percent=0.0,
        annualization_days=365,
        max_open_groups=10,
    )


def rows(trades: int = TRADES, days: int = DAYS, rounds: int = ROUNDS) -> list[Row]:
    """Return the rows of the table; a mark of equity a minute, as in use."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "views.db"
        with closing(write_tables(path)) as made:
            make_history(made, trades=trades, days=days, marks_a_day=1_440)
        with closing(open_views(path)) as views:
            return _measured(views, trades, BEGIN + days * DAY, rounds)


def _measured(views: Views, trades: int, now: int, rounds: int) -> list[Row]:
    terms = terms_at(now)
    month = Wanted(Scope.PAPER, since=now - 30 * DAY)
    work: dict[str, Callable[[], Any]] = {
        "rows alone": lambda: _rows_alone(views),
        "all": lambda: _figures(views, Wanted(Scope.PAPER), terms),
        "the last 30 days": lambda: _figures(views, month, terms),
        "one pair of all": lambda: _figures(views, Wanted(Scope.PAPER, symbol="BTC/USDT"), terms),
    }
    for name, wanted in (("all", Wanted(Scope.PAPER)), ("the last 30 days", month)):
        book = Book(wanted, lambda _: 1.0, UTC)
        book.read(views, terms)
        work[f"{name}, after a fill"] = lambda book=book: book.read(views, terms)
    found = in_turns(rounds, {name: lambda each=each: _timed(each) for name, each in work.items()})
    floor = ("its rows alone", found["rows alone"])
    stalls = [asyncio.run(_stall(work["all"])) for _ in range(rounds)]
    measured = [
        row_of(f"performance of {trades:,} trades, {name}", found[name], "ms", against=floor)
        for name in work
        if name != "rows alone"
    ]
    return [*measured, row_of("the event loop's longest wait meanwhile", stalls, "ms")]


def _figures(views: Views, wanted: Wanted, terms: Terms) -> Any:
    past = history(views, wanted, terms, lambda _: 1.0)
    present = live(views, wanted, terms, lambda _: None, lambda _: 1.0)
    return answer_of(past, present, terms)


async def _stall(work: Callable[[], Any]) -> float:
    """Return the longest that an event loop was late while some work was done on a thread, in milliseconds."""
    task, late = asyncio.create_task(asyncio.to_thread(work)), 0.0
    while not task.done():
        begin = time.perf_counter()
        await asyncio.sleep(_BEAT_S)
        late = max(late, time.perf_counter() - begin - _BEAT_S)
    await task
    return late * 1_000


def _rows_alone(views: Views) -> None:
    for name in ("groups", "realizations", "equity_snapshots"):
        views.database.fetch(f"SELECT * FROM {name}")


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=TRADES)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    print(table(rows(given.trades, given.days, given.rounds)))


if __name__ == "__main__":
    main()
