"""Every key of the specification's table is there, as it stands there."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.config.catalogue import catalogue
from service.config.exchange import VENUES
from service.config.keys import Secret, optional

SPEC = Path(__file__).parents[3] / "shared" / "spec" / "execution.md"
OURS: dict[str, str] = {
    "app.data_dir": "it stood as data before the table did",
    "grid_strategy.levels": "its default is what stands for unset, so that the shorthand can be told from explicit layers",
    "waiting_rule.selection_priority": "the table names the order by reference",
    "exchange.<venue>.testnet": "its default differs by exchange",
}
"""Defaults that are written otherwise, and why."""


def rows() -> list[list[str]]:
    """Return the rows of the table: key, type, unit, default, bounds, applies, meaning."""
    if not SPEC.exists():
        return []
    table = SPEC.read_text().partition("**EX-1302**")[2].partition("**EX-1303**")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")
    ]
    return [[row[0].strip("`"), *row[1:]] for row in found]


def names(key: str) -> list[str]:
    """Return the keys that a row stands for."""
    return [key.replace("<venue>", venue) for venue in VENUES] if "<venue>" in key else [key]


def shown(value: Any) -> str:
    """Return a default as the table writes it."""
    match value:
        case None:
            return "\u2013"
        case bool():
            return str(value).lower()
        case Decimal():
            return format(value.normalize(), "f")
        case dict() if not value:
            return "{}"
        case tuple() if not value:
            return "[]"
    return str(value)


@pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside the repository")
@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_key_of_the_table(row: list[str]) -> None:
    """Each key has the default and the moment of effect of the table, and secrets are secrets (EX-1302, EX-1301)."""
    key, kind, _, default, _, applies, _ = row
    for name in names(key):
        entry = catalogue()[name]
        assert entry.field.key.applies == applies, name
        assert (optional(entry.field.hint)[0] is Secret) == (kind == "secret"), name
        if key not in OURS:
            assert shown(entry.field.default) == default, name


@pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside the repository")
def test_the_table_was_found() -> None:
    """The table has more than a hundred keys; a reader that finds none would prove nothing (EX-1302)."""
    assert len(rows()) > 120
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_.<>]+", row[0]) for row in rows())
