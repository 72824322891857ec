"""The line above results: ranges and pages that can be clicked, and every filter that is on."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from tui.lines import Lines
from tui.results import FILTERS, RANGES, filters_of
from tui.state import State
from tui.text import clickable, line, padded

__all__ = ["CURVES", "PAGES", "TABLES", "ResultsBar"]

PAGES: Final = ("curves", "figures", "tables", "shape", "trades", "capital")
"""Pages of the panel, in their order."""

CURVES: Final = ("all", "total", "realized", "closed")
"""What of equity is drawn: everything, or one curve alone; ``closed`` is realized by trades that are over (EX-1705)."""

TABLES: Final = ("symbol", "timeframe", "strategy", "side", "account", "venue", "day", "week", "month")
"""What results can be listed by."""

_NAMES: Final = {"symbol": "pair"}


class ResultsBar(Lines):
    """Two lines: range and filters, pages and tables."""

    DEFAULT_CSS = """
    ResultsBar { height: 2; background: $surface; }
    """

    def show(self, state: State, *, page: str = "", table: str = "") -> None:
        """Draw what is shown; without a page the first line alone."""
        first = _ranges(state, self.size.width)
        self.styles.height = 2 if page else 1
        self.put(line(first, "\n", _pages(page, table)) if page else first)

    def action_run(self, text: str) -> None:
        """Run a command, as if it was typed."""
        self.app.run_text(text)  # type: ignore[attr-defined]


def _ranges(state: State, width: int) -> Content:
    given = filters_of(state)
    current = given.get("range") or ("custom" if given.get("from") or given.get("to") else "all")
    chips = [
        clickable(f" {name} ", "badge" if name == current else "dim", f"run('range {name}')")
        for name in RANGES
        if name != "custom" or current == "custom"
    ]
    if current == "custom":
        chips.append(line((f" {given.get('from', '')}..{given.get('to', '')}", "accent")))
    on = "  ".join(f"{name} {given[name]}" for name in FILTERS if given.get(name))
    right = (
        line((on, "accent"), "  ", clickable("✕ all ", "warn", "run('only none')"))
        if on
        else line(clickable("f", "accent", "run('ask-only')"), clickable(" filter ", "dim", "run('ask-only')"))
    )
    return padded(line(" ", Content("").join(chips)), right, width)


def _pages(page: str, table: str) -> Content:
    chips = [clickable(f" {name} ", "badge" if name == page else "dim", f"run('page {name}')") for name in PAGES]
    if page == "tables":
        chips.append(line(("   by", "dim")))
        chips += [
            clickable(f" {_NAMES.get(name, name)}", "accent" if name == table else "dim", f"run('by {name}')")
            for name in TABLES
        ]
    return line(" ", Content("").join(chips))
