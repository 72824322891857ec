"""The actor map of the specification against a daemon in a process of its own: who is there, and who restarts alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.house.requirements import SPEC
from tests.service.command_line import until
from tests.service.test_cli_daemon import CONFIG, Operator

pytestmark = pytest.mark.slow

VENUE: Final = "/venues/paper"
MAP: Final = {
    "signal gateway": ("/trading/gateway", "/operators/webhook"),
    "signal router": ("/trading/gateway",),
    "pool coordinator": ("/risk/pool-paper",),
    "position group": ("/trading/groups/paper/",),
    "venue connection": (f"{VENUE}/session", f"{VENUE}/desk"),
    "precision cache": (f"{VENUE}/precision",),
    "risk engine": ("/risk/offset-paper", "/risk/coordinator"),
    "journal": ("/store/projector",),
    "event log": ("/store/events",),
    "config store": ("/operators/config",),
    "secret vault": ("/operators/secrets",),
    "performance tracker": ("/store/equity",),
    "cockpit feed": ("/operators/api",),
}
"""Row of the map -> its actors here; decision 0009 says why the router is part of the gateway. The journal's writer belongs
to the runtime, so that nobody can be asked to keep what it cannot: its actor is who makes read models of it."""
ALONG: Final = {f"{VENUE}/desk": 4, f"{VENUE}/session": 3, f"{VENUE}/precision": 0}
"""Who is started after a connection follows it, so that each reconnect ends in a comparison of the books (EX-1204)."""


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Start a daemon with an open group."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG)
        ready = Operator(Path(name))
        _, err = (started := ready.process("up", "--detach", "--json")).communicate(timeout=60)
        assert started.returncode == 0, err
        assert ready.sent("signal", "entry", "BTCUSDT", "--side", "long", "--size", "500")["routed"] == "opened"
        yield ready
        assert ready("down").exit_code == 0


def standing(operator: Operator) -> dict[str, dict[str, Any]]:
    """Return the actors by path."""
    return {row["path"]: row for row in operator.json("ps")}


def path_of(wanted: str, actors: dict[str, Any]) -> str:
    """Return the path of an actor; one that ends in a stroke is the only one below it."""
    found = [path for path in actors if path == wanted or (wanted.endswith("/") and path.startswith(wanted))]
    assert len(found) == 1, f"{wanted}: {found}"
    return found[0]


def test_every_row_of_the_map_is_told_of() -> None:
    """EX-103: the table here has the rows of the specification, no more and no less."""
    if not SPEC.is_file():
        pytest.skip(f"the specification is not at {SPEC}")
    table = SPEC.read_text(encoding="utf-8").partition("**EX-103**")[2].partition("**EX-104**")[0]
    rows = [line.split("|")[1].partition("(")[0].strip() for line in table.splitlines() if line.startswith("| ")]
    assert rows[1:] == list(MAP)


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return who was started again."""
    return {each for each in after if each not in before or after[each]["restarts"] != before[each]["restarts"]}


def is_done(before: dict[str, Any], after: dict[str, Any], actor: str) -> bool:
    """Tell whether everybody runs, an actor again, and with it as many as follow it, one after the other."""
    again = changed(before, after)
    running = all(row["state"] == "running" for row in after.values())
    return running and actor in again and len(again) > ALONG.get(actor, 0)


@pytest.mark.parametrize("path", dict.fromkeys(path for paths in MAP.values() for path in paths))
def test_each_restarts_alone(operator: Operator, path: str) -> None:
    """EX-103: an actor of the map is in the daemon's tree and is started again without anybody but its followers."""
    before = standing(operator)
    actor = path_of(path, before)
    restarted = operator("restart", actor)
    if actor != "/operators/api":  # the answer goes down with who gives it
        assert restarted.exit_code == 0, restarted.stderr
    after = until(lambda: standing(operator), lambda seen: is_done(before, seen, actor))
    assert set(after) == set(before)
    siblings = changed(before, after) - {actor}
    assert all(each.startswith(f"{VENUE}/") for each in siblings)
    assert len(siblings) == ALONG.get(actor, 0)
