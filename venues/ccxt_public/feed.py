"""Keep the stream connection alive: connect, notice silence, resubscribe, reconnect with backoff.

::

    STARTING ──data──▶ LIVE ──silent for data_deadline_s──▶ DEGRADED (resubscribed) ──silent again──▶ reconnect
        │                ▲                                       │                                       │
        │                └────────────── data ───────────────────┴────────────────── data ───────────────┤
        └──────────────────────── connection lost or refused ──▶ DOWN ──backoff──▶ connect ──────────────┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from protocol.market import FeedState
from protocol.messages import Value
from venues.ccxt_public.chores import Chores
from venues.ccxt_public.errors import as_venue_error
from venues.ccxt_public.policy import FeedPolicy
from venues.errors import VenueDown, VenueError

__all__ = ["Feed", "FeedCounters"]

_BATCH = 100
_NS = 1_000_000_000


class _Mute(VenueDown):
    """Connected, resubscribed, and still no data."""


class FeedCounters(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What a feed has been through since it was opened."""

    connections: int = 0
    resubscriptions: int = 0
    malformed: int = 0


class Feed:
    """One connection to the streams of all wanted symbols. ``tell`` hears every change of state with its reason.

    ``heard`` is to be called for every event; ``refresh`` is started for symbols whose streams were just asked for.
    """

    def __init__(
        self,
        venue: str,
        exchange: Any,
        policy: FeedPolicy,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now_ns: Callable[[], int],
        tell: Callable[[FeedState, str], None],
        refresh: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._venue = venue
        self._exchange = exchange
        self._policy = policy
        self._sleep = sleep
        self._now_ns = now_ns
        self._tell = tell
        self._refresh = refresh
        self._mute_after_ns = round(policy.data_deadline_s * _NS)
        self._quiet_after_ns = round(policy.symbol_deadline_s * _NS)
        self._wanted: dict[str, str] = {}
        self._heard_ns: dict[str, int] = {}
        self._newest_ns = 0
        self._changed = asyncio.Event()
        self._failures = 0
        self.state = FeedState.STARTING
        self.connections = 0
        self.resubscriptions = 0

    def want(self, streams: Iterable[tuple[str, str]]) -> None:
        """Add (symbol, venue symbol) pairs; their streams are joined on the running connection."""
        self._wanted.update(streams)
        self._changed.set()

    def heard(self, symbol: str) -> None:
        """Note that data of a symbol arrived: the feed is live."""
        self._newest_ns = self._heard_ns[symbol] = self._now_ns()
        if self.state is not FeedState.LIVE:
            self._failures = 0
            self._become(FeedState.LIVE, "")

    def _become(self, state: FeedState, detail: str) -> None:
        self.state = state
        self._tell(state, detail)

    # --- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected until cancelled; no connection is opened before the first symbol is wanted."""
        while True:
            while not self._wanted:
                await self._changed.wait()
                self._changed.clear()
            retry_after_s = 0.0
            try:
                await self._session()
            except _Mute as error:
                self._become(FeedState.DEGRADED, error.message)
            except VenueError as error:
                retry_after_s = self._exchange.dial_retry_after_s or 0.0
                self._become(FeedState.DOWN, error.message)
            await self._sleep(max(self._backoff_s(), retry_after_s))

    def _backoff_s(self) -> float:
        self._failures += 1
        doubled = self._policy.backoff_first_s * 2.0 ** min(self._failures - 1, 16)
        return min(self._policy.backoff_max_s, doubled)

    async def _session(self) -> None:
        """Hold one connection; ends only by an error: lost, refused, or mute."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watches = Chores(lambda error: None if lost.done() else lost.set_exception(error))
        joined: set[str] = set()
        self._newest_ns = self._now_ns()
        self._heard_ns = {}
        self._exchange.dial_retry_after_s = None
        resubscribed = False
        self.connections += 1
        try:
            while True:
                self._join(watches, joined)
                await self._wait(lost)
                quiet_ns = self._now_ns() - self._newest_ns
                if quiet_ns < self._mute_after_ns:
                    resubscribed = resubscribed and self.state is not FeedState.LIVE
                    await self._resubscribe_quiet()
                elif resubscribed:
                    raise _Mute(self._venue, f"no data for {self._policy.data_deadline_s:g} s after resubscribing")
                else:
                    self._become(FeedState.DEGRADED, f"connected, but no data for {quiet_ns / _NS:g} s: resubscribing")
                    resubscribed = True
                    self._newest_ns = self._now_ns()
                    await self._resubscribe(sorted(self._wanted))
        finally:
            if not lost.cancel() and not lost.cancelled():
                lost.exception()  # it may have been lost in the same turn as it was found mute: read, not reported twice
            await watches.cancel()
            await self._hang_up()

    def _join(self, watches: Chores, joined: set[str]) -> None:
        """Ask for the streams of every wanted symbol that is not yet joined."""
        new = sorted(self._wanted.keys() - joined)
        joined.update(new)
        for symbol in new:
            self._heard_ns[symbol] = self._now_ns()
        for first in range(0, len(new), _BATCH):
            batch = new[first : first + _BATCH]
            candles = [[symbol, "1m"] for symbol in batch]
            watches.start(self._watch(self._exchange.watch_bids_asks(batch)), "quotes")
            watches.start(self._watch(self._exchange.watch_ohlcv_for_symbols(candles)), "candles")
            watches.start(_as_coroutine(self._refresh(batch)), "refresh")

    async def _watch(self, watching: Awaitable[Any]) -> None:
        """Wait until ccxt reports that a subscription failed; its data goes to the tap, never here."""
        try:
            await watching
        except Exception as error:  # the outermost edge: whatever ends a watch ends the connection
            raise as_venue_error(self._venue, error) from error
        raise VenueDown(self._venue, "a subscription ended")

    async def _wait(self, lost: asyncio.Future[None]) -> None:
        """Return at the next deadline or when more symbols are wanted; raise when the connection is lost."""
        changed = asyncio.ensure_future(self._changed.wait())
        deadline = asyncio.ensure_future(_as_coroutine(self._sleep(self._next_deadline_s())))
        try:
            await _first(lost, changed, deadline)
        finally:
            for waiting in (changed, deadline):
                waiting.cancel()
            await asyncio.gather(changed, deadline, return_exceptions=True)
        self._changed.clear()
        if lost.done():
            lost.result()

    def _next_deadline_s(self) -> float:
        now = self._now_ns()
        mute = self._newest_ns + self._mute_after_ns
        quiet = min(self._heard_ns.values(), default=now) + self._quiet_after_ns
        return max(0.0, (min(mute, quiet) - now) / _NS)

    # --- silence ------------------------------------------------------------------------------------------------------

    async def _resubscribe_quiet(self) -> None:
        """Resubscribe the symbols that are quiet while others are not; say which, the feed stays as it is."""
        now = self._now_ns()
        limit = now - self._quiet_after_ns
        quiet = sorted(symbol for symbol, at in self._heard_ns.items() if at <= limit)
        if quiet:
            for symbol in quiet:
                self._heard_ns[symbol] = now
            more = f" and {len(quiet) - 3} more" if len(quiet) > 3 else ""
            self._tell(self.state, f"quiet, resubscribing: {', '.join(quiet[:3])}{more}")
            await self._resubscribe(quiet)

    async def _resubscribe(self, symbols: list[str]) -> None:
        self.resubscriptions += 1
        ids = [self._wanted[symbol].lower() for symbol in symbols]
        try:
            for first in range(0, len(ids), _BATCH):
                batch = ids[first : first + _BATCH]
                await self._exchange.resubscribe([f"{name}@{kind}" for name in batch for kind in _KINDS])
        except (OSError, RuntimeError) as error:
            raise VenueDown(self._venue, f"cannot resubscribe: {error}") from error

    async def _hang_up(self) -> None:
        """Close the connection; a peer that does not say goodbye within ``hang_up_s`` is cut off."""
        closing = [asyncio.ensure_future(client.close()) for client in list(self._exchange.clients.values())]
        self._exchange.forget_streams()
        if not closing:
            return
        patience = asyncio.ensure_future(_as_coroutine(self._sleep(self._policy.hang_up_s)))
        everything = asyncio.gather(*closing, return_exceptions=True)
        await _first(everything, patience)
        for waiting in (everything, patience):
            waiting.cancel()
        await asyncio.gather(*closing, patience, return_exceptions=True)


_KINDS = ("bookTicker", "kline_1m")


async def _first(*waiting: asyncio.Future[Any]) -> None:
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
