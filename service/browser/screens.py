"""The screens that are open: a process each, so many at once, ended when nobody looks any more."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from protocol.codec import encode_json
from runtime.child_log import child_environment
from service.browser.daemon_door import Visitor
from service.browser.pipes import LIFELINE, SEAT

__all__ = ["MOST", "MOST_EACH", "Screen", "Screens", "Seat"]

MOST: Final = 16
"""Screens at once; each is a process of some 80 MB."""

MOST_EACH: Final = 6
"""Screens of one person at once, in however many sessions: forgotten tabs, and nobody takes those of all others."""

_ENDED_S: Final = 3.0
"""Seconds a cockpit may take to leave before it is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What a cockpit is told: where the daemon is (``url`` or ``socket``; ``demo`` for none) and how it should look."""

    socket: Path | None = None
    url: str = ""
    demo: bool = False
    read_only: bool = False
    theme: str = ""
    panel: str = ""
    preferences: Path | None = None

    def told(self, visitor: Visitor) -> str:
        """Return it for one visitor, as their cockpit reads it; each has preferences of their own."""
        beside = self.preferences
        kept = beside.with_name(f"{beside.stem}-{visitor.name}.json") if beside is not None else ""
        told: dict[str, Any] = {
            "socket": str(self.socket or ""),
            "url": self.url,
            "demo": self.demo,
            "token": visitor.proof,
            "read_only": self.read_only or visitor.looks_only,
            "theme": self.theme,
            "panel": self.panel,
            "preferences": str(kept),
        }
        return encode_json(told).decode()


class _Cockpit(AppService):
    """textual-serve's process, begun without a shell and with nothing of our environment that it does not need."""

    told: str = ""
    lifeline: int = -1

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        made = super()._build_environment(width, height)
        theirs = {name: made[name] for name in ("TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLUMNS", "ROWS")}
        drawing = {name: made[name] for name in ("TEXTUAL_DRIVER", "TEXTUAL_COLOR_SYSTEM")}
        return {**child_environment(), **theirs, **drawing, "TEXTUAL_FPS": "30", LIFELINE: str(self.lifeline)}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        command = (sys.executable, "-m", "service.browser.child")
        with _said(self.told) as seat:
            environment = {**self._build_environment(width, height), SEAT: str(seat)}
            self._process = process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, pass_fds=(self.lifeline, seat)
            )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Pass on what it draws; a cockpit that has ended, also by a crash, takes its screen with it."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def end(self) -> None:
        """Have it leave; one that does not is killed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDED_S):
                await self.stop()
        process = self._process
        if process is not None:
            if process.returncode is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ENDED_S):
                        await process.wait()
            if process.returncode is None:
                process.kill()
            await process.wait()


@contextmanager
def _said(text: str) -> Iterator[int]:
    """Have something said on a pipe; yield the end to read from."""
    hearing, saying = os.pipe()
    try:
        with os.fdopen(saying, "wb") as pipe:
            pipe.write(text.encode())  # far less than a pipe holds: nobody has to read before it is written
        yield hearing
    finally:
        os.close(hearing)


class Screen:
    """One screen: the line to a browser and the cockpit that draws on it."""

    def __init__(self, visitor: Visitor, line: web.WebSocketResponse, now: int) -> None:
        self.visitor = visitor
        self.line = line
        self.used_at = now
        self.downloads = DownloadManager()
        self._cockpit = _Cockpit(
            "cockpit",
            write_bytes=self._draw,
            write_str=self._say,
            close=self.close,
            download_manager=self.downloads,
        )

    @property
    def process(self) -> Process | None:
        """Return the cockpit's process, None before it begins."""
        return self._cockpit._process

    async def begin(self, told: str, width: int, height: int, lifeline: int) -> None:
        """Start the cockpit."""
        self._cockpit.told, self._cockpit.lifeline = told, lifeline
        await self._cockpit.start(width, height)

    async def typed(self, text: str, now: int) -> None:
        """Pass on keys and mouse."""
        self.used_at = now
        await self._cockpit.send_bytes(text.encode())

    async def sized(self, width: int, height: int) -> None:
        """Fit the cockpit to its screen."""
        await self._cockpit.set_terminal_size(width, height)

    async def looked_at(self, *, looked: bool) -> None:
        """Say whether the screen is in front."""
        await (self._cockpit.focus() if looked else self._cockpit.blur())

    async def close(self) -> None:
        """Let the browser go; what is behind the screen ends after it."""
        await self.line.close()

    async def end(self) -> None:
        """End the cockpit."""
        await self._cockpit.end()

    async def _draw(self, data: bytes) -> None:
        if not self.line.closed:
            await self.line.send_bytes(data)

    async def _say(self, text: str) -> None:
        if not self.line.closed:
            await self.line.send_str(text)


class Screens:
    """Every open screen. ``now`` returns nanoseconds UTC."""

    def __init__(self, seat: Seat, now: Callable[[], int], *, most: int = MOST) -> None:
        self.seat = seat
        self.now = now
        self.most = most
        self.open: list[Screen] = []
        self._lifeline, self._held = os.pipe()

    def room_for(self, visitor: Visitor) -> bool:
        """Tell whether one more screen may be opened."""
        theirs = sum(each.visitor.name == visitor.name for each in self.open)
        return len(self.open) < self.most and theirs < MOST_EACH

    def of(self, visitor: Visitor) -> list[Screen]:
        """Return the screens of a visitor's session."""
        return [each for each in self.open if each.visitor.session == visitor.session]

    @contextmanager
    def counted(self, screen: Screen) -> Iterator[None]:
        """Have a screen counted for as long as it is open."""
        self.open.append(screen)
        try:
            yield
        finally:
            self.open.remove(screen)

    async def begin(self, screen: Screen, width: int, height: int) -> None:
        """Start the cockpit of a screen."""
        await screen.begin(self.seat.told(screen.visitor), width, height, self._lifeline)

    def used_at(self, visitor: Visitor) -> int:
        """Return when a session was last used at any of its screens, 0 when it has none."""
        return max((each.used_at for each in self.of(visitor)), default=0)

    async def close_of(self, visitor: Visitor) -> None:
        """Let every screen of a session go."""
        for each in self.of(visitor):
            await each.close()

    def close(self) -> None:
        """Let go of the pipe: whatever cockpit is still there ends now."""
        os.close(self._held)
        os.close(self._lifeline)
