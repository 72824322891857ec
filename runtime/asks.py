"""Asks: futures that wait for an answer, with one timer for the earliest deadline of them all."""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any, Final

from runtime.clock import NANOS
from runtime.envelope import Envelope
from runtime.errors import AskTimeout

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.system import ActorSystem

__all__ = ["Asks"]

_SWEEP_FROM: Final = 1_024
"""Deadlines in the heap from which on those of answered requests are swept out."""


class Asks:
    """Requests under way. Deadlines live in one heap; answered ones are skipped when their time comes.

    When the heap has doubled the answered ones are swept out, so that long deadlines keep no old answers alive.
    """

    __slots__ = ("_deadlines", "_made", "_sweep_at", "_system")

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._deadlines: list[tuple[int, int, asyncio.Future[Any], str]] = []
        self._made = 0
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return sum(1 for each in self._deadlines if not each[2].done())

    def ask(self, cell: Cell, request: Any, timeout_s: float) -> asyncio.Future[Any]:
        """Send a request to an actor; return the future of its answer."""
        system = self._system
        future: asyncio.Future[Any] = system.loop.create_future()
        waits = [future]

        def reply(answer: Any, error: BaseException | None) -> None:
            # Let go of the future: an error's frames hold the envelope, which holds this, and no collector sees envelopes.
            waiting = waits.pop() if waits else None
            if waiting is None or waiting.done():
                return
            if error is None:
                waiting.set_result(answer)
            else:
                waiting.set_exception(error)

        system.last_id = message_id = system.last_id + 1
        current = system.current
        now = system.now()
        correlation, causation = (current.correlation_id, current.message_id) if current else (message_id, 0)
        envelope = Envelope(request, system.current_path, message_id, correlation, causation, now, reply)
        pump = system.pump
        if pump.begin_at_once():
            try:
                cell.accept(envelope)
            finally:
                pump.serve_at_once()
        else:
            cell.accept(envelope)
        if not future.done():
            self._expect(future, now + int(timeout_s * NANOS), cell.path)
        return future

    def _expect(self, future: asyncio.Future[Any], deadline: int, path: str) -> None:
        heap = self._deadlines
        if len(heap) >= self._sweep_at:
            self._sweep()
        self._made += 1
        heapq.heappush(heap, (deadline, self._made, future, path))
        if heap[0][2] is future:
            self._system.wake_at(deadline)

    def _sweep(self) -> None:
        self._deadlines[:] = [each for each in self._deadlines if not each[2].done()]
        heapq.heapify(self._deadlines)
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._deadlines))

    def next_at(self) -> int | None:
        """Return the earliest deadline of a request that still waits."""
        heap = self._deadlines
        while heap and heap[0][2].done():
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def expire(self, now: int) -> None:
        """Fail every request whose deadline has passed."""
        while (at := self.next_at()) is not None and at <= now:
            _, _, future, path = heapq.heappop(self._deadlines)
            future.set_exception(AskTimeout(f"{path} did not answer in time; whether it acted is unknown"))
