"""Documents: what a configuration changes of the defaults, as dotted keys and JSON values."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from protocol.configuration import KeyChange
from protocol.errors import ValidationError
from service.config.catalogue import Entry, catalogue, value_at
from service.config.document import Config
from service.config.environment import ACCOUNT_SECRETS
from service.config.errors import ConfigError, Problems
from service.config.grid import Override
from service.config.keys import Secret, fields_of
from service.config.older_names import present_name
from service.config.reading import Reader
from service.config.scalars import REFUSED

__all__ = ["HIDDEN", "as_json", "decoded", "differences", "document_of", "encoded", "from_toml", "normal", "one_value"]

HIDDEN: Final = "********"
"""Stands in a document for a secret that somebody wrote into the file: enough to refuse it, nothing to leak."""


def encoded(document: Mapping[str, Any]) -> str:
    """Return a document as JSON text; equal documents give equal texts."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def decoded(text: str) -> dict[str, Any]:
    """Return the document of a JSON text; raise ``ValidationError`` for anything but an object."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ValidationError("$", f"not JSON: {error}", code="Unreadable") from error
    if not isinstance(found, dict):
        raise ValidationError("$", "must be an object of dotted keys", code="WrongType")
    return {name: _plain(value) for name, value in found.items()}


def document_of(config: Config, *, everything: bool = False) -> dict[str, Any]:
    """Return what a configuration changes of the defaults, without secrets; or ``everything``, secrets masked."""
    pairs = [(entry, value_at(config, entry)) for entry in catalogue().values()]
    if everything:
        return {entry.name: _masked(value) if entry.is_secret else as_json(value) for entry, value in pairs}
    return {
        entry.name: as_json(value) for entry, value in pairs if value != entry.field.default and not entry.is_secret
    }


def _masked(secret: Any) -> str | None:
    return None if secret is None else HIDDEN


def from_toml(text: str) -> dict[str, Any]:
    """Return the document of a config.toml as it stands there, mistakes included.

    Raises ``ConfigError`` for what is not TOML. A secret becomes ``HIDDEN``.
    """
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ConfigError([ValidationError("$", f"not TOML: {error}", code="Unreadable")]) from error
    found: dict[str, Any] = {}
    _flatten(table, "", found)
    return normal(found)


def normal(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with every right value in its one form and defaults left out; wrong ones stay as they are."""
    kept: dict[str, Any] = {}
    for name, raw in document.items():
        entry = catalogue().get(name)
        if entry is not None and entry.is_secret:
            kept[name] = HIDDEN
            continue
        value = REFUSED if entry is None else _value(entry, raw)
        if entry is None or value is REFUSED:
            kept[name] = _hidden(_plain(raw)) if name == "accounts" else _plain(raw)
        elif value != entry.field.default:
            kept[name] = as_json(value)
    return {name: kept[name] for name in sorted(kept, key=_place)}


def _hidden(accounts: Any) -> Any:
    """Return wrong accounts without the secrets that somebody wrote among them."""
    tables = accounts if isinstance(accounts, list) else [accounts]
    found = [
        {name: HIDDEN if name in ACCOUNT_SECRETS else value for name, value in each.items()}
        if isinstance(each, dict)
        else each
        for each in tables
    ]
    return found if isinstance(accounts, list) else found[0]


def one_value(name: str, text: str) -> Any:
    """Return what an operator typed for a key as a document holds it: TOML, or the text itself."""
    entry = catalogue().get(present_name(name))
    if entry is not None and isinstance(_value(entry, text), str):
        return text
    try:
        table = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except (ValueError, RecursionError):
        return text
    return _plain(table["value"]) if len(table) == 1 else text


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[KeyChange, ...]:
    """Return the keys in which two documents differ, in the order of the configuration."""
    names = sorted({*before, *after}, key=_place)
    return tuple(
        KeyChange(name, _shown(before, name), _shown(after, name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _shown(document: Mapping[str, Any], name: str) -> str:
    return json.dumps(document[name], ensure_ascii=False) if name in document else ""


def _place(name: str) -> tuple[int, str]:
    order = _ORDER.setdefault("all", {known: place for place, known in enumerate(catalogue())})
    return order.get(name, len(order)), name


_NO_DEFAULT: Final = object()
_ORDER: Final[dict[str, dict[str, int]]] = {}


def _flatten(table: Mapping[str, Any], path: str, found: dict[str, Any]) -> None:
    for name, value in table.items():
        here = present_name(f"{path}.{name}" if path else name)
        inside = isinstance(value, Mapping) and here not in catalogue()
        if inside and (not path or any(known.startswith(f"{here}.") for known in catalogue())):
            _flatten(value, f"{path}.{name}" if path else name, found)
        else:
            found[here] = value


def _value(entry: Entry, raw: Any) -> Any:
    if raw is None:
        return REFUSED
    problems = Problems()
    found = Reader(problems).value(entry.field.hint, entry.field.key, raw, entry.name)
    # A table with a mistake inside comes back without it: as a value of its own it would lose the mistake.
    return REFUSED if problems.all() else found


def as_json(value: Any) -> Any:
    """Return a typed value as a document holds it: decimals as text, the defaults of inner tables left out."""
    match value:
        case Override():
            match_on = {name: part for name, part in _fields(value.match) if part is not None}
            return {"match": match_on, **{name: as_json(each) for name, each in value.settings.items()}}
        case msgspec.Struct():
            defaults = {field.name: field.default for field in fields_of(type(value)) if not field.required}
            pairs = _fields(value)
            return {
                name: as_json(each)
                for name, each in pairs
                if each != defaults.get(name, _NO_DEFAULT) and not isinstance(each, Secret)
            }
        case tuple():
            return [as_json(each) for each in value]
        case dict():
            return {str(name): as_json(each) for name, each in value.items()}
        case Decimal():
            return format(value.normalize(), "f")
        case Path():
            return str(value)
        case str():
            return str(value)
    return value


def _fields(value: msgspec.Struct) -> list[tuple[str, Any]]:
    return [(name, getattr(value, name)) for name in value.__struct_fields__]


def _plain(raw: Any) -> Any:
    """Return what TOML or JSON gave as JSON holds it."""
    match raw:
        case Decimal() | datetime() | date() | time():
            return str(raw)
        case dict():
            return {str(name): _plain(each) for name, each in raw.items()}
        case list():
            return [_plain(each) for each in raw]
    return raw
