"""The paper exchange's face: commands decide events, ``apply`` makes them so, questions change nothing.

The host's turn is always: call one command, make its events durable, ``apply`` each in order, then tell what ``reports``
says. No second command stands between a command and the application of its events: commands decide on the applied state.

Commands change nothing durable. They do move the *market memory* (newest prices, liquidity left at them), which no event
rebuilds: after a restart give it back with ``prime``, or let the first price do it. Until a symbol has a price, market and
IOC orders are refused and limit and stop orders wait, as if on their way, for the first one.

How prices meet orders (EX-1107):

- a bar is walked along ``path`` (open, extreme, extreme, close; four instants) in monotone segments, orders meeting the
  price in the order in which it reaches them; a limit fills at its limit, or at the price jumped to by a gap;
- a quote fills resting buys when ask <= limit and sells when bid >= limit, at their limit;
- an order that could trade when it arrives is a taker at the touch; everything else is a maker;
- stops trigger on the bar's price or on the side of the quote a taker meets, and pay spread and slippage; one whose price
  has already traded triggers on arrival;
- cancels take effect at once; only orders have latency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext

from protocol.instruments import Instrument
from protocol.market import Bar, PriceTick
from protocol.messages import Event, Message
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.paper import (
    PaperAccountOpened,
    PaperOrderAccepted,
    PaperOrderCancelled,
    PaperOrderFilled,
    PaperOrderRejected,
)
from protocol.values import OrderSide, OrderType
from protocol.venue import BalancesChanged
from venues.paper.book import SymbolBook
from venues.paper.checks import lock_for, refusal
from venues.paper.config import OhlcPath, PaperConfig
from venues.paper.matching import Draft
from venues.paper.numbers import EXACT, floor_to, hashed
from venues.paper.path import PathPoint, low_comes_first, path
from venues.paper.prices import beyond_spread, quoted_around
from venues.paper.reports import absent, order_report, refused, reports
from venues.paper.state import PaperState

__all__ = ["Events", "PaperEngine"]

Events = tuple[Event, ...]

_MOVES_MONEY = (PaperOrderAccepted, PaperOrderFilled, PaperOrderCancelled)


class PaperEngine:
    """One paper account and its order books. Pure: no clock, no I/O; every instant (nanoseconds) is an argument."""

    def __init__(self, config: PaperConfig, instruments: Iterable[Instrument]) -> None:
        self.config = config
        self.state = PaperState(instruments)
        self._books = self.state.books

    # --- commands: return the events that follow, change nothing durable --------------------------------------------

    def open_account(self, at: int) -> Events:
        """Open the account with the configured balances; nothing when it is open already."""
        if self.state.memory.opened:
            return ()
        config = self.config
        return (PaperAccountOpened(venue=config.venue, balances=config.balances, leverage=config.leverage, at=at),)

    def place(self, request: OrderRequest, at: int) -> Events:
        """Accept or refuse an order and, without latency, match it at once.

        A client id that is known (accepted or refused before) yields nothing, whatever the request says: ``answer``
        then tells of the known order.
        """
        memory = self.state.memory
        client_id = request.client_order_id
        if memory.knows(client_id):
            return ()
        book = self._books.get(request.symbol)
        with localcontext(EXACT):
            refused_for = refusal(self.config, book, memory.account, request)
            if refused_for or book is None:
                assert refused_for is not None
                code, reason = refused_for
                return (PaperOrderRejected(request=request, code=code, reason=reason, at=at),)
            number = memory.accepted + 1
            draft = self._draft(book, at)
            draft.accept(self._acceptance(book, request, number, at), number)
            return tuple(draft.events)

    def refuse(self, request: OrderRequest, code: str, at: int) -> Events:
        """Refuse an order because a script says so (EX-1107); a known client id yields nothing, as ever."""
        if self.state.memory.knows(request.client_order_id):
            return ()
        return (PaperOrderRejected(request=request, code=code, reason="refused by a script", at=at),)

    def thin_out(self, request: OrderRequest, share: Decimal) -> None:
        """Leave so little at the present price that an order which fills at once fills only by ``share`` (EX-1107)."""
        if book := self._books.get(request.symbol):
            book.liquidity = floor_to(request.qty * share, book.instrument.rules.step_size)

    def cancel(self, client_order_id: str, at: int) -> Events:
        """Cancel what is left of an order; nothing when it is unknown or final."""
        order = self.state.memory.orders.get(client_order_id)
        if order is None or order.state.final:
            return ()
        return (PaperOrderCancelled(client_order_id, "cancel requested", at),)

    def on_point(
        self, symbol: str, price_from: Decimal, price_to: Decimal, at: int, volume: Decimal | None = None
    ) -> Events:
        """Move the price monotonically to ``price_to`` and match what it meets; then arrivals at ``price_to``.

        Equal prices are a jump from wherever the price was. ``volume`` (base units traded in this move) bounds our fills
        when ``participation`` is set. An unknown symbol yields nothing.
        """
        book = self._books.get(symbol)
        if book is None:
            return ()
        self._remember(book, price_to, at, volume)
        low, high = (price_from, price_to) if price_from < price_to else (price_to, price_from)
        if low > book.floor and high < book.ceiling and at < book.due_at:
            return ()
        with localcontext(EXACT):
            draft = self._draft(book, at)
            draft.segment(price_from, price_to)
            draft.due()
        return tuple(draft.events)

    def on_tick(self, tick: PriceTick) -> Events:
        """Take a quote and match what it meets; an unknown symbol yields nothing."""
        book = self._books.get(tick.symbol)
        if book is None:
            return ()
        book.bid, book.ask, book.last, book.at, book.liquidity = tick.bid, tick.ask, tick.last, tick.at, None
        if tick.bid > book.floor and tick.ask < book.ceiling and tick.at < book.due_at:
            return ()
        with localcontext(EXACT):
            draft = self._draft(book, tick.at)
            draft.quote(tick.bid, tick.ask)
            draft.due()
        return tuple(draft.events)

    # --- market memory ------------------------------------------------------------------------------------------------

    def touches(self, bar: Bar) -> bool:
        """Return whether walking this bar could do anything; False means ``on_bar_untouched`` is enough. O(1)."""
        book = self._books.get(bar.symbol)
        return book is not None and (
            bar.low <= book.floor or bar.high >= book.ceiling or book.due_at < bar.at + bar.duration_s * 1_000_000_000
        )

    def extremes(self, bar: Bar) -> tuple[PriceTick, ...]:
        """Return a quote below all that a bar may bring and one above: whoever waits for neither waits for none of it."""
        book = self._books.get(bar.symbol)
        if book is None:
            return ()
        low, high = beyond_spread(self.config, book, bar.low, bar.high)
        return PriceTick(bar.symbol, bar.at, low, low, low), PriceTick(bar.symbol, bar.at, high, high, high)

    def on_bar_untouched(self, bar: Bar) -> None:
        """Remember the close of a bar that nothing touches; O(1), no events."""
        book = self._books.get(bar.symbol)
        if book is not None:
            book.last = bar.close
            book.bid = book.ask = None
            book.at = bar.at + bar.duration_s * 1_000_000_000 - 1
            if self.config.participation is not None:
                book.liquidity = bar.volume / 4 * self.config.participation

    def on_arrival(self, symbol: str, at: int) -> Events:
        """Let orders arrive at the price that stands; without any they arrive with the first one."""
        book = self._books.get(symbol)
        if book is None or book.last is None or at < book.due_at:
            return ()
        with localcontext(EXACT):
            draft = self._draft(book, at)
            draft.arrivals()
        return tuple(draft.events)

    def on_their_way(self) -> Iterator[tuple[str, int]]:
        """Yield symbol and arrival of every order that has not reached the book."""
        for symbol, book in self._books.items():
            for order in book.urgent():
                if not order.arrived:
                    yield symbol, order.active_at

    def stand_at(self, symbol: str, price: Decimal, at: int) -> None:
        """Stand at a price inside a bar without matching anything: orders that come now pay the spread around it."""
        if book := self._books.get(symbol):
            self._remember(book, price, at, None)

    def path(self, bar: Bar, index: int = 0) -> tuple[PathPoint, ...]:
        """Return the four points at which to call ``on_point`` for a bar, by the configured rule (see ``OhlcPath``)."""
        low_first = low_comes_first(bar)
        if self.config.ohlc_path is OhlcPath.PESSIMISTIC:
            low_first = self._pessimistic_low_first(bar)
        return path(bar, low_first=low_first, index=index)

    # --- evolve -------------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Change the state as an event says; used for new events and for replaying old ones alike."""
        with localcontext(EXACT):
            self.state.apply(event)

    # --- questions ----------------------------------------------------------------------------------------------------

    def query(self, client_order_id: str, symbol: str, at: int) -> OrderReport:
        """Say where an order stands; an unknown id is proven absent, because the memory is complete."""
        memory = self.state.memory
        if order := memory.orders.get(client_order_id):
            return order_report(order, at)
        if event := memory.refused.get(client_order_id):
            return refused(event, at)
        return memory.past.report(client_order_id, symbol, at) or absent(client_order_id, symbol, at)

    def answer(self, request: OrderRequest, at: int) -> OrderReport:
        """Say what became of a placed order; another request under a known id hears of the known order and why."""
        order = self.state.memory.orders.get(request.client_order_id)
        if order is not None and order.request != request:
            return order_report(order, at, reason="DuplicateClientId: this id belongs to another order")
        return self.query(request.client_order_id, request.symbol, at)

    def reports(self, event: Event) -> tuple[Message, ...]:
        """Return what the account hears after ``event`` was applied."""
        return reports(self.state, event)

    def told(self, account: str, events: Iterable[Event], at: int) -> Iterator[Message]:
        """Yield what an account hears after events were applied, in the order in which it must hear it.

        The fills, then where each order stands now, then the balances: nobody hears "filled" before the last fill.
        """
        standing: dict[str, OrderReport] = {}
        moved = False
        for event in events:
            moved = moved or isinstance(event, _MOVES_MONEY)
            for report in self.reports(event):
                if isinstance(report, OrderReport):
                    standing[report.client_order_id] = report
                else:
                    yield report
        yield from standing.values()
        if moved:
            yield BalancesChanged(account, self.balances(), at)

    def open_orders(self, at: int) -> tuple[OrderReport, ...]:
        """Return every order that can still fill, oldest first."""
        orders = self.state.memory.orders.values()
        return tuple(order_report(order, at) for order in orders if not order.state.final)

    def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return the fills at or after ``at``, oldest first, of the newest ``MAX_FILLS_KEPT``."""
        return tuple(fill for fill in self.state.memory.fills if fill.at >= at)

    def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount, by name."""
        with localcontext(EXACT):
            return self.state.memory.account.balances()

    def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position, by symbol."""
        return self.state.memory.account.positions()

    def newest(self, symbol: str) -> PriceTick | None:
        """Return the newest price of a symbol as a quote (a bar's price with the configured spread), if there is one."""
        book = self._books.get(symbol)
        if book is None or book.last is None:
            return None
        if book.bid is not None and book.ask is not None:
            return PriceTick(symbol, book.at, book.bid, book.ask, book.last)
        return PriceTick(symbol, book.at, *quoted_around(self.config, book, book.last), book.last)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _draft(self, book: SymbolBook, at: int) -> Draft:
        memory = self.state.memory
        return Draft(self.config, book, memory.account, memory.trades, at)

    def _remember(self, book: SymbolBook, price: Decimal, at: int, volume: Decimal | None) -> None:
        book.last, book.bid, book.ask, book.at = price, None, None, at
        participation = self.config.participation
        book.liquidity = None if volume is None or participation is None else volume * participation

    def _acceptance(self, book: SymbolBook, request: OrderRequest, number: int, at: int) -> PaperOrderAccepted:
        config = self.config
        lock = lock_for(config, book, self.state.memory.account, request)
        delay = config.latency_ns
        if config.jitter_ns:
            delay += hashed(config.seed, request.client_order_id) % (config.jitter_ns + 1)
        if book.last is None:
            delay = max(delay, 1)  # arrives with the first price
        return PaperOrderAccepted(
            request=request,
            base=book.instrument.base,
            quote=book.instrument.quote,
            market_type=book.instrument.market_type,
            venue_order_id=f"p{number}",
            locked=lock.amount,
            lock_currency=lock.currency,
            active_at=at + delay,
            at=at,
        )

    def _pessimistic_low_first(self, bar: Bar) -> bool:
        book = self._books.get(bar.symbol)
        if book is None:
            return low_comes_first(bar)
        resting = [order for order in book.orders.values() if not order.is_market]
        stops = [order for order in resting if order.request.type is OrderType.STOP]
        if any(order.waits_below and order.trigger >= bar.low for order in stops):
            return True
        if any(not order.waits_below and order.trigger <= bar.high for order in stops):
            return False
        would_be_short = book.instrument.shortable and not any(o.request.side is OrderSide.BUY for o in resting)
        return would_be_short and self.state.memory.account.position(bar.symbol) <= 0
