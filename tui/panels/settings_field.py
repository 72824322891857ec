"""Where the value of a key is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

__all__ = ["SettingField"]


class SettingField(Input):
    """One line; Up and Down go through the words that a key takes, Esc gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("up", "other(-1)", "The word before", show=False),
        Binding("down", "other(1)", "The next word", show=False),
    ]

    class Left(Message):
        """The operator gave up."""

    choices: tuple[str, ...] = ()

    def begin(self, text: str, *, choices: tuple[str, ...], secret: bool) -> None:
        """Begin with a value."""
        self.choices = choices
        self.password = secret
        self.value = text
        self.placeholder = " | ".join(choices)
        self.select_all()

    def action_leave(self) -> None:
        """Give up."""
        self.post_message(self.Left())

    def action_other(self, by: int) -> None:
        """Take another of the words."""
        if self.choices:
            place = self.choices.index(self.value) if self.value in self.choices else -1 if by > 0 else 0
            self.value = self.choices[(place + by) % len(self.choices)]
            self.select_all()
