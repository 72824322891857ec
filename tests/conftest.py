"""What tests of every room may ask for by name, which files are read, and the order in which they are run."""

from __future__ import annotations

import gc
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.postgres import postgres_url, server

__all__ = [
    "postgres_url",
    "pytest_collection",
    "pytest_collection_modifyitems",
    "pytest_pycollect_makemodule",
    "pytest_terminal_summary",
    "server",
]

USUAL_S: Final = 10
"""Seconds that a file with slow tests takes unless its mark says otherwise."""
HOUSE: Final = Path(__file__).parent / "house"
SLOW_FILE: Final = re.compile(r"^pytestmark = (\[[^\]]*)?pytest\.mark\.slow\b", re.MULTILINE)

# How long an example takes says something about the machine, which others use too, not about the code.
settings.register_profile("here", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


class Unread(pytest.Module):
    """A file of which no test would be run: importing it, and what only it needs, would be for nothing."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Find nothing."""
        return []


@cache
def _is_slow(path: Path) -> bool:
    return SLOW_FILE.search(path.read_text(encoding="utf-8")) is not None


def _skips_slow_files(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "not slow")


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Leave a file unread whose every test is marked slow, where none of those is wanted."""
    if _skips_slow_files(parent.config) and _is_slow(module_path):
        return Unread.from_parent(parent, path=module_path)
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many files were left unread."""
    if _skips_slow_files(config) and config.args_source is not pytest.Config.ArgsSource.ARGS:
        count = sum(map(_is_slow, Path(__file__).parent.rglob("test_*.py")))
        terminalreporter.write_line(f"{count} files that hold only slow tests were not read; `make test` runs them")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no rubbish while everything is imported, and never again among what then stays to the end.

    It is a million objects: looking through them at each of the hundreds of collections to come takes longer than many
    a test.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first and what reads all sources last.

    What is begun last is short then, and no process waits for another at the end. The syntax trees of all sources are
    millions of objects: where they are held each collection of rubbish takes a second, and a simulated run has many.
    """
    seconds: defaultdict[Path, int] = defaultdict(int)
    for item in items:
        if mark := item.get_closest_marker("slow"):
            seconds[item.path] = max(seconds[item.path], mark.kwargs.get("seconds", USUAL_S))
    items.sort(key=lambda item: (HOUSE in item.path.parents, -seconds[item.path]))
