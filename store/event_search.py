"""What of the event log is wanted, as a query on its tables (EX-1403, EX-1410)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from protocol.values import Instant
from rules.event_log.line import Category, LineSeverity, Source, Tag

__all__ = ["EventFilter", "FindWords", "Where", "squashed", "where_of"]

FindWords: TypeAlias = Callable[[str], tuple[str, list[Any]] | None]
"""Makes the words of a search into a condition; None when there is no word in it."""


class EventFilter(NamedTuple):
    """What of the event log is wanted; what is left empty does not narrow. ``until`` is exclusive.

    Every word of ``text`` must begin a word of the line, in any order; ``BTC/USDT`` is one word. ``pair`` is a symbol in
    any spelling, ``unseen`` are pinned lines that nobody has acknowledged.
    """

    text: str = ""
    sources: Sequence[Source] = ()
    severities: Sequence[LineSeverity] = ()
    code: str = ""
    identity: str = ""
    group_id: str = ""
    correlation_id: int | None = None
    since: Instant | None = None
    until: Instant | None = None
    pinned: bool | None = None
    categories: Sequence[Category] = ()
    tags: Sequence[Tag] = ()
    pair: str = ""
    timeframe: str = ""
    unseen: bool = False


class Where:
    """Conditions joined by AND, with their values."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any, when: Any = True) -> Where:
        """Add a condition unless ``when`` is None, False or empty."""
        if when is not None and when is not False and when != "" and when != ():
            self._parts.append(condition)
            self.values += values
        return self

    def one_of(self, column: str, values: Sequence[str]) -> Where:
        """Add that a column has one of these values, if there are any."""
        return self.add(f"{column} IN ({', '.join('?' * len(values))})", *values, when=bool(values))

    def __str__(self) -> str:
        return " WHERE " + " AND ".join(self._parts) if self._parts else ""


def squashed(symbol: str) -> str:
    """Return a symbol without separators, for comparing spellings (``btc-usdt`` is ``BTC/USDT``)."""
    return "".join(letter for letter in symbol.upper() if letter.isalnum() or letter == ":")


def where_of(wanted: EventFilter, find_words: FindWords, symbols: Sequence[str] = ()) -> Where:
    """Return the conditions on ``events``; ``symbols`` are those that ``wanted.pair`` may mean."""
    where = Where().one_of("source", wanted.sources).one_of("severity", wanted.severities)
    _categories(where, wanted.categories)
    if wanted.text:
        condition, values = find_words(wanted.text) or ("FALSE", [])
        where.add(condition, *values)
    for tag in wanted.tags:
        where.add("position IN (SELECT position FROM event_tags WHERE tag = ?)", tag)
    where.one_of("symbol", symbols).add("FALSE", when=bool(wanted.pair) and not symbols)
    where.add("timeframe = ?", wanted.timeframe, when=wanted.timeframe)
    where.add("code = ?", wanted.code, when=wanted.code)
    where.add("identity = ?", wanted.identity, when=wanted.identity)
    where.add("group_id = ?", wanted.group_id, when=wanted.group_id)
    where.add("correlation_id = ?", wanted.correlation_id, when=wanted.correlation_id)
    where.add("at >= ?", wanted.since, when=wanted.since).add("at < ?", wanted.until, when=wanted.until)
    where.add("pinned" if wanted.pinned else "NOT pinned", when=wanted.pinned is not None)
    return where.add("pinned AND acknowledged_at IS NULL", when=wanted.unseen)


def _categories(where: Where, categories: Sequence[Category]) -> None:
    """Add that a line is in one of the categories, whether these go by severity or by source."""
    severities = [each.severity for each in categories if each.severity is not None]
    sources = [each.source for each in categories if each.source is not None]
    parts = [f"{column} IN ({', '.join('?' * len(values))})" for column, values in
             (("severity", severities), ("source", sources)) if values]  # fmt: skip
    where.add(f"({' OR '.join(parts)})", *severities, *sources, when=bool(parts))
