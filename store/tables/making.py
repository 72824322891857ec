"""The statements that make the read models' schema on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from store.tables.catalogue import for_postgres
from store.tables.series import hypertable
from store.views.tables import SCHEMA_VERSION, SERIES

__all__ = ["current_mark", "make_statements", "series_kind", "version_in"]

_FUNCTIONS: Final = (
    "CREATE FUNCTION exact_add(NUMERIC, NUMERIC) RETURNS NUMERIC LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2'",
    "CREATE FUNCTION exact_sub(NUMERIC, NUMERIC) RETURNS NUMERIC LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2'",
    "CREATE AGGREGATE exact_sum(NUMERIC) (SFUNC = numeric_add, STYPE = NUMERIC, INITCOND = '0')",
)
_WORDS: Final = (
    """CREATE TABLE event_words (position BIGINT PRIMARY KEY, words TSVECTOR NOT NULL,
        user_id TEXT NOT NULL DEFAULT 'local')""",
    "CREATE INDEX event_words_index ON event_words USING gin (words)",
)


def current_mark(*, hypertables: bool) -> str:
    """Return the comment that a schema of today has."""
    return f"bulkhead read models {SCHEMA_VERSION} in {'hypertables' if hypertables else 'partitions'}"


def version_in(mark: str) -> int | None:
    """Return the version that a schema's comment names, None when it is not one of ours."""
    number = mark.removeprefix("bulkhead read models ").partition(" ")[0]
    return int(number) if mark.startswith("bulkhead read models ") and number.isdigit() else None


async def series_kind(connection: Any) -> str:
    """Return the schema of TimescaleDB's functions, empty where time series are native partitions.

    Where the server offers the extension it is created, if we may.
    """
    import asyncpg  # type: ignore[import-untyped]

    where = """SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'timescaledb'"""
    if found := await connection.fetchval(where):
        return str(found)
    if not await connection.fetchval("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"):
        return ""
    try:
        async with connection.transaction():
            await connection.execute("CREATE EXTENSION timescaledb")
    except asyncpg.PostgresError:  # not allowed to us, or not preloaded by the server
        return ""
    return str(await connection.fetchval(where))


def make_statements(schema: str, extension: str) -> Iterator[str]:
    """Yield what makes the schema anew; ``extension`` is where TimescaleDB's functions are, empty without it."""
    yield f"DROP SCHEMA IF EXISTS {schema} CASCADE"
    yield f"CREATE SCHEMA {schema}"
    yield f"SET LOCAL search_path = {schema}"
    yield from _FUNCTIONS
    yield from for_postgres(hypertables=bool(extension))
    yield from _WORDS
    if extension:
        for table, column in SERIES.items():
            yield hypertable(f"{schema}.{table}", column, extension)
    yield f"COMMENT ON SCHEMA {schema} IS '{current_mark(hypertables=bool(extension))}'"
