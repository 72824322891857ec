"""Write config.toml: every key with its default, explained in place."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from service.config.document import Config
from service.config.environment import account_variable, variable_of
from service.config.grid import Override
from service.config.keys import Field, Secret, fields_of, optional

__all__ = ["default_toml", "secret_variable", "toml_value"]

_WIDTH: Final = 110

_HEAD: Final = """\
# Configuration of bulkhead. Every key stands here with its default and what it means; remove what you do not change.
# A key that does not exist, a wrong type or a value out of bounds is refused with its name: `bulkhead config check`.
# The environment beats this file: BULKHEAD_<SECTION>__<KEY>=value, for example BULKHEAD_WEBHOOK__PORT=9000.
# While bulkhead runs, an edit of this file is a draft: `bulkhead config preview`, then `bulkhead config apply`.
# Secrets never stand here; they come from the environment, or are generated into <data_dir>/secrets/.
"""


def default_toml() -> str:
    """Return the text of the shipped config.toml; reading it gives ``Config()``."""
    return "\n".join([_HEAD, *_sections()]).rstrip("\n") + "\n"


def _sections() -> Iterator[str]:
    for field in fields_of(Config):
        if isinstance(field.default, tuple):
            yield "\n".join([*_comment(field.key.doc), f"[[{field.name}]]", *_keys(field.default[0], (field.name,))])
        else:
            yield "\n".join(
                [*_comment(_purpose(type(field.default))), f"[{field.name}]", *_keys(field.default, (field.name,))]
            )


def _purpose(section: type[msgspec.Struct]) -> str:
    return (section.__doc__ or "").partition("\n")[0]


def _keys(section: msgspec.Struct, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table; its inner tables come last, as TOML wants it."""
    inner: list[str] = []
    for field in fields_of(type(section)):
        value = getattr(section, field.name)
        if isinstance(value, msgspec.Struct):
            name = ".".join((*path, field.name))
            inner += [*_comment(field.key.doc), f"[{name}]", *_keys(value, (*path, field.name))]
            continue
        yield from _comment(_explained(field, path))
        yield from _assignment(field, value)
        yield ""
    yield from inner


def _explained(field: Field, path: tuple[str, ...]) -> str:
    hint, _ = optional(field.hint)
    if hint is Secret:
        made = "Unset: generated. " if field.key.generated else ""
        return f"{field.name}, a secret: set {secret_variable(*path, field.name)}. {made}{field.key.doc}"
    notes = [note for note in (field.key.unit, field.key.bounds(), _words(hint)) if note]
    return f"{field.key.doc} ({', '.join(notes)})" if notes else field.key.doc


def secret_variable(*keys: str) -> str:
    """Return the name of the variable that sets a secret, as documentation writes it."""
    return account_variable("<name>", keys[-1]) if keys[0] == "accounts" else variable_of(*keys)


def _words(hint: Any) -> str:
    is_enum = isinstance(hint, type) and issubclass(hint, str) and hint is not str
    return ", ".join(hint) if is_enum else ""


def _assignment(field: Field, value: Any) -> Iterator[str]:
    hint, _ = optional(field.hint)
    if hint is Secret:
        return
    unset = value is None or (value in ({}, ()) and field.key.example is not None)
    text = f"{field.name} = {_one_a_line(field.key.example if unset else value)}"
    yield from (f"# {line}" if unset else line for line in text.splitlines())


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]


def toml_value(value: Any) -> str:
    """Return a value as TOML on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case tuple():
            return f"[{', '.join(toml_value(entry) for entry in value)}]"
        case Override():
            return _inline({"match": value.match, **value.settings})
        case msgspec.Struct():
            return _inline({name: getattr(value, name) for name in value.__struct_fields__})
        case dict():
            return _inline(value)
    raise TypeError(f"no TOML for {type(value).__name__}")


def _inline(table: dict[Any, Any]) -> str:
    entries = (f"{_key(str(name))} = {toml_value(value)}" for name, value in table.items() if value is not None)
    return "{ " + ", ".join(entries) + " }" if table else "{}"


def _one_a_line(value: Any) -> str:
    """Return a list of tables with one table a line, anything else on one line."""
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return "[\n" + "".join(f"  {toml_value(entry)},\n" for entry in value) + "]"
    return toml_value(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
