"""Every key of the configuration by its dotted name: the one list that reading, checking, editing and writing share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from service.config.document import Config
from service.config.keys import Field, Secret, fields_of, optional

__all__ = ["Entry", "catalogue", "value_at", "with_values"]


class Entry(NamedTuple):
    """One key: its dotted name, the names that lead to it, and its declaration."""

    name: str
    path: tuple[str, ...]
    field: Field

    @property
    def is_secret(self) -> bool:
        """Whether its value is never shown or stored."""
        return optional(self.field.hint)[0] is Secret

    @property
    def may_be_unset(self) -> bool:
        """Whether it has no default, so that null stands for "not set" (EX-1303)."""
        return self.field.default is None and not self.field.key.unset_is_default


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return every key in the order of the document."""
    return MappingProxyType({entry.name: entry for entry in _entries(Config(), ())})


def _entries(section: msgspec.Struct, path: tuple[str, ...]) -> Iterator[Entry]:
    for field in fields_of(type(section)):
        here = (*path, field.name)
        default = getattr(section, field.name)
        if isinstance(default, msgspec.Struct):
            yield from _entries(default, here)
        else:
            # The default of a key is that of the document: sections of one type may differ in theirs.
            yield Entry(".".join(here), here, field._replace(default=default))


def value_at(config: Config, entry: Entry) -> Any:
    """Return the value of a key."""
    found: Any = config
    for name in entry.path:
        found = getattr(found, name)
    return found


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """Return the configuration with the typed values of some keys replaced."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = catalogue()[name].path
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    replaced: Config = _replaced(config, nested)
    return replaced


def _replaced(section: Any, nested: Mapping[str, Any]) -> Any:
    changed = {}
    for name, value in nested.items():
        present = getattr(section, name)
        changed[name] = _replaced(present, value) if isinstance(present, msgspec.Struct) else value
    return msgspec.structs.replace(section, **changed)
