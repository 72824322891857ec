"""The adapter of Interactive Brokers' Web API: the venue contract over its requests and its stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from protocol.accounts import AccountState
from protocol.instruments import Instrument
from protocol.market import Bar, FeedState, FeedStatus
from protocol.messages import Message
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, OrderState, Position
from protocol.values import MarketType
from protocol.venue import SessionDown
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.errors import NetworkTimeout, VenueDown, VenueError
from venues.ibkr.contracts import Contracts, Found
from venues.ibkr.errors import UnknownContract
from venues.ibkr.heartbeat import Heartbeat
from venues.ibkr.notes import Notes
from venues.ibkr.symbols import FX_PAIRS
from venues.ibkr.unsendable import no_words_for, too_late
from venues.ibkr_web.account import Account
from venues.ibkr_web.book import Book
from venues.ibkr_web.instruments import Instruments
from venues.ibkr_web.lists import Lists
from venues.ibkr_web.market import Quotes, candles
from venues.ibkr_web.oauth import Signer
from venues.ibkr_web.orders import Orders
from venues.ibkr_web.session import Session
from venues.ibkr_web.stream import Stream
from venues.ibkr_web.wire import Wire

__all__ = ["IbkrWebVenue"]

_SAME_LISTS_S = 5.0
"""Lists may be asked for so often; orders and fills that were told by one round belong together."""


class IbkrWebVenue(Venue):
    """One account: shares, coins and options on a SPOT account, pairs and futures on a PERP one.

    The pace of requests is kept here (``Wire``), for one call is several requests: ``limit`` is None.
    """

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS, Capability.CANDLES}

    def __init__(self, access: Access, tools: Tools) -> None:
        self.name = access.venue
        self._access = access
        self._tools = tools
        self._contracts = Contracts(access.venue, access.folder)
        self._notes = Notes(access.folder, f"{access.venue}-{access.account}")
        self._sink: Sink = lambda _: None
        self._wire: Wire | None = None
        self._open = False
        self._beside: set[asyncio.Task[None]] = set()

    # --- the connection ------------------------------------------------------------------------------------------------

    async def connect(self, sink: Sink) -> None:
        """Log in, open the stream and take the broker's lists; a connection that ended is made anew."""
        await self.close()
        access, tools = self._access, self._tools
        signer = await asyncio.to_thread(self._load)
        wire = self._wire = Wire(access, tools, signer, self._lost)
        self._session = Session(access, tools, wire, signer)
        self._instruments = Instruments(access, wire, self._contracts)
        self._book = Book(tools.now, lambda: self._session.account, self._instruments.known)
        self._lists = Lists(self.name, tools, wire, self._book, self._instruments)
        self._lists.account = lambda: self._session.account
        self._account = Account(access, wire, self._session, self._book, self._instruments)
        self._quotes = Quotes(wire, tools.now, self._tell)
        told = self._feed
        self._stream = Stream(access, tools, wire, self._session, signer, self._book, self._lists, self._quotes, told)
        self._orders = Orders(
            access, tools, wire, self._session, self._book, self._lists, self._notes, lambda: self.send_by()
        )
        self._heart = Heartbeat(tools, self._session.tickle, self._feed, self._lost)
        try:
            await self._session.open()
            await self._account.open()
            await self._resolve(access.symbols)
            await self._stream.open()
            await self._lists.fetch()
        except BaseException as error:
            await self.close()
            if isinstance(error, KeyError | TypeError | AttributeError | ValueError):
                raise VenueDown(self.name, f"an answer that cannot be right: {error!r}"[:200]) from error
            raise
        self._sink = self._book.tell = sink
        self._open = True
        self._start(self._keep)
        if access.market is MarketType.PERP:
            self._start(partial(self._resolve, FX_PAIRS))

    def _load(self) -> Signer | None:
        self._contracts.load(f"{datetime.fromtimestamp(self._tools.now() // NANOS, UTC):%Y%m%d}")
        self._notes.load()
        return Session.signer(self._access, self._tools, self.clock_offset)

    async def close(self) -> None:
        """Close the connection; orders stay at the broker."""
        self._sink, self._open = lambda _: None, False
        wire, self._wire = self._wire, None
        if wire is None:
            return
        self._book.tell = lambda _: None
        for task in tuple(self._beside):
            if task is not asyncio.current_task():
                task.cancel()
        self._lists.close()
        await self._stream.close()
        await wire.close()

    def _lost(self, reason: str) -> None:
        """End a connection that is no good any more; whoever opens it is told by an error instead."""
        if self._open:
            self._open = False
            self._sink(SessionDown(self._access.account, reason, self._tools.now()))

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            with suppress(VenueError):  # a connection that is over says so itself
                await work()

        task = asyncio.create_task(guarded())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _keep(self) -> None:
        while self._open:
            await self._heart.beat()
            if self._session.ends_soon:
                self._lost("the live session token ends: a new one is needed")

    def _feed(self, state: FeedState, detail: str) -> None:
        self._tell(FeedStatus(self.name, self.name, state, self._tools.now(), detail))

    def _tell(self, fact: Message) -> None:
        self._sink(fact)

    def _line(self) -> Wire:
        if self._wire is None or not self._open:
            raise VenueDown(self.name, "not connected")
        return self._wire

    @property
    def closed(self) -> bool:
        """Whether there is no connection."""
        return not self._open

    @property
    def opened_at(self) -> int:
        """Return when the present connection began (ns, our clock)."""
        return self._session.began_at

    # --- contracts and the account ---------------------------------------------------------------------------------------

    async def _find(self, symbol: str) -> Found:
        self._line()
        return await self._instruments.find(symbol)

    async def _resolve(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            with suppress(UnknownContract):
                await self._instruments.find(symbol)

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets that were asked for: those of the configuration, and others since."""
        self._line()
        return tuple(each.instrument(self.name) for each in self._instruments.listed())

    async def balances(self) -> tuple[Balance, ...]:
        """Return cash and holdings."""
        self._line()
        return await self._account.balances()

    async def positions(self) -> tuple[Position, ...]:
        """Return netted positions in pairs and futures."""
        self._line()
        return await self._account.positions()

    async def account_state(self) -> AccountState:
        """Return worth and margin."""
        self._line()
        return await self._account.state(self._tools.now())

    def is_open(self, symbol: str, at: int) -> bool:  # noqa: ARG002 - of no market
        """Say of no market that it must be telling prices: holidays are not known here, and quotes are watched by us."""
        return False

    async def server_time(self) -> int:
        """Return the broker's clock, whole seconds: the date of an answer."""
        told = await self._line().answer("tickle", method="POST")
        if told.at is None:
            raise VenueDown(self.name, "an answer without a date")
        return told.at

    # --- orders ----------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its id, in this life and every other."""
        self._line()
        key, symbol = request.client_order_id, request.symbol
        if (known := self._orders.known(key)) is not None and known.state is not OrderState.UNKNOWN:
            return known
        if self._orders.sent_before(key):
            return await self._sent_before(request)
        try:
            found = await self._find(symbol)
        except UnknownContract as error:
            return self._orders.refused.refuse(key, symbol, error.code, error.message)
        if (refusal := await self._refusal(request, found)) is not None:
            return self._orders.refused.refuse(key, symbol, *refusal)
        return await self._orders.place(request, found)

    async def _sent_before(self, request: OrderRequest) -> OrderReport:
        """Say what became of an order that was sent: the broker takes an id again after a day, we never send it."""
        report = await self._orders.query(request.client_order_id, request.symbol)
        if report.state is OrderState.UNKNOWN and not report.filled_qty:
            raise NetworkTimeout(self.name, f"it was sent before: {report.reason}")
        return report

    async def _refusal(self, request: OrderRequest, found: Found) -> tuple[str, str] | None:
        """Return why an order may not leave now, or cannot."""
        market = self._access.market
        if (late := too_late(request, market, self._heart.age, "the broker")) is not None:
            return late
        return await no_words_for(request, market, found, self._account.held_qty)

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:  # noqa: ARG002 - ids are known without it
        """Cancel an order; return its final state."""
        self._line()
        return await self._orders.cancel(client_order_id)

    async def amend(
        self, client_order_id: str, symbol: str, *, price: Decimal | None = None, qty: Decimal | None = None
    ) -> OrderReport:
        """Change price or quantity of a resting order; return how it stands."""
        self._line()
        await self._find(symbol)
        return await self._orders.amend(client_order_id, price, qty)

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Ask for the lists and say what they show."""
        self._line()
        return await self._orders.query(client_order_id, symbol)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill, of whatever program."""
        self._line()
        await self._lists.fetch()
        return tuple(
            self._book.report(known) for known in self._book.orders.values() if known.status and not known.over
        )

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return the trades of the last seven days at or after an instant: the broker tells no older ones."""
        self._line()
        await self._lists.fetch(not_older_s=0.0 if self._access.conservative is None else _SAME_LISTS_S)
        return tuple(
            sorted((each for each in self._book.fills() if each.at >= at), key=lambda fill: (fill.at, fill.trade_id))
        )

    # --- market data -----------------------------------------------------------------------------------------------------

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Have prices told."""
        for symbol in symbols:
            found = await self._find(symbol)
            if self._quotes.follow(found):
                await self._stream.follow(found.con_id)

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return finished bars."""
        wire, found = self._line(), await self._find(symbol)
        return await candles(wire, found, timeframe, since, limit, self._tools.now())
