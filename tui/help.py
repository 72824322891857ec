"""The page of help: the keys of the panel in front, those that work everywhere, every command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.cells import DASH
from tui.commands import COMMANDS
from tui.frame import shown_key
from tui.panels.base import Panel
from tui.text import line, lines

__all__ = ["EVERYWHERE", "Help"]

EVERYWHERE: Final = (
    ("1 … 9", "open a panel"),
    ("Enter", "details of what is selected"),
    ("Esc", "back: out of details, a filter, a page, a toast"),
    ("/", "search: show only rows with these words"),
    (":", "command line; Tab completes"),
    ("Ctrl+P", "command palette"),
    ("↑ ↓ PgUp PgDn Home End", "select a row; j and k as well"),
    ("← →", "scroll sideways: ▸ in the titles says that there are more columns"),
    ("< >  =", "sort by another column; turn the order round"),
    ("a", "acknowledge the alerts of the strip; :ack acknowledges all"),
    ("F6", "next theme"),
    ("F7", "next density"),
    ("Ctrl+Q", "leave; the daemon goes on"),
)
"""Keys that work in every panel, and what they do."""


_WIDTH: Final = 84
_EDGES: Final = 5
_GAPS: Final = 4
_LEAST: Final = 20


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
        with VerticalScroll():
            yield Static()

    def on_resize(self) -> None:
        """Write the page anew for the width there is."""
        own = [(shown_key(key.key), f"{key.label}  (:{key.command})") for key in self._panel.keys]
        panels = [(other.key, other.title) for other in self._others]
        commands = [(command.usage, command.help) for command in COMMANDS]
        width = min(_WIDTH, self.size.width * 96 // 100) - _EDGES
        sections = (
            (f"In this panel: {self._panel.title}", own),
            ("Everywhere", EVERYWHERE),
            ("Panels", panels),
            ("Commands", commands),
            ("How it reads", _READING),
        )
        text = [row for title, rows in sections for row in _section(title, rows, width)]
        self.query_one(Static).update(lines(*text))


_READING: Final = (
    ("+ green, - red", "gains and losses; always with their sign, so colour is never needed"),
    ("dimmed", "older than three seconds, or the daemon is away"),
    (DASH, "not known"),
)


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> Iterator[Content]:
    """Yield a title and rows of two columns; what does not fit into the second goes on beneath it."""
    found = list(rows)
    first = min(30, max((len(name) for name, _ in found), default=0))
    yield line((title, "title"))
    for name, text in found:
        beneath = wrap(text, max(_LEAST, width - first - _GAPS)) or [""]
        if len(name) > first:
            yield line("  ", (name, "accent"))
            beneath.insert(0, "")
        else:
            yield line("  ", (f"{name:<{first}}", "accent"), "  ", beneath[0])
        for more in beneath[1:]:
            yield Content(" " * (first + _GAPS) + more)
    yield Content("")
