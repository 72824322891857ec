"""What a configuration key is: the metadata beside its type, and the value types that only configuration has."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple, Union

import msgspec

from protocol.secret import Secret

__all__ = ["Bound", "Field", "Key", "Refusal", "Secret", "Section", "Speed", "fields_of", "optional"]

Bound = int | Decimal | None
Speed = Decimal | Literal["max"]
"""A multiple of real time, or as fast as the machine allows."""


class Refusal(NamedTuple):
    """Why a check refuses a value."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the type of a key cannot say. Bounds of a list or map hold for each of its values.

    ``applies``: *now* = from the next message on, *group* = to groups and pyramids created from then on, *restart* = when
    bulkhead starts (EX-1302). ``example`` stands, commented out, in config.toml for a key without a default.
    ``unset_is_default`` says that a key that is not set has a default all the same, which its ``doc`` names.
    """

    doc: str
    unit: str = ""
    applies: Literal["now", "group", "restart"] = "restart"
    above: Bound = None
    at_least: Bound = None
    below: Bound = None
    at_most: Bound = None
    check: Callable[[Any], Refusal | None] | None = None
    example: Any = None
    unset_is_default: bool = False
    only: tuple[str, ...] = ()
    """Venues that the key of an account is about, as its ``venue`` names them; empty: all."""
    generated: bool = False
    """Whether a secret that is not set is made at the first start."""

    def refusal(self, value: Any) -> Refusal | None:
        """Return why ``value`` is out of bounds, None when it is fine."""
        outside = (
            (self.above is not None and value <= self.above)
            or (self.at_least is not None and value < self.at_least)
            or (self.below is not None and value >= self.below)
            or (self.at_most is not None and value > self.at_most)
        )
        if outside:
            return Refusal("OutOfRange", f"must be {self.bounds()}")
        return self.check(value) if self.check else None

    def bounds(self) -> str:
        """Return the bounds in words, empty when there are none."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least} to {self.at_most}"
        words = (("above", self.above), ("at least", self.at_least), ("below", self.below), ("at most", self.at_most))
        return " and ".join(f"{word} {bound}" for word, bound in words if bound is not None)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration; immutable."""


class Field(NamedTuple):
    """One key of a section: its name, the type of its value and what is said of it."""

    name: str
    hint: Any
    key: Key
    required: bool
    default: Any


@cache
def fields_of(section: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the keys of a section in the order they are declared."""
    return tuple(_declared(section))


def _declared(section: type[msgspec.Struct]) -> Iterator[Field]:
    hints = typing.get_type_hints(section, include_extras=True)
    for field in msgspec.structs.fields(section):
        hint, *extras = (hints[field.name], Key(doc=""))
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extras = typing.get_args(hint)
        key = next(extra for extra in extras if isinstance(extra, Key))
        default = field.default_factory() if callable(field.default_factory) else field.default
        yield Field(field.name, hint, key, field.required, default)


def optional(hint: Any) -> tuple[Any, bool]:
    """Return ``(X, True)`` for ``X | None`` and ``(hint, False)`` for anything else."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        arms = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        if len(arms) < len(typing.get_args(hint)):
            return (arms[0] if len(arms) == 1 else Union[tuple(arms)]), True  # noqa: UP007 - built at run time
    return hint, False
