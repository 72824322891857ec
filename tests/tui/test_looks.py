"""The log, console, tree, notifications, traces, forms, results and settings look as they did; see ``test_snapshots``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.rig import cockpit, screen_of
from tui.panels import (
    ActorsPanel,
    HistoryPanel,
    InjectPanel,
    LogsPanel,
    NoticesPanel,
    Panel,
    PerformancePanel,
    PositionsPanel,
    SettingsPanel,
    SystemPanel,
    TracePanel,
)

FOLDER = Path(__file__).parent / "snapshots"
FRAME = (0, 1, -1)
CASES: dict[str, tuple[tuple[int, int], tuple[type[Panel], ...], tuple[str, ...], str]] = {
    "logs": ((140, 32), (LogsPanel,), (), "dark"),
    "logs-small": ((80, 24), (LogsPanel,), ("up", "up", "enter"), "light"),
    "system": ((140, 36), (SystemPanel,), (), "dark"),
    "actors": ((140, 44), (ActorsPanel,), ("down", "down", "down", "enter"), "dark"),
    "notices": ((120, 24), (NoticesPanel,), (), "dark"),
    "trace": ((130, 40), (PositionsPanel, TracePanel), ("t",), "dark"),
    "performance": ((140, 40), (PerformancePanel,), (), "dark"),
    "performance-small": ((80, 24), (PerformancePanel,), ("v", "v", "v"), "light"),
    "results": ((120, 30), (PerformancePanel,), ("b",), "dark"),
    "history": ((120, 30), (HistoryPanel,), (), "dark"),
    "settings": ((120, 30), (SettingsPanel,), ("down", "down", "down", "enter", "down"), "dark"),
    "inject": ((130, 32), (InjectPanel,), (), "light"),
}
"""Name -> size, panels, keys, theme."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.anyio
async def test_panel_looks_as_it_did(name: str) -> None:
    """What stands on the screen, and in which look, is what was agreed (EX-1601, EX-1604)."""
    size, panels, keys, theme = CASES[name]
    async with cockpit(size=size, theme=theme, panels=panels) as rig:
        await rig.press(*keys)
        await rig.settled()
        await rig.settled()
        rig.app.set_focus(None)
        lines, styles = screen_of(rig.app.export_screenshot())
    for place in FRAME:  # another panel, key or sign in the header is no change of this panel
        lines[place] = styles[place] = "(frame)"
    shown = "\n".join([*lines, "", "--- looks", *styles]) + "\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")
