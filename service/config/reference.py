"""Write the reference page of the configuration from the declarations of its keys."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from service.config.document import Config
from service.config.grid import Override
from service.config.keys import Field, Secret, fields_of, optional
from service.config.scalars import type_name
from service.config.shipped import secret_variable, toml_value

__all__ = ["reference_page", "table_in", "type_words"]

_HEAD: Final = """\
# Configuration

This page is written from the declarations in `service/config/`; `make generated` writes it anew, together with
`config.toml`. Nothing here needs to be set: `bulkhead up` runs with every default.

- The file is `config.toml` in the working directory, or the one named with `--config`. Relative paths start at its folder.
- The environment beats the file: the variable of `webhook.port` is `BULKHEAD_WEBHOOK__PORT`. Text is taken as it is;
  numbers, truth values, lists and tables are written as in TOML. `accounts` is set in the file only,
  its secrets in the environment only.
- A key that does not exist, a wrong type, a value out of bounds: all mistakes are reported at once, each with its key.
  `bulkhead config check` shows them without starting anything.
- Secrets in the file are refused. They come from the environment, or are generated on the first start into
  `<data_dir>/secrets/`, readable by you alone.
- *Applies* says from when on an applied change holds: *now* = from the next message, *group* = for groups and pyramids
  created afterwards, *restart* = the actor concerned restarts, or, where that is not enough, when bulkhead starts again;
  `bulkhead config preview` says which.
- Settings change while it runs: see [Change settings](../how-to/change-settings.md).
- Names of earlier versions are understood (`risk.loss_percent_trigger` is `risk_engine.loss_threshold_percent`).
"""


def reference_page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *_sections(Config, "")])


def _sections(of: type[msgspec.Struct], path: str) -> Iterator[str]:
    for field in fields_of(of):
        section = table_in(field.hint)
        here = f"{path}.{field.name}" if path else field.name
        if section is None:
            continue
        yield from _section(field, section, here)
        yield from _sections(section, here)


def table_in(hint: Any) -> type[msgspec.Struct] | None:
    """Return the table inside a hint: itself, or what a list or map holds; None for plain values."""
    hint, _ = optional(hint)
    if typing.get_origin(hint) in (tuple, dict):
        return next((found for arg in typing.get_args(hint) if (found := table_in(arg))), None)
    is_table = isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint is not Override
    return hint if is_table else None


def _section(field: Field, section: type[msgspec.Struct], path: str) -> Iterator[str]:
    origin = typing.get_origin(optional(field.hint)[0])
    shown = {tuple: f"[[{path}]]", dict: f"[{path}.NAME]"}.get(origin, f"[{path}]")
    yield f"## `{shown}`\n"
    yield (field.key.doc or (section.__doc__ or "").partition("\n")[0]) + "\n"
    yield "| Key | Type | Default | Bounds | Applies | Meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for key in fields_of(section):
        if _is_table(key.hint):
            continue
        yield _row(key, tuple(path.split(".")))
    yield ""


def _is_table(hint: Any) -> bool:
    hint, _ = optional(hint)
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _row(field: Field, path: tuple[str, ...]) -> str:
    hint, _ = optional(field.hint)
    meaning = field.key.doc
    if hint is Secret:
        meaning += f" Set `{secret_variable(*path, field.name)}`."
    bounds = ", ".join(note for note in (field.key.bounds(), field.key.unit) if note)
    cells = (f"`{field.name}`", type_words(hint), _default(field, hint), bounds, field.key.applies, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def type_words(hint: Any) -> str:
    """Return what a key takes, in words; whether it may be unset is not said."""
    hint, _ = optional(hint)
    arms = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return f"list of {type_words(arms[0])}"
    if typing.get_origin(hint) is dict:
        return f"table of {type_words(arms[1])}"
    is_table = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return "table" if is_table else type_name(hint)


def _default(field: Field, hint: Any) -> str:
    if field.required:
        return "*required*"
    if hint is Secret:
        return "*generated*" if field.key.generated else "*unset*"
    return "*unset*" if field.default is None else f"`{toml_value(field.default)}`"
