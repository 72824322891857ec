"""The page of help: the keys of the panel in front, those that work everywhere, every command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.cells import DASH
from tui.commands import COMMANDS
from tui.panels.base import Panel
from tui.text import line, lines

__all__ = ["EVERYWHERE", "Help"]

EVERYWHERE: Final = (
    ("1 … 9", "open a panel"),
    ("Enter", "details of what is selected"),
    ("Esc", "back: out of details, a filter, this page; puts toasts away"),
    ("/", "search: show only rows with these words"),
    (":", "command line; Tab completes"),
    ("Ctrl+P", "command palette"),
    ("↑ ↓ PgUp PgDn Home End", "select a row; j and k as well"),
    ("← →", "scroll sideways"),
    ("< >  =", "sort by another column; turn the order round"),
    ("a", "acknowledge every alert as it stands"),
    ("F6", "next theme"),
    ("F7", "next density"),
    ("Ctrl+Q", "leave; the daemon goes on"),
)
"""Keys that work in every panel, and what they do."""


class Help(ModalScreen[None]):
    """Shows help until a key closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > VerticalScroll { width: 84; max-width: 96%; height: auto; max-height: 92%; padding: 1 2; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "app.pop_screen", "Close")]

    def __init__(self, panel: Panel, others: Iterable[type[Panel]]) -> None:
        super().__init__()
        self._panel = panel
        self._others = tuple(others)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        own = [(key.key, f"{key.label}  (:{key.command})") for key in self._panel.keys]
        panels = [(other.key, other.title) for other in self._others]
        commands = [(command.usage, command.help) for command in COMMANDS]
        with VerticalScroll():
            yield Static(
                lines(
                    *_section(f"In this panel: {self._panel.title}", own),
                    *_section("Everywhere", EVERYWHERE),
                    *_section("Panels", panels),
                    *_section("Commands", commands),
                    *_section("How it reads", _READING),
                )
            )


_READING: Final = (
    ("+ green, - red", "gains and losses; always with their sign, so colour is never needed"),
    ("dimmed", "older than three seconds, or the daemon is away"),
    (DASH, "not known"),
)


def _section(title: str, rows: Iterable[tuple[str, str]]) -> list[Content]:
    found = list(rows)
    width = min(30, max((len(name) for name, _ in found), default=0))
    return [
        line((title, "title")),
        *(line("  ", (f"{name:<{width}}", "accent"), "  ", text) for name, text in found),
        Content(""),
    ]
