"""Calls to OANDA from the loop: each goes out in a thread, has a deadline, and fails in the house's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from venues.access import Access
from venues.oanda.calls import Calls
from venues.oanda.hands import Crew, Roster
from venues.oanda.refusals import AsErrors
from venues.oanda.wire import Endpoint, Wire

__all__ = ["ACTORS", "ACT_S", "ASKERS", "ASK_S", "Line"]

ACT_S: Final = 8.0
ASK_S: Final = 9.0
"""Deadlines of a call, below the 10 s after which the session gives it up: connecting 3 s, then 5 s for the answer."""

ACTORS: Final = 2
ASKERS: Final = 2
"""Threads for calls that change something, and for questions: a long answer never keeps an order waiting."""


class Line:
    """One account's calls."""

    def __init__(self, venue: str, access: Access, roster: Roster) -> None:
        self.venue = venue
        self.calls = Calls(access.account_id)
        self._actors = Crew(venue, roster, lambda: Wire(access), ACTORS)
        self._askers = Crew(venue, roster, lambda: Wire(access), ASKERS)

    @property
    def replaced(self) -> int:
        """How many threads did not come back and were replaced."""
        return self._actors.replaced + self._askers.replaced

    async def ask(self, endpoint: Endpoint) -> Any:
        """Ask something that changes nothing."""
        return (await self.asked(endpoint))[0]

    async def asked(self, endpoint: Endpoint) -> tuple[Any, dict[str, str]]:
        """Ask something; return the answer and its headers, by lower-case name."""
        return await self._do(self._askers, endpoint, lambda: True, ASK_S, acts=False)

    async def act(self, endpoint: Endpoint, may_send: Callable[[], bool]) -> Any:
        """Have something done; ``may_send`` is asked in the thread right before the first byte leaves."""
        return (await self._do(self._actors, endpoint, may_send, ACT_S, acts=True))[0]

    async def _do(
        self, crew: Crew, endpoint: Endpoint, may_send: Callable[[], bool], within_s: float, *, acts: bool
    ) -> tuple[Any, dict[str, str]]:
        words = AsErrors(self.venue, acts=acts)

        def job(wire: Wire) -> tuple[Any, dict[str, str]]:
            try:
                return wire.call(endpoint, may_send), wire.headers
            except Exception as error:
                found = words.of(error, wire)
                if found is error:
                    raise
                raise found from None  # not "from error": its text may hold the whole request

        try:
            answer, headers = await crew.do(job, within_s)
        except TimeoutError as error:
            raise words.of(error) from None
        if not isinstance(answer, dict):
            raise words.of(ValueError("the answer is no object"))
        return answer, headers

    def close(self) -> None:
        """Begin no further call."""
        self._actors.closed = self._askers.closed = True
