"""A card of the dashboard: a title, a few lines, and the panel that a click opens."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widgets import Static

from tui.state import State

__all__ = ["Card"]


class Card(Static):
    """Draws itself from the state, knowing its size."""

    DEFAULT_CSS = """
    Card { border-top: solid $panel; height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
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
        self._shown: Content | None = None

    def show(self, state: State) -> None:
        """Draw again if it reads differently now."""
        found = self._paint(state, self.size)
        if self._shown is None or found != self._shown:
            self._shown = found
            self.update(found)

    def on_click(self) -> None:
        """Open the panel that tells more."""
        self.post_message(self.Opened(self._opens))
