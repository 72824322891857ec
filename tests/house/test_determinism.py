"""Clock, randomness and sleep come from the runtime, so that a run can be repeated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.house.sources import Source, room_sources, sources_of_tests

RAW: Final = frozenset(
    {
        "anyio.sleep",
        "anyio.sleep_forever",
        "anyio.sleep_until",
        "asyncio.sleep",
        "asyncio.wait_for",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "os.urandom",
        "random",
        "secrets",
        "threading.Timer",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.perf_counter_ns",
        "time.sleep",
        "time.time",
        "time.time_ns",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)
"""Names, fully qualified, that read a clock, draw randomness or wait; a module stands for everything in it."""

SLEEPS: Final = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep"})
MARK: Final = "# house: "
"""Exempts its line; what follows is the reason."""


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for, fully qualified."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def qualified(node: ast.expr, names: dict[str, str]) -> str:
    """Return the full name an expression such as ``dt.datetime.now`` refers to, empty when it is none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (base := qualified(node.value, names)):
        return f"{base}.{node.attr}"
    return ""


def uses(source: Source, banned: frozenset[str]) -> Iterator[str]:
    """Yield ``path:line: name`` of each use of a banned name that is not exempted on its line."""
    text = "\n".join(source.lines)
    if not any(all(part in text for part in name.split(".")) for name in banned):
        return  # every use, under any alias, spells each part of the name somewhere: most files need no walk
    names = imported_names(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = qualified(node, names)
        is_banned = name in banned or name.partition(".")[0] in banned
        reason = source.lines[node.lineno - 1].partition(MARK)[2].strip()
        if is_banned and not reason:
            yield f"{source.path}:{node.lineno}: {name}"


def test_rooms_use_no_raw_clock_randomness_or_sleep() -> None:
    """Outside runtime/ nothing reads a clock, draws randomness or sleeps by itself."""
    found = [use for source in room_sources() if source.room != "runtime" for use in uses(source, RAW)]
    assert found == []


def test_tests_do_not_sleep() -> None:
    """A test waits for what it expects, never for time to pass."""
    assert [use for source in sources_of_tests() for use in uses(source, SLEEPS)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import time\ntime.time()", ["x.py:2: time.time"]),
        ("from time import time as t\nt()", ["x.py:2: time.time"]),
        ("import datetime as dt\ndt.datetime.now()", ["x.py:2: datetime.datetime.now"]),
        ("from datetime import datetime\ndatetime.now()", ["x.py:2: datetime.datetime.now"]),
        ("from random import choice\nchoice([1])", ["x.py:2: random.choice"]),
        ("import os\nos.urandom(1)  # house: a key", []),
        ("import os\nos.urandom(1)  # house:", ["x.py:2: os.urandom"]),
        ("from datetime import datetime\ndatetime.fromtimestamp(0)", []),
        ("clock.time()\ntime = 1\ntime.time", []),
    ],
)
def test_the_check_finds_what_it_is_for(code: str, found: list[str]) -> None:
    """The ban sees through aliases and honours an exemption only with a reason."""
    assert list(uses(Source("x.py", tuple(code.splitlines()), ast.parse(code)), RAW)) == found
