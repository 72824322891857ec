"""The question before what trades or loses data: it names the effect (EX-1603). Enter alone never says yes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.seat import Question
from tui.text import line, lines

__all__ = ["Confirm"]


class Confirm(ModalScreen[bool]):
    """Asks one question; dismissed with the answer."""

    DEFAULT_CSS = """
    Confirm { align: center middle; background: $background 60%; }
    Confirm > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border-left: thick $accent;
    }
    Confirm.-danger > Vertical { border-left: thick $error; }
    Confirm .title { text-style: bold; margin-bottom: 1; }
    Confirm .note { color: $text-muted; margin-top: 1; }
    Confirm Horizontal { height: 1; margin-top: 1; align-horizontal: right; }
    Confirm Button { min-width: 12; margin-left: 2; background: $cursor; color: $foreground; }
    Confirm Button:focus { background: $accent; color: $background; background-tint: $background 0%; text-style: bold; }
    Confirm.-danger #yes:focus { background: $error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("left,right,tab", "other", "Other"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__(classes="-danger" if question.danger else "")
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question: no is what Enter says."""
        question = self._question
        with Vertical():
            yield Static(question.title, classes="title", markup=False)
            yield Static(_effects(question))
            if question.note:
                yield Static(question.note, classes="note", markup=False)
            with Horizontal():
                yield Button("n  No", id="no", compact=True)
                yield Button("y  Yes", id="yes", compact=True)

    def on_mount(self) -> None:
        """Begin at no."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the pressed answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Take the answer of a key."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """Go to the other answer."""
        self.focus_next()


def _effects(question: Question) -> Content:
    width = max((len(what) for what, _ in question.effects), default=0)
    return lines(*(line((f"{what:<{width}}  ", "dim"), value) for what, value in question.effects))
