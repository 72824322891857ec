"""What is typed for a key: what it comes to, and what is wrong with it, by what the daemon says the key takes.

The daemon decides; this says while typing what it would say anyway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

__all__ = [
    "brief",
    "choices_of",
    "hint_of",
    "holder_of",
    "kept",
    "problem_of",
    "shown",
    "takes",
    "value_of",
    "wanted_of",
]

_Key = Mapping[str, Any]

_ONE_OF: Final = "one of "
_PAIRS: Final = ("table of text", "table of number")
_WORDS: Final = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}


def choices_of(key: _Key) -> tuple[str, ...]:
    """Return the words a key takes, empty when it takes others."""
    kind = str(key.get("type", ""))
    if kind.startswith(_ONE_OF):
        return tuple(kind.removeprefix(_ONE_OF).split(", "))
    return ("true", "false") if kind == "true or false" else ()


def takes(key: _Key) -> str:
    """Return what a key takes, in words: type, bounds, unit, and how it is written where that is not plain."""
    kind = str(key.get("type", ""))
    written = "a, b" if kind == "list of text" else "a=1, b=2" if kind in _PAIRS else ""
    return ", ".join(filter(None, (kind, _bounds(key), str(key.get("unit", ""))))) + (f": {written}" if written else "")


def hint_of(key: _Key) -> str:
    """Return what a key takes, and what it is when nobody sets it."""
    return f"{takes(key)}; default {brief(str(key.get('key', '')), key.get('default'))}"


def shown(value: Any) -> str:
    """Return a value as it is typed: lists as ``a, b`` and tables as ``a=1, b=2`` where their parts are plain words."""
    if value is None:
        return "unset"
    match value:
        case str():
            return value
        case [_, *_] if all(isinstance(each, str) and _is_plain(each) for each in value):
            return ", ".join(value)
        case dict() if value and all(_is_plain(str(each)) for pair in value.items() for each in pair):
            return ", ".join(f"{name}={each}" for name, each in value.items())
    return json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Tell whether a text stands for itself within a list or a table."""
    return bool(text) and text == text.strip() and not set(text) & set(',={}[]"')


def brief(name: str, value: Any) -> str:
    """Return a value as a row has room for it: layers, overrides, accounts and lists in words."""
    match name.rpartition(".")[2], value:
        case "levels", [first, *_]:
            last = value[-1]
            return (
                f"{len(value)} layer{'s' if len(value) > 1 else ''}, {first['gap_percent']} to {last['gap_percent']} %"
            )
        case "pyramid_specific_levels", dict() if value:
            return f"pyramid{'s' if len(value) > 1 else ''} {', '.join(sorted(value, key=int))}"
        case "overrides", [_, *_]:
            return "; ".join(" ".join(map(str, filter(None, each["match"].values()))) for each in value)
        case "accounts", [_, *_]:
            return ", ".join(str(each["name"]) for each in value)
        case _, [_, *_] if all(isinstance(each, str) for each in value):
            return ", ".join(value)
        case _, [] | {} if not value:
            return "none"
    return shown(value)


_HOLDERS: Final = {
    "telegram.token": ("telegram", "token"),
    "webhook.token": ("webhook", "token"),
    "security.webhook_secret": ("webhook", "secret"),
    "security.webhook_hmac_key": ("webhook", "hmac_key"),
}


_COUNTS: Final = {
    "now": "it counts now",
    "restart": "it counts when bulkhead starts again",
    "environment": "the environment sets another one, which counts",
}


def kept(what: str, said: Mapping[str, Any]) -> str:
    """Return that a secret is kept, and from when on it counts."""
    return f"{what} is kept: {_COUNTS.get(str(said['counts']), said['counts'])}"


def holder_of(name: str) -> tuple[str, str] | None:
    """Return whose secret a key is and which, as the vault names them; None where the environment alone can set it."""
    if name.startswith("exchange."):
        holder, _, field = name.rpartition(".")
        return holder, field
    return _HOLDERS.get(name)


def _bounds(key: _Key) -> str:
    bounds = key.get("bounds") or {}
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
        return _structure(key, kind, text)
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


def _structure(key: _Key, kind: str, text: str) -> Any:
    if kind == "list of text" and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in _PAIRS and not text.startswith(("{", "[")):
        return _pairs(key, kind, text)
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("is written as JSON") from None
    if not isinstance(found, list if kind.startswith("list") else dict):
        raise ValueError(f"is a {kind.partition(' ')[0]}")
    return found


def _pairs(key: _Key, kind: str, text: str) -> dict[str, str]:
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, is_pair, value = (each.strip() for each in part.partition("="))
        if not (name and is_pair and value):
            raise ValueError("is written as name=value, name=value")
        if kind == "table of number":
            _within(key, _number(value))
        found[name] = value
    return found


def wanted_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key as the draft has it, else as the document in force has it, else its default."""
    chosen = config["draft"] if config.get("draft") is not None else config.get("document") or {}
    return {str(each["key"]): chosen.get(each["key"], each.get("default")) for each in config.get("effective", ())}
