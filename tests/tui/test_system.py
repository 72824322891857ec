"""Panel G and the tree of actors: looking, restart, quarantine, release, venues' commands (EX-1622, EX-1623)."""

from __future__ import annotations

import pytest

from tests.tui.rig import cockpit
from tui.panels import ActorsPanel, SystemPanel
from tui.panels.actor_columns import tree_rows, unwell

pytestmark = pytest.mark.anyio
SHOWN = (
    SystemPanel,
    ActorsPanel,
)


def test_the_tree_is_drawn_from_paths() -> None:
    """Parents before children, each under its own, the last child of each closes its branch."""
    paths = ("/", "/a", "/a/b", "/a/c", "/a/c/d", "/e")
    assert [row["tree"] for row in tree_rows([{"path": path} for path in paths])] == [
        "bulkhead",
        "├ a",
        "│ ├ b",
        "│ └ c",
        "│   └ d",
        "└ e",
    ]


def test_the_unwell_are_found_among_two_hundred() -> None:
    """An actor that stands still or gets behind is shown with those above it, the others are not (EX-1622)."""
    well = {"state": "running", "mailbox": 3, "oldest_ms": 12.5}
    paths = ["/", "/groups", *(f"/groups/g{number}" for number in range(200)), "/venues", "/venues/main"]
    actors = [{"path": path, **well} for path in paths]
    assert unwell(actors) == []
    actors[7] |= {"state": "quarantined"}
    actors[-1] |= {"oldest_ms": 4_000.0}
    assert [each["path"] for each in unwell(actors)] == ["/", "/groups", "/groups/g5", "/venues", "/venues/main"]


async def test_only_the_unwell_are_shown_until_all_are_wanted_again() -> None:
    """U leaves those that do not run and those above them; Esc, or U again, brings all back."""
    async with cockpit(panels=SHOWN, panel="actors", size=(140, 44)) as rig:
        await rig.sees("coordinator")
        rig.link.world.stands["/venues/main/session"] = "quarantined"
        await rig.settled()
        await rig.press("u")
        await rig.sees("only those that are not well")
        assert "coordinator" not in rig.text
        assert "✖ quarantined" in rig.text
        await rig.press("escape")
        await rig.sees("coordinator")
        assert "only those" not in rig.text


async def test_an_actor_is_looked_at_quarantined_and_released() -> None:
    """Enter opens it with its failures and what it takes; commands ask first, and the tree shows what came of them."""
    async with cockpit(panels=SHOWN, panel="actors", size=(140, 44)) as rig:
        rig.app.panel().search("perp session")
        await rig.settled()
        await rig.press("enter")
        await rig.settled()
        for words in ("/venues/perp/session", "VenueDown: 502 Bad Gateway", "shows i7kq2f"):
            await rig.sees(words)
        await rig.press("v")
        await rig.sees("given back to the desk")
        await rig.press("escape", "Q")
        await rig.sees("Quarantine this actor?")
        assert "nobody manages" in rig.text
        await rig.press("y")
        await rig.until(lambda: rig.link.told, "it was sent")
        assert rig.link.told[-1] == ("/v1/quarantine", {"path": "/venues/perp/session"})
        await rig.sees("✖ quarantined")
        await rig.press("r")
        await rig.sees("Restart this actor?")
        await rig.press("y")
        await rig.sees("ChildQuarantined")
        await rig.press("l")
        await rig.sees("Release this actor?")
        await rig.press("y")
        await rig.until(lambda: rig.link.told[-1][0] == "/v1/release", "it was released")
        await rig.sees("● running")


async def test_the_console_shows_and_commands_venues() -> None:
    """Connection, latency, clock, API use, rules, webhook, disk; reconnect asks, precision and reconcile do (EX-1622)."""
    async with cockpit(panels=SHOWN, panel="system", size=(150, 40)) as rig:
        for words in ("TEST", "/1200", "412 · ", "WEBHOOK", "InvalidSecret 2", "read models", "GB free", "47 "):
            await rig.sees(words)
        await rig.press("p")
        await rig.until(lambda: rig.link.told, "the rules were asked for")
        assert rig.link.told[-1] == ("/v1/venues/refresh", {"account": "main"})
        await rig.press("c")
        await rig.until(lambda: rig.link.told[-1][0].endswith("reconcile"), "the books are compared")
        await rig.press("r")
        await rig.sees("Connect again?")
        await rig.press("y")
        await rig.until(lambda: rig.link.told[-1][0] == "/v1/restart", "it was restarted")
        assert rig.link.told[-1][1] == {"path": "/venues/main/session"}
        said = {"kind": "event", "type": "Reconciled", "severity": "info", "at": rig.clock.now, "group_id": ""}
        said |= {"code": "Reconciled", "text": "main reconciled: 0 differences", "event": {"account": "main"}}
        rig.app.state.hear({**said, "event": {"account": "perp"}, "text": "perp reconciled"})
        rig.app.state.hear(said)
        assert rig.said.endswith("main reconciled: 0 differences")
        rig.link.world.stands["/venues/main/session"] = "quarantined"
        await rig.settled()
        await rig.press("r")
        await rig.sees("let out of quarantine")
        await rig.press("y")
        await rig.until(lambda: rig.link.told[-1][0] == "/v1/release", "it was released")
