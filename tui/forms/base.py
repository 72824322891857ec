"""What every form is: a box over the screen, buttons for the mouse with the keys that do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.lines import Lines
from tui.text import clickable, line

if TYPE_CHECKING:
    from tui.seat import Seat

__all__ = ["Box", "Buttons", "Form"]

_BROAD: Final = 110
"""Columns from which on a form shows its outcome beside it."""


class Buttons(Lines):
    """A line of buttons: (key, action of the form, label)."""

    DEFAULT_CSS = """
    Buttons { height: auto; dock: bottom; padding-top: 1; text-wrap: wrap; background: $surface; }
    """

    def __init__(self, buttons: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._buttons = tuple(buttons)

    def on_mount(self) -> None:
        """Draw them."""
        self.put(
            Content("   ").join(
                line(clickable(key, "accent", f"screen.{action}"), clickable(f" {label}", "", f"screen.{action}"))
                for key, action, label in self._buttons
            )
        )


class Box(Vertical):
    """What a form stands in: it scrolls where it is too high, and leaves the arrow keys to the form."""

    def __init__(self) -> None:
        super().__init__(classes="box")


class Form(ModalScreen[dict[str, Any] | None]):
    """Ends with edits of the draft, or with None."""

    DEFAULT_CSS = """
    Form { align: center middle; background: $background 60%; }
    Form > .box {
        width: 96%; max-width: 150; height: auto; max-height: 96%; padding: 0 2 1 2; overflow-y: auto;
        background: $surface; border-left: thick $accent;
    }
    Form .title { text-style: bold; height: 1; margin-bottom: 1; }
    Form Input { width: 14; height: 1; border: none; padding: 0 1; margin-right: 1; background: $panel; }
    Form Input:focus { background: $accent 30%; }
    Form Input.-wrong { color: $error; text-style: bold; }
    Form Label { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("ctrl+s", "keep", "Keep"),
    ]

    @property
    def seat(self) -> Seat:
        """Return the cockpit."""
        return cast("Seat", self.app)

    def on_resize(self) -> None:
        """Say how much room there is, for style sheets."""
        self.set_class(self.size.width >= _BROAD, "-broad")

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    async def look(self, edits: Mapping[str, Any], **sample: Any) -> Any:
        """Ask the daemon what the draft would do with these edits; None when it refuses, which is said."""
        return await self.seat.ask("/v1/config/preview", {"edits": edits, **sample})

    @work(exclusive=True, group="keep")
    async def finish(self, edits: dict[str, Any], draft: Mapping[str, Any] | None = None, begins: str = "") -> None:
        """End with these edits, unless the daemon finds a mistake in them: then nothing that was typed is lost.

        ``draft`` is what they come to where they are part of another key, and ``begins`` where in it they stand.
        """
        found = await self.look(edits if draft is None else draft)
        paths = (begins,) if begins else tuple(edits)
        wrong = [each for each in (found or {}).get("errors", ()) if str(each["path"]).startswith(paths)]
        if wrong:
            self.seat.say(f"mend it first: {wrong[0]['path']} {wrong[0]['message']} [{wrong[0]['code']}]", "alarm")
        elif found is not None:
            self.dismiss(edits)

    def action_keep(self) -> None:
        """Take what was filled in."""
        raise NotImplementedError
