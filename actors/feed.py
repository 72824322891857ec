"""The market feed of one venue account: brings prices from a source to the exchange or the bus.

Two kinds of source: *timed* ones (recorded or synthetic, ``market.sources``) are iterators of (instant, message) that the
feed puts on its timers, straight into the exchange; a crash resumes strictly after the instant reached. *Live* ones push
into a sink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

from market.sources.base import MarketSource
from protocol.market import Bar, FeedState, FeedStatus, PriceTick, SubscribeMarket
from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from venues.paper.messages import BarInProgress

__all__ = ["FEEDS", "LiveSource", "MarketFeed"]

FEEDS = "feeds"
"""Bus topic on which every ``FeedStatus`` is published."""


@runtime_checkable
class LiveSource(Protocol):
    """A source that pushes what it hears."""

    @property
    def name(self) -> str:
        """What screens show beside the prices."""
        ...

    async def open(self, sink: Callable[[Message], None]) -> None:
        """Begin to push into ``sink``; raise VenueError when it cannot be reached."""
        ...

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Push these symbols too."""
        ...

    async def close(self) -> None:
        """Stop pushing and release everything."""
        ...


class _Ended(Message, frozen=True, tag=True):
    pass


class MarketFeed(Actor):
    """Delivers a source's prices to ``target`` (the paper exchange, or the bus by way of the session's account)."""

    def __init__(
        self, *, venue: str, source: Callable[[], MarketSource | LiveSource], target: str, lookback_ns: int
    ) -> None:
        self._venue = venue
        self._make = source
        self._target_path = target
        self._lookback_ns = lookback_ns
        self._source: MarketSource | LiveSource | None = None
        self._live: LiveSource | None = None
        """The source, when it is a live one. Asked for once: whether a protocol fits is dear to find out."""
        self._state = FeedState.STARTING
        self.delivered = 0
        self._target: Any = None

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Open the source."""
        self._target = self.context.system.lookup(self._target_path)
        source = self._make()
        self._source = source
        if isinstance(source, LiveSource):
            self._live = source
            await source.open(self.context.callback(self.ref.tell))
        else:
            self._begin(source)
        self._say(FeedState.LIVE)

    def _begin(self, source: MarketSource) -> None:
        """Put the source on the timers: bars that are still in progress first, then what comes after now."""
        now = self.now()
        steps = iter(source.resume_after(now - self._lookback_ns))
        following = next(steps, None)
        in_progress: dict[str, BarInProgress] = {}
        while following is not None and following[0] <= now:
            message = following[1]
            if isinstance(message, Bar) and message.at + message.duration_s * NANOS > now:
                in_progress[message.symbol] = BarInProgress(message, following[0] - message.at)
            following = next(steps, None)
        for bar in in_progress.values():
            self._target.tell(bar)
        self.timers.stream(self._counted(following, steps), into=self._target, ended=_Ended())

    def _counted(
        self, first: tuple[int, Message] | None, steps: Iterator[tuple[int, Message]]
    ) -> Iterator[tuple[int, Message]]:
        if first is None:
            return
        self.delivered += 1
        yield first
        for step in steps:
            self.delivered += 1
            yield step

    async def let_go(self) -> None:
        """Release a live source, or it would go on pushing beside the next life's."""
        if self._live is not None:
            await self._live.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        label = self._source.name if self._source is not None else "?"
        return f"{label}: {self._state.value}, {self.delivered} prices"

    def _say(self, state: FeedState, detail: str = "") -> None:
        self._state = state
        label = self._source.name if self._source is not None else "?"
        self.context.bus.publish(FEEDS, FeedStatus(self._venue, label, state, self.now(), detail))

    # --- prices --------------------------------------------------------------------------------------------------------

    @handles
    def bar(self, msg: Bar) -> None:
        """Pass on a bar."""
        self.delivered += 1
        self._target.tell(msg)

    @handles
    def tick(self, msg: PriceTick) -> None:
        """Pass on a quote."""
        self.delivered += 1
        self._target.tell(msg)

    @handles
    def status(self, msg: FeedStatus) -> None:
        """Pass on what a live source says of itself."""
        self._say(msg.state, msg.detail)

    @handles
    async def subscribe(self, msg: SubscribeMarket) -> None:
        """Have a symbol delivered, beginning with its newest price."""
        if self._live is not None:
            await self._live.subscribe([msg.symbol])
        self._target.tell(msg)

    @handles
    def source_ended(self, msg: _Ended) -> None:  # noqa: ARG002 - the type is the message
        """Say that a recorded source has come to its end."""
        self._say(FeedState.ENDED)
