"""Toasts: critical notifications in a corner for a while; on the base screen, so that no dialog is ever covered (DS-725)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from textual.content import Content
from textual.geometry import Size

from tui import cells
from tui.lines import Lines
from tui.notices import Notices
from tui.state import State
from tui.text import clickable, line, lines

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["Toasts"]

_WIDE: Final = 56
_EDGES: Final = 3

_SMALL: Final = Size(100, 30)
"""On a screen with fewer columns or lines a toast has one line instead of two, so that it hides little of what is traded."""


class Toasts(Lines):
    """A stack at the right, above the status line, where tables end; hidden while there is none."""

    DEFAULT_CSS = """
    Toasts {
        layer: over; dock: right; height: auto; display: none;
        background: $panel; border-left: thick $error; padding: 0 1;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="toasts")
        self.notices = Notices()

    def draw(self, state: State) -> None:
        """Show what is to be seen now, newest first."""
        found, clock = state.get("notices"), state.clock()
        if found is not None:
            self.notices.take(found["notifications"], state.now(), clock)
        toasts, others = self.notices.toasts(clock)
        self.display = bool(toasts)
        if toasts:
            self._show(toasts, others)

    def _show(self, toasts: Sequence[Mapping[str, Any]], others: int) -> None:
        screen = self.app.size
        small = screen.width < _SMALL.width or screen.height < _SMALL.height
        inside = min(_WIDE, screen.width * 3 // 4)
        rows = [row for each in toasts for row in _toast(each, inside, small=small)]
        if others:
            rows.append(line((f"and {others} more: ", "warn"), ("n", "accent"), (" lists them", "warn")))
        beneath = self.screen.query_one("#said").size.height + 1
        self.styles.width = inside + _EDGES
        self.styles.margin = (max(1, screen.height - beneath - len(rows)), 1, 0, 0)
        self.put(lines(*rows))

    def put_all_away(self) -> None:
        """Put every toast away; their notifications stay in the list."""
        self.notices.drop_all()
        self.display = False

    def action_put_away(self, seq: int) -> None:
        """Put a toast away; its notification stays in the list."""
        self.notices.drop(seq)
        self.draw(cast("Cockpit", self.app).state)

    def action_open(self) -> None:
        """Open the list."""
        cast("Cockpit", self.app).open_panel("notices")


def _toast(each: Mapping[str, Any], inside: int, *, small: bool) -> list[Content]:
    """Return a toast of so many columns: its title and a cross, beneath it its body where there is room."""
    at = cells.clock_time(each["at"])
    head = line(
        ("C ", "alarm"), (f"{at[:5] if small else at} ", "dim"), clickable(str(each["title"]), "strong", "open")
    )
    rows = [
        head.truncate(inside - 2, ellipsis=True, pad=True) + clickable(" ✕", "dim", f"put_away({int(each['seq'])})")
    ]
    if each["body"] and not small and each["type"] != "order.filled":  # the title of a fill says all of it
        rows.append(line("  ", str(each["body"])).truncate(inside, ellipsis=True))
    return rows
