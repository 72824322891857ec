"""Where the shared recorded data lies, and small files made for a test."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from market.sources import SymbolFeed

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MINUTE = 60 * 10**9


def feed(symbol, path, **settings):
    return SymbolFeed(symbol=symbol, path=path, **settings)


def recorded(symbol, path, **settings):
    """Return a feed over shared data; skip the test when the data is not there."""
    if not (DATA / path).exists():
        pytest.skip(f"shared data is absent: {path}")
    return feed(symbol, path, **settings)


def write_parquet(path, columns, row_group_size=None):
    """Write columns; ``ts`` in milliseconds."""
    arrays = {name: pa.array(values) for name, values in columns.items() if name != "ts"}
    arrays["ts"] = pa.array(columns["ts"], pa.timestamp("ms", tz="UTC"))
    pq.write_table(pa.table(arrays), path, row_group_size=row_group_size)


def write_bars(path, minutes, **columns):
    """Write one-minute bars at these minutes, flat at 100 unless columns say otherwise."""
    flat = {name: [100.0] * len(minutes) for name in ("open", "high", "low", "close", "volume")}
    write_parquet(path, {"ts": [minute * 60_000 for minute in minutes], **flat, **columns})
