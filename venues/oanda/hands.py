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

__all__ = ["LAST_WAIT_S", "MAX_LOST", "Crew", "Hand", "Roster", "TookTooLong", "first_of"]

T = TypeVar("T")

MAX_LOST: Final = 16
"""Threads that may hang at a time; more are not begun until one of them has ended."""

LAST_WAIT_S: Final = 0.5
"""How long the end of a connection waits for its threads: cut sockets wake them at once, all else is left behind."""


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
        self.lost = False
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Done when the thread has ended what it did and closed its sockets, after it was given up."""

    @property
    def alive(self) -> bool:
        """Whether there is still a thread that takes jobs."""
        return self._worker.is_alive()

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
        if self.lost:
            return
        self.lost = True
        self.wire.cut()
        try:
            self._worker.tell(self._end)
        except pykka.ActorDeadError:
            self._end()  # the thread has ended already: nothing else will close its sockets
            return
        self._worker.stop(block=False)

    def _end(self) -> None:
        self.wire.close()
        self._back(_succeed, self.gone, None)


def _succeed(result: asyncio.Future[Any], value: Any) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[Any], error: BaseException) -> None:
    if not result.done():
        result.set_exception(error)


class Roster:
    """The threads of one connection: those at work, and those that were given up and have not ended yet."""

    def __init__(self, venue: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._venue = venue
        self.sleep = sleep
        self._hands: set[Hand] = set()

    def hire(self, wire: Wire) -> Hand:
        """Begin a thread; raise VenueDown when too many hang already."""
        lost = sum(each.lost for each in self._hands)
        if lost >= MAX_LOST:
            raise VenueDown(self._venue, f"{lost} threads hang: no further one is begun")
        hand = Hand(wire)
        self._hands.add(hand)
        hand.gone.add_done_callback(lambda _: self._hands.discard(hand))
        return hand

    async def disband(self) -> None:
        """Give every thread up, and wait a moment for those that end as they should."""
        for hand in tuple(self._hands):
            hand.lose()
        if self._hands:
            everybody = asyncio.gather(*[hand.gone for hand in self._hands])
            await first_of(everybody, self.sleep(LAST_WAIT_S))


async def first_of(what: asyncio.Future[Any], patience: Awaitable[None]) -> None:
    """Wait until something is done, but no longer than a sleep; what is not done goes on."""
    waiting: asyncio.Future[Any] = asyncio.ensure_future(_as_coroutine(patience))
    try:
        await asyncio.wait({what, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


class Crew:
    """Up to ``size`` threads of a roster that make calls."""

    def __init__(self, venue: str, roster: Roster, make: Callable[[], Wire], size: int) -> None:
        self._venue = venue
        self._roster = roster
        self._make = make
        self._turn = asyncio.Semaphore(size)
        self._idle: list[Hand] = []
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
        try:
            await first_of(result, self._roster.sleep(within_s))
            if not result.done():
                raise TookTooLong(hand.wire.sent)
            return result.result()
        finally:
            result.cancel()

    def _take(self) -> Hand:
        if self.closed:
            raise VenueDown(self._venue, "not connected")
        while self._idle:
            hand = self._idle.pop()
            if hand.alive:
                return hand
            self._give_up(hand)  # something ended its thread: another one takes its place
        return self._roster.hire(self._make())

    def _put_back(self, hand: Hand) -> None:
        if not hand.lost:
            self._idle.append(hand)

    def _give_up(self, hand: Hand) -> None:
        hand.lose()
        self.replaced += 1


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
