"""Read price columns from Parquet and CSV files, a chunk at a time, with exact decimals.

A float becomes the decimal of its shortest text (``repr``), which is the number that was recorded; CSV text becomes that
decimal directly. Times (``ts``, or ``date`` at midnight) are UTC, cut to whole microseconds. CSV lines that start
with ``#`` and blank ones are skipped; ``.gz`` is unpacked. Memory holds one chunk.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from market.sources.base import SourceError

__all__ = ["CHUNK_ROWS", "Chunk", "Reading", "column_names", "read_chunks"]

CHUNK_ROWS: Final = 2_048
_RATIO_PLACES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Chunk(NamedTuple):
    """Rows of a file: starts or event times, and the columns that were asked for; None where missing or NaN.

    ``table`` holds the same rows as Arrow columns when they came from Parquet, for checks without a Python loop.
    """

    ats: list[int]
    columns: tuple[list[Decimal | None], ...]
    table: tuple[Any, ...] | None


def column_names(path: Path) -> list[str]:
    """Return the column names of a file; raise SourceError when it cannot be read."""
    try:
        if _is_csv(path):
            return next(csv.reader(_lines(path)), [])
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: {error}") from error


class Reading(NamedTuple):
    """What to read: the columns, only rows whose ``where`` columns have the given text.

    Chunks (and Parquet row groups) whose times all lie before ``not_before`` are left out without converting them.
    ``ratio`` divides the first named column by the second, to 8 places: quote volume by price is base volume.
    """

    path: Path
    names: Sequence[str]
    where: Mapping[str, str]
    not_before: int = 0
    ratio: tuple[str, str] | None = None
    chunk_rows: int = CHUNK_ROWS


def read_chunks(reading: Reading) -> Iterator[Chunk]:
    """Yield the chunks of a file; raise SourceError for a file or column that is not there."""
    path, names, where = reading.path, reading.names, reading.where
    present = column_names(path)
    time_column = next((name for name in ("ts", "date") if name in present), "ts")
    for name in (time_column, *names, *where):
        if name not in present:
            near = difflib.get_close_matches(name, present, n=1)
            raise SourceError(f"{path}: no column {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    reader = _read_csv if _is_csv(path) else _read_parquet
    return reader(reading, time_column)


def _is_csv(path: Path) -> bool:
    return path.name.endswith((".csv", ".csv.gz"))


# --- Parquet ----------------------------------------------------------------------------------------------------------


def _read_parquet(reading: Reading, time_column: str) -> Iterator[Chunk]:
    names = reading.names
    with pq.ParquetFile(reading.path) as file:
        groups = _row_groups(file, time_column, reading.not_before)
        wanted = [time_column, *names, *reading.where]
        for whole in file.iter_batches(reading.chunk_rows, row_groups=groups, columns=wanted):
            batch = whole
            for name, text in reading.where.items():
                batch = batch.filter(pc.equal(batch.column(name), text))
            times = _nanoseconds(batch.column(time_column))
            if not len(times) or pc.max(times).as_py() < reading.not_before:
                continue
            found = {name: batch.column(name).cast(pa.float64()) for name in names}
            if reading.ratio:
                top, bottom = reading.ratio
                found[top] = pc.round(pc.divide(found[top], found[bottom]), _RATIO_PLACES)
            table = tuple(found[name] for name in names)
            yield Chunk(_integers(times), tuple(map(_decimals, table)), (times, *table))


def _row_groups(file: Any, time_column: str, not_before: int) -> list[int]:
    """Return the row groups that may hold times from ``not_before`` on; those without statistics may."""
    index = file.schema_arrow.names.index(time_column)
    kept = []
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(index).statistics
        newest = statistics.max if statistics is not None and statistics.has_min_max else None
        if not isinstance(newest, datetime) or _from_datetime(newest) + 1_000_000 >= not_before:
            kept.append(group)
    return kept


def _nanoseconds(times: Any) -> Any:
    """Return whole microseconds as nanoseconds (int64), whatever unit the file has."""
    micros = times.cast(
        pa.timestamp("us", tz="UTC") if pa.types.is_timestamp(times.type) else pa.timestamp("us"), safe=False
    )
    return pc.multiply(micros.cast(pa.int64()), 1000)


def _buffer(array: Any, code: Literal["q", "d"]) -> list[Any]:
    # Arrow's own to_pylist makes a Python object through a scalar for each value; the raw buffer is ten times faster
    values = memoryview(array.buffers()[1]).cast("B").cast(code)
    return list(values[array.offset : array.offset + len(array)])


def _integers(array: Any) -> list[int]:
    if array.null_count:
        raise SourceError("a row has no time")
    return _buffer(array, "q")


def _decimals(array: Any) -> list[Decimal | None]:
    if not array.null_count and pc.all(pc.is_finite(array)).as_py():
        floats = _buffer(array, "d")
        if len(set(floats[:64])) > 32:
            return list(map(Decimal, map(repr, floats)))
        # quotes repeat, and looking one up is cheaper than converting it again; bars do not
        known = {value: Decimal(repr(value)) for value in set(floats)}
        return list(map(known.__getitem__, floats))
    return [Decimal(repr(x)) if x is not None and math.isfinite(x) else None for x in array.to_pylist()]


# --- CSV --------------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[str]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield line


def _read_csv(reading: Reading, time_column: str) -> Iterator[Chunk]:
    rows = csv.DictReader(_lines(reading.path))
    selected = (row for row in rows if all(row[name] == text for name, text in reading.where.items()))
    while chunk := list(itertools.islice(selected, reading.chunk_rows)):
        ats = [_instant(row[time_column], reading.path) for row in chunk]
        if max(ats) >= reading.not_before:
            found = {name: [_number(row[name]) for row in chunk] for name in reading.names}
            if reading.ratio:
                top, bottom = reading.ratio
                found[top] = [_ratio(*pair) for pair in zip(found[top], found[bottom], strict=True)]
            yield Chunk(ats, tuple(found[name] for name in reading.names), None)


def _ratio(top: Decimal | None, bottom: Decimal | None) -> Decimal | None:
    return None if top is None or not bottom else round(top / bottom, _RATIO_PLACES)


def _number(text: str | None) -> Decimal | None:
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _instant(text: str | None, path: Path) -> int:
    """Read ISO 8601 (UTC when it names no zone) or an epoch in s, ms, us or ns, told apart by its digits."""
    text = (text or "").strip()
    if text.isdecimal():
        unit = next((unit for digits, unit in ((11, 10**9), (14, 10**6), (17, 1000)) if len(text) <= digits), 1)
        return int(text) * unit // 1000 * 1000
    try:
        return _from_datetime(datetime.fromisoformat(text))
    except ValueError as error:
        raise SourceError(f"{path}: {text!r} is not a time") from error


def _from_datetime(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND * 1000
