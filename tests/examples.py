"""An example of every event there is, made from its type: for what must hold whatever an event says."""

from __future__ import annotations

import re
import typing
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any

import msgspec

from protocol.messages import Event, event_types
from protocol.signals import Signal
from store.event_types import current_type
from tests.actors.groups import signal as an_entry

__all__ = ["event_names", "example", "examples"]


def event_names() -> list[str]:
    """Return the names of all journal events of the protocol."""
    current_type("learn them all")
    return sorted(name for name, of in event_types().items() if of.__module__.startswith("protocol."))


def examples(name: str) -> list[Event]:
    """Return two events of a type: with only what it must have, and with all that it may have."""
    of = event_types()[name]
    return [example(of), example(of, whole=True)]


def example(of: type[Any], *, whole: bool = False) -> Any:
    """Return an instance with every required field given, or with every field."""
    hints = typing.get_type_hints(of, include_extras=True)
    fields = [each for each in msgspec.structs.fields(of) if each.required or whole]
    return of(**{field.name: _made(hints[field.name], whole=whole) for field in fields})


def _word(limits: tuple[Any, ...]) -> str:
    """Return a word that keeps to the pattern of its type."""
    patterns = [limit.pattern for limit in limits if getattr(limit, "pattern", None)]
    return next(word for word in ("abc123", "abcd") if all(re.search(pattern, word) for pattern in patterns))


def _made(hint: Any, *, whole: bool) -> Any:
    """Return some value of a type."""
    origin = typing.get_origin(hint)
    arms = typing.get_args(hint)
    if origin is typing.Annotated:
        return _word(arms[1:]) if arms[0] is str else _made(arms[0], whole=whole)
    if origin in (typing.Union, UnionType):
        return _made(next(arm for arm in arms if arm is not type(None)), whole=whole)
    if origin is tuple:
        kinds = arms[:1] if arms[-1] is Ellipsis else arms
        return tuple(_made(arm, whole=whole) for arm in kinds)
    if origin is dict:
        return {_made(arms[0], whole=whole): _made(arms[1], whole=whole)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return example(hint) if hint is not Signal else msgspec.structs.replace(an_entry(), trade_id="abc123")
    return {str: "abc123", int: 1, bool: True, Decimal: Decimal("1.50"), float: 1.0}[hint]
