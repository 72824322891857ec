"""What changes within a setting that is a list or a table of tables: each part by its name, so that none changes unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.settings_values import brief, shown

__all__ = ["steps"]


def steps(key: str, before: Any, after: Any) -> list[tuple[str, str]]:
    """Return what changes: (what, "before → after"); one for a plain value, one a part of tables; None is the default."""
    old, new = _tables(before), _tables(after)
    if not (old or new) or (before is not None and not old) or (after is not None and not new):
        return [("", f"{_side(key, before)} → {_side(key, after)}")]
    return list(_parts(old, new)) or [("", "the same, in another order")]


def _parts(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys((*old, *new)):
        was, will = old.get(name), new.get(name)
        if was is None or will is None:
            yield name, f"is added: {_words(will or {})}" if was is None else "is removed"
            continue
        for part in dict.fromkeys((*was, *will)):
            if was.get(part) != will.get(part):
                yield f"{name} {part}", f"{_side(part, was.get(part))} → {_side(part, will.get(part))}"


def _words(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in table.items() if name not in ("name", "match"))


def _side(key: str, value: Any) -> str:
    return "default" if value is None else brief(key, value)


def _tables(value: Any) -> dict[str, Mapping[str, Any]]:
    """Return the tables in a value by what names each: its name, whom it is for, its place; empty for any other value."""
    if isinstance(value, Mapping):
        return dict(value) if all(isinstance(each, Mapping) for each in value.values()) else {}
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for place, each in enumerate(value):
        place_of = f"L{place}" if "gap_percent" in each else str(place)
        name = str(each.get("name") or " ".join(map(str, (each.get("match") or {}).values())) or place_of)
        found[name if name not in found else f"{name} {place}"] = each
    return found
