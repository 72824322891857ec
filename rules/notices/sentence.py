"""What a notice says: a title that is a sentence, and a body with the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from protocol.legible import legible
from protocol.notifications import GroupNamed

__all__ = ["GROUP", "Sentence", "SentenceOf", "capital", "coded", "market_of", "named", "one_line", "unnumbered", "who"]

GROUP: Final = "{group}"
"""Stands in a sentence for the group it is about, until somebody looks up who that is."""

# Each capital begins its own part: no text can be matched in two ways, so that none takes longer than it is long.
_CODE: Final = re.compile(r"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b")
_NAME: Final = re.compile(r"(?<![.\w])[a-z]+(?:_[a-z]+)+(?![.\w])")
_ORDER_ID: Final = re.compile(r"\border bh[a-z0-9]{26}\b")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Sentence(NamedTuple):
    """What is said, in one line, and what there is to know beyond it."""

    title: str
    body: str = ""


SentenceOf: TypeAlias = Callable[[Any], Sentence]
"""Says one event type."""


def coded(text: str) -> str:
    """Return a text in which codes (``BelowMinimum``) and names of the protocol (``pool_full``) read as words.

    Keys of the configuration (``app.read_only``) stay as they are typed.
    """
    text = _CODE.sub(lambda found: _HUMP.sub(" ", found[0]).lower(), unnumbered(text))
    return _NAME.sub(lambda found: found[0].replace("_", " "), text)


def unnumbered(text: str) -> str:
    """Return a text without the ids of orders."""
    return _ORDER_ID.sub("an order", text)


def one_line(text: str) -> str:
    """Return a text in one line, all of it seen."""
    return legible(" ".join(text.split()))


def capital(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


def market_of(key: str) -> tuple[str, str]:
    """Return symbol, and symbol with timeframe and side, of the identity of a group (EX-301); empty for any other text."""
    parts = key.split("|")
    return (parts[2], " ".join(parts[2:])) if len(parts) == 5 else ("", "")


def who(operator: str) -> str:
    """Return an operator as people are told of one: ``telegram:7`` is user 7 of Telegram."""
    return f"Telegram user {operator.removeprefix('telegram:')}" if operator.startswith("telegram:") else operator


def named(text: str, group: GroupNamed | None, group_id: str) -> str:
    """Return a text with who the group is in place of ``GROUP``; its id where nobody knows any more."""
    if GROUP not in text:
        return text
    unknown = f"group {group_id}" if group_id else "a group"
    who = f"{group.symbol} {group.timeframe} {group.side.value}" if group is not None else unknown
    return capital(text.replace(GROUP, who))
