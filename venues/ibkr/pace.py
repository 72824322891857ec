"""Turns for messages: never more a second than the broker takes, orders before data (DK-67)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from rules.broker.pacing import DATA_LIMIT, MESSAGE_LIMIT, WINDOW_NS, Kind, Sent, earliest

__all__ = ["MARGIN_NS", "Pace"]

MARGIN_NS = 50_000_000
"""How much later than allowed a message goes: what left a second apart may arrive a little closer."""


class Pace:
    """The budget of one connection: so many messages a second, so many of them for data; ``half``: half of it (EX-1105)."""

    def __init__(
        self,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        *,
        half: bool = False,
        messages: int = MESSAGE_LIMIT,
        data: int = DATA_LIMIT,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._messages = messages // 2 if half else messages
        self._data = data // 2 if half else data
        self._sent: deque[Sent] = deque(maxlen=self._messages)
        self._waiting: dict[Kind, deque[asyncio.Future[None]]] = {kind: deque() for kind in Kind}
        self._pumping: asyncio.Task[None] | None = None

    async def turn(self, kind: Kind) -> None:
        """Return when a message of this kind may go; the caller sends it before it waits for anything else.

        Raises ConnectionError when the pace was closed meanwhile.
        """
        waiting = any(self._waiting[each] for each in ((kind,) if kind is Kind.ORDER else Kind))
        if not waiting and self._due(kind) <= self._now():
            self._sent.append(Sent(self._now(), kind))
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[kind].append(turn)
        if self._pumping is None:
            self._pumping = asyncio.create_task(self._pump())
        await turn

    def close(self) -> None:
        """Let nobody wait any more."""
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None
        for turns in self._waiting.values():
            for turn in turns:
                if not turn.done():
                    turn.set_exception(ConnectionError("the connection is closed"))
            turns.clear()

    def _due(self, kind: Kind) -> int:
        now = self._now() - MARGIN_NS
        return MARGIN_NS + earliest(kind, now, tuple(self._sent), messages=self._messages, data=self._data)

    async def _pump(self) -> None:
        while (kind := self._next()) is not None:
            if (wait := self._due(kind) - self._now()) > 0:
                await self._sleep(wait / WINDOW_NS)
                continue  # an order may have come meanwhile: it goes first
            turn = self._waiting[kind].popleft()
            if not turn.done():
                self._sent.append(Sent(self._now(), kind))
                turn.set_result(None)
                await asyncio.sleep(0)  # house: no wait, only the other's turn
        self._pumping = None

    def _next(self) -> Kind | None:
        return next((kind for kind in (Kind.ORDER, Kind.DATA) if self._waiting[kind]), None)
