"""Write a document into a config.toml, leaving its comments and everything that does not change as it stands."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.items import AoT, Item

from protocol.errors import BulkheadError
from service.config.catalogue import catalogue
from service.config.older_names import present_name
from service.config.text import as_json, differences, from_toml, normal
from service.vault.files import sync_folder

__all__ = ["ConfigUnwritable", "edited", "replace_file"]


class ConfigUnwritable(BulkheadError):
    """config.toml cannot be written as it stands."""


def edited(text: str, document: Mapping[str, Any]) -> str:
    """Return ``text`` changed so that it holds ``document``; raises ``ConfigError`` when it is not TOML.

    Raises ``ConfigUnwritable`` when the text holds it in a way we cannot change.
    """
    wanted = {change.key: document.get(change.key) for change in differences(from_toml(text), document)}
    quick = _by_lines(text, wanted)
    if quick is not None and from_toml(quick) == dict(document):
        return quick
    parsed = tomlkit.parse(text)
    places = _places(parsed)
    missing = {name: value for name, value in wanted.items() if not _changed(parsed, places.get(name, []), name, value)}
    if len(missing) < len(wanted):
        text = tomlkit.dumps(parsed)
    for name, value in missing.items():
        text = _added(text, name, value)
    if from_toml(text) != dict(document):
        raise ConfigUnwritable("the keys stand there in a way that cannot be changed by a program: edit it by hand")
    return text


def _by_lines(text: str, wanted: Mapping[str, Any]) -> str | None:
    """Return ``text`` with values replaced where each stands on a line of its own; None when one does not.

    Most changes are of this kind, and parsing a long file for editing takes fifty times as long.
    """
    lines = text.splitlines(keepends=True)
    heads = {line.strip()[1:-1]: number for number, line in enumerate(lines) if _HEAD.match(line)}
    for name, value in wanted.items():
        section, _, key = name.rpartition(".")
        value = _default(name) if value is None else value
        start = heads.get(section)
        if start is None or value is None:
            return None
        end = min((number for number in heads.values() if number > start), default=len(lines))
        places = [n for n in range(start + 1, end) if re.match(rf"{key}[ \t]*=", lines[n])]
        if len(places) != 1 or not (changed := _line(lines[places[0]], key, name, value)):
            return None
        lines[places[0]] = changed
    return "".join(lines)


_HEAD: Final = re.compile(r"\[[A-Za-z0-9_.]+\]\s*$")


def _line(line: str, key: str, name: str, value: Any) -> str:
    """Return a line with another value and the same comment; empty when the value does not end on it."""
    try:
        present = tomllib.loads(line)
        comment = next((at for at, sign in enumerate(line) if sign == "#" and _same(line[:at], present)), None)
    except ValueError:
        return ""
    tail = f"  {line[comment:].rstrip()}" if comment is not None else ""
    return f"{key} = {_item(name, value).as_string()}{tail}\n"


def _same(text: str, present: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == present
    except ValueError:
        return False


def replace_file(path: Path, text: str) -> None:
    """Write a file so that readers see the old or the new text whole, also after a power cut; its mode is kept."""
    path = Path(os.path.realpath(path))
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _places(parsed: Any) -> dict[str, list[tuple[str, ...]]]:
    """Return where each key stands, by its present name: twice when it stands there under an older one as well."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for place in _leaves(parsed, ()):
        found.setdefault(present_name(".".join(place)), []).append(place)
    return found


def _changed(parsed: Any, places: list[tuple[str, ...]], name: str, value: Any) -> bool:
    """Change a key where it stands; False when it stands nowhere and has to be added."""
    if value is None:
        value = _default(name)  # a key that stands there is set to its default rather than taken out
    for place in places[1:] if value is not None else places:
        _delete(parsed, place)
    if value is None:
        return True
    if places and isinstance(parsed.get(name), AoT):
        _into_tables(parsed, name, value)
    elif places:
        _table(parsed, places[0][:-1])[places[0][-1]] = _item(name, value)
    return bool(places)


def _default(name: str) -> Any:
    entry = catalogue().get(name)
    return None if entry is None or entry.field.default is None else as_json(entry.field.default)


def _leaves(table: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in table.items():
        here = (*path, key)
        is_leaf = not isinstance(value, Mapping) or present_name(".".join(here)) in catalogue()
        found += [here] if is_leaf else _leaves(value, here)
    return found


def _table(parsed: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        parsed = parsed[name]
    return parsed


def _into_tables(parsed: Any, name: str, wanted: list[dict[str, Any]]) -> None:
    """Change a repeated table (``[[accounts]]``) entry by entry; a comment stays where its entry stays."""
    tables = parsed[name]
    while len(tables) > len(wanted):
        del tables[len(tables) - 1]
    for index, entry in enumerate(wanted):
        if index == len(tables):
            tables.append(tomlkit.table())
        table, present = tables[index], normal({name: [tables[index].unwrap()]}).get(name, [{}])[0]
        for key in {*present, *entry}:
            if key not in entry:
                table.pop(key, None)
            elif key not in present or present[key] != entry[key]:
                table[key] = _item(f"{name}.{key}", entry[key])


def _delete(parsed: Any, place: tuple[str, ...]) -> None:
    del _table(parsed, place[:-1])[place[-1]]


def _added(text: str, name: str, value: Any) -> str:
    """Put a new key right below the head of its table, where no comment of another key comes between."""
    *parents, key = name.split(".")
    if not parents:
        tables = tomlkit.parse(text)
        tables[name] = tomlkit.aot()
        _into_tables(tables, name, value)
        return tomlkit.dumps(tables)
    line = f"{key} = {_item(name, value).as_string()}\n"
    head = re.search(rf"^\[{re.escape('.'.join(parents))}\][ \t]*(#[^\n]*)?\n", f"{text}\n", re.MULTILINE)
    if head is not None:
        return f"{text[: head.end()]}{line}{text[head.end() :]}"
    return f"{text.rstrip()}\n\n[{'.'.join(parents)}]\n{line}".lstrip()


def _item(name: str, value: Any) -> Item:
    """Return a value of a document as TOML, decimals as numbers."""
    text = _toml(value, _NUMBER.fullmatch if name not in _TEXT_KEYS else None)
    item = tomlkit.parse(f"value = {text}").item("value")
    assert isinstance(item, Item), "one key, one value"
    return item


_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TEXT_KEYS: Final = frozenset(
    entry.name for entry in catalogue().values() if entry.field.hint is str or "str" in str(entry.field.hint)
)


def _toml(value: Any, is_number: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return value if is_number is not None and is_number(value) else tomlkit.string(value).as_string()
        case list():
            return "[" + ", ".join(_toml(each, is_number) for each in value) + "]"
        case dict():
            pairs = ", ".join(f"{_key(name)} = {_toml(each, is_number)}" for name, each in value.items())
            return "{ " + pairs + " }" if pairs else "{}"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else tomlkit.string(name).as_string()
