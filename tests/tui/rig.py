"""A cockpit on the made-up house, with a clock that stands still, and what is on its screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Cockpit
from tui.demo import DemoLink
from tui.link import Link
from tui.options import Options
from tui.panels import PANELS, DashboardPanel, Panel, PositionsPanel, QueuePanel, RiskPanel

BEGIN = 1_795_000_000_000_000_000
SECOND = 1_000_000_000
WITHIN_S = 20.0
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: int = BEGIN

    def __call__(self) -> int:
        return self.now

    def go(self, seconds: float) -> None:
        """Let time go by."""
        self.now += int(seconds * SECOND)


@dataclass
class Rig:
    """A running cockpit, the keys on it, the world behind it."""

    app: Cockpit
    pilot: Pilot[None]
    link: Any
    clock: Clock

    async def press(self, *keys: str) -> None:
        """Press keys one by one and wait until they have been dealt with."""
        await self.pilot.press(*keys)
        await self.until(lambda: self.app.turns.over, "the keys are dealt with")
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Have a text in the command line and press Enter."""
        self.app.open_command_line(text)
        await self.press("enter")

    async def settled(self) -> None:
        """Have everything asked and drawn once more."""
        self.app.state.stir()
        await self.app.refresh_now()
        await self.pilot.pause()

    async def until(self, so: Callable[[], object], what: str) -> None:
        """Wait until something is so; fail with ``what`` when it does not come about."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while not so():
                    await self.pilot.pause()
        except TimeoutError:
            pytest.fail(f"not within {WITHIN_S} s: {what}\n{self.text}")

    async def sees(self, words: str) -> None:
        """Wait until words are on the screen."""
        await self.until(lambda: words in self.text, f"{words!r} on the screen")

    @property
    def said(self) -> str:
        """Return the status line."""
        return str(self.app.screen_stack[0].query_one("#said", Static).visual)

    @property
    def text(self) -> str:
        """Return the screen as text."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips(self.app.size))


CORE = (DashboardPanel, PositionsPanel, RiskPanel, QueuePanel)


@asynccontextmanager
async def cockpit(
    *,
    size: tuple[int, int] = (120, 36),
    panel: str = "",
    read_only: bool = False,
    theme: str = "dark",
    preferences: Path | None = None,
    link: Link | None = None,
    clock: Clock | None = None,
    panels: Sequence[type[Panel]] = PANELS,
) -> AsyncIterator[Rig]:
    """Run a cockpit for a block, on the demo unless another link is given; fewer panels begin sooner."""
    time = clock or Clock()
    behind = link if link is not None else Listening(time)
    numbers = count(1)
    options = Options(
        link=behind,
        clock=time,
        advice=lambda code: f"look up {code}",
        request_id=lambda: f"r{next(numbers)}",
        read_only=read_only,
        theme=theme,
        panel=panel,
        preferences=preferences,
    )
    app = Cockpit(options)
    app.panels = tuple(panels)
    async with app.run_test(size=size) as pilot:
        rig = Rig(app, pilot, behind, time)
        await rig.until(lambda: app.state.get("status") is not None, "the first answer")
        await rig.settled()
        yield rig


class Listening(DemoLink):
    """The demo, with what it was told written down."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.told: list[tuple[str, Any]] = []
        self.ids: list[str] = []

    async def post(self, path: str, body: Any = None, *, timeout_s: float = 10.0, request_id: str = "") -> Any:
        """Write it down and do it."""
        self.told.append((path, body))
        self.ids.append(request_id)
        return await super().post(path, body, timeout_s=timeout_s, request_id=request_id)


def screen_of(svg: str) -> tuple[list[str], list[str]]:
    """Return the lines of a screenshot, and for each line its runs of one look: ``column-column look``."""
    root = ET.fromstring(svg)
    looks = dict(re.findall(r"\.[\w-]+-(r\d+) \{ ([^}]*?) ?\}", svg))
    rows: dict[float, list[tuple[float, str, str]]] = {}
    for each in root.iter(f"{_SVG}text"):
        text, name = each.text or "", (each.get("class") or "").rpartition("-")[2]
        if name in looks and each.get("clip-path"):
            y = float(each.get("y", "0"))
            rows.setdefault(y, []).append((float(each.get("x", "0")), text.replace("\xa0", " "), looks[name]))
    lines, styles = [], []
    for y in sorted(rows):
        line, runs = "", []
        for x, text, look in sorted(rows[y]):
            column = round(x / CELL)
            line = line.ljust(column) + text
            if text.strip():
                runs.append(f"{column}+{len(text)} {_short(look)}")
        lines.append(line.rstrip())
        styles.append("; ".join(runs))
    return lines, styles


CELL = 12.2
"""Width of a cell in a screenshot of Textual."""


def _short(look: str) -> str:
    fill = re.search(r"fill: (#\w+)", look)
    return (fill[1] if fill else "") + ("b" if "bold" in look else "")
