"""One key at a time: the next one goes its way when all that the one before brought about is done.

A key goes to the widget that has the keys at that moment, and may give them to another: ``:`` to the command line, Enter
back to the panel, a digit to another panel. A hand is slow enough for that. What comes in one piece (from a script, over a
line that hung and catches up, on a loaded machine) is not, and would go to the widget before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final, TypeGuard

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

__all__ = ["AT_MOST_S", "LEAVE", "WAITING_MOST", "Turns", "waits"]

AT_MOST_S: Final = 5.0
"""Seconds that a key may take; the next one does not wait longer for a widget that does not answer any more.

So many because a loaded machine takes its time over a key: whoever does not wait for that sends the next one astray.
"""

WAITING_MOST: Final = 4_096
"""Keys that may wait; those beyond are lost."""

LEAVE: Final = "ctrl+q"
"""Waits for no other key: it may be pressed because of a widget that does not answer."""

_Typed = events.Key | events.Paste
"""What goes to whoever has the keys."""


def waits(event: events.Event) -> TypeGuard[events.Key | events.Paste]:
    """Tell whether an event is something typed that has to wait for its turn."""
    if not isinstance(event, _Typed) or event.is_forwarded:
        return False
    return not (isinstance(event, events.Key) and event.key == LEAVE)


class Turns:
    """Says whose turn it is; ``begin`` before a key goes its way, ``went`` afterwards."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._turn: _Typed | None = None
        self._waiting: deque[_Typed] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        """Tell whether all that was typed is dealt with."""
        return self._turn is None

    def begin(self, event: _Typed) -> bool:
        """Return whether something typed may go its way now; what may not is kept until its turn."""
        if event is self._turn:
            return True
        if len(self._waiting) < WAITING_MOST:
            self._waiting.append(event)
        if self._turn is not None:
            return False
        self._next()
        return event is self._turn

    def went(self) -> None:
        """Take it that the key is on its way: once it is dealt with the next has its turn."""
        self._task = asyncio.create_task(self._dealt_with())

    def end(self) -> None:
        """Wait for nothing any more."""
        if self._task is not None:
            self._task.cancel()

    def _next(self) -> None:
        self._turn = self._waiting.popleft() if self._waiting else None

    async def _dealt_with(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_MOST_S):
                await self._quiet()
        self._next()
        if self._turn is not None:
            self._app.post_message(self._turn)

    async def _quiet(self) -> None:
        """Wait until whoever has the keys, and all it is part of, has nothing before it, and keeps the keys."""
        while True:
            holder = self._holder()
            chain = list(holder.ancestors_with_self)
            for pump in chain:
                await _passed(pump)
            if self._holder() is holder and not any(pump.message_queue_size for pump in chain):
                return

    def _holder(self) -> Any:
        return self._app.focused or self._app.screen


async def _passed(pump: MessagePump) -> None:
    """Wait until a widget has dealt with what it was sent so far."""
    passed = asyncio.Event()
    if pump.call_later(passed.set):
        await passed.wait()
