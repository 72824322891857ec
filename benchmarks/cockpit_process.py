"""One screen in a terminal of its own: 200 groups whose prices move; the cockpit, or Textual's own table as its peer.

``python -m benchmarks.cockpit_process cockpit|table`` runs until it is ended; the benchmark measures it from outside.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from tui.demo.link import DemoLink
from tui.launch import run
from tui.link import Item, LinkState
from tui.options import Options
from tui.panels.position_columns import COLUMNS
from tui.themes import THEMES

GROUPS: Final = 200
UPDATES_A_SECOND: Final = 500
BATCHES_A_SECOND: Final = 20
SHOWN: Final = tuple(column for column in COLUMNS if not column.optional)


class BusyLink(DemoLink):
    """A demo with so many groups, of which so many move each second; each move is an event of the stream as well."""

    def __init__(self) -> None:
        super().__init__(time.time_ns)
        base = [group.row(time.time_ns()) for group in self.world.groups]
        self.rows = [
            {**base[number % len(base)], "group_id": f"g{number:04d}", "symbol": f"C{number:03d}/USDT"}
            for number in range(GROUPS)
        ]
        self._next = 0

    def move(self, count: int) -> list[dict[str, Any]]:
        """Move so many prices; return the rows that did."""
        moved = []
        for _ in range(count):
            index = self._next % GROUPS
            row = self.rows[index]
            mark = float(row["mark"]) * (1.0001 if self._next % 3 else 0.9999)
            result = float(row["open_qty"]) * mark - float(row["open_cost_quote"])
            row = {**row, "mark": f"{mark:.4f}", "unrealized_quote": f"{result:.6f}"}
            self.rows[index] = row
            moved.append(row)
            self._next += 1
        return moved

    async def get(self, path: str, **query: Any) -> Any:
        """Answer with the busy groups; else as the demo does."""
        if path == "/v1/groups":
            return {"groups": list(self.rows)}
        found = await super().get(path, **query)
        if path == "/v1/config":
            setting = {"key": "ui.realtime_update_ms", "value": 100, "from": "file", "applies": "now", "meaning": ""}
            return {**found, "effective": [setting]} if "--fast" in sys.argv else found
        return found

    async def follow(self, hear: Callable[[Item], None], said: Callable[[LinkState, str], None]) -> None:
        """Send an event for each move."""
        said(LinkState.CONNECTED, "")
        position = 0
        while True:
            await asyncio.sleep(1 / BATCHES_A_SECOND)
            for row in self.move(UPDATES_A_SECOND // BATCHES_A_SECOND):
                position += 1
                hear(
                    {
                        "kind": "event",
                        "position": position,
                        "at": time.time_ns(),
                        "type": "FillNoted",
                        "severity": "order",
                        "code": "FillNoted",
                        "text": "a fill",
                        "group_id": row["group_id"],
                        "symbol": row["symbol"],
                    }
                )


class Peer(App[None]):
    """The same rows and columns in Textual's DataTable, a cell written when its text differs."""

    def __init__(self, link: BusyLink, every_s: float) -> None:
        super().__init__()
        self._link = link
        self._every_s = every_s
        self._shown: dict[tuple[str, str], str] = {}

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        yield DataTable(id="peer", cursor_type="row")

    def on_mount(self) -> None:
        """Fill the table and keep it fresh."""
        self.register_theme(THEMES["dark"].theme)
        found = self.query_one(DataTable)
        for column in SHOWN:
            found.add_column(column.title, key=column.name, width=column.width)
        for row in self._rows():
            found.add_row(*(column.cell(row).text for column in SHOWN), key=row["group_id"])
        found.focus()
        self.set_interval(self._every_s, self._update)

    def _rows(self) -> list[dict[str, Any]]:
        now = time.time_ns() // 1_000_000_000
        return [{**row, "now": now} for row in self._link.rows]

    def _update(self) -> None:
        self._link.move(int(UPDATES_A_SECOND * self._every_s))
        found = self.query_one(DataTable)
        for row in self._rows():
            for column in SHOWN:
                text = column.cell(row).text
                if self._shown.get((row["group_id"], column.name)) != text:
                    self._shown[row["group_id"], column.name] = text
                    found.update_cell(row["group_id"], column.name, text)


def main() -> None:
    """Run the one that is named."""
    link = BusyLink()
    if sys.argv[1] == "table":
        Peer(link, 0.1 if "--fast" in sys.argv else 0.5).run()
        return
    numbers = iter(range(10**9))
    options = Options(
        link=link,
        clock=time.time_ns,
        advice=lambda _: "",
        request_id=lambda: f"r{next(numbers)}",
        panel="positions",
        theme="dark",
    )
    run(options)


if __name__ == "__main__":
    main()
