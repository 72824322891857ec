"""The rows of the settings: sections that open and close, and their keys (EX-1620)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tui.cells import Cell
from tui.grid import Column, Row
from tui.settings_values import shown

__all__ = ["COLUMNS", "TITLES", "rows_of"]

TITLES: Final = {
    "exchange": "Exchange access",
    "accounts": "Accounts",
    "precision": "Precision control",
    "execution_pool": "Execution pool",
    "waiting_rule": "Waiting queue",
    "risk_engine": "Risk engine",
    "tp_mode": "Take profit",
    "dca_grid_config": "Ladder",
    "grid_strategy": "Ladder and targets",
    "sizing": "Sizes",
    "market": "Prices",
    "self_check": "Self-check",
    "redis": "Redis",
    "signal": "Signals",
    "webhook": "Alerts by webhook",
    "security": "Security",
    "storage": "Storage",
    "ui": "Look",
    "logging": "Log",
    "performance": "Performance",
    "telegram": "Telegram",
    "api": "API and browser",
    "app": "The house",
}
"""Titles of sections; one without a title here has its own name."""

_HOLDS: Final = {"now": "now", "group": "new groups", "restart": "restart"}


def rows_of(config: Mapping[str, Any], opened: frozenset[str], *, every: bool) -> list[dict[str, Any]]:
    """Return sections and the keys of those that are open; ``every``: of all, for a search."""
    keys: Sequence[Mapping[str, Any]] = config["effective"]
    draft: Mapping[str, Any] = config.get("draft") or {}
    in_draft = config.get("draft") is not None
    document: Mapping[str, Any] = config.get("document") or {}
    wrong = {each["path"]: each["message"] for each in config.get("draft_mistakes") or ()}
    found: list[dict[str, Any]] = []
    sections = dict.fromkeys(each["key"].partition(".")[0] for each in keys)
    for number, section in enumerate(sections):
        inside = [
            _row(each, section, document, draft if in_draft else document, wrong)
            for each in keys
            if each["key"].partition(".")[0] == section
        ]
        found.append(_head(section, inside, opened=section in opened or every, number=number))
        if section in opened or every:
            found.extend(inside)
    return found


def _head(section: str, inside: Sequence[Mapping[str, Any]], *, opened: bool, number: int) -> dict[str, Any]:
    changed = sum(bool(row["changed"]) for row in inside)
    set_here = sum(row["from"] == "document" for row in inside)
    return {
        "key": section,
        "section": section,
        "title": TITLES.get(section, section.replace("_", " ").capitalize()),
        "is_section": True,
        "opened": opened,
        "number": number,
        "value": f"{len(inside)} key{'s' if len(inside) > 1 else ''}" + (f", {set_here} set" if set_here else ""),
        "changed": f"{changed} changed" if changed else "",
        "wrong": next((row["wrong"] for row in inside if row["wrong"]), ""),
        "applies": "",
        "meaning": "",
    }


def _row(
    key: Mapping[str, Any],
    section: str,
    document: Mapping[str, Any],
    draft: Mapping[str, Any],
    wrong: Mapping[str, str],
) -> dict[str, Any]:
    name = str(key["key"])
    changed = draft.get(name, _NOTHING) != document.get(name, _NOTHING)
    wanted = draft[name] if name in draft else key.get("default")
    return {
        **key,
        "section": section,
        "title": name.partition(".")[2] or name,
        "is_section": False,
        "value": "••••••" if key.get("secret") and key["value"] is not None else shown(key["value"]),
        "changed": shown(wanted) if changed else "",
        "wanted": wanted if changed else key["value"],
        "wrong": wrong.get(name, ""),
    }


_NOTHING: Final = object()


def _name(row: Row) -> Cell:
    if row["is_section"]:
        return Cell(f"{'▾' if row['opened'] else '▸'} {row['title']}", "strong")
    return Cell(f"    {row['title']}", "warn" if row["wrong"] else "")


def _value(row: Row) -> Cell:
    if row["is_section"]:
        return Cell(row["value"], "dim")
    return Cell(row["value"], "" if row["from"] == "document" else "dim")


def _changed(row: Row) -> Cell:
    if row["wrong"]:
        return Cell(f"✖ {row['changed'] or row['wrong']}", "alarm")
    return Cell(row["changed"], "accent")


def _holds(row: Row) -> Cell:
    text = str(_HOLDS.get(row["applies"], row["applies"]))
    return Cell(text, "warn" if text == "restart" and row["changed"] else "dim")


def _columns() -> Iterator[Column]:
    yield Column(
        name="name", title="Setting", width=34, cell=_name, value=lambda row: row["key"], fixed=True, stretch=8
    )
    yield Column(name="value", title="In force", width=16, cell=_value, value=lambda row: row["value"], stretch=20)
    yield Column(name="draft", title="Draft", width=16, cell=_changed, value=lambda row: row["changed"], stretch=20)
    yield Column(name="holds", title="Holds from", width=10, cell=_holds, value=lambda row: row["applies"], need=2)


COLUMNS: Final = tuple(_columns())
"""Columns of the settings."""
