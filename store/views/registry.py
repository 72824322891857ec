"""The table of projections: event type -> the one function that writes its rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from protocol.messages import Event
from rules.notation import plain
from runtime.journal import Record
from store.tables.catalogue import insert_statement
from store.tables.database import Database, Row
from store.views.tables import SERIES

__all__ = ["PROJECTIONS", "Projection", "Writer", "insert", "insert_new", "projection", "run"]

E = TypeVar("E", bound=Event)


class Writer(NamedTuple):
    """What a projection writes with: the open transaction, the record whose event it projects, and what it remembers."""

    database: Database
    record: Record
    facts: dict[tuple[Any, ...], Row]

    def known(self, sql: str, *values: Any) -> Row | None:
        """Return the first row of a query whose answer never changes once there is one, None when there is none."""
        found = self.facts.get((sql, *values))
        if found is None and (found := self.one(sql, *values)) is not None:
            self.facts[(sql, *values)] = found
        return found

    def one(self, sql: str, *values: Any) -> Row | None:
        """Return the first row of a query, None when there is none."""
        return next(iter(self.database.fetch(sql, values)), None)


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


def run(writer: Writer, sql: str, *values: Any) -> None:
    """Run one statement that writes; decimals are written as text and enums as their value."""
    writer.database.execute(sql, [_plain(value) for value in values])


def insert(writer: Writer, table: str, **values: Any) -> None:
    """Write one row; one that is already there under the same key is replaced."""
    if table in SERIES:
        writer.database.append(table, tuple(values), [_plain(value) for value in values.values()])
        return
    run(writer, insert_statement(table, tuple(values), replace=True), *values.values())


def insert_new(writer: Writer, table: str, **values: Any) -> None:
    """Write one row; one that is already there under the same key is a defect, and stops the read models."""
    run(writer, insert_statement(table, tuple(values), replace=False), *values.values())


_AS_IT_IS: Final = frozenset({str, int, bool, type(None)})
"""Types that are taken as they are; most values are of these."""


def _plain(value: Any) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return value.value if isinstance(value, Enum) else value
