"""The pictures of README and docs: one a panel, taken from the real cockpit on the house of the tour."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

from tests.system.tour import Tour
from tests.tui.rig import Clock, Rig, cockpit
from tui.panels import PANELS

__all__ = ["WallClock", "take"]

SIZE: Final = (124, 38)
KEYS: Final = {"positions-group": ("positions", ("enter",))}
"""Pictures beyond one a panel: the panel and what is pressed in it."""
_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->\s*", re.DOTALL)


class WallClock(Clock):
    """The clock of the wall: a daemon in a process of its own has no other."""

    def __call__(self) -> int:
        return time.time_ns()


async def take(house: Tour, folder: Path) -> None:
    """Write ``<panel>.svg`` for every panel, and the dashboard once more in light colours."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs here
    shots = {panel.ident: (panel.ident, ()) for panel in PANELS} | KEYS
    async with cockpit(link=house.new_link(), clock=WallClock(), size=SIZE) as rig:
        for name, (panel, keys) in shots.items():
            await show(rig, panel, *keys)
            _write(folder / f"{name}.svg", rig.app.export_screenshot(title=""))
            await rig.press("escape")
    async with cockpit(link=house.new_link(), clock=WallClock(), size=SIZE, theme="light") as rig:
        await show(rig, "dashboard")
        _write(folder / "dashboard-light.svg", rig.app.export_screenshot(title=""))


async def show(rig: Rig, panel: str, *keys: str) -> None:
    """Bring a panel to the front by its key, press more of them, wait until it has been answered."""
    await rig.press(next(each.key for each in PANELS if each.ident == panel), *keys)
    assert rig.app.panel().ident == panel
    await rig.settled()
    await rig.settled()  # what the first answers made the panel ask for


def _write(file: Path, svg: str) -> None:
    """Write a picture that asks for nothing from elsewhere: Textual's names a font on the net."""
    text = _COMMENT.sub("", _FONT.sub("", svg)).replace("Fira Code, ", "").replace("Fira Code", "monospace")
    file.write_text(re.sub(r"terminal-\d+-", "t-", text), encoding="utf-8")
