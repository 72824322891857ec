"""The order of words of which a key takes any, each once: the ranking rules of the queue (EX-920, EX-1620)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.forms.base import Box, Buttons, Form
from tui.lines import Lines
from tui.text import clickable, line, lines

__all__ = ["OrderForm"]

_BUTTONS: Final = (
    ("Space", "switch", "In or out"),
    ("F4", "move(-1)", "Up"),
    ("F5", "move(1)", "Down"),
    ("^S", "keep", "Into the draft"),
    ("Esc", "leave", "Leave"),
)


class OrderForm(Form):
    """The words that count in their order, then those that do not; ends with the edit that they come to."""

    DEFAULT_CSS = """
    OrderForm .box { max-width: 80; }
    OrderForm #outcome { margin-top: 1; text-wrap: wrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", "Before", show=False),
        Binding("down", "go(1)", "Next", show=False),
        Binding("space", "switch", "In or out"),
        Binding("f4", "move(-1)", "Up"),
        Binding("f5", "move(1)", "Down"),
    ]

    def __init__(self, key: str, wanted: Sequence[str], known: Sequence[str]) -> None:
        super().__init__()
        self._key = key
        self._counts = set(wanted)
        self.words = [*wanted, *(each for each in known if each not in self._counts)]
        self._at = 0

    def compose(self) -> ComposeResult:
        """Lay out the words and what their order comes to."""
        with Box():
            yield Static(Content(f"{self._key}: the first rule that tells two entries apart counts"), classes="title")
            yield Lines(id="words")
            yield Lines(id="outcome")
            yield Buttons(_BUTTONS)

    def on_mount(self) -> None:
        """Draw them."""
        self._changed()

    def edits(self) -> dict[str, Any]:
        """Return the edit of the draft."""
        return {self._key: [each for each in self.words if each in self._counts]}

    # --- keys ----------------------------------------------------------------------------------------------------------

    def action_go(self, by: int) -> None:
        """Go to another word."""
        self.action_at((self._at + by) % len(self.words))

    def action_at(self, place: int) -> None:
        """Go to a word."""
        self._at = place
        self._draw()

    def action_switch(self) -> None:
        """Let a word count, or no longer."""
        self._counts ^= {self.words[self._at]}
        self._changed()

    def action_move(self, by: int) -> None:
        """Let a word change places with its neighbour."""
        to = self._at + by
        if 0 <= to < len(self.words):
            self.words[self._at], self.words[to] = self.words[to], self.words[self._at]
            self._at = to
            self._changed()

    def action_keep(self) -> None:
        """End with the edit."""
        self.finish(self.edits())

    # --- drawing -------------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._draw()
        self._look()

    def _draw(self) -> None:
        self.query_one("#words", Lines).put(lines(*self._rows()))

    def _rows(self) -> Iterator[Content]:
        number = 0
        for place, word in enumerate(self.words):
            counts = word in self._counts
            number += counts
            text = f" {number if counts else '·'}  {word.replace('_', ' ')} "
            style = "badge" if place == self._at else "" if counts else "dim"
            yield line(clickable(text, style, f"screen.at({place})"), ("" if counts else "  does not count", "dim"))

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Ask the daemon which order the waiting entries would have."""
        found = await self.look(self.edits())
        if found is not None:
            self.query_one("#outcome", Lines).put(lines(*_outcome(found)))


def _outcome(found: Mapping[str, Any]) -> Iterator[Content]:
    for error in found["errors"]:
        yield line((f"✖ {error['message']}", "alarm"))
    for pool in found["pools"] or ():
        orders = [[str(entry["group_key"]) for entry in pool[side]["entries"]] for side in ("before", "after")]
        if orders[0] != orders[1]:
            yield line((f"{pool['before']['account']}  ", "dim"), ", ".join(orders[1]))
    if not found["errors"]:
        yield line(("✓ this can be put into the draft", "gain"))
