"""Each room says what it is, imports what it may, and is known to the tools."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.house.sources import ROOMS, ROOT, Source, existing_rooms, room_sources

MAY_IMPORT: Final[dict[str, set[str]]] = {
    "protocol": set(),
    "runtime": {"protocol"},
    "supervision": {"protocol", "runtime"},
    "rules": {"protocol"},
    "indicators": {"protocol"},
    "store": {"protocol", "runtime", "rules"},
    "venues": {"protocol", "runtime", "rules"},
    "market": {"protocol", "runtime", "rules", "venues", "store"},
    "models": {"protocol", "rules", "indicators"},
    "strategies": {"protocol", "rules", "indicators"},
    "tui": {"protocol"},
}
"""Where a room may use less than everything below it; the layers themselves are checked by import-linter."""


def imports(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the top-level name and line of every import of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield (source.room if node.level else node.module.partition(".")[0]), node.lineno


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_rooms_import_only_what_they_may() -> None:
    """A room imports only the rooms that the architecture allows it."""
    broken = [
        f"{source.path}:{line}: {source.room} must not import {name}"
        for source in room_sources()
        for name, line in imports(source)
        if name in ROOMS and name != source.room and name not in MAY_IMPORT.get(source.room, set(ROOMS))
    ]
    assert broken == []


def test_no_room_imports_tests_or_benchmarks() -> None:
    """What is installed never needs what is not."""
    found = [source.path for source in room_sources() for name, _ in imports(source) if name in {"tests", "benchmarks"}]
    assert found == []


def test_import_linter_knows_every_room() -> None:
    """The layer contract lists every room in order, and looks at each one that exists."""
    linter = pyproject()["tool"]["importlinter"]
    assert linter["root_packages"] == existing_rooms()
    layers = [layer.strip("()") for layer in linter["contracts"][0]["layers"]]
    assert layers == list(reversed(ROOMS))


def test_the_distribution_holds_every_room() -> None:
    """An installation contains each room and nothing else of ours."""
    found = pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(found) == sorted(f"{room}*" for room in ROOMS)


@pytest.mark.parametrize("room", existing_rooms())
def test_each_room_says_what_lives_there(room: str) -> None:
    """A room's docstring tells what lives there and what must not."""
    docstring = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text()))
    assert docstring is not None
    assert "must not" in docstring
