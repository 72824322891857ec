"""What commands and panels may do to the rest of the cockpit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from textual.content import Content

    from tui.link import Fetched
    from tui.state import State

__all__ = ["Argument", "Choice", "Command", "Question", "Seat", "Sent"]


class Question(NamedTuple):
    """What is asked before something is done: the effect in a title and lines of (what, value)."""

    title: str
    effects: Sequence[tuple[str, str]] = ()
    note: str = ""
    danger: bool = True


class Sent(NamedTuple):
    """A command as the API takes it; ``done`` turns the answer into a sentence.

    What happens to ``group_id`` is told after it, or the events that ``heard`` takes for what comes of the command.
    """

    path: str
    body: Mapping[str, Any]
    done: Callable[[Any], str]
    group_id: str = ""
    timeout_s: float = 10.0
    heard: Callable[[Mapping[str, Any]], bool] | None = None


class Choice(NamedTuple):
    """One value an argument can have, and what it is."""

    value: str
    hint: str = ""


class Seat(Protocol):
    """The cockpit as commands see it."""

    @property
    def state(self) -> State:
        """What the screen knows."""
        ...

    @property
    def read_only(self) -> bool:
        """Tell whether commands that change something are off."""
        ...

    @property
    def served(self) -> bool:
        """Tell whether a browser looks: then files of this machine are not for whoever it is."""
        ...

    def say(self, text: str, style: str = "") -> None:
        """Write a sentence into the status line."""
        ...

    async def confirm(self, question: Question) -> bool:
        """Ask the operator."""
        ...

    async def send(self, sent: Sent) -> Any:
        """Tell the daemon and say what it answers; None when it refused, which is said with its code and what to do."""
        ...

    async def ask(self, path: str, given: Any = None, **query: Any) -> Any:
        """Ask the daemon, by POST where something is given that changes nothing; None when it refused, which is said."""
        ...

    async def fetch(self, path: str, **query: Any) -> Fetched | None:
        """Ask the daemon for a file; None when it refused, which is said."""
        ...

    @property
    def dark(self) -> bool:
        """Whether the screen is dark at present."""
        ...

    async def save(self, path: Path, data: bytes) -> None:
        """Write a file whole or not at all, or give it to the browser that looks; says what came of it."""
        ...

    def show_page(self, title: str, text: Sequence[Content]) -> None:
        """Show lines over the screen."""
        ...

    def run_text(self, text: str) -> None:
        """Run a command as it is written in the command line."""
        ...

    def open_command_line(self, text: str) -> None:
        """Open the command line with a beginning."""
        ...

    def open_panel(self, ident: str) -> Any:
        """Bring a panel to the front and return it; None when there is no such panel."""
        ...

    def panel(self) -> Any:
        """Return the panel in front."""
        ...

    def set_preference(self, name: str, value: Any) -> None:
        """Remember something for this operator and let it count."""
        ...


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command; the last one takes the rest of the line. ``choices`` completes it."""

    name: str
    choices: Callable[[Seat], Sequence[Choice]] = field(default=lambda _: ())
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing an operator can do: from the command line, from the palette, by a panel's key.

    ``writes``: off while the cockpit or the engine is read only; ``always`` exempts what EX-1506 exempts (pause, close).
    """

    name: str
    help: str
    run: Callable[[Seat, tuple[str, ...]], Awaitable[None]]
    arguments: tuple[Argument, ...] = ()
    writes: bool = False
    always: bool = False

    def split(self, text: str) -> tuple[str, ...]:
        """Return the arguments in a text; the last one takes the rest."""
        return tuple(text.split(maxsplit=max(0, len(self.arguments) - 1))) if self.arguments else ()

    @property
    def usage(self) -> str:
        """Return how it is written."""
        shown = (each.name.upper() if each.required else f"[{each.name.upper()}]" for each in self.arguments)
        return " ".join((self.name, *shown))
