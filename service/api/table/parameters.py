"""Parameters of the query that several addresses share."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from protocol.values import Scope, Side
from rules.event_log.line import Category, LineSeverity, Tag
from rules.performance import RangeName
from service.api.filters import SEVERITIES
from service.api.table.routes import Given
from store.pnl import PNL_KEYS

__all__ = [
    "ACCOUNT",
    "AFTER",
    "DRAWN",
    "FOLLOWING",
    "GROUP",
    "LIMIT",
    "LOG",
    "OPEN",
    "PNL",
    "RECKONING",
    "SCOPE",
    "SINCE",
    "SYMBOL",
    "Given",
    "flag",
    "text",
    "whole",
    "word",
]

_MOST: Final = 10_000


def text(name: str, meaning: str, **schema: Any) -> Given:
    """Return a parameter that is any text."""
    return Given(name, {"type": "string", **schema}, meaning)


def whole(name: str, meaning: str, **schema: Any) -> Given:
    """Return a parameter that is a whole number from 0."""
    return Given(name, {"type": "integer", "minimum": 0, "maximum": 10**15, **schema}, meaning)


def word(name: str, meaning: str, of: type[StrEnum] | tuple[str, ...]) -> Given:
    """Return a parameter that is one word of several."""
    return Given(name, {"type": "string", "enum": [str(each) for each in of]}, meaning)


def flag(name: str, meaning: str) -> Given:
    """Return a parameter that counts when it is 1."""
    return Given(name, {"type": "string", "enum": ["0", "1"]}, meaning)


LIMIT: Final = whole("limit", "Rows at most.", minimum=1, maximum=_MOST)
ACCOUNT: Final = text("account", "Of this account only.")
GROUP: Final = text("group", "Of this group only.")
SYMBOL: Final = text("symbol", "Of this symbol only.")
SCOPE: Final = word("scope", "What the orders are worth; figures of several are never mixed.", Scope)
SINCE: Final = whole("since", "From this instant on (nanoseconds UTC).")
OPEN: Final = flag("open", "1: only what is open.")
AFTER: Final = whole("after", "Only what came after this position or sequence.")

FOLLOWING: Final = (
    text("type", "Only these types of event, separated by commas."),
    GROUP,
    SYMBOL,
    word("severity", "Least severe that is wanted.", tuple(SEVERITIES)),
)
LOG: Final = (
    text("text", "Words that stand in the line."),
    word("category", "One of the log's filters.", Category),
    word("severity", "One severity.", LineSeverity),
    word("tag", "One tag.", Tag),
    text("pair", "A symbol, in any spelling."),
    text("timeframe", "Of this timeframe only."),
    text("code", "Of this code only."),
    GROUP,
    whole("correlation", "What belongs to one signal."),
    SINCE,
    whole("until", "Before this instant (nanoseconds UTC)."),
    flag("pinned", "1: only what is pinned."),
)
PNL: Final = (
    word("by", "What is added up.", tuple(PNL_KEYS)),
    SCOPE,
    ACCOUNT,
    GROUP,
    SINCE,
    whole("until", "Before this instant (nanoseconds UTC)."),
)
RECKONING: Final = (
    SCOPE,
    ACCOUNT,
    text("venue", "Of this venue only."),
    SYMBOL,
    text("timeframe", "Of this timeframe only."),
    text("strategy", "Of this strategy only."),
    word("side", "Of this side only.", Side),
    word("range", "Whole days of the calendar; custom with from and to, or since and until.", RangeName),
    text("from", "First day, such as 2026-02-10.", format="date"),
    text("to", "Last day, included.", format="date"),
    SINCE,
    whole("until", "Before this instant (nanoseconds UTC)."),
)
DRAWN: Final = (
    whole("points", "Points of each curve; without it 600.", minimum=4, maximum=20_000),
    text("parts", "Some of breakdown, periods, curves, falls, months, trades with commas between; none for none."),
)
