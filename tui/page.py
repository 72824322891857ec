"""A page of text over the screen: reports, previews, what a question came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.text import line, lines

__all__ = ["Page"]


class Page(ModalScreen[None]):
    """Shows lines until a key closes it."""

    DEFAULT_CSS = """
    Page { align: center middle; background: $background 60%; }
    Page > VerticalScroll {
        width: 96; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $surface; border-left: thick $accent;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "app.pop_screen", "Close")]

    def __init__(self, title: str, text: Sequence[Content]) -> None:
        super().__init__()
        self._title = title
        self._text = tuple(text)

    def compose(self) -> ComposeResult:
        """Lay out title and lines."""
        with VerticalScroll():
            yield Static(lines(line((self._title, "strong")), Content(""), *self._text))
            yield Static(line(("Esc closes", "dim")))
