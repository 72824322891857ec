"""What projections and queries ask of a database; they are written once, in the SQL that SQLite and PostgreSQL share.

Placeholders are ``?``. Values are text, whole numbers, booleans and None: exact decimals go in as text and come out as text
or ``Decimal``, JSON goes in and comes out as text. Everything raises ``JournalUnavailable`` when the database cannot be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

__all__ = ["Database", "Row", "Values"]

Row: TypeAlias = Sequence[Any]
Values: TypeAlias = Sequence[Any]


class Database(Protocol):
    """The tables of the read models in one open database. One thread at a time."""

    @property
    def name(self) -> str:
        """Where it is, for messages; never with a password."""
        ...

    @property
    def backend(self) -> str:
        """``sqlite`` or ``postgresql``."""
        ...

    @property
    def current(self) -> bool:
        """Whether the tables are there, of today's schema."""
        ...

    def execute(self, sql: str, values: Values = ()) -> None:
        """Write; may be held back until something is read or the transaction ends."""
        ...

    def append(self, table: str, columns: tuple[str, ...], row: Values) -> None:
        """Write a row that nothing reads before the transaction ends; it may be held back until then, or ``settle``."""
        ...

    def settle(self) -> None:
        """Write what ``append`` held back."""
        ...

    def fetch(self, sql: str, values: Values = ()) -> list[Row]:
        """Return all rows of a query, with everything written so far but what ``append`` may hold back."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Keep all that is written inside, or nothing of it."""
        ...

    def one_view(self) -> AbstractContextManager[None]:
        """Read inside from one consistent state, whoever writes meanwhile."""
        ...

    def make_tables(self) -> None:
        """Throw away whatever tables there are and make those of today, empty, all or nothing."""
        ...

    def index_words(self, position: int, words: str) -> None:
        """Make a line of the event log findable by its words."""
        ...

    def words_condition(self, text: str) -> tuple[str, list[Any]] | None:
        """Return the condition on ``events`` that every word of a text begins a word of the line; None for no word."""
        ...

    def contains_condition(self, columns: Sequence[str]) -> str:
        """Return the condition that one of these columns, as text, holds a piece of text in any case (one placeholder)."""
        ...

    def kept_since(self, name: str) -> int:
        """Return the instant before which rows of a time series were dropped to save room, 0 when none were."""
        ...

    def size_bytes(self) -> int:
        """Return what the tables take on the disk."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
