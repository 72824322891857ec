"""One chunked stream, kept open: a thread of its own, a deadline for its silence, a wait between two tries."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

from runtime.clock import NANOS
from venues.access import Tools
from venues.errors import VenueDown, VenueError
from venues.oanda.hands import Hand, first_of
from venues.oanda.refusals import AsErrors
from venues.oanda.wire import Endpoint, Wire
from venues.waits import told_to_wait_s

__all__ = ["FIRST_WAIT_S", "HEARTBEAT_DEADLINE_S", "LONGEST_WAIT_S", "MAX_WAITING", "OPENINGS_APART_S", "Stream"]

HEARTBEAT_DEADLINE_S: Final = 12.0
"""Silence after which a stream is given up: the venue sends a heartbeat every 5 s."""

OPENINGS_APART_S: Final = 0.5
"""At most two new connections a second are wanted by the venue."""

MAX_WAITING: Final = 10_000
"""Messages that may wait for the loop; the oldest are dropped, a gap in the log is then read again."""

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0


class Stream:
    """Runs until cancelled. ``heard`` takes messages, ``opened`` hears that it is (again) open, ``lost`` why it ended."""

    def __init__(
        self,
        venue: str,
        hire: Callable[[], Hand],
        endpoint: Callable[[], Endpoint],
        tools: Tools,
        *,
        heard: Callable[[Any], None],
        opened: Callable[[], None],
        lost: Callable[[VenueError], None],
    ) -> None:
        self._venue = venue
        self._hire = hire
        self._endpoint = endpoint
        self._tools = tools
        self._heard = heard
        self._opened = opened
        self._lost = lost
        self._box: deque[Any] = deque(maxlen=MAX_WAITING)
        self._awake = False
        self._hand: Hand | None = None
        self._begun_at = 0
        self._heard_at = 0
        self._failures = 0
        self._renewed = False
        self.open = False
        self.openings = 0

    def renew(self) -> None:
        """Have it opened again at once, with what ``endpoint`` then returns."""
        self._renewed = True
        if self._hand is not None:
            self._hand.wire.cut()

    async def run(self) -> None:
        """Stay open until cancelled, or until the venue refuses the account for good."""
        while True:
            self._renewed = False
            error = await self._once()
            self.open = False
            wait = OPENINGS_APART_S - (self._tools.now() - self._begun_at) / NANOS
            if not self._renewed:
                self._lost(error)
                if error.stops:
                    return
                wait = max(wait, self._wait_s(error))
            if wait > 0:
                await self._tools.sleep(wait)

    def _wait_s(self, error: VenueError) -> float:
        wait = min(FIRST_WAIT_S * 2.0 ** min(self._failures, 16), LONGEST_WAIT_S) * (1 - 0.2 * self._tools.random())
        self._failures += 1
        return max(wait, told_to_wait_s(error))

    async def _once(self) -> VenueError:
        """Open it and listen; return why it ended."""
        self._begun_at = self._heard_at = self._tools.now()
        self.openings += 1
        try:
            hand = self._hand = self._hire()
        except VenueDown as error:
            return error
        ended = hand.do(lambda wire: self._listen(wire, hand, self._endpoint()))
        try:
            await self._until_quiet(ended)
            return VenueDown(self._venue, f"the stream said nothing for {HEARTBEAT_DEADLINE_S:g} s")
        except Exception as error:  # noqa: BLE001 - the outermost edge of a thread: whatever the library raises ends the stream
            found = AsErrors(self._venue, acts=False).of(error, hand.wire)
            return found if isinstance(found, VenueError) else VenueDown(self._venue, type(error).__name__)
        finally:
            ended.cancel()
            hand.lose()
            self._hand = None

    async def _until_quiet(self, ended: asyncio.Future[None]) -> None:
        while True:
            left = HEARTBEAT_DEADLINE_S - (self._tools.now() - self._heard_at) / NANOS
            if left <= 0:
                return
            await first_of(ended, self._tools.sleep(left))
            if ended.done():
                ended.result()

    # --- in the thread -------------------------------------------------------------------------------------------------

    def _listen(self, wire: Wire, hand: Hand, endpoint: Endpoint) -> None:
        with closing(wire.listen(endpoint, lambda: hand.call(self._begin, hand))) as messages:
            for message in messages:
                self._box.append(message)
                if not self._awake:
                    self._awake = True
                    hand.call(self._drain, hand)
        raise VenueDown(self._venue, "the venue ended the stream")

    # --- on the loop ---------------------------------------------------------------------------------------------------

    def _begin(self, hand: Hand) -> None:
        if hand is self._hand:
            self.open = True
            self._heard_at = self._tools.now()
            self._opened()

    def _drain(self, hand: Hand) -> None:
        self._awake = False  # first: what comes while this runs wakes it again
        if hand is self._hand:
            self._heard_at = self._tools.now()
            self._failures = 0
        while self._box:
            message = self._box.popleft()
            if hand is self._hand:
                self._heard(message)
