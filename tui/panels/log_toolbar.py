"""The toolbar of the log: category chips that can be clicked, and every filter that is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from textual.content import Content

from tui import cells
from tui.lines import Lines
from tui.panels.log_columns import CATEGORIES
from tui.text import clickable, line

if TYPE_CHECKING:
    from tui.seat import Seat

__all__ = ["FILTERS", "LogToolbar"]

FILTERS: Final = {
    "category": "error, warning, info, webhook, order, risk_engine, precision, system; several with commas",
    "severity": "error, warning, info, risk or order",
    "tag": "what it is about: entry, exit, tp, queue, config, api_reject, ...",
    "pair": "symbol in any spelling",
    "timeframe": "15m, 1h, ...",
    "since": "10m, 2h, 3d, 2026-01-31 or 2026-01-31T12:00",
    "until": "as since",
    "correlation": "one causal chain",
    "code": "one code, for example OrderRejected",
    "group": "one group",
    "text": "words in any order",
    "pinned": "1: only what waits or waited to be acknowledged",
}
"""Every filter and what it takes."""


class LogToolbar(Lines):
    """Two lines: chips, filters."""

    DEFAULT_CSS = """
    LogToolbar { height: 2; background: $surface; }
    """

    def show(self, filters: Mapping[str, str], *, stream: bool, shown: int, newer: int) -> None:
        """Draw how the log is filtered, and whether it goes on by itself."""
        self.put(line(_chips(filters), "\n", _state(filters, stream=stream, shown=shown, newer=newer)))

    def action_chip(self, category: str) -> None:
        """Show only a category too, or no longer."""
        seat = cast("Seat", self.app)
        panel = seat.panel()
        panel.toggle_category(category)

    def action_stream(self) -> None:
        """Go on by itself, or stand still."""
        panel = cast("Seat", self.app).panel()
        panel.set_stream(stream=not panel.stream)

    def action_clear(self) -> None:
        """Take every filter off."""
        cast("Seat", self.app).panel().clear_filters()


def _chips(filters: Mapping[str, str]) -> Content:
    wanted = set(filter(None, filters.get("category", "").split(",")))
    found = [line(" ")]
    for name in CATEGORIES:
        style = "badge" if name in wanted else "dim"
        found.append(clickable(f" {cells.words(name).removesuffix(' engine')} ", style, f"chip('{name}')"))
    return Content("").join(found)


def _state(filters: Mapping[str, str], *, stream: bool, shown: int, newer: int) -> Content:
    mode = ("▶ STREAM", "gain") if stream else ("Ⅱ REVIEW", "warn")
    pieces: list[Content | tuple[str, str] | str] = [
        " ",
        clickable(mode[0], mode[1], "stream"),
        (f"  {shown} lines", "dim"),
    ]
    if newer and not stream:
        pieces.append((f"  {newer} newer: End shows them", "accent"))
    others = [f"{name} {value}" for name, value in filters.items() if value and name != "category"]
    if others:
        pieces += [("   only ", "dim"), ("  ".join(others), "accent"), "  ", clickable("✕ clear", "warn", "clear")]
    else:
        pieces.append(("   / words   f filter   c category", "dim"))
    return line(*pieces)
