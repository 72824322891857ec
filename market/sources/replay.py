"""Replay recorded bars and ticks of several symbols, merged in time, streaming, resumable at any instant.

See ``base`` for what a step's instant means (a bar's is its START) and ``checks`` for what happens to defects. Columns:
bars ``ts, open, high, low, close`` and ``volume`` or ``tick_volume`` (neither = 0), or ``bid_open .. ask_close`` (mid
prices, no volume); ticks ``ts, bid, ask`` (last = mid) or ``ts, price`` (trades: bid = ask = last).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import dropwhile, pairwise, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, cast

import pyarrow.compute as pc

from market.sources.base import SourceError, Step
from market.sources.checks import BarChecker, Cell, FeedPolicy, FeedReport, Handling, TickChecker
from market.sources.feed import SymbolFeed
from market.sources.files import CHUNK_ROWS, Chunk, Reading, column_names, read_chunks
from protocol.market import Bar, PriceTick

__all__ = ["BarReplay", "TickReplay"]

_SECOND: Final = 1_000_000_000
_OHLC: Final = ("open", "high", "low", "close")
_SIDED: Final = tuple(f"{side}_{name}" for side in ("bid", "ask") for name in _OHLC)


class _Replay:
    """What bar and tick replays share: their feeds, reports, the merge and the resume."""

    name: Final = "replay"

    def __init__(
        self,
        feeds: Sequence[SymbolFeed],
        *,
        root: Path = Path(),
        policy: FeedPolicy | None = None,
        after: int = -1,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self.feeds = tuple(feeds)
        self.symbols = tuple(feed.symbol for feed in feeds)
        if len(set(self.symbols)) < len(self.symbols):
            raise SourceError(f"a symbol is given twice: {', '.join(self.symbols)}")
        self.reports = {symbol: FeedReport() for symbol in self.symbols}
        self._root = root
        self._policy = policy or FeedPolicy()
        self._after = after
        self._chunk_rows = chunk_rows

    def __iter__(self) -> Iterator[Step]:
        """Yield all steps in strictly increasing time; starts the reports anew."""
        self.reports = {symbol: FeedReport() for symbol in self.symbols}
        streams: list[Iterator[Step]] = [self._steps(feed, index) for index, feed in enumerate(self.feeds)]
        if self._after >= 0:
            after = self._after
            streams = [dropwhile(lambda step: step[0] <= after, stream) for stream in streams]
        if len(streams) == 1:
            return streams[0]
        return _increasing(heapq.merge(*streams, key=itemgetter(0)))

    def _steps(self, feed: SymbolFeed, index: int) -> Iterator[Step]:
        raise NotImplementedError

    def _chunks(self, feed: SymbolFeed, names: Sequence[str], ratio: tuple[str, str] | None = None) -> Iterator[Chunk]:
        # a second of slack: a row's instant is at most its place among rows of one time away from that time
        not_before = max(self._after - _SECOND, 0)
        return read_chunks(Reading(self._root / feed.path, names, feed.where, not_before, ratio, self._chunk_rows))


def _increasing(steps: Iterable[Step]) -> Iterator[Step]:
    before = -1
    for step in steps:
        if step[0] <= before:
            raise SourceError(f"two rows cannot be told apart in time at {step[0]}: {step[1]}")
        before = step[0]
        yield step


class BarReplay(_Replay):
    """Bars of several symbols; equal starts are told apart by one nanosecond a symbol, in the order of the feeds."""

    def resume_after(self, at: int) -> BarReplay:
        """Return a replay that continues strictly after an instant of this one."""
        return BarReplay(self.feeds, root=self._root, policy=self._policy, after=at, chunk_rows=self._chunk_rows)

    def duration_s(self, feed: SymbolFeed) -> int:
        """Return a feed's bar length: as given, else the smallest distance between its first rows."""
        if feed.duration_s is not None:
            return feed.duration_s
        names = column_names(self._root / feed.path)
        price = next((name for name in ("open", "bid_open") if name in names), "open")
        reading = Reading(self._root / feed.path, (price,), feed.where)
        first = next(read_chunks(reading), Chunk([], (), None)).ats
        distances = [after - before for before, after in pairwise(first) if after > before]
        if not distances or min(distances) < _SECOND:
            raise SourceError(f"{feed.path}: the length of a bar cannot be told; set duration_s")
        return min(distances) // _SECOND

    def _steps(self, feed: SymbolFeed, index: int) -> Iterator[Step]:
        duration_s, report = self.duration_s(feed), self.reports[feed.symbol]
        checker = BarChecker(duration_s * _SECOND, self._policy, report)
        for chunk in self._columns(feed, report):
            ats, columns = chunk.ats, chunk.columns
            if _tidy_bars(chunk, checker.before, duration_s * _SECOND, report):
                checker.before, checker.last = ats[-1], [column[-1] for column in columns]
                bars = map(Bar, repeat(feed.symbol), ats, repeat(duration_s), *columns)
                yield from zip(map(index.__add__, ats), bars, strict=False)
            else:
                for at, row in checker.rows(ats, columns):
                    yield at + index, Bar(feed.symbol, at, duration_s, *row)

    def _columns(self, feed: SymbolFeed, report: FeedReport) -> Iterator[Chunk]:
        """Yield chunks of open, high, low, close and volume, whatever columns the file has."""
        names = column_names(self._root / feed.path)
        if "open" not in names and "bid_open" in names:
            for chunk in self._chunks(feed, _SIDED):
                yield _mid_prices(chunk, self._policy, report)
            return
        volume = next((name for name in ("volume", "tick_volume") if name in names), None)
        if volume is not None:
            yield from self._chunks(feed, (*_OHLC, volume), (volume, "close") if feed.volume_in_quote else None)
            return
        for chunk in self._chunks(feed, _OHLC):
            yield chunk._replace(columns=(*chunk.columns, [Decimal(0)] * len(chunk.ats)))


class TickReplay(_Replay):
    """Quotes or trades of several symbols; rows of one recorded time are told apart by nanoseconds, in recorded order."""

    def resume_after(self, at: int) -> TickReplay:
        """Return a replay that continues strictly after an instant of this one."""
        return TickReplay(self.feeds, root=self._root, policy=self._policy, after=at, chunk_rows=self._chunk_rows)

    def __iter__(self) -> Iterator[Step]:
        """Yield all steps in strictly increasing time; starts the reports anew."""
        return _increasing(super().__iter__())

    def _steps(self, feed: SymbolFeed, index: int) -> Iterator[Step]:
        trades = "bid" not in column_names(self._root / feed.path)
        report = self.reports[feed.symbol]
        checker = TickChecker(self._policy, report, trades=trades)
        before, place, symbols = -1, 0, len(self.feeds)
        for chunk in self._chunks(feed, ("price",) if trades else ("bid", "ask")):
            columns = (chunk.columns[0], chunk.columns[-1])
            rows: Iterable[tuple[int, tuple[Decimal, ...]]]
            if _tidy_ticks(chunk, checker.before, report):
                quotes = cast("list[tuple[Decimal, ...]]", list(zip(*columns, strict=True)))  # tidy: no None
                rows = zip(chunk.ats, quotes, strict=True)
                checker.before, checker.seen = chunk.ats[-1], {quotes[-1]}
            else:
                rows = checker.rows(chunk.ats, columns)
            for recorded, (bid, ask) in rows:
                place = place + 1 if recorded == before else 0
                before = recorded
                at = recorded + index + place * symbols
                yield at, PriceTick(feed.symbol, at, bid, ask, bid if trades else (bid + ask) / 2)


# --- whole chunks without a defect skip the checks of each row ----------------------------------------------------------


def _all(condition: Any) -> bool:
    return bool(pc.all(condition, skip_nulls=False, min_count=0).as_py())


def _distances(chunk: Chunk) -> Any:
    assert chunk.table is not None
    times = chunk.table[0]
    return pc.subtract(times[1:], times[:-1])


def _tidy_bars(chunk: Chunk, before: int, duration_ns: int, report: FeedReport) -> bool:
    """Return whether a chunk has no defect but gaps; count its rows and gaps when so. NaN and null fail a comparison."""
    if chunk.table is None:
        return False
    if before >= 0 and chunk.ats[0] - before < duration_ns:
        return False
    _, open_, high, low, close, *volume = chunk.table
    distances = _distances(chunk)
    sound = (
        (len(distances) == 0 or pc.min(distances).as_py() >= duration_ns)
        and _all(pc.greater(low, 0.0))
        and all(_all(pc.less_equal(low, price)) and _all(pc.less_equal(price, high)) for price in (open_, close))
        and all(_all(pc.and_(pc.greater_equal(v, 0.0), pc.is_finite(v))) for v in (*volume, high))
    )
    if sound:
        report.count_gap(before, chunk.ats[0], duration_ns)
        for distance in distances.filter(pc.greater(distances, duration_ns)).to_pylist():
            report.count_gap(1, 1 + distance, duration_ns)
        report.rows += len(chunk.ats)
        report.kept += len(chunk.ats)
    return sound


def _tidy_ticks(chunk: Chunk, before: int, report: FeedReport) -> bool:
    """Return whether a chunk has no defect and no two rows of one time; count its rows when so."""
    if chunk.table is None or chunk.ats[0] <= before:
        return False
    bid, ask, distances = chunk.table[1], chunk.table[-1], _distances(chunk)
    sound = (
        (len(distances) == 0 or pc.min(distances).as_py() > 0)
        and _all(pc.greater(bid, 0.0))
        and _all(pc.less_equal(bid, ask))
        and _all(pc.is_finite(ask))
    )
    if sound:
        report.rows += len(chunk.ats)
        report.kept += len(chunk.ats)
    return sound


def _mid_prices(chunk: Chunk, policy: FeedPolicy, report: FeedReport) -> Chunk:
    """Turn bid and ask bars into mid bars; rows whose sides cross are counted and, by policy, left out."""
    ats: list[int] = []
    rows: list[list[Cell]] = []
    for at, *cells in zip(chunk.ats, *chunk.columns, strict=True):
        pairs = list(zip(cells[:4], cells[4:], strict=True))
        if any(bid is not None and ask is not None and ask < bid for bid, ask in pairs):
            report.crossed += 1
            if policy.crossed is Handling.SKIP:
                report.rows += 1
                continue
            report.repaired += policy.crossed is Handling.REPAIR
        ats.append(at)
        rows.append([None if bid is None or ask is None else (bid + ask) / 2 for bid, ask in pairs])
    columns = tuple(list(column) for column in zip(*rows, strict=True)) or ([], [], [], [])
    return Chunk(ats, (*columns, [Decimal(0)] * len(ats)), None)
