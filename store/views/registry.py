"""The table of projections: event type -> the one function that writes its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from protocol.messages import Event
from rules.notation import plain
from runtime.journal import Record

__all__ = ["PROJECTIONS", "Projection", "Writer", "insert", "insert_new", "projection", "run"]

E = TypeVar("E", bound=Event)


class Writer(NamedTuple):
    """What a projection writes with: the open transaction and the record whose event it projects."""

    connection: sqlite3.Connection
    record: Record


Projection: TypeAlias = Callable[[Writer, Any], None]

PROJECTIONS: Final[dict[str, Projection]] = {}
"""Event type -> projection."""


def projection(of: type[E]) -> Callable[[Callable[[Writer, E], None]], Callable[[Writer, E], None]]:
    """Register the decorated function for an event type; raise ``ValueError`` when it already has one."""

    def register(function: Callable[[Writer, E], None]) -> Callable[[Writer, E], None]:
        if of.__name__ in PROJECTIONS:
            raise ValueError(f"{of.__name__} already has a projection")
        PROJECTIONS[of.__name__] = function
        return function

    return register


def run(writer: Writer, sql: str, *values: Any) -> int:
    """Run one statement; decimals are written as text and enums as their value. Return how many rows it changed."""
    return writer.connection.execute(sql, [_plain(value) for value in values]).rowcount


def insert(writer: Writer, table: str, **values: Any) -> None:
    """Write one row; one that is already there under the same key is replaced."""
    _insert(writer, "INSERT OR REPLACE", table, values)


def insert_new(writer: Writer, table: str, **values: Any) -> None:
    """Write one row; one that is already there under the same key is a defect, and stops the read models."""
    _insert(writer, "INSERT", table, values)


def _insert(writer: Writer, verb: str, table: str, values: dict[str, Any]) -> None:
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    run(writer, f"{verb} INTO {table} ({columns}) VALUES ({marks})", *values.values())


_AS_IT_IS: Final = frozenset({str, int, bool, type(None)})
"""Types that SQLite takes as they are; most values are of these."""


def _plain(value: Any) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return value.value if isinstance(value, Enum) else value
