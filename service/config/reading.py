"""Turn plain tables into typed sections; note every mistake and go on with the default in its place."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from service.config.errors import Problems
from service.config.grid import GridStrategy, Match, Override
from service.config.keys import Field, Key, Secret, fields_of, optional
from service.config.nearest import nearest
from service.config.scalars import REFUSED, read_scalar
from service.config.trading import Sizing

__all__ = ["MAX_ENTRIES", "Reader"]

S = TypeVar("S", bound=msgspec.Struct)

MAX_ENTRIES: Final = 1000
"""Most entries of one list or table of the configuration."""

_INDEX: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_PLAIN_KEY: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def _join(path: str, name: str) -> str:
    shown = name if name and set(name) <= _PLAIN_KEY else f'"{name}"'
    return f"{path}.{shown}" if path else shown


class Reader(NamedTuple):
    """Read tables into sections. ``problems`` receives the mistakes; ``all_keys`` are the names to guess typos from."""

    problems: Problems
    all_keys: tuple[str, ...] = ()
    literal_secrets: bool = False
    """Whether secrets may be given as they are: by a form, never by a file."""

    def table(self, of: type[S], raw: Any, path: str, base: S | None = None) -> S | None:
        """Read a table as section ``of``; None when a required key is missing or wrong.

        ``base`` has the values of keys that are not given: sections of one type may differ in their defaults.
        """
        if not isinstance(raw, Mapping):
            self.problems.add(path, "WrongType", "must be a table")
            return None
        fields = {field.name: field for field in fields_of(of)}
        values: dict[str, Any] = {}
        for name, value in raw.items():
            here = _join(path, name)
            if name not in fields:
                self._unknown(here, name, fields)
            elif (got := self._inner(fields[name], value, here)) is not REFUSED:
                values[name] = got
        if base is not None:
            return msgspec.structs.replace(base, **values)
        return self._complete(of, fields, raw, values, path)

    def _inner(self, field: Field, raw: Any, path: str) -> Any:
        if not isinstance(field.default, msgspec.Struct):
            return self.value(field.hint, field.key, raw, path)
        found = self.table(type(field.default), raw, path, field.default)
        return REFUSED if found is None else found

    def _complete(
        self, of: type[S], fields: dict[str, Field], raw: Mapping[str, Any], values: dict[str, Any], path: str
    ) -> S | None:
        needed = [name for name, field in fields.items() if field.required and name not in values]
        for name in needed:
            if name not in raw:
                self.problems.add(_join(path, name), "MissingValue", "is required")
        return None if needed else of(**values)

    def _unknown(self, path: str, name: str, siblings: Iterable[str]) -> None:
        guess = nearest(name, siblings) or self._elsewhere(name)
        self.problems.add(path, "UnknownKey", f"there is no such key{guess}")

    def _elsewhere(self, name: str) -> str:
        """Guess a key of the same name in another section."""
        by_name = {key.rpartition(".")[2]: key for key in self.all_keys}
        near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.8)
        return f"; did you mean {by_name[near[0]]}?" if near else ""

    def value(self, hint: Any, key: Key, raw: Any, path: str) -> Any:
        """Read one value as ``hint``; ``REFUSED`` after noting why not."""
        hint, _ = optional(hint)
        origin = typing.get_origin(hint)
        if origin is tuple:
            return self._list(typing.get_args(hint)[0], key, raw, path)
        if origin is dict:
            return self._map(typing.get_args(hint), key, raw, path)
        if hint is Override:
            return self._override(raw, path)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            section = self.table(hint, raw, path)
            return REFUSED if section is None else section
        if hint is Secret and self.literal_secrets:
            if not isinstance(raw, str):
                self.problems.add(path, "WrongType", "must be text")
                return REFUSED
            raw = Secret(raw)
        return read_scalar(hint, key, raw, path, self.problems)

    def _list(self, hint: Any, key: Key, raw: Any, path: str) -> Any:
        if not isinstance(raw, list | tuple):
            self.problems.add(path, "WrongType", "must be a list")
            return REFUSED
        if len(raw) > MAX_ENTRIES:
            self.problems.add(path, "OutOfRange", f"must have at most {MAX_ENTRIES} entries")
            return REFUSED
        # A list of plain values is one value of one key; the layers of a ladder are many.
        is_table = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
        places = [f"{path}[{index}]" if is_table else path for index in range(len(raw))]
        entries = [self.value(hint, key, entry, place) for entry, place in zip(raw, places, strict=True)]
        return REFUSED if REFUSED in entries else tuple(entries)

    def _map(self, hints: tuple[Any, Any], key: Key, raw: Any, path: str) -> Any:
        if not isinstance(raw, Mapping):
            self.problems.add(path, "WrongType", "must be a table")
            return REFUSED
        if len(raw) > MAX_ENTRIES:
            self.problems.add(path, "OutOfRange", f"must have at most {MAX_ENTRIES} entries")
            return REFUSED
        key_hint, hint = hints
        if key_hint is int:
            return self._by_index(hint, key, raw, path)
        entries = {name: self.value(hint, key, value, _join(path, name)) for name, value in raw.items()}
        return REFUSED if REFUSED in entries.values() else entries

    def _by_index(self, hint: Any, key: Key, raw: Mapping[Any, Any], path: str) -> Any:
        """Read a map by pyramid index; whether there is such a pyramid is a rule between keys (EX-1304)."""
        entries: dict[int, Any] = {}
        for name, value in raw.items():
            here = f"{path}[{name}]"
            if not _INDEX.fullmatch(str(name)):
                self.problems.add(here, "PyramidIndexOutOfRange", "the key must be a pyramid index, a whole number")
                return REFUSED
            entries[int(name)] = self.value(hint, key, value, here)
        return REFUSED if REFUSED in entries.values() else entries

    def _override(self, raw: Any, path: str) -> Any:
        """Read ``{match = {...}, KEY = VALUE ...}`` where KEY is any key of grid_strategy or sizing (EX-407)."""
        if not isinstance(raw, Mapping):
            self.problems.add(path, "WrongType", "must be a table")
            return REFUSED
        allowed = {field.name: field for section in (GridStrategy, Sizing) for field in fields_of(section)}
        del allowed["overrides"]
        settings: dict[str, Any] = {}
        match = self._match(raw, path)
        for given, value in raw.items():
            name = given.removeprefix("grid_strategy.").removeprefix("sizing.")
            here = _join(path, name)
            if name == "match":
                continue
            if name not in allowed:
                self._unknown(here, name, allowed)
            else:
                settings[name] = self.value(allowed[name].hint, allowed[name].key, value, here)
        if match is None or REFUSED in settings.values():
            return REFUSED
        return Override(match=match, settings=settings)

    def _match(self, raw: Mapping[str, Any], path: str) -> Match | None:
        here = _join(path, "match")
        if not raw.get("match"):
            self.problems.add(here, "MissingValue", "must name at least one of venue, symbol, timeframe")
            return None
        return self.table(Match, raw["match"], here)
