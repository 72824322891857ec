"""The wire to Telegram: keeps the process that speaks with Telegram (``actors.telegram.line``) and hands it what leaves."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from actors.telegram.frames import FAREWELL_S, LONGEST_FRAME, Asked, Deliver, Dial, Farewell, answer_of, frame
from actors.telegram.words import FAREWELL
from protocol.errors import BulkheadError, FeatureUnavailable
from protocol.messages import Message
from protocol.secret import Secret
from protocol.telegram import (
    Delivery,
    OutItem,
    OutKind,
    PhoneMail,
    PollPhone,
    SendPhone,
    SendResult,
    WireTrouble,
    WireUp,
)
from rules.telegram.commands import HOUSE
from runtime.actor import Actor, handles
from runtime.child_log import child_environment, hear
from runtime.lifecycle import LifeState

__all__ = ["POLL_S", "Draw", "TelegramWire"]

POLL_S: Final = 25
"""Seconds that Telegram holds a poll open while nothing comes."""

_PROGRAM: Final = "import gc; gc.disable(); from actors.telegram.line import main; main()"
"""The library's objects all stay: looking for rubbish while it loads takes a quarter of the time."""

_MENU: Final = tuple((name[1:], command.about) for name, command in HOUSE.items())

Draw = Callable[[str], Awaitable[bytes]]
"""Draws a picture (PNG) by what it is to show; raises BulkheadError."""


class _Said(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    process: int
    raw: bytes


class TelegramWire(Actor):
    """Speaks with Telegram for the bridge at ``bridge``; an edge actor.

    ``chats`` are offered the commands in a menu; ``url`` is a Bot API server of your own.
    """

    def __init__(
        self,
        token: Secret,
        bridge: str,
        draw: Draw,
        *,
        chats: tuple[int, ...] = (),
        url: str | None = None,
        poll_s: int = POLL_S,
    ) -> None:
        self._token = token
        self._chats = chats
        self._url = url or ""
        self._poll_s = poll_s
        self._bridge = bridge
        self._draw = draw
        self._process: Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._sent = 0
        self._leaving = False

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Start the process; what is asked before it has loaded its library waits in its pipe.

        Raises FeatureUnavailable without the library.
        """
        if find_spec("aiogram") is None:
            raise FeatureUnavailable("telegram", "Telegram")
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=child_environment(),
            limit=LONGEST_FRAME,
        )
        assert process.stderr is not None, "opened with a pipe"
        self._hearing = self.context.system.run_task(hear(process.stderr, self.context.path), self.context.path)
        self._hand(Dial(self._token.reveal(), self._url, self._poll_s, _MENU, self._chats))
        self._listen(process)
        if self.context.system.lookup(self._bridge) is not None:
            self.context.system.tell(self._bridge, WireUp())

    async def stopping(self) -> None:
        """Tell the chats that bulkhead stops (ML-1083): once, and not when only the wire is started anew."""
        process = self._process
        if process is None or self.context.system.root.state is not LifeState.STOPPING:
            return
        self._leaving = True
        self._hand(Farewell(FAREWELL))
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await process.wait()

    async def let_go(self) -> None:
        """End the process; it keeps nothing, and of what it was sending the bridge knows that it is uncertain."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()
        if self._hearing is not None:
            await self._hearing

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._sent} sent, process {self._process.pid}" if self._process is not None else "no process"

    # --- to Telegram ---------------------------------------------------------------------------------------------------

    @handles
    def poll(self, msg: PollPhone) -> None:
        """Ask for updates; acknowledge taps."""
        self._hand(msg)

    @handles
    def send(self, msg: SendPhone) -> None:
        """Send one message; what becomes of it is told to the bridge."""
        item = msg.item
        if item.kind is not OutKind.PICTURE:
            self._hand(Deliver(item))
            return
        self.context.pipe(
            self._draw(item.picture),
            lambda picture: self._hand(Deliver(item, picture)),
            lambda error: self._tell(_undrawn(item, error)),
            real=True,
        )

    def _hand(self, asked: Asked) -> None:
        assert self._process is not None, "started made it"
        assert self._process.stdin is not None, "opened with a pipe"
        self._process.stdin.write(frame(asked))

    # --- from Telegram -------------------------------------------------------------------------------------------------

    def _listen(self, process: Process) -> None:
        self.context.pipe(self._line(process), lambda raw: _Said(process.pid, raw), real=True)

    async def _line(self, process: Process) -> bytes:
        assert process.stdout is not None, "opened with a pipe"
        raw = await process.stdout.readline()
        if not raw and process is self._process and not self._leaving:
            raise ChildProcessError(f"the line to Telegram has ended (exit code {await process.wait()}); see the log")
        return raw

    @handles
    def said(self, msg: _Said) -> None:
        """Tell the bridge what Telegram answered; that of an earlier life's process counts no more."""
        process = self._process
        if process is None or process.pid != msg.process:
            return
        self._listen(process)
        answer = answer_of(msg.raw)
        self._sent += isinstance(answer, SendResult) and answer.delivery is Delivery.DELIVERED
        self._tell(answer)

    def _tell(self, message: PhoneMail | SendResult | WireTrouble) -> None:
        self.context.system.tell(self._bridge, message)


def _undrawn(item: OutItem, error: Exception) -> SendResult:
    """Return what becomes of a picture that could not be drawn."""
    said = str(error) if isinstance(error, BulkheadError) else f"{type(error).__name__}: {error}"
    return SendResult(id=item.id, delivery=Delivery.REFUSED, error=said[:500])
