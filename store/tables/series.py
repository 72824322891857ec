"""The parts of time series on PostgreSQL: hypertables of TimescaleDB where it is installed, else one partition a month."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["CHUNK_NS", "Month", "drop_chunks", "hypertable", "month_of", "of_part"]

CHUNK_NS: Final = 30 * 86_400_000_000_000
"""How much time one part of a hypertable covers."""

_NANOS: Final = 1_000_000_000
_LATEST: Final = 9_223_372_036_854_775_807


class Month(NamedTuple):
    """One calendar month in UTC: ``start`` to ``end`` in nanoseconds, ``end`` not included."""

    year: int
    month: int

    @property
    def start(self) -> int:
        """Its first instant."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * _NANOS

    @property
    def end(self) -> int:
        """The first instant of the next one."""
        return min(self.next.start, _LATEST)

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def part_of(self, table: str) -> str:
        """Return the name of its partition."""
        return f"{table}_{self.year:04}_{self.month:02}"

    def statement(self, table: str) -> str:
        """Return the statement that makes its partition, unless there is one."""
        bounds = f"FROM ({self.start}) TO ({self.end})"
        return f"CREATE TABLE IF NOT EXISTS {self.part_of(table)} PARTITION OF {table} FOR VALUES {bounds}"


@lru_cache(maxsize=16)
def _month(day: int) -> Month:
    found = datetime.fromtimestamp(day * 86_400, UTC)
    return Month(found.year, found.month)


def month_of(at: int) -> Month:
    """Return the month of an instant (nanoseconds UTC)."""
    return _month(at // (86_400 * _NANOS))


def of_part(table: str, name: str) -> Month | None:
    """Return the month whose partition has this name, None when it is no partition of the table."""
    year, _, month = name.removeprefix(f"{table}_").partition("_")
    return Month(int(year), int(month)) if year.isdigit() and month.isdigit() else None


def hypertable(table: str, column: str, extension_schema: str) -> str:
    """Return the statement that makes an empty table a hypertable, cut by a column of nanoseconds."""
    arguments = f"'{table}', '{column}', chunk_time_interval => {CHUNK_NS}::bigint, create_default_indexes => FALSE"
    return f"SELECT {extension_schema}.create_hypertable({arguments})"


def drop_chunks(table: str, before: int, extension_schema: str) -> str:
    """Return the query that drops a hypertable's parts whose rows are all older; its rows are their names."""
    return f"SELECT * FROM {extension_schema}.drop_chunks('{table}', older_than => {before}::bigint)"  # noqa: S608 ours
