"""The adapter of Interactive Brokers: the venue contract over a running Gateway or TWS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from ib_async.order import Order

from protocol.accounts import AccountState
from protocol.instruments import Instrument
from protocol.market import Bar, FeedState, FeedStatus
from protocol.messages import Message
from protocol.options import OptionChain, OptionContract, Right
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.values import MarketType, OrderSide, OrderType
from protocol.venue import SessionDown
from rules.broker.brackets import bracket
from rules.broker.heartbeat import SessionAge
from rules.broker.pacing import Kind
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.errors import VenueDown, VenueError
from venues.facets import Combo, MarketFacts
from venues.ibkr.account import Account
from venues.ibkr.book import Book
from venues.ibkr.candles import candles
from venues.ibkr.chains import Chains
from venues.ibkr.codes import Meaning
from venues.ibkr.contracts import Contracts, Found
from venues.ibkr.described import contract_of, contract_wanted, found_all
from venues.ibkr.errors import UnknownContract
from venues.ibkr.ids import engine_id
from venues.ibkr.line import Line, Phase
from venues.ibkr.notes import Notes
from venues.ibkr.orders import Orders, Plain
from venues.ibkr.pace import Pace
from venues.ibkr.quotes import Quotes
from venues.ibkr.symbols import FX_PAIRS, Wanted, read_symbol
from venues.ibkr.unsendable import no_words_for, too_late
from venues.ibkr.watch import Watch

__all__ = ["IbkrVenue"]

_STATES: Final = {
    Meaning.LINK_LOST: FeedState.DEGRADED,
    Meaning.DATA_LOST: FeedState.DEGRADED,
    Meaning.SESSION_TAKEN: FeedState.DEGRADED,
    Meaning.LINK_BACK: FeedState.LIVE,
    Meaning.LINK_BACK_DATA_LOST: FeedState.LIVE,
    Meaning.DATA_BACK: FeedState.LIVE,
}


class IbkrVenue(Venue):
    """One account at a gateway: shares, coins and options on a SPOT account, pairs and futures on a PERP one.

    The pace of messages is kept here (``Pace``), for one call is several messages: ``limit`` is None.
    """

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS, Capability.CANDLES}

    def __init__(self, access: Access, tools: Tools) -> None:
        self.name = access.venue
        self._access = access
        self._tools = tools
        self._contracts = Contracts(access.venue, access.folder)
        self._notes = Notes(access.folder, f"ibkr-{access.account}-{access.client_id}")
        self._sink: Sink = lambda _: None
        self._line: Line | None = None
        self._watch: Watch | None = None
        self._extra: set[asyncio.Task[None]] = set()
        self._asked: dict[int, Found] = {}

    # --- the connection ------------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Return how far the connection is."""
        return Phase.CLOSED if self._line is None else self._line.phase

    async def connect(self, sink: Sink) -> None:
        """Connect, log in and take the broker's lists; what they hold is asked for by the reconciliation that follows."""
        await asyncio.to_thread(self._load)
        access, tools = self._access, self._tools
        self._pace = Pace(tools.now, tools.sleep, half=bool(access.conservative))
        self._book = Book(self._contracts, tools.now, lambda: line.account)
        told = {"notice": self._noticed, "gone": self._gone, "unquoted": self._unquoted}
        line = self._line = Line(access, tools, self._pace, self._book, **told)  # type: ignore[arg-type] # by name
        try:
            await line.open()
            line.phase = Phase.RESYNCING
            line.gateway.client.updateReqId(self._notes.next_free)
            await asyncio.to_thread(self._notes.reserve, line.next_number)
            line.set_clock(await self.server_time())
            self._orders = Orders(access, tools, line, self._book, self._notes, lambda: self.send_by())
            await self._resolve(access.symbols)
            await self._orders.resync()
            line.check()
        except BaseException as error:
            reason = line.ended
            await self.close()
            if isinstance(error, ConnectionError):
                raise VenueDown(self.name, f"the gateway ended the connection: {reason or error}") from error
            raise
        self._account = Account(access.account, self.name, access.market, line, self._book, self._contracts)
        self._chains = Chains(self.name, line, self._contracts, tools.now)
        self._sink = self._book.tell = sink
        self._quotes = Quotes(line, tools.now, self._tell)
        self._watch = Watch(line, self._book, self._quotes, tools, self._feed)
        line.phase = Phase.OPEN
        if access.market is MarketType.PERP:
            self._beside(partial(self._resolve, FX_PAIRS))
        if not line.linked:
            self._noticed(Meaning.LINK_LOST, 1100, "the gateway has no connection to the broker")

    def _load(self) -> None:
        self._contracts.load(f"{datetime.fromtimestamp(self._tools.now() // NANOS, UTC):%Y%m%d}")
        self._notes.load()

    async def close(self) -> None:
        """Close the connection; orders stay at the broker."""
        self._sink = lambda _: None
        line, self._line = self._line, None
        if line is None:
            return
        self._book.tell = lambda _: None
        self._end_tasks()
        if not line.ended:
            line.close()

    def _end_tasks(self) -> None:
        self._pace.close()
        if self._watch is not None:
            self._quotes.wake()
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
        for task in tuple(self._extra):
            if task is not asyncio.current_task():
                task.cancel()

    def _gone(self, reason: str) -> None:
        if self._watch is None:
            return  # not yet open: whoever opens it is told by an error
        self._end_tasks()
        self._sink(SessionDown(self._access.account, reason[:4000], self._tools.now()))

    def _unquoted(self, contract: Any, error: VenueError) -> None:
        if self._watch is not None and (found := self._quotes.refused(contract, error)) is not None:
            self._feed(FeedState.DEGRADED, f"{found.name}: {error.message}")

    def _noticed(self, meaning: Meaning, code: int, words: str) -> None:
        self._feed(_STATES.get(meaning, FeedState.LIVE), words)
        if self._watch is None:
            return
        if code == 1300:
            assert self._line is not None
            self._line.lost(words)
        elif meaning is Meaning.LINK_BACK_DATA_LOST:
            self._beside(self._quotes.follow_anew)
            self._beside(self._orders.resync)
        elif meaning is Meaning.LINK_BACK:
            # What traded meanwhile is told by nobody else.
            self._beside(self._orders.resync)

    def _beside(self, work: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            with suppress(VenueError):  # a connection that is over says so itself
                await work()

        task = asyncio.create_task(guarded())
        self._extra.add(task)
        task.add_done_callback(self._extra.discard)

    def _feed(self, state: FeedState, detail: str) -> None:
        self._tell(FeedStatus(self.name, self.name, state, self._tools.now(), detail))

    def _tell(self, fact: Message) -> None:
        self._sink(fact)

    def _open_line(self) -> Line:
        if self._line is None:
            raise VenueDown(self.name, "not connected")
        self._line.check()
        return self._line

    # --- contracts and the account ---------------------------------------------------------------------------------------

    async def _find(self, symbol: str) -> Found:
        line = self._open_line()

        async def lookup(wanted: Wanted) -> list[Found]:
            asked = contract_wanted(wanted)
            return found_all(await line.ask(Kind.DATA, lambda: line.gateway.reqContractDetailsAsync(asked)))

        found = await self._contracts.find(read_symbol(symbol, self._access.market, self.name), lookup)
        self._asked[found.con_id] = found
        return found

    async def _resolve(self, symbols: Iterable[str]) -> None:
        async def one(symbol: str) -> None:
            with suppress(UnknownContract):
                await self._find(symbol)

        await asyncio.gather(*map(one, symbols))

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets that were asked for: those of the configuration, and others since. No chain adds to them."""
        self._open_line()
        told = [each.instrument(self.name) for each in self._asked.values()]
        return tuple(each for each in told if each.market_type is self._access.market)

    async def balances(self) -> tuple[Balance, ...]:
        """Return cash and holdings."""
        self._open_line()
        return await self._account.balances()

    async def positions(self) -> tuple[Position, ...]:
        """Return netted positions in pairs and futures."""
        self._open_line()
        return await self._account.positions()

    async def account_state(self) -> AccountState:
        """Return worth and margin."""
        self._open_line()
        return await self._account.state(self._tools.now())

    async def market_facts(self, symbol: str) -> MarketFacts:
        """Return the trading hours of a market as the broker writes them."""
        line, found = self._open_line(), await self._find(symbol)
        details = await line.ask(Kind.DATA, lambda: line.gateway.reqContractDetailsAsync(contract_of(found)))
        hours = f"{details[0].tradingHours} {details[0].timeZoneId}".strip() if details else ""
        return MarketFacts(session=hours)

    def is_open(self, symbol: str, at: int) -> bool:  # noqa: ARG002 - of no market
        """Say of no market that it must be telling prices: holidays are not known here, and quotes are watched by us."""
        return False

    async def server_time(self) -> int:
        """Return the gateway's clock, whole seconds."""
        line = self._open_line()
        at = await line.ask(Kind.ORDER, line.gateway.reqCurrentTimeAsync, alone="time")
        return int(at.timestamp()) * NANOS

    # --- orders ----------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its id."""
        self._open_line()
        key, symbol = request.client_order_id, request.symbol
        if (known := self._orders.known(key)) is not None:
            return known
        try:
            found = await self._find(symbol)
        except UnknownContract as error:
            return self._orders.refused.refuse(key, symbol, error.code, error.message)
        if (refusal := await self._refusal(request, found)) is not None:
            return self._orders.refused.refuse(key, symbol, *refusal)
        return await self._orders.place(request, found)

    async def _refusal(self, request: OrderRequest, found: Found) -> tuple[str, str] | None:
        """Return why an order may not leave now, or cannot."""
        age = SessionAge.ACTIVE if self._watch is None else self._watch.heart.age
        if (late := too_late(request, self._access.market, age, "the gateway")) is not None:
            return late
        return await no_words_for(request, self._access.market, found, self._account.held_qty)

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:  # noqa: ARG002 - ids are known without it
        """Cancel an order; return its final state."""
        self._open_line()
        return await self._orders.cancel(client_order_id)

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Ask for all lists of the day and say what they show."""
        self._open_line()
        return await self._orders.query(client_order_id, symbol)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill, of whatever program."""
        self._open_line()
        await self._orders.resync()
        return tuple(
            self._book.report(known) for known in self._book.orders.values() if known.status and not known.over
        )

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return the trades of the gateway's day at or after an instant: it tells no older ones."""
        self._open_line()
        await self._orders.resync()
        await self._orders.settle()
        return tuple(
            sorted((each for each in self._book.fills() if each.at >= at), key=lambda fill: (fill.at, fill.trade_id))
        )

    async def place_bracket(
        self, entry: OrderRequest, *, stop: Decimal, target: Decimal | None = None
    ) -> tuple[OrderReport, ...]:
        """Place entry, stop and target as one; raises ValidationError for a bracket that would not protect (PF-233)."""
        line = self._open_line()
        if (known := self._orders.known(entry.client_order_id)) is not None:
            return (known,)
        found = await self._find(entry.symbol)
        if (refusal := await self._refusal(entry, found)) is not None:
            return (self._orders.refused.refuse(entry.client_order_id, entry.symbol, *refusal),)
        tick = None if entry.price is not None else (await self._quotes.price(found))[0]
        price = entry.price or (None if tick is None else tick.ask if entry.side is OrderSide.BUY else tick.bid)
        if price is None:
            raise VenueDown(self.name, f"{entry.symbol} has no price to measure the stop against")
        key = entry.client_order_id
        parts = bracket(
            entry.side, entry.qty, reference=price, stop=stop, target=target, tick=found.tick, client_id=key
        )
        wired = []
        for part in parts:
            limit = entry.price if part.parent is None else part.price
            kind = "LMT" if part.parent is None and entry.type is OrderType.LIMIT else part.type
            draft = self._orders.draft(engine_id(part.client_id, 0), found, part.side, part.qty, limit)
            order = Order(
                action=part.side.value.upper(),
                totalQuantity=Plain(part.qty / found.size),  # type: ignore[arg-type] # written as its text
                orderType=kind,
                tif="DAY" if kind == "MKT" else "GTC",
                orderRef=part.client_id,
                account=line.account,
            )
            if kind != "MKT" and limit is not None:
                setattr(order, "auxPrice" if kind == "STP" else "lmtPrice", Plain(limit))
            wired.append((draft, order))
        await self._orders.send(wired, contract_of(found), at_once=entry.type is OrderType.MARKET)
        return tuple(self._book.report(draft) for draft, _ in wired)

    async def place_combo(self, combo: Combo) -> OrderReport:
        """Place a combination at one net price, at most once for its id (DK-51)."""
        line = self._open_line()
        if (known := self._orders.known(combo.client_order_id)) is not None:
            return known
        legs = [(await self._find(leg.symbol), leg.ratio) for leg in combo.legs]
        first = legs[0][0]
        order = Order(
            action="BUY",
            totalQuantity=Plain(combo.qty),  # type: ignore[arg-type] # written as its text
            orderType="LMT",
            lmtPrice=Plain(combo.net_price),
            tif="DAY",
            orderRef=combo.client_order_id,
            account=line.account,
        )
        contract = self._orders.combo(first.symbol, first.currency, legs)
        symbol = f"{first.symbol}/{first.currency}:combo"
        return await self._orders.place_combo(combo.client_order_id, symbol, contract, order)

    # --- market data -----------------------------------------------------------------------------------------------------

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Have prices told."""
        self._open_line()
        for symbol in symbols:
            await self._quotes.follow(await self._find(symbol))

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return finished bars."""
        line, found = self._open_line(), await self._find(symbol)
        return await candles(line, found, timeframe, since, limit, self._tools.now())

    async def expirations(self, underlying: str) -> tuple[str, ...]:
        """Return the expirations of an underlying, nearest first."""
        self._open_line()
        return await self._chains.expirations(await self._find(underlying))

    async def chain(
        self, underlying: str, expiration: str, *, strikes: int = 40, right: Right | None = None
    ) -> OptionChain:
        """Return the strikes around the price with quotes, Greeks and open interest."""
        self._open_line()
        found = await self._find(underlying)
        return await self._chains.chain(found, expiration, strikes=strikes, right=right, price_of=self._quotes.price)

    async def option_quotes(self, symbols: Sequence[str]) -> tuple[OptionContract, ...]:
        """Return single options with fresh quotes and Greeks."""
        self._open_line()
        return await self._chains.quotes([await self._find(symbol) for symbol in symbols])
