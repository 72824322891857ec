"""A card of the dashboard: a title, a few lines, and the panel that a click opens."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.message import Message

from tui.lines import Lines
from tui.state import State

__all__ = ["Card"]


class Card(Lines):
    """Draws itself from the state, knowing its size."""

    DEFAULT_CSS = """
    Card { border-top: solid $panel; height: 1fr; }
    Card:hover { border-top: solid $accent; }
    """

    class Opened(Message):
        """A card was clicked."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(self, ident: str, *, opens: str, draw: Callable[[State, Size], Content]) -> None:
        super().__init__(id=ident)
        self._opens = opens
        self._paint = draw

    def show(self, state: State) -> None:
        """Draw what the state says now."""
        self.put(self._paint(state, self.size))

    def on_click(self) -> None:
        """Open the panel that tells more."""
        self.post_message(self.Opened(self._opens))
