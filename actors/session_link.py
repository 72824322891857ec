"""How a session gets its connection: one try at a time, and how long it waits between two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from protocol.instruments import Instrument
from protocol.orders import Balance
from protocol.venue import SessionStep, VenueSnapshot
from supervision.backoff import Backoff
from venues.contract import Sink, Venue, check_capabilities
from venues.errors import RateLimited, VenueDown, VenueError
from venues.facets import HasHours

__all__ = [
    "CLOCK_CORRECT_S",
    "CLOCK_WARN_S",
    "FIRST_TRY_S",
    "Link",
    "NotConnected",
    "clock_offset",
    "open_link",
    "snapshot_of",
    "try_again_after",
]

FIRST_TRY_S: Final = 5.0
"""How long a session's start waits for its venue: the other accounts start after it (EX-1207)."""

CLOCK_CORRECT_S: Final = 1
"""A clock further from ours than this is followed in signatures (EX-1106)."""

CLOCK_WARN_S: Final = 5
"""A clock further from ours than this raises ``ClockSkew`` (EX-1106)."""

_BACKOFF: Final = Backoff(first_s=1.0, limit_s=60.0)


class Link:
    """An open connection: its adapter, the markets and balances found at its opening, the distance of its clock."""

    __slots__ = ("_hours", "balances", "instruments", "offset", "skewed", "venue")

    def __init__(
        self, venue: Venue, instruments: tuple[Instrument, ...], balances: tuple[Balance, ...], offset: int
    ) -> None:
        self.venue = venue
        self.instruments = instruments
        self.balances = balances
        self.offset = offset
        self.skewed = False
        self._hours = venue if isinstance(venue, HasHours) else None

    def trades(self, symbol: str, at: int) -> bool:
        """Whether a market is open, as far as its venue can tell; one that never closes always is."""
        return self._hours is None or self._hours.is_open(symbol, at)


class NotConnected:
    """A try that failed."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


async def open_link(
    account: str,
    make: Callable[[], Venue],
    sink: Sink,
    now: Callable[[], int],
    within_s: float,
    step: Callable[[SessionStep], None] = lambda _: None,
) -> Link | NotConnected:
    """Try once to connect; whatever came only half-way is closed. What is no error of a venue is raised.

    ``step`` is told what is done next.
    """
    step(SessionStep.CONNECT)
    try:
        venue = make()
    except VenueError as error:
        return NotConnected(error)
    try:
        check_capabilities(venue.name, venue.capabilities)
        async with asyncio.timeout(within_s):
            await venue.connect(sink)
            offset = await clock_offset(venue, now)
            step(SessionStep.MARKETS)
            instruments = await venue.instruments()
            step(SessionStep.AUTHENTICATE)
            balances = await venue.balances()
    except TimeoutError:
        await venue.close()
        return NotConnected(VenueDown(account, f"no connection within {within_s:g} s"))
    except (VenueError, OSError) as error:
        await venue.close()
        return NotConnected(error)
    except BaseException:
        await venue.close()
        raise
    return Link(venue, instruments, balances, offset)


async def clock_offset(venue: Venue, now: Callable[[], int]) -> int:
    """Return how many nanoseconds the venue's clock is ahead of ours, taking its answer as given half-way."""
    asked = now()
    told = await venue.server_time()
    return told - (asked + now()) // 2


async def snapshot_of(account: str, venue: Venue, since: int, now: Callable[[], int]) -> tuple[int, VenueSnapshot]:
    """Return the distance of the venue's clock and its side of a reconciliation, with the fills since an instant."""
    offset = await clock_offset(venue, now)
    # Fills last: whatever left the open orders meanwhile is then among the fills.
    orders = await venue.open_orders()
    balances = await venue.balances()
    positions = await venue.positions()
    fills = await venue.fills_since(since)
    return offset, VenueSnapshot(
        account=account,
        open_orders=orders,
        fills=fills,
        balances=balances,
        positions=positions,
        since=since,
        at=now(),
    )


def try_again_after(failures: int, error: Exception, draw: float) -> float:
    """Return the seconds until the next try: as the venue says, else longer after each failure, up to a minute."""
    if isinstance(error, RateLimited) and error.retry_after_s is not None:
        return max(error.retry_after_s, 1.0)
    return _BACKOFF.delay_s(failures, draw)
