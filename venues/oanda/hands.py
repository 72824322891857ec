"""Threads for blocking calls: pykka actors that are lent out one job at a time and replaced when they do not come back.

Nothing ever waits in an actor's inbox: a job is given to an idle one only. So what a hung thread leaves behind is one
request, and that one is cut: see ``Wire``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import pykka

from venues.errors import VenueDown
from venues.oanda.wire import Wire

__all__ = ["MAX_LOST", "Crew", "Hand", "TookTooLong"]

T = TypeVar("T")

MAX_LOST: Final = 16
"""Threads that may hang at a time; more are not begun until one of them has ended."""


class TookTooLong(TimeoutError):
    """A job's time is over; ``sent`` says whether a byte of its request had left."""

    def __init__(self, sent: bool) -> None:
        super().__init__("no answer in time")
        self.sent = sent


class _Worker(pykka.ThreadingActor):
    """Does what it is told, in its own thread."""

    use_daemon_thread = True

    def on_receive(self, message: Callable[[], None]) -> None:
        message()


class Hand:
    """One thread with one wire. ``do`` runs a job in it; ``lose`` gives the thread up without waiting for it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._loop = asyncio.get_running_loop()
        self._worker = _Worker.start()
        self._lost = False

    def do(self, job: Callable[[Wire], T]) -> asyncio.Future[T]:
        """Run a job in the thread; the result, or whatever it raised, comes back on the loop."""
        result: asyncio.Future[T] = self._loop.create_future()

        def run() -> None:
            try:
                value = job(self.wire)
            except BaseException as error:  # noqa: BLE001 - for whoever waits; SystemExit would make pykka stop every thread
                self._back(_fail, result, error)
            else:
                self._back(_succeed, result, value)

        self._worker.tell(run)
        return result

    def call(self, what: Callable[..., None], *args: Any) -> None:
        """Call something on the loop, from the thread."""
        self._back(what, *args)

    def _back(self, what: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def lose(self) -> None:
        """Cut the wire and let the thread end when its job returns."""
        if self._lost:
            return
        self._lost = True
        self.wire.cut()
        self._worker.tell(self.wire.close)
        self._worker.stop(block=False)

    @property
    def alive(self) -> bool:
        """Whether the thread goes on."""
        return self._worker.is_alive()


def _succeed(result: asyncio.Future[Any], value: Any) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[Any], error: BaseException) -> None:
    if not result.done():
        result.set_exception(error)


class Crew:
    """Up to ``size`` threads that make calls. ``sleep`` is the only wait (seconds)."""

    def __init__(
        self, venue: str, make: Callable[[], Wire], size: int, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._venue = venue
        self._make = make
        self._sleep = sleep
        self._turn = asyncio.Semaphore(size)
        self._idle: list[Hand] = []
        self._busy: set[Hand] = set()
        self._lost: list[Hand] = []
        self.replaced = 0
        self.closed = False

    async def do(self, job: Callable[[Wire], T], within_s: float) -> T:
        """Run a job in a thread of the crew; raise TookTooLong when it does not return in time (the thread is given up)."""
        async with self._turn:
            hand = self._take()
            try:
                result = await self._within(hand, hand.do(job), within_s)
            except (TookTooLong, asyncio.CancelledError):
                self._give_up(hand)
                raise
            except BaseException:
                self._put_back(hand)
                raise
            self._put_back(hand)
            return result

    async def _within(self, hand: Hand, result: asyncio.Future[T], within_s: float) -> T:
        patience: asyncio.Future[Any] = asyncio.ensure_future(_as_coroutine(self._sleep(within_s)))
        try:
            waiting: set[asyncio.Future[Any]] = {result, patience}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise TookTooLong(hand.wire.sent)
            return result.result()
        finally:
            patience.cancel()
            result.cancel()

    def _take(self) -> Hand:
        self._lost = [each for each in self._lost if each.alive]
        if self.closed:
            raise VenueDown(self._venue, "not connected")
        if len(self._lost) >= MAX_LOST:
            raise VenueDown(self._venue, f"{MAX_LOST} threads hang in calls: no further one is begun")
        hand = self._idle.pop() if self._idle else Hand(self._make())
        self._busy.add(hand)
        return hand

    def _put_back(self, hand: Hand) -> None:
        self._busy.discard(hand)
        if self.closed:
            hand.lose()
        else:
            self._idle.append(hand)

    def _give_up(self, hand: Hand) -> None:
        self._busy.discard(hand)
        hand.lose()
        self._lost.append(hand)
        self.replaced += 1

    def close(self) -> None:
        """End every thread; calls that are under way fail."""
        self.closed = True
        for hand in (*self._idle, *self._busy):
            hand.lose()
        self._idle.clear()


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
