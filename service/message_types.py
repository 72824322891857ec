"""The message types that can be sent, with their fields: read from the types themselves, so never out of date."""

from __future__ import annotations

import typing
from collections.abc import Container
from enum import Enum
from types import UnionType
from typing import Any, NamedTuple

import msgspec

from protocol.messages import Request
from service.api.control import injectable

__all__ = ["FieldOf", "MessageType", "catalogue", "words_of"]


class FieldOf(NamedTuple):
    """One field: its type in words, whether it must be given, its default, the words it can be where these are few."""

    name: str
    type: str
    required: bool
    default: str
    choices: tuple[str, ...] = ()


class MessageType(NamedTuple):
    """One message type; ``answer`` is the type of its answer, empty when it is told and not asked."""

    name: str
    conversation: str
    purpose: str
    answer: str
    fields: tuple[FieldOf, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self._asdict(), "fields": [each._asdict() for each in self.fields]}


def catalogue(of: Container[type[Any]] | None = None) -> dict[str, MessageType]:
    """Return the types that can be sent, by conversation and name; of some types only, where these are given."""
    found = [_described(each) for each in injectable().values() if of is None or each in of]
    return {each.name: each for each in sorted(found, key=lambda each: (each.conversation, each.name))}


def _described(of: type[Any]) -> MessageType:
    hints = typing.get_type_hints(of, include_extras=True)
    fields = tuple(
        FieldOf(
            field.name,
            words_of(hints[field.name]),
            field.required,
            _default(field),
            tuple(_choices(hints[field.name])),
        )
        for field in msgspec.structs.fields(of)
    )
    purpose = (of.__doc__ or "").strip().partition("\n")[0]
    conversation = of.__module__.partition(".")[2].partition(".")[0]
    return MessageType(of.__name__, conversation, purpose, _answer_of(of), fields)


def _answer_of(of: type[Any]) -> str:
    for base in getattr(of, "__orig_bases__", ()):
        if typing.get_origin(base) is Request:
            return words_of(typing.get_args(base)[0])
    return ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value = field.default_factory() if callable(field.default_factory) else field.default
    return str(getattr(value, "value", value)) if value != "" else '""'


def _choices(hint: Any) -> list[str]:
    """Return the words that a value can be, empty when it can be anything."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _choices(typing.get_args(hint)[0])
    if origin in (typing.Union, UnionType):
        return [each for arm in typing.get_args(hint) for each in _choices(arm)]
    if hint is bool:
        return ["true", "false"]
    return [str(member.value) for member in hint] if isinstance(hint, type) and issubclass(hint, Enum) else []


def words_of(hint: Any) -> str:
    """Return a type in words an operator reads (``text``, ``decimal``, ``one of long, short``)."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return words_of(typing.get_args(hint)[0])
    if origin in (typing.Union, UnionType):
        return " or ".join(words_of(arm) for arm in typing.get_args(hint))
    if origin in (tuple, list):
        inner = [arm for arm in typing.get_args(hint) if arm is not Ellipsis]
        return f"list of {words_of(inner[0])}" if len(inner) == 1 else f"[{', '.join(map(words_of, inner))}]"
    if origin is dict:
        return f"object of {words_of(typing.get_args(hint)[1])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(str(member.value) for member in hint)
    plain = {"str": "text", "int": "whole number", "bool": "true or false", "Decimal": "decimal", "NoneType": "null"}
    return plain.get(getattr(hint, "__name__", str(hint)), getattr(hint, "__name__", str(hint)))
