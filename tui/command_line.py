"""The command line: every command with completion on its arguments; also the search field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.commands import COMMANDS, named
from tui.seat import Choice
from tui.text import line, lines

if TYPE_CHECKING:
    from tui.seat import Seat

__all__ = ["CommandLine", "completions"]

_SHOWN: Final = 8
_KEPT: Final = 100


class CommandLine(Vertical):
    """One line that is there only while it is used. Tab takes the marked completion, up and down mark another."""

    DEFAULT_CSS = """
    CommandLine { height: auto; display: none; background: $surface; }
    CommandLine.-open { display: block; }
    CommandLine Input { height: 1; border: none; padding: 0 1; background: $surface; }
    CommandLine Input:focus { border: none; }
    CommandLine #completions { height: auto; max-height: 9; padding: 0 1; background: $surface; }
    CommandLine #typed { height: 1; }
    CommandLine #prompt { width: 2; padding-left: 1; color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", priority=True),
        Binding("up", "mark(-1)", "Up", priority=True),
        Binding("down", "mark(1)", "Down", priority=True),
        Binding("escape", "leave", "Leave", priority=True),
    ]

    class Run(Message):
        """The operator wants a command run."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Search(Message):
        """The operator searches; ``done`` when it was Enter."""

        def __init__(self, text: str, *, done: bool) -> None:
            super().__init__()
            self.text = text
            self.done = done

    class Left(Message):
        """The line is closed."""

    def __init__(self) -> None:
        super().__init__(id="command-line")
        self._search = False
        self._choices: Sequence[Choice] = ()
        self._marked = 0
        self._past: list[str] = []
        self._back = 0

    def compose(self) -> ComposeResult:
        """Lay out the completions above the line."""
        yield Static(id="completions")
        with Horizontal(id="typed"):
            yield Static(":", id="prompt")
            yield Input(id="line", compact=True)

    def open(self, text: str = "", *, search: bool = False) -> None:
        """Show the line, for a command or for a search."""
        self._search, self._back = search, 0
        self.add_class("-open")
        field = self.query_one(Input)
        self.query_one("#prompt", Static).update("/" if search else ":")
        field.placeholder = "words that a row must have" if search else "a command; Tab completes, Esc leaves"
        field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field)  # now: the next key may be waiting already
        self._look(text)

    @property
    def is_open(self) -> bool:
        """Tell whether the line is on screen."""
        return self.has_class("-open")

    def close(self) -> None:
        """Hide the line."""
        self.remove_class("-open")
        self.post_message(self.Left())

    # --- typing --------------------------------------------------------------------------------------------------------

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what goes on from here; a search is done while typing."""
        event.stop()
        if not self.is_open:
            return
        if self._search:
            self.post_message(self.Search(event.value, done=False))
        self._look(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run or search."""
        event.stop()
        text = event.value.strip()
        self.close()
        if self._search:
            self.post_message(self.Search(text, done=True))
        elif text:
            self._past = [*[each for each in self._past if each != text], text][-_KEPT:]
            self.post_message(self.Run(text))

    def action_complete(self) -> None:
        """Take the marked completion."""
        if not self._choices:
            return
        field = self.query_one(Input)
        before, _ = _parts(field.value)
        field.value = f"{before}{self._choices[self._marked].value} "
        field.cursor_position = len(field.value)

    def action_mark(self, step: int) -> None:
        """Mark another completion; in an empty line go through what was run before."""
        field = self.query_one(Input)
        if (not field.value or self._back) and self._past and not self._search:
            self._back = max(0, min(len(self._past), self._back - step))
            field.value = self._past[-self._back] if self._back else ""
            field.cursor_position = len(field.value)
        elif self._choices:
            self._marked = (self._marked + step) % len(self._choices)
            self._show()

    def action_leave(self) -> None:
        """Close the line; a search is undone."""
        if self._search:
            self.post_message(self.Search("", done=True))
        self.close()

    # --- completing ----------------------------------------------------------------------------------------------------

    def _look(self, text: str) -> None:
        self._marked = 0
        self._choices = () if self._search else completions(cast("Seat", self.app), text)
        self._show()

    def _show(self) -> None:
        first = max(0, min(self._marked - _SHOWN + 1, len(self._choices) - _SHOWN))
        shown = list(enumerate(self._choices))[first : first + _SHOWN]
        width = max((len(choice.value) for _, choice in shown), default=0)
        field = self.query_one("#completions", Static)
        field.display = bool(shown)
        field.update(
            lines(
                *(
                    line(
                        (f"{'▸' if place == self._marked else ' '} ", "accent"),
                        (f"{choice.value:<{width}}", "strong" if place == self._marked else ""),
                        (f"  {choice.hint}", "dim"),
                    )
                    for place, choice in shown
                )
            )
        )


def completions(seat: Seat, text: str) -> list[Choice]:
    """Return what the last word of a text can become: a command, or a value of the argument that it is for."""
    before, word = _parts(text)
    if not before:
        return [Choice(each.name, each.help) for each in COMMANDS if each.name.startswith(word)]
    name, *given = before.split()
    command = named(name)
    if command is None or not command.arguments:
        return []
    argument = command.arguments[min(len(given), len(command.arguments) - 1)]
    return _matching(argument.choices(seat), word.casefold())


def _matching(choices: Sequence[Choice], word: str) -> list[Choice]:
    """Return the choices one of whose words begins with a word, those it begins first; if none does, where it occurs."""
    said = {choice: f"{choice.value} {choice.hint}".casefold() for choice in choices}
    found = [choice for choice in choices if any(each.startswith(word) for each in said[choice].split())]
    found = found or [choice for choice in choices if word in said[choice]]
    return sorted(found, key=lambda choice: not choice.value.casefold().startswith(word))


def _parts(text: str) -> tuple[str, str]:
    """Return a text up to its last word, and that word."""
    before, space, word = text.rpartition(" ")
    return before + space, word
