"""Write a table of the read models as CSV, JSON lines or Parquet, as of one moment, in the order of its key.

Exact decimals are text in CSV and JSON, as everywhere; in Parquet they are decimals of 38 places before and 38 after the
point, rounded there (half to even) where they have more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec

from store.tables.catalogue import Table
from store.tables.contents import rows_of
from store.tables.database import Database

__all__ = ["PAGE", "TableForm", "export_table"]

PAGE: Final = 5_000
"""Rows written at once."""

_PLACES: Final = Decimal(1).scaleb(-38)
_CONTEXT: Final = Context(prec=76, rounding=ROUND_HALF_EVEN)


class TableForm(StrEnum):
    """Form of an export."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def export_table(
    database: Database, table: Table, form: TableForm, out: BinaryIO, told: Callable[[int], None] = lambda _: None
) -> int:
    """Write all rows; return how many. ``told`` hears it now and then. Raises ``JournalUnavailable``."""
    count = 0
    with database.one_view():
        pages = _pages(rows_of(database, table))
        for written in _WRITERS[form](table, pages, out):
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

    out.write(lines([list(table.columns)]))
    for page in pages:
        out.write(lines([[_shown(value) for value in row] for row in page]))
        yield len(page)


def _shown(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _jsonl(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    encode = msgspec.json.Encoder().encode
    documents = [name for name, kind in table.columns.items() if kind == "JSON"]
    for page in pages:
        for row in page:
            named = dict(zip(table.columns, row, strict=True))
            for name in documents:
                named[name] = msgspec.Raw(named[name].encode())
            out.write(encode(named) + b"\n")
        yield len(page)


def _parquet(table: Table, pages: Iterator[list[tuple[Any, ...]]], out: BinaryIO) -> Iterator[int]:
    import pyarrow as pa  # heavy: only when it is asked for
    from pyarrow import parquet

    kinds = {
        "TEXT": pa.string(),
        "JSON": pa.string(),
        "INTEGER": pa.int64(),
        "FLAG": pa.bool_(),
        "EXACT": pa.decimal256(76, 38),
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


_WRITERS: Final = {TableForm.CSV: _csv, TableForm.JSONL: _jsonl, TableForm.PARQUET: _parquet}
