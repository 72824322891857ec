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

__all__ = ["FILTERS", "INSTANTS", "LogToolbar"]

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


INSTANTS: Final = ("since", "until")
"""Filters whose value is an instant, nanoseconds."""

_ASKED: Final = ("pair", "timeframe", "tag", "since", "until", "text")
"""Filters that stand in the toolbar also while they are off."""


class LogToolbar(Lines):
    """Two lines: chips, filters; all of them can be clicked."""

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

    def action_ask(self, name: str) -> None:
        """Write a filter's value."""
        cast("Seat", self.app).open_command_line(f"log {name} ")

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
    pieces.append("  ")
    others = [name for name, value in filters.items() if value and name not in (*_ASKED, "category")]
    for name in (*_ASKED, *others):
        value = _said(name, filters.get(name, ""))
        style = "accent" if value else "dim"
        pieces += [" ", clickable(f" {name} {value} " if value else f" {name} ", style, f"ask('{name}')")]
    if any(filters.values()):
        pieces += ["  ", clickable("✕ clear", "warn", "clear")]
    return line(*pieces)


def _said(name: str, value: str) -> str:
    """Return a filter's value as it was meant: instants as times."""
    return cells.day_time(value) if value and name in INSTANTS else value
