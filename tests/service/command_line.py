"""Run commands in the process of a test.

Typer's runner puts the four hundred commands together anew at each call, which takes a tenth of a second; nothing changes
them, so here a process does it once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, TypeVar

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from runtime.clock import WallClock

__all__ = ["CliRunner", "Result", "until"]

T = TypeVar("T")

_PATIENCE_NS: Final = 20_000_000_000

testing._get_command = cache(get_command)


def until(look: Callable[[], T], holds: Callable[[T], object] = bool) -> T:
    """Look until what is seen holds, and return it; each look is a request, which takes its time."""
    end = WallClock().now() + _PATIENCE_NS
    while not holds(seen := look()):
        assert WallClock().now() < end, f"not within 20 s: {seen}"
    return seen
