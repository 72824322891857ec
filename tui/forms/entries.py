"""A form about several entries, of which one stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from tui.forms.typed import TypedForm
from tui.lines import Lines
from tui.text import clickable, line, lines

__all__ = ["EntriesForm"]

E = TypeVar("E")


class EntriesForm(TypedForm, Generic[E]):
    """Its entries are named in a line, ``#entries``; there is always one, if only an empty one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "drop", "Remove the entry"),
        Binding("pagedown", "other(1)", "Next entry"),
        Binding("pageup", "other(-1)", "The entry before"),
        Binding("up", "app.focus_previous", "Before", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, entries: Sequence[E], at: int = 0) -> None:
        super().__init__()
        self.entries = list(entries) or [self.fresh()]
        self.at = min(at, len(self.entries) - 1)

    @property
    def entry(self) -> E:
        """Return the entry in front."""
        return self.entries[self.at]

    def fresh(self) -> E:
        """Return an empty entry."""
        raise NotImplementedError

    def title_of(self, entry: E) -> str:
        """Return what names an entry, in a word or two."""
        raise NotImplementedError

    def rebuild(self, name: str = "") -> object:
        """Lay the entry in front out anew and go to one of its fields, the first when none is named."""
        raise NotImplementedError

    def draw_entries(self) -> None:
        """Draw whom entries are about, the one in front set off."""
        chips = [
            clickable(f" {self.title_of(each)} ", "badge" if place == self.at else "dim", f"screen.show({place})")
            for place, each in enumerate(self.entries)
        ]
        self.query_one("#entries", Lines).put(lines(Content(" ").join(chips), line("")))

    def action_new(self) -> None:
        """Begin another entry."""
        self.begin(self.fresh())

    def begin(self, entry: E) -> None:
        """Put an entry behind the others and show it."""
        self.entries.append(entry)
        self.action_show(len(self.entries) - 1)

    def action_drop(self) -> None:
        """Take the entry away."""
        del self.entries[self.at]
        self.entries = self.entries or [self.fresh()]
        self.action_show(max(0, self.at - 1))

    def action_show(self, place: int) -> None:
        """Show an entry."""
        self.at = place
        self.rebuild()

    def action_other(self, by: int) -> None:
        """Show the next entry, or the one before."""
        self.action_show((self.at + by) % len(self.entries))

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next field."""
        event.stop()
        self.focus_next(Input)
