"""The pictures of README and docs: one a panel, taken from the real cockpit on the house of the tour."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.system.tour import Tour
from tests.tui.rig import Clock, Rig, cockpit
from tui.link import DaemonLink
from tui.panels import PANELS

__all__ = ["WallClock", "take"]

SIZE: Final = (124, 38)
KEYS: Final = {"positions-group": ("positions", ("enter",)), "settings": ("settings", (*("down",) * 4, "enter"))}
"""Pictures that are more than their panel as it opens: the panel and what is pressed in it."""
DRAFT: Final = {
    "execution_pool.max_open_groups": 12,
    "grid_strategy.levels": [
        {"gap_percent": gap, "weight_percent": weight, "tp_percent": target}
        for gap, weight, target in (("0", "50", "1"), ("-1.2", "30", "1.5"), ("-2.5", "20", "2"))
    ],
}
"""What somebody is about to change in the picture of the settings."""
_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->\s*", re.DOTALL)


class WallClock(Clock):
    """The clock of the wall: a daemon in a process of its own has no other."""

    def __call__(self) -> int:
        return time.time_ns()


async def take(house: Tour, folder: Path) -> None:
    """Write ``<panel>.svg`` for every panel, and the dashboard once more in light colours."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs here
    async with _link(house) as link:
        await _take(house, link, folder)


@asynccontextmanager
async def _link(house: Tour) -> AsyncIterator[DaemonLink]:
    link = house.new_link()
    try:
        yield link
    finally:
        await link.close()


async def _take(house: Tour, link: DaemonLink, folder: Path) -> None:
    groups = (await link.get("/v1/groups", open=1, limit=1000))["groups"]
    worst = min(groups, key=lambda each: float(each["unrealized_quote"] or 0))["group_id"]
    named = {panel.ident for panel in PANELS}
    await link.post("/v1/config/draft", {"values": DRAFT, "author": "anna"})  # so that there is something to preview
    # Notifications first, then they are put away: their toasts would cover the other pictures.
    for names in (["notices"], ["positions-group", *sorted(named - {"notices", "trace"}), "trace"]):
        async with cockpit(link=house.new_link(), clock=WallClock(), size=SIZE) as rig:
            for name in names:
                panel, keys = KEYS.get(name, (name, ()))
                if panel in named:
                    await show(rig, panel, *keys, text=f"trace {worst}" if panel == "trace" else "")
                    _write(folder / f"{name}.svg", rig.app.export_screenshot(title=""))
        await link.post("/v1/notifications/dismiss-all", {})
    async with cockpit(link=house.new_link(), clock=WallClock(), size=SIZE, theme="light") as rig:
        await show(rig, "dashboard")
        _write(folder / "dashboard-light.svg", rig.app.export_screenshot(title=""))


async def show(rig: Rig, panel: str, *keys: str, text: str = "") -> None:
    """Bring a panel to the front by its key or by a command, press more keys, wait until it has been answered."""
    await rig.press("escape")  # out of a form, whose fields take keys
    key = next(each.key for each in PANELS if each.ident == panel)
    await (rig.press(key) if key and not text else rig.type(text or f"go {panel}"))
    await rig.press(*keys)
    assert rig.app.panel().ident == panel
    await rig.settled()
    await rig.settled()  # what the first answers made the panel ask for


def _write(file: Path, svg: str) -> None:
    """Write a picture that asks for nothing from elsewhere: Textual's names a font on the net."""
    text = _COMMENT.sub("", _FONT.sub("", svg)).replace("Fira Code, ", "").replace("Fira Code", "monospace")
    file.write_text(re.sub(r"terminal-\d+-", "t-", text), encoding="utf-8")
