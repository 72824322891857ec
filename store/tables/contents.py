"""All rows of a table in the order of its key, in one spelling for every database; digests and copies are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec

from rules.notation import plain
from store.tables.catalogue import Table, tables
from store.tables.database import Database

__all__ = ["PAGE", "Only", "copy_rows", "digest_of", "digests", "digests_here", "rows_of"]

PAGE: Final = 2_000
"""Rows fetched or written at a time."""

Only: TypeAlias = tuple[str, Any] | None
"""A condition with one placeholder, and its value; None for all rows."""

_ALL: Final[Mapping[str, Only]] = {}


def rows_of(database: Database, table: Table, only: Only = None) -> Iterator[tuple[Any, ...]]:
    """Yield every row: decimals in plain notation, JSON with sorted keys, flags as booleans, texts without zero bytes.

    ``only`` is a condition with its value. Hold ``one_view`` around it for rows of one moment.
    """
    names, key = ", ".join(table.columns), ", ".join(table.key)
    spell = [_SPELL[each] for each in table.columns.values()]
    at = [list(table.columns).index(each) for each in table.key]
    conditions, values = ([only[0]], [only[1]]) if only is not None else ([], [])
    after: list[str] = []
    last: list[Any] = []
    while True:
        where = " AND ".join(conditions + after) or "TRUE"
        sql = f"SELECT {names} FROM {table.name} WHERE {where} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608 our own names
        page = database.fetch(sql, values + last)
        for row in page:
            yield tuple(None if value is None else say(value) for say, value in zip(spell, row, strict=True))
        if len(page) < PAGE:
            return
        last = [page[-1][place] for place in at]
        after = [f"({key}) > ({', '.join('?' * len(last))})"]


def _silent(what: object) -> None:
    """Tell nobody."""


def digest_of(database: Database, table: Table, only: Only = None) -> str:
    """Return the SHA-256 over all rows of a table, hex: the same for the same rows, wherever they are kept."""
    found, encode = sha256(), msgspec.msgpack.Encoder().encode
    for row in rows_of(database, table, only):
        found.update(encode(row))
    return found.hexdigest()


def digests(database: Database, told: Callable[[str], None] = _silent) -> dict[str, str]:
    """Return the digest of every table, all as of one moment; ``told`` hears of each table."""
    with database.one_view():
        return digests_here(database, told)


def digests_here(
    database: Database, told: Callable[[str], None] = _silent, only: Mapping[str, Only] = _ALL
) -> dict[str, str]:
    """Return the digest of every table, inside a view or transaction that is already held; ``only`` narrows some."""
    found: dict[str, str] = {}
    for table in tables():
        told(table.name)
        found[table.name] = digest_of(database, table, only.get(table.name))
    return found


def copy_rows(source: Database, target: Database, told: Callable[[int], None] = _silent) -> int:
    """Copy all read models into empty tables, all or nothing; return how many rows there were.

    When the target is no longer empty (another projector was faster) nothing is copied.
    """
    count = 0
    with source.one_view(), target.transaction():
        if target.fetch("SELECT one FROM progress"):
            return 0
        for table in tables():
            columns = tuple(table.columns)
            for row in rows_of(source, table):
                target.append(table.name, columns, row)
                count += 1
                if count % PAGE == 0:
                    target.settle()
                    told(count)
            target.settle()
        _copy_words(source, target)
    told(count)
    return count


def _copy_words(source: Database, target: Database) -> None:
    """Make the lines findable again: an index of words is never copied."""
    sql = """SELECT position, text, code, identity, group_id, client_order_id, signal_id FROM events
        WHERE position > ? ORDER BY position LIMIT 2000"""
    last = 0
    while page := source.fetch(sql, [last]):
        for position, *words in page:
            target.index_words(position, " ".join(words))
        target.settle()
        last = page[-1][0]


def _text(value: Any) -> str:
    return str(value).replace("\0", "\ufffd")


def _json(text: str) -> str:
    return msgspec.json.encode(_clean(msgspec.json.decode(text)), order="deterministic").decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value


_SPELL: Final[dict[str, Callable[[Any], Any]]] = {
    "TEXT": _text,
    "INTEGER": int,
    "EXACT": lambda value: plain(Decimal(value)),
    "JSON": _json,
    "FLAG": bool,
}
