"""Turn any object into a small plain one: bounded in depth, width and length, without calling its own code.

For records of a crash: the object may be half changed, so nothing of it is trusted, and nothing secret may be shown.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

__all__ = ["DEPTH", "ITEMS", "TEXT", "plainly"]

DEPTH: Final = 6
"""Levels that are shown."""

ITEMS: Final = 30
"""Items of a container that are shown; the newest ones of a sequence."""

TEXT: Final = 400
"""Characters of a text that are shown."""

_HIDDEN: Final = "***"
_SECRET = re.compile(
    r"secret|passphrase|password|token|api_?key|private_?key|hmac_?key|signature|cookie", re.IGNORECASE
)
_OURS: Final = frozenset(
    {
        *("protocol", "runtime", "supervision", "rules", "indicators", "store", "venues", "market", "models"),
        *("strategies", "actors", "research", "simulation", "service", "tui", "tests"),
    }
)
_SKIPPED: Final = frozenset({"context", "_bus"})


def plainly(value: Any, depth: int = DEPTH) -> Any:
    """Return ``value`` as JSON-like data; what is left out is said in its place. Never raises for what it is given."""
    try:
        return _plain(value, depth)
    except Exception as error:  # noqa: BLE001 - an object that cannot be looked at is said to be one
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if isinstance(value, str):
        return value if len(value) <= TEXT else f"{value[:TEXT]}... ({len(value)} characters)"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_plain(str(value), depth)}"
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset | deque) and not hasattr(value, "_fields"):
        return _sequence(list(value), depth)
    names = _names(value)
    if names is None:
        return f"<{type(value).__name__}>"
    if depth <= 0:
        return f"<{type(value).__name__} ...>"
    found = {name.lstrip("_"): _field(name, getattr(value, name, None), depth - 1) for name in names[:ITEMS]}
    return {"type": type(value).__name__, **found}


def _names(value: Any) -> list[str] | None:
    """Return the names of the fields of a value of ours, None for an object whose inside is nobody's business."""
    if isinstance(value, msgspec.Struct):
        return list(value.__struct_fields__)
    if is_dataclass(value) and not isinstance(value, type):
        return [each.name for each in fields(value)]
    if hasattr(value, "_fields"):
        return list(value._fields)
    if callable(value) or type(value).__module__.partition(".")[0] not in _OURS:
        return None
    inside = getattr(value, "__dict__", None)
    names = list(inside) if inside is not None else [name for name in _slots(type(value)) if hasattr(value, name)]
    return [name for name in names if name not in _SKIPPED]


def _slots(kind: type) -> list[str]:
    slots = getattr(kind, "__slots__", ())
    return [slots] if isinstance(slots, str) else list(slots)


def _field(name: str, value: Any, depth: int) -> Any:
    return _HIDDEN if _SECRET.search(name) and value else _plain(value, depth)


def _mapping(value: Mapping[Any, Any], depth: int) -> Any:
    if depth <= 0:
        return f"<{len(value)} entries>"
    keys = list(value)[-ITEMS:]
    found = {str(_plain(key, 1)): _field(str(key), value[key], depth - 1) for key in keys}
    left = len(value) - len(keys)
    return {f"({left} older entries)": "...", **found} if left else found


def _sequence(values: list[Any], depth: int) -> Any:
    if depth <= 0:
        return f"<{len(values)} items>"
    shown = [_plain(each, depth - 1) for each in values[-ITEMS:]]
    left = len(values) - len(shown)
    return [f"({left} older items)", *shown] if left else shown
