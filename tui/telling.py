"""Tell the daemon, say what it answers and which event came of it; say errors with their code and what to do (EX-1603).

While nobody has commanded anything for a while, the line says which group has closed: the news a trader waits for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from protocol.errors import BulkheadError
from tui import cells
from tui.link import Item, LinkLost
from tui.seat import Sent

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["LOOK_S", "WATCHED_S", "Telling"]

WATCHED_S: Final = 15.0
"""Seconds for which the line belongs to the last command: its answer, what happens to its group, or why it was refused."""

LOOK_S: Final = 30.0
"""Seconds for an answer that the daemon has to reckon first: what a draft would do."""

T = TypeVar("T")

_NANOS: Final = 1_000_000_000
_LAST: Final = frozenset({"GroupClosed", "GroupOpened", "Reconciled"})
"""Codes of what a command was for: what follows from it is no news of it any more."""


def _nothing(_: Item) -> bool:
    return False


def _heard_of(sent: Sent) -> Callable[[Item], bool]:
    """Return which events are told as what came of a command."""
    if sent.heard is not None:
        return sent.heard
    return (lambda item: item.get("group_id") == sent.group_id) if sent.group_id else _nothing


class Telling:
    """Remembers which group the last command was for."""

    def __init__(self, cockpit: Cockpit) -> None:
        self._cockpit = cockpit
        self._heard: Callable[[Item], bool] = _nothing
        self._until = 0
        self._answer = ""
        self._came = ""

    async def send(self, sent: Sent) -> Any:
        """Send a command under a new request id; return the answer, None when it was refused."""
        cockpit = self._cockpit
        request_id = cockpit.options.request_id()
        body = dict(sent.body)
        if "request_id" in body:
            body["request_id"] = request_id
        # Watched before it is sent: what comes of it may be heard before the answer is.
        self._heard, self._answer, self._came = _heard_of(sent), "", ""
        self._watch()
        try:
            said = await cockpit.link.post(sent.path, body, timeout_s=sent.timeout_s, request_id=request_id)
        except BulkheadError as error:
            self._heard = _nothing
            self.wrong(error)
            return None
        self._answer = sent.done(said)
        self._say()
        return said

    async def round(self) -> None:
        """Have asked what is due; say what is refused now and was not before."""
        state = self._cockpit.state
        before = {name: str(piece.error) for name, piece in state.pieces.items()}
        await state.round()
        for name, piece in state.pieces.items():
            if piece.error is not None and not isinstance(piece.error, LinkLost) and str(piece.error) != before[name]:
                self.wrong(piece.error, f"{name}: ")

    async def ask(self, question: Awaitable[T]) -> T | None:
        """Return an answer; None when it was refused, which is said."""
        try:
            return await question
        except BulkheadError as error:
            self.wrong(error)
            return None

    def hear(self, item: Item) -> None:
        """Say what happens to the group the last command was for; when that is long ago, which group has closed."""
        said = f"{cells.clock_time(item.get('at', 0))} {item.get('text', '')}"
        if self._cockpit.options.clock() > self._until:
            if item.get("code") == "GroupClosed":
                self._cockpit.say(said, "strong")
        elif item.get("severity") != "debug" and self._heard(item):
            self._came = said
            self._say()
            if item.get("code") in _LAST:
                self._heard = _nothing

    def _watch(self) -> None:
        self._until = self._cockpit.options.clock() + int(WATCHED_S * _NANOS)

    def _say(self) -> None:
        if self._answer:
            self._cockpit.say(f"✓ {self._answer}{f'  →  {self._came}' if self._came else ''}", "gain")

    def wrong(self, error: BulkheadError, about: str = "") -> None:
        """Say an error: what is wrong (and with what), its code, what to do."""
        code = str(getattr(error, "code", type(error).__name__))
        advice = self._cockpit.options.advice(code)
        self._watch()
        self._cockpit.say(f"✖ {about}{error} [{code}]{f'  Try: {advice}' if advice else ''}", "alarm")
