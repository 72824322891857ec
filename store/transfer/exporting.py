"""Write a table as CSV, JSON, JSON lines or Parquet: one of the read models as of one moment, or rows that somebody makes.

Besides the types of the read models a column may be FLOAT, or INSTANT (nanoseconds UTC: ISO 8601 with what is known of the
second in CSV and JSON, a timestamp in Parquet). Exact decimals are text in CSV and JSON, as everywhere; in Parquet they are
decimals of 38 places before and 38 after the point, rounded there (half to even) where they have more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec

from rules.notation import iso_exact
from store.tables.catalogue import Table
from store.tables.contents import rows_of
from store.tables.database import Database

__all__ = ["PAGE", "TableForm", "export_rows", "export_table"]

PAGE: Final = 5_000
"""Rows written at once."""

_PLACES: Final = Decimal(1).scaleb(-38)
_CONTEXT: Final = Context(prec=76, rounding=ROUND_HALF_EVEN)


class TableForm(StrEnum):
    """Form of an export."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    JSON = "json"


def export_table(
    database: Database, table: Table, form: TableForm, out: BinaryIO, told: Callable[[int], None] = lambda _: None
) -> int:
    """Write all rows; return how many. ``told`` hears it now and then. Raises ``JournalUnavailable``."""
    with database.one_view():
        return export_rows(table, rows_of(database, table), form, out, told)


def export_rows(
    table: Table,
    rows: Iterable[tuple[Any, ...]],
    form: TableForm,
    out: BinaryIO,
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Write rows that have the columns of ``table``, a page at a time; return how many."""
    count = 0
    for written in _WRITERS[form](table, _pages(iter(rows)), out):
        count += written
        told(count)
    return count


def _pages(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while page := list(islice(rows, PAGE)):
        yield page


def _csv(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    def lines(rows: list[Any]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()

    instants = _instants(table)
    out.write(lines([list(table.columns)]))
    for page in pages:
        out.write(lines([[_shown(value) for value in _dated(row, instants)] for row in page]))
        yield len(page)


def _instants(table: Table) -> list[int]:
    return [place for place, kind in enumerate(table.columns.values()) if kind == "INSTANT"]


def _dated(row: tuple[Any, ...], instants: list[int]) -> Sequence[Any]:
    """Return a row with its instants as text."""
    if not instants:
        return row
    found = list(row)
    for place in instants:
        if found[place] is not None:
            found[place] = iso_exact(found[place])
    return found


def _shown(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _objects(table: Table, pages: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[bytes]]:
    encode = msgspec.json.Encoder().encode
    documents = [name for name, kind in table.columns.items() if kind == "JSON"]
    instants = _instants(table)
    for page in pages:
        lines = []
        for row in page:
            named = dict(zip(table.columns, _dated(row, instants), strict=True))
            for name in documents:
                named[name] = msgspec.Raw(named[name].encode())
            lines.append(encode(named))
        yield lines


def _jsonl(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    for lines in _objects(table, pages):
        out.write(b"\n".join(lines) + b"\n")
        yield len(lines)


def _json(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    between = b"[\n"
    for lines in _objects(table, pages):
        out.write(between + b",\n".join(lines))
        between = b",\n"
        yield len(lines)
    out.write(b"[]\n" if between == b"[\n" else b"\n]\n")


def _parquet(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    import pyarrow as pa  # heavy: only when it is asked for
    from pyarrow import parquet

    kinds = {
        "TEXT": pa.string(),
        "JSON": pa.string(),
        "INTEGER": pa.int64(),
        "FLAG": pa.bool_(),
        "EXACT": pa.decimal256(76, 38),
        "FLOAT": pa.float64(),
        "INSTANT": pa.timestamp("ns", tz="UTC"),
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in table.columns.items()])
    exact = [place for place, kind in enumerate(table.columns.values()) if kind == "EXACT"]
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for page in pages:
            columns = [list(column) for column in zip(*page, strict=True)]
            for place in exact:
                columns[place] = [None if value is None else _rounded(value) for value in columns[place]]
            arrays = [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield len(page)


def _rounded(text: str) -> Decimal:
    return _CONTEXT.quantize(Decimal(text), _PLACES)


_WRITERS: Final = {TableForm.CSV: _csv, TableForm.JSON: _json, TableForm.JSONL: _jsonl, TableForm.PARQUET: _parquet}
