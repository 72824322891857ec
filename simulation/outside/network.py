"""The way between the process and an exchange: latencies, lost requests and answers, a stream of words that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from protocol.market import PriceTick
from protocol.messages import Message
from protocol.orders import FillReport, OrderReport
from protocol.venue import SessionDown
from runtime.clock import NANOS
from simulation.outside.time import Agenda
from simulation.outside.weather import Weather
from simulation.scenario import FaultKind
from venues.contract import Sink
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError
from venues.practice.exchange import PracticeExchange

__all__ = ["Line", "Network"]

T = TypeVar("T")

_LATENCY_S: Final = (0.004, 0.04)
_STALE_S: Final = 3_600


class Network:
    """The way to one exchange; it outlives connections and processes."""

    def __init__(self, agenda: Agenda, weather: Weather, exchange: PracticeExchange) -> None:
        self.agenda = agenda
        self.weather = weather
        self.exchange = exchange
        self._lines: list[Line] = []

    def open(self, sink: Sink) -> Line:
        """Return a new connection; it hears nothing before it has joined."""
        line = Line(self, sink)
        self._lines.append(line)
        return line

    def join(self, line: Line) -> None:
        """Have a connection hear what the exchange tells on its own; one that has ended meanwhile hears nothing."""
        if not line.dead:
            self.exchange.attach(line.hear)

    def leave(self, line: Line) -> None:
        """Let a connection end; harmless when it has."""
        if line in self._lines:
            self._lines.remove(line)
            self.exchange.detach(line.hear)

    def cut(self, reason: str) -> None:
        """Break every connection: its process hears of it, what is under way is never answered."""
        for line in tuple(self._lines):
            line.broken(reason)

    def lose(self) -> None:
        """Forget every connection: the process at its end has died."""
        for line in tuple(self._lines):
            line.dead = True
            self.leave(line)


class Line:
    """One connection of one process. All instants are the outside's."""

    def __init__(self, network: Network, sink: Sink) -> None:
        self._net = network
        self._agenda = network.agenda
        self._weather = network.weather
        self._sink = sink
        self._subscribed: set[str] = set()
        self._heard_until = 0
        self.dead = False

    # --- asking --------------------------------------------------------------------------------------------------------

    async def call(self, carry_out: Callable[[], T], what: str = "fetch") -> T:
        """Have the exchange carry something out; what may happen on the way of such a call happens."""
        if self.dead:
            raise VenueDown(self._net.exchange.account, "the connection is broken")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._agenda.after(self._latency(), lambda: self._arrive(carry_out, answer, what))
        return await answer

    def _arrive(self, carry_out: Callable[[], T], answer: asyncio.Future[T], what: str) -> None:
        weather, name = self._weather, self._net.exchange.account
        if weather.next_call(FaultKind.REQUEST_LOST, what):
            return
        error: VenueError | None = None
        if until := weather.lasts(FaultKind.RATE_LIMIT):
            wait = (until - self._agenda.now) / NANOS if weather.chance(0.5) else None
            error = RateLimited(name, "too many requests", retry_after_s=wait)
        elif weather.lasts(FaultKind.MAINTENANCE):
            error = VenueDown(name, "in maintenance")
        elif weather.lasts(FaultKind.SERVER_ERROR):
            error = NetworkTimeout(name, "502 bad gateway")
            if weather.chance(0.5):
                carry_out()
        if error is not None:
            self._answer(answer, None, error, self._latency())
            return
        try:
            found = carry_out()
        except VenueError as refused:
            self._answer(answer, None, refused, self._latency())
            return
        if weather.next_call(FaultKind.ANSWER_LOST, what):
            return
        late = weather.next_call(FaultKind.ANSWER_LATE, what)
        self._answer(answer, found, None, late.seconds if late else self._latency())

    def _answer(self, answer: asyncio.Future[T], found: T | None, error: VenueError | None, after_s: float) -> None:
        def tell() -> None:
            if self.dead or answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found)  # type: ignore[arg-type] # one of both is there

        self._agenda.after(after_s, tell)

    # --- being told ----------------------------------------------------------------------------------------------------

    def subscribe(self, symbols: set[str]) -> None:
        """Hear the prices of these symbols too, beginning with the newest."""
        if self.dead:
            return
        self._subscribed |= symbols
        for symbol in sorted(symbols):
            if (tick := self._net.exchange.newest(symbol)) is not None:
                self.hear(tick)

    def hear(self, fact: Message) -> None:
        """Take what the exchange tells on its own."""
        weather = self._weather
        if isinstance(fact, PriceTick):
            if fact.symbol in self._subscribed:
                self._price(fact)
            return
        if weather.next_of(FaultKind.STREAM_LOST):
            return
        late = weather.next_of(FaultKind.STREAM_DELAYED)
        at = self._agenda.now + round((late.seconds if late else self._latency()) * NANOS)
        if isinstance(fact, OrderReport | FillReport) and weather.next_of(FaultKind.STREAM_REORDERED):
            # It overtakes nothing and is overtaken by what follows within a few seconds.
            self._deliver(at + round(weather.between(0.5, 5) * NANOS), fact)
            return
        at = self._heard_until = max(at, self._heard_until)
        self._deliver(at, fact)
        if weather.next_of(FaultKind.STREAM_DUPLICATED):
            self._deliver(at + round(weather.between(0, 60) * NANOS), fact)

    def _deliver(self, at: int, fact: Message) -> None:
        self._agenda.at(at, lambda: None if self.dead else self._sink(fact))

    def _price(self, tick: PriceTick) -> None:
        weather = self._weather
        if weather.next_of(FaultKind.ZERO_PRICE):
            tick = msgspec.structs.replace(tick, bid=tick.bid * 0, ask=tick.ask * 0, last=tick.last * 0)
        elif weather.next_of(FaultKind.CROSSED_BOOK):
            tick = msgspec.structs.replace(tick, bid=tick.ask * 2, ask=tick.bid / 2)
        elif weather.next_of(FaultKind.STALE_PRICE):
            tick = msgspec.structs.replace(tick, at=tick.at - _STALE_S * NANOS, last=tick.last / 2, bid=tick.bid / 2)
        self._sink(tick)

    # --- ending --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connection in order."""
        self.dead = True
        self._net.leave(self)

    def broken(self, reason: str) -> None:
        """End the connection without order: the process is told that it is lost."""
        self._net.leave(self)
        self._agenda.after(self._latency(), lambda: self._lost(reason))

    def _lost(self, reason: str) -> None:
        if not self.dead:
            self.dead = True
            self._sink(SessionDown(self._net.exchange.account, reason, self._agenda.now))

    def _latency(self) -> float:
        return self._weather.between(*_LATENCY_S)
