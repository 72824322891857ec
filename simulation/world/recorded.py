"""Candles that were recorded at an exchange, where the folder with them lies beside the project."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

__all__ = ["have_recorded", "recorded_candles", "recorded_length"]

_FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "crypto"
_COLUMNS: Final = ("open", "high", "low", "close", "volume")


def have_recorded(file: str) -> bool:
    """Whether a file of recorded candles is on this machine."""
    return (_FOLDER / file).is_file()


def recorded_length(file: str) -> int:
    """Return how many bars a file holds."""
    return int(_table(file).num_rows)


def recorded_candles(file: str, skip: int, count: int) -> list[tuple[float, float, float, float, float]]:
    """Return open, high, low, close and volume of ``count`` bars after the first ``skip``; fewer at the file's end.

    Raises ``FileNotFoundError`` for a file that is not there.
    """
    part = _table(file).slice(skip, count)
    return list(zip(*(part.column(name).to_pylist() for name in _COLUMNS), strict=True))


@lru_cache(maxsize=16)
def _table(file: str) -> Any:
    from pyarrow import parquet  # only where recorded candles are wanted: it takes half a second to import

    return parquet.read_table(_FOLDER / file, columns=list(_COLUMNS))
