"""What is typed for a key: what it comes to, and what is wrong with it, by what the daemon says the key takes.

The daemon decides; this says while typing what it would say anyway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

__all__ = ["choices_of", "hint_of", "problem_of", "shown", "value_of"]

_Key = Mapping[str, Any]

_ONE_OF: Final = "one of "
_WORDS: Final = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}


def choices_of(key: _Key) -> tuple[str, ...]:
    """Return the words a key takes, empty when it takes others."""
    kind = str(key.get("type", ""))
    if kind.startswith(_ONE_OF):
        return tuple(kind.removeprefix(_ONE_OF).split(", "))
    return ("true", "false") if kind == "true or false" else ()


def hint_of(key: _Key) -> str:
    """Return what a key takes, in words: type, bounds, unit, default."""
    parts = [str(key.get("type", "")), _bounds(key), str(key.get("unit", ""))]
    return ", ".join(filter(None, parts)) + f"; default {shown(key.get('default'))}"


def shown(value: Any) -> str:
    """Return a value as it is typed."""
    if value is None:
        return "unset"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _bounds(key: _Key) -> str:
    bounds = key.get("bounds", {})
    if bounds.keys() == {"at_least", "at_most"}:
        return f"{bounds['at_least']} to {bounds['at_most']}"
    return " and ".join(f"{_WORDS[name]} {value}" for name, value in bounds.items())


def value_of(key: _Key, text: str) -> Any:
    """Return what a text comes to in JSON; raise ValueError with the reason when the key takes no such thing."""
    kind, text = str(key.get("type", "")), text.strip()
    if text == "unset":
        return None
    choices = choices_of(key)
    if choices:
        if text not in choices:
            raise ValueError(f"is one of {', '.join(choices)}")
        return text == "true" if kind == "true or false" else text
    if kind == "whole number":
        return _within(key, _whole(text))
    if kind.startswith("number"):
        if text == "max" and "max" in kind:
            return text
        _within(key, _number(text))
        return text  # as text: no digit is lost on its way through a float
    if kind.startswith(("list", "table")):
        return _structure(kind, text)
    return text


def problem_of(key: _Key, text: str) -> str:
    """Return what is wrong with a text, empty when nothing is."""
    try:
        value_of(key, text)
    except ValueError as error:
        return str(error)
    return ""


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("is a whole number") from None


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError("is a number") from None
    if not found.is_finite():
        raise ValueError("is a number")
    return found


def _within(key: _Key, value: Any) -> Any:
    bounds = {name: Decimal(bound) for name, bound in key.get("bounds", {}).items()}
    outside = (
        ("above" in bounds and value <= bounds["above"])
        or ("at_least" in bounds and value < bounds["at_least"])
        or ("below" in bounds and value >= bounds["below"])
        or ("at_most" in bounds and value > bounds["at_most"])
    )
    if outside:
        raise ValueError(f"must be {_bounds(key)}")
    return value


def _structure(kind: str, text: str) -> Any:
    if kind.startswith("list") and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("is written as JSON") from None
    if not isinstance(found, list if kind.startswith("list") else dict):
        raise ValueError(f"is a {kind.partition(' ')[0]}")
    return found
