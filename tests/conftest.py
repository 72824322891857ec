"""What tests of every room may ask for by name, and the order in which files are run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.servers.postgres import postgres_url, server

__all__ = ["postgres_url", "pytest_collection_modifyitems", "server"]

USUAL_S = 10
"""Seconds that a file with slow tests takes unless its mark says otherwise."""
HOUSE = Path(__file__).parent / "house"


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
