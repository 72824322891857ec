"""Every panel looks as it did: its text and the look of each run of it, at fixed sizes and a fixed time.

``UPDATE_SNAPSHOTS=1 pytest tests/tui/test_snapshots.py`` writes them anew; the difference is read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.rig import CORE, cockpit, screen_of

FOLDER = Path(__file__).parent / "snapshots"
FRAME = (0, 1, -1)
CASES = {
    "dashboard": ((120, 36), "dashboard", (), "dark"),
    "dashboard-small": ((80, 24), "dashboard", (), "light"),
    "positions": ((120, 30), "positions", (), "dark"),
    "positions-small": ((80, 24), "positions", (), "dark"),
    "group": ((140, 40), "positions", ("enter",), "dark"),
    "risk": ((120, 32), "risk", (), "dark"),
    "queue": ((120, 30), "queue", (), "dark"),
    "close": ((100, 28), "positions", ("x",), "dark"),
}
"""Name -> size, panel, keys, theme."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.anyio
async def test_panel_looks_as_it_did(name: str) -> None:
    """What stands where, in which look, is what was agreed (EX-1601, EX-1604, EX-1610, EX-1612, EX-1613, EX-1617)."""
    size, panel, keys, theme = CASES[name]
    async with cockpit(size=size, panel=panel, theme=theme, panels=CORE) as rig:
        await rig.press(*keys)
        await rig.settled()
        lines, styles = screen_of(rig.app.export_screenshot())
    for place in FRAME:  # another panel, key or sign in the header is no change of this panel
        lines[place] = styles[place] = "(frame)"
    shown = "\n".join([*lines, "", "--- looks", *styles]) + "\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")
