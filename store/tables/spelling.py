"""How statements and values are spelled for PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from rules.notation import plain
from store.tables.catalogue import table
from store.tables.database import Values

__all__ = ["cleaned", "copy_text", "decimal", "numbered", "storable_json"]

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


@lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """Return a statement with PostgreSQL's placeholders; question marks in quotes stay."""
    pieces = sql.split("'")
    number = 0
    for place in range(0, len(pieces), 2):
        head, *rest = pieces[place].split("?")
        for each in rest:
            number += 1
            head += f"${number}{each}"
        pieces[place] = head
    return "'".join(pieces)


def cleaned(values: Values) -> Values:
    """Return values that PostgreSQL can keep: its texts hold no zero byte."""
    for value in values:
        if isinstance(value, str) and "\0" in value:
            return [each.replace("\0", "\ufffd") if isinstance(each, str) else each for each in values]
    return values


def copy_text(name: str, columns: tuple[str, ...], rows: Sequence[Values]) -> bytes:
    """Return rows as COPY reads them."""
    types = table(name).columns if name != "event_words" else {}
    documents = [place for place, column in enumerate(columns) if types.get(column) == "JSON"]
    lines = []
    for row in rows:
        for place in documents:
            if "\\u0000" in row[place]:
                row = [*row[:place], storable_json(row[place]), *row[place + 1 :]]
        lines.append("\t".join(map(_field, row)))
    return ("\n".join(lines) + "\n").encode()


def _field(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    if value is None:
        return "\\N"
    return str(value)


def decimal(text: str) -> Decimal:
    """Return a number as SQLite's tables have it, without needless zeros."""
    return Decimal(plain(Decimal(text)))


def storable_json(text: str) -> str:
    """Return a document that PostgreSQL can keep: its texts hold no zero byte."""
    if "\\u0000" not in text:
        return text
    return msgspec.json.encode(_without_zero(msgspec.json.decode(text))).decode()


def _without_zero(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_zero(key): _without_zero(each) for key, each in value.items()}
    return [_without_zero(each) for each in value] if isinstance(value, list) else value
