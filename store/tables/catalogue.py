"""The tables of the read models as data, and their statements for each database.

``store.views.tables`` describes them once, with these types of columns: TEXT, INTEGER (64 bits), EXACT (a decimal: NUMERIC
in PostgreSQL, plain text in SQLite), JSON (JSONB, text) and FLAG (BOOLEAN, 0 or 1). Every table has ``user_id`` (DK-244).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from store.views.tables import SERIES, TABLES

__all__ = ["Table", "for_postgres", "for_sqlite", "insert_statement", "table", "tables"]

_TYPE: Final = re.compile(r"\b(EXACT|JSON|FLAG|INTEGER|TEXT)\b")
_SQLITE: Final = {"EXACT": "TEXT", "JSON": "TEXT", "FLAG": "INTEGER", "INTEGER": "INTEGER", "TEXT": "TEXT"}
_POSTGRES: Final = {
    "EXACT": "NUMERIC",
    "JSON": "JSONB",
    "FLAG": "BOOLEAN",
    "INTEGER": "BIGINT",
    "TEXT": 'TEXT COLLATE "C"',  # as SQLite orders and compares
}
_USER: Final = "user_id TEXT NOT NULL DEFAULT 'local'"


class Table(NamedTuple):
    """One table: its columns with their types, in order, and its primary key."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]

    @property
    def series(self) -> str:
        """The column of instants by which it is kept in parts; empty when it is one piece."""
        return SERIES.get(self.name, "")


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Return all tables in the order they are made."""
    return tuple(_parsed(each) for each in map(_with_user, TABLES) if each.startswith("CREATE TABLE"))


def table(name: str) -> Table:
    """Return one table; raise ``KeyError``."""
    return {each.name: each for each in tables()}[name]


def for_sqlite() -> list[str]:
    """Return the statements that make the tables in SQLite."""
    return [_TYPE.sub(lambda found: _SQLITE[found[1]], _with_user(each)) for each in TABLES]


def for_postgres(*, hypertables: bool) -> list[str]:
    """Return the statements that make the tables in PostgreSQL; without hypertables time series are partitioned there."""
    return [_in_postgres(_with_user(each), hypertables=hypertables) for each in TABLES]


@lru_cache(maxsize=512)
def insert_statement(name: str, columns: tuple[str, ...], *, replace: bool) -> str:
    """Return the statement that writes a row; ``replace`` takes the place of a row with the same key, wholly.

    Columns that are not named get their defaults, also in a row that was there. A time series has no row twice.
    """
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 our own names
    of = table(name)
    if not replace or of.series:
        return sql
    rest = ", ".join(f"{column} = excluded.{column}" for column in of.columns if column not in of.key)
    return f"{sql} ON CONFLICT ({', '.join(of.key)}) DO UPDATE SET {rest}"


def _with_user(statement: str) -> str:
    """Give a table its ``user_id`` where it has none."""
    if not statement.startswith("CREATE TABLE") or " user_id " in statement.replace("\n", " "):
        return statement
    head, open_bracket, rest = statement.partition("(")
    return f"{head}{open_bracket}{_columns_then(rest)}"


def _columns_then(rest: str) -> str:
    """Put the column behind the others, before the constraints of the table."""
    place = rest.find("PRIMARY KEY (")
    if place >= 0:
        return f"{rest[:place]}{_USER}, {rest[place:]}"
    place = rest.rindex(")")
    return f"{rest[:place]}, {_USER}{rest[place:]}"


def _in_postgres(statement: str, *, hypertables: bool) -> str:
    text = _TYPE.sub(lambda found: _POSTGRES[found[1]], statement).replace(" WITHOUT ROWID", "")
    name = text.split()[2]
    series = SERIES.get(name, "") if text.startswith("CREATE TABLE") else ""
    if not series:
        return text
    # What is kept in parts is unique only by what it is parted by as well.
    text = text.replace(" PRIMARY KEY", " NOT NULL", 1)
    parts = "" if hypertables else f" PARTITION BY RANGE ({series})"
    return f"{text[: text.rindex(')')]}, PRIMARY KEY (position, {series})){parts}"


def _parsed(statement: str) -> Table:
    name = statement.split()[2]
    body = statement[statement.index("(") + 1 : statement.rindex(")")]
    columns: dict[str, str] = {}
    key: tuple[str, ...] = ()
    for part in re.split(r",\s*(?![^()]*\))", body):
        words = part.split()
        if part.strip().startswith("PRIMARY KEY"):
            key = tuple(each.strip() for each in part[part.index("(") + 1 : part.index(")")].split(","))
            continue
        columns[words[0]] = words[1]
        if "PRIMARY KEY" in part:
            key = (words[0],)
    return Table(name, columns, key)
