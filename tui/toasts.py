"""Toasts: critical notifications in a corner for a while; on the base screen, so that no dialog is ever covered (DS-725)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from textual.content import Content

from tui import cells
from tui.lines import Lines
from tui.notices import Notices
from tui.state import State
from tui.text import clickable, line, lines

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["Toasts"]

_WIDTH: Final = 56
_INSIDE: Final = _WIDTH - 3


class Toasts(Lines):
    """A stack at the right, under the frame's lines; hidden while there is none."""

    DEFAULT_CSS = """
    Toasts {
        layer: over; dock: right; width: 56; max-width: 90%; height: auto; margin: 4 1 0 0; display: none;
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
            rows = [row for each in toasts for row in _toast(each)]
            more = [line((f"and {others} more: n lists them", "warn"))] if others else []
            self.put(lines(*rows, *more))

    def action_put_away(self, seq: int) -> None:
        """Put a toast away; its notification stays in the list."""
        self.notices.drop(seq)
        self.draw(cast("Cockpit", self.app).state)

    def action_open(self) -> None:
        """Open the list."""
        cast("Cockpit", self.app).open_panel("notices")


def _toast(each: Mapping[str, Any]) -> list[Content]:
    head = line(
        ("C ", "alarm"), (f"{cells.clock_time(each['at'])} ", "dim"), clickable(str(each["title"]), "strong", "open")
    )
    seq = int(each["seq"])
    rows = [head.truncate(_INSIDE - 2, ellipsis=True, pad=True) + clickable("✕", "dim", f"put_away({seq})")]
    if each["body"]:
        rows.append(line("  ", str(each["body"])).truncate(_INSIDE, ellipsis=True))
    return rows
