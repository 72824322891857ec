"""The paper exchange: a venue of our own inside the house, as durable as a real one.

Its engine decides on orders and prices; this actor walks bars through time, journals what happened and reports it. Being
in the same journal as the desk, its memory is never behind: a crash loses either both sides of an order or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.session import market_topic
from protocol.market import Bar, PriceTick, SubscribeMarket
from protocol.messages import Event, Message
from protocol.paper import PaperOrderAccepted, ScriptVenue, VenueFault
from protocol.venue import SessionDown
from protocol.webhook import NewestPrice, PriceAnswer
from runtime.actor import NO_ANSWER, Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.envelope import Envelope
from venues.errors import NetworkTimeout, VenueError
from venues.paper.engine import PaperEngine
from venues.paper.faults import Faults
from venues.paper.messages import Attach, BarInProgress, PaperAnswer, PaperCancel, PaperPlace, PaperQuery, PaperView
from venues.paper.path import PathPoint

__all__ = ["PaperExchange"]


class _Point(Message, frozen=True, tag=True):
    """The price of a bar in progress reaches the next point of its path."""

    symbol: str
    index: int


class _Arrival(Message, frozen=True, tag=True):
    """An order that was on its way reaches the book."""

    symbol: str


class _Late(Message, frozen=True, tag=True):
    """An answer that a script holds back."""

    envelope: Any
    answer: Any


class _Walk:
    """A bar in progress: which points of its path are still to come, and whether they are on timers.

    ``index`` (nanoseconds between the bar's start and its delivery) keeps the points of several symbols apart.
    """

    __slots__ = ("bar", "index", "points", "topic", "walking")

    def __init__(self, bar: Bar, index: int, topic: str) -> None:
        self.bar = bar
        self.index = index
        self.topic = topic
        self.points: tuple[PathPoint, ...] = ()
        self.walking = False


class PaperExchange(DurableActor):
    """Matches orders against prices. Bars come at their start and are walked along their path inside their time.

    A bar whose range touches no order is not walked at all: it only becomes the last price when the next one begins.
    """

    SNAPSHOT_EVERY = 2_000

    def __init__(self, *, account: str, engine: Callable[[], PaperEngine]) -> None:
        self._account = account
        self._engine = engine()
        self._sink: Callable[[Message], None] | None = None
        self._walks: dict[str, _Walk] = {}
        self._topics: dict[str, str] = {}
        self._spread = bool(self._engine.config.half_spread_bps)
        self._faults = Faults(self._engine.config.venue)

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> Do | None:
        """Open the account in the first life."""
        self._bus = self.context.bus
        events = self._engine.open_account(self.now())
        for symbol, at in self._engine.on_their_way():
            self.timers.at(max(at, self.now()), _Arrival(symbol))
        return Do(events) if events else None

    def apply(self, event: Event) -> None:
        """Change the exchange's state by one of its events."""
        self._engine.apply(event)

    def snapshot(self) -> bytes:
        """Return the exchange's whole memory."""
        return self._engine.state.dump()

    def restore(self, state: bytes) -> None:
        """Take over a memory."""
        self._engine.state.load(state)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{len(self._engine.open_orders(0))} open orders"

    def _did(self, events: tuple[Event, ...], answer: Callable[[], object] | None = None) -> Do | None:
        """Journal, then report; the answer is computed on the state after the events."""
        if not events and answer is None:
            return None
        lost = answer is not None and self._faults.next_of(VenueFault.LOSE_ANSWER) is not None

        def then() -> Do | None:
            if lost:
                return self._say(NetworkTimeout(self._engine.config.venue, "a script lost the answer"))
            if self._sink is not None and events:
                self._report(events, self._sink)
            return self._say(answer()) if answer is not None else None

        return Do(events, then=then)

    def _say(self, answer: object) -> Do | None:
        """Answer, as late as a script has it, and with an error when there is one to answer with."""
        delay_s = self._faults.delay_s(self.now())
        envelope = self.context.envelope
        if envelope is None or (delay_s <= 0 and not isinstance(answer, VenueError)):
            return Do(answer=answer)
        if delay_s > 0:
            self.timers.after(delay_s, _Late(envelope, answer))
        else:
            self._answer(envelope, answer)
        return Do(answer=NO_ANSWER)

    @handles
    def late(self, msg: _Late) -> None:
        """Give an answer that a script held back."""
        self._answer(msg.envelope, msg.answer)

    def _answer(self, envelope: Envelope, answer: object) -> None:
        if isinstance(answer, VenueError):
            self.context.answer(envelope, None, answer)
        else:
            self.context.answer(envelope, answer)

    def _report(self, events: tuple[Event, ...], sink: Callable[[Message], None]) -> None:
        for fact in self._engine.told(self._account, events, self.now()):
            sink(fact)

    # --- orders --------------------------------------------------------------------------------------------------------

    @handles
    def attach(self, msg: Attach) -> None:
        """Report to this sink from now on."""
        self._sink = msg.sink

    @handles
    def place(self, msg: PaperPlace) -> Do | None:
        """Accept or refuse an order at the price of this instant."""
        now = self.now()
        if error := self._faults.refusal(now):
            return self._say(error)
        self._catch_up(msg.request.symbol)
        if rejects := self._faults.next_of(VenueFault.REJECT):
            events = self._engine.refuse(msg.request, rejects.code, now)
        else:
            if partial := self._faults.next_of(VenueFault.PARTIAL):
                self._engine.thin_out(msg.request, partial.share)
            events = self._engine.place(msg.request, now)
        for event in events:
            if isinstance(event, PaperOrderAccepted) and event.active_at > now:
                self.timers.at(event.active_at, _Arrival(msg.request.symbol))
        return self._did(events, lambda: self._engine.answer(msg.request, now))

    @handles
    def arrival(self, msg: _Arrival) -> Do | None:
        """Match an order that reaches the book at the price that stands: a bar's next point may be an hour away."""
        events = self._engine.on_arrival(msg.symbol, self.now())
        return self._did(events) if events else None

    @handles
    def cancel(self, msg: PaperCancel) -> Do | None:
        """Cancel what is left of an order."""
        now = self.now()
        if error := self._faults.refusal(now):
            return self._say(error)
        events = self._engine.cancel(msg.client_order_id, now)
        return self._did(events, lambda: self._engine.query(msg.client_order_id, msg.symbol, now))

    @handles
    def query(self, msg: PaperQuery) -> Do | None:
        """Say where an order stands."""
        now = self.now()
        return self._say(self._faults.refusal(now) or self._engine.query(msg.client_order_id, msg.symbol, now))

    @handles
    def view(self, msg: PaperView) -> Do | None:
        """Show the account."""
        if error := self._faults.refusal(self.now()):
            return self._say(error)
        engine = self._engine
        answer = PaperAnswer(
            instruments=tuple(book.instrument for book in engine.state.books.values()),
            balances=engine.balances(),
            positions=engine.positions(),
            open_orders=engine.open_orders(self.now()),
            fills=engine.fills_since(msg.fills_since),
        )
        return self._say(answer)

    @handles
    def script(self, msg: ScriptVenue) -> None:
        """Misbehave as a script says, from now on (EX-1107)."""
        self._faults.take(msg, self.now())
        if msg.fault is VenueFault.DISCONNECT and self._sink is not None:
            sink, self._sink = self._sink, None
            sink(SessionDown(self._account, f"a script disconnected it for {msg.seconds:g} s", self.now()))

    @handles
    def newest(self, msg: NewestPrice) -> Do:
        """Say the newest price of a symbol."""
        self._catch_up(msg.symbol)
        return Do(answer=PriceAnswer(self._engine.newest(msg.symbol)))

    # --- prices --------------------------------------------------------------------------------------------------------

    @handles
    def subscribe(self, msg: SubscribeMarket) -> None:
        """Publish the newest price of a symbol, unless it stands on its topic already: then a subscriber has heard it."""
        self._catch_up(msg.symbol)
        if self._engine.newest(msg.symbol) != self._bus.kept(self._topic(msg.symbol)):
            self._publish(msg.symbol)

    @handles
    def tick(self, msg: PriceTick) -> Do | None:
        """Match a quote, then let everybody see it."""
        events = self._engine.on_tick(msg)
        self._bus.publish(self._topic(msg.symbol), msg, keep=True)
        return self._did(events) if events else None

    @handles
    def bar(self, msg: Bar) -> Do | None:
        """End the bar before and begin this one."""
        symbol = msg.symbol
        walk = self._walks.get(symbol)
        engine = self._engine
        if walk is None:
            walk = self._walks[symbol] = _Walk(msg, self.now() - msg.at, self._topic(symbol))
        else:
            before, walk.bar = walk.bar, msg
            if walk.walking:
                walk.walking = False
            else:
                engine.on_bar_untouched(before)
                self._publish_close(before, walk.topic)
        if engine.touches(msg) or (self._bus.choosy(walk.topic) and self._awaited(walk)):
            return self._walk(walk)
        return None

    def _awaited(self, walk: _Walk) -> bool:
        """Whether somebody waits for a price that this bar may reach: then it is worth walking without any order."""
        return any(self._bus.awaited(walk.topic, tick) for tick in self._engine.extremes(walk.bar))

    @handles
    def bar_in_progress(self, msg: BarInProgress) -> None:
        """Go on with a bar that began before a restart, from where its path stands now."""
        symbol = msg.bar.symbol
        walk = self._walks.setdefault(symbol, _Walk(msg.bar, msg.index, self._topic(symbol)))
        if walk.walking and walk.bar.at == msg.bar.at:
            return  # only the feed began anew; its points are on our timers already
        walk.bar, walk.walking = msg.bar, False
        self._catch_up(symbol)

    @handles
    def point(self, msg: _Point) -> Do | None:
        """Move the price to the next point of a bar's path."""
        walk = self._walks[msg.symbol]
        point = walk.points[msg.index]
        if msg.index + 1 < len(walk.points):
            self.timers.at(walk.points[msg.index + 1].at, _Point(msg.symbol, msg.index + 1))
        return self._move(msg.symbol, point)

    def _move(self, symbol: str, point: PathPoint) -> Do | None:
        events = self._engine.on_point(symbol, point.price_from, point.price_to, point.at, point.volume)
        self._publish(symbol)
        return self._did(events) if events else None

    def _walk(self, walk: _Walk) -> Do | None:
        walk.walking = True
        walk.points = self._engine.path(walk.bar, walk.index)
        self.timers.at(walk.points[1].at, _Point(walk.bar.symbol, 1))
        return self._move(walk.bar.symbol, walk.points[0])

    def _catch_up(self, symbol: str) -> None:
        """Bring the price of a bar that was not worth walking to this instant, and walk the rest of it."""
        walk = self._walks.get(symbol)
        if walk is None or walk.walking:
            return
        now = self.now()
        walk.walking = True
        walk.points = self._engine.path(walk.bar, walk.index)
        reached = [index for index, point in enumerate(walk.points) if point.at <= now]
        if reached:
            self._engine.stand_at(symbol, walk.points[reached[-1]].price_to, now)
        following = len(reached)
        if following < len(walk.points):
            self.timers.at(walk.points[following].at, _Point(symbol, following))

    # --- showing -------------------------------------------------------------------------------------------------------

    def _publish_close(self, bar: Bar, topic: str) -> None:
        """Publish the close of a finished bar; the cheap way when the account pays no spread."""
        if self._spread:
            tick = self._engine.newest(bar.symbol)
        else:
            close = bar.close
            tick = PriceTick(bar.symbol, bar.at + bar.duration_s * NANOS - 1, close, close, close)
        if tick is not None:
            self._bus.publish(topic, tick, keep=True)

    def _publish(self, symbol: str) -> None:
        newest = self._engine.newest(symbol)
        if newest is not None:
            self._bus.publish(self._topic(symbol), newest, keep=True)

    def _topic(self, symbol: str) -> str:
        topic = self._topics.get(symbol)
        if topic is None:
            topic = self._topics[symbol] = market_topic(self._account, symbol)
        return topic
