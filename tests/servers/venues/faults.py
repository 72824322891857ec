"""What a venue can do wrong, armed by a test: how often, and on which kind of request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, NamedTuple

__all__ = ["Fault", "Faults", "On"]

On = Literal["any", "orders", "cancels", "reads"]
"""Which requests: those that place orders, those that cancel, all others, or whatever comes."""


class Fault(StrEnum):
    """One way to misbehave. The first ones befall requests, the next ones streams, the last ones the market itself."""

    LATENCY = "latency"
    """The answer takes ``Faults.latency_s``."""
    REQUEST_LOST = "request_lost"
    """The connection ends before the request was carried out."""
    ANSWER_LOST = "answer_lost"
    """The request is carried out and the connection ends before the answer."""
    TOO_MANY = "429"
    SERVER_ERROR = "5xx"
    MALFORMED = "malformed"
    """An answer, or a stream's message, that is cut in the middle of its JSON (or frame)."""
    MAINTENANCE = "maintenance"
    MARGIN_REJECT = "margin_reject"
    """The next order is refused for lack of funds or margin."""
    PARTIAL_FILL = "partial_fill"
    """The next order trades only in part at once; the rest when the price is told again."""
    DISCONNECT = "disconnect"
    """A stream ends, in the middle of a message."""
    DUPLICATED = "duplicated"
    """A stream's message comes twice."""
    REORDERED = "reordered"
    """A stream's message comes after its successor."""
    STREAM_LOST = "stream_lost"
    """A stream's message does not come, and the stream goes on."""
    MUTE = "mute"
    """Streams stay connected and say nothing, for as long as it is armed (``arm``, then ``clear``)."""
    STALE_PRICE = "stale_price"
    """The next quote told is an hour old."""
    ZERO_PRICE = "zero_price"
    CROSSED_BOOK = "crossed_book"


class Armed(NamedTuple):
    """A fault that waits for its occasion."""

    fault: Fault
    on: On


class Faults:
    """The faults of one server. ``happened`` counts those that befell somebody."""

    def __init__(self) -> None:
        self.latency_s = 0.3
        self.happened: dict[Fault, int] = {}
        self._armed: list[Armed] = []

    def arm(self, fault: Fault, times: int = 1, on: On = "any") -> None:
        """Let it befall the next ``times`` requests of a kind, or messages of streams."""
        self._armed += [Armed(fault, on)] * times

    def clear(self, fault: Fault | None = None) -> None:
        """Disarm one fault, or all."""
        self._armed = [each for each in self._armed if fault is not None and each.fault is not fault]

    def armed(self, fault: Fault) -> bool:
        """Whether it waits for an occasion."""
        return any(each.fault is fault for each in self._armed)

    def take(self, fault: Fault, on: On = "any") -> bool:
        """Return whether it happens now, to something of this kind; it is used up then."""
        for each in self._armed:
            if each.fault is fault and each.on in ("any", on):
                self._armed.remove(each)
                self.happened[fault] = self.happened.get(fault, 0) + 1
                return True
        return False


class Unruly:
    """The way of one stream's messages to its client: ``send`` is what really sends one, ``cut`` ends the connection."""

    def __init__(self, faults: Faults, send: Callable[[Any], None], cut: Callable[[], None]) -> None:
        self._faults = faults
        self._send = send
        self._cut = cut
        self._held: list[Any] = []

    def tell(self, message: Any, half: Any = None) -> None:
        """Send a message, or do with it what is armed. ``half`` is the message broken off in its middle."""
        faults = self._faults
        if faults.armed(Fault.MUTE):
            faults.happened[Fault.MUTE] = faults.happened.get(Fault.MUTE, 0) + 1
            return
        if faults.take(Fault.STREAM_LOST):
            return
        if faults.take(Fault.DISCONNECT):
            if half is not None:
                self._send(half)
            self._cut()
            return
        if half is not None and faults.take(Fault.MALFORMED, "reads"):
            self._send(half)
        if faults.take(Fault.REORDERED):
            self._held.append(message)
            return
        self._send(message)
        if faults.take(Fault.DUPLICATED):
            self._send(message)
        held, self._held = self._held, []
        for each in held:
            self._send(each)


async def late(faults: Faults, on: On) -> None:
    """Wait as long as an armed latency says."""
    if faults.take(Fault.LATENCY, on):
        await asyncio.sleep(faults.latency_s)  # house: a slow venue is slow
