"""The adapter of one Alpaca account: the venue contract over alpaca-py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from protocol.accounts import AccountState
from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.messages import Message
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.venue import SessionDown
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.alpaca.hours import Hours
from venues.alpaca.ledger import Ledger
from venues.alpaca.library import Prices, Updates
from venues.alpaca.orders import ABSENT_AFTER_S, Orders
from venues.alpaca.quotes import Quotes
from venues.alpaca.rest import Rest
from venues.alpaca.stream import BROKEN, Line
from venues.alpaca.unreadable import UNREADABLE, understood
from venues.alpaca.words import QUOTE, TIMEFRAMES, balances_of, bar_of, instrument_of, text_of, ticker_of
from venues.contract import REQUIRED_CAPABILITIES, CallLimit, Capability, Sink, Venue
from venues.errors import PermissionDenied, VenueCapabilityMissing, VenueDown, VenueError
from venues.facets import MarketFacts

__all__ = ["AlpacaVenue"]


_LOOK_S: Final = 2.0
_LOOKS_WITH_STREAM: Final = 3
"""Looks between two questions about open orders while the stream seems well: one that is mute looks well too."""
_NAMES: Final = {60: "1Min", 300: "5Min", 900: "15Min", 3600: "1Hour", 14400: "4Hour", 86400: "1Day"}


class AlpacaVenue(Venue):
    """One account at Alpaca, live or (``access.testnet``) paper.

    ``absent_after_s``: how long after the last send of an order the venue's "no such order" proves that it never was.
    """

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS, Capability.CANDLES}
    limit = CallLimit(200, 60.0)
    weights = MappingProxyType({"place": 3, "cancel": 2, "balances": 2})

    def __init__(self, access: Access, tools: Tools, *, absent_after_s: float = ABSENT_AFTER_S) -> None:
        self.name = access.venue
        self._access = access
        self._tools = tools
        self._absent_after_s = absent_after_s
        self._sink: Sink | None = None
        self._rest: Rest | None = None
        self._hours: Hours | None = None
        self._orders: Orders | None = None
        self._quotes: Quotes | None = None
        self._line: Line | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ledger = Ledger()

    # --- the connection ------------------------------------------------------------------------------------------------

    @understood
    async def connect(self, sink: Sink) -> None:
        """Look at the account, then open the stream of trade updates."""
        access, tools = self._access, self._tools
        rest = self._rest = Rest(access, self._may_send)
        try:
            account = await rest.account()
            self._check(account)
            self._sink, self._hours = sink, Hours(rest, tools.now)
            self._orders = Orders(
                rest, self._ledger, self._hours, tools, self._tell,
                shorts=bool(account.get("shorting_enabled")), absent_after_s=self._absent_after_s,
            )  # fmt: skip
            self._quotes = Quotes(self.name, self._prices, rest, self._hours, tools, self._tell)
            self._line = Line(tools, self._updates, up=self._caught_up, down=lambda _: None, lost=self._lost)
            try:
                await self._line.open()
            except BROKEN as error:
                raise VenueDown(self.name, f"the order stream cannot be had: {type(error).__name__}") from error
            await self._hours.server_time()
            await self._orders.end_left_overs()
        except BaseException:
            await self.close()
            raise
        self._watching = asyncio.create_task(self._watch())

    def _check(self, account: dict[str, Any]) -> None:
        blocked = [
            name for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user") if account.get(name)
        ]
        if blocked:
            raise PermissionDenied(self.name, f"the account may not trade: {', '.join(blocked)}")
        if account.get("currency", QUOTE) != QUOTE:
            raise PermissionDenied(
                self.name, f"the account is kept in {account['currency']}, only {QUOTE} is supported"
            )

    async def close(self) -> None:
        """Close both streams and begin no further call."""
        self._sink = None
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        for each in (self._line, self._quotes):
            if each is not None:
                await each.close()
        self._line = self._quotes = self._orders = None
        rest, self._rest = self._rest, None
        if rest is not None:
            rest.close()

    @property
    def closed(self) -> bool:
        """Whether nothing is told."""
        return self._sink is None

    def _tell(self, fact: Message) -> None:
        if self._sink is not None:
            self._sink(fact)

    async def _updates(self) -> Updates:
        access = self._access
        stream = Updates(
            access.key.reveal(), access.secret.reveal(), paper=access.testnet, url=access.stream_url.rstrip("/")
        )
        try:
            await stream.begin(self._orders_now().hear)
        except BaseException:
            await stream.close()
            raise
        return stream

    def _prices(self) -> Prices:
        access = self._access
        return Prices(access.key.reveal(), access.secret.reveal(), url=access.stream_url.rstrip("/"))

    async def _caught_up(self) -> None:
        with suppress(VenueError, *UNREADABLE):  # the watch asks again in a moment
            await self._orders_now().catch_up()

    def _lost(self, reason: str) -> None:
        self._tell(SessionDown(self._access.account, f"the order stream is lost: {reason}", self._tools.now()))

    async def _watch(self) -> None:
        """Ask for what a stream that is gone, or mute, does not tell."""
        looks = 0
        while True:
            await self._tools.sleep(_LOOK_S)
            looks += 1
            gone = self._line is None or self._line.stream is None
            behind = self._orders is not None and self._orders.behind
            if gone or behind or (self._ledger.live and looks % _LOOKS_WITH_STREAM == 0):
                await self._caught_up()

    # --- orders --------------------------------------------------------------------------------------------------------

    def _may_send(self) -> str | None:
        until = self.send_by()
        if until is not None and self._tools.now() > until:
            return "this process may send nothing any more"
        return None

    @understood
    async def place(self, request: OrderRequest) -> OrderReport:
        """Send an order at most once, not after ``send_by``; Alpaca itself cannot refuse one that arrives late."""
        orders = self._orders_now()
        if (why_not := self._may_send()) is not None:
            raise VenueDown(self.name, why_not)
        return await orders.place(request)

    @understood
    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:  # noqa: ARG002 - ids are unique here
        """Cancel an order, not after ``send_by``."""
        orders = self._orders_now()
        if (why_not := self._may_send()) is not None:
            raise VenueDown(self.name, why_not)
        return await orders.cancel(client_order_id)

    @understood
    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Return how an order stands."""
        return await self._orders_now().query(client_order_id, symbol)

    @understood
    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return await self._orders_now().open_orders()

    @understood
    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant."""
        return await self._orders_now().fills_since(at)

    def _orders_now(self) -> Orders:
        if self._orders is None:
            raise VenueDown(self.name, "not connected")
        return self._orders

    # --- account and market --------------------------------------------------------------------------------------------

    def _rest_now(self) -> Rest:
        if self._rest is None:
            raise VenueDown(self.name, "not connected")
        return self._rest

    @understood
    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every share that may be traded, or of them those that ``access.symbols`` names."""
        wanted = {ticker_of(each) for each in self._access.symbols}
        assets = await self._rest_now().assets()
        return tuple(
            instrument_of(each, self.name)
            for each in assets
            if each.get("tradable") and (not wanted or each["symbol"] in wanted)
        )

    @understood
    async def balances(self) -> tuple[Balance, ...]:
        """Return cash and shares."""
        rest = self._rest_now()
        return balances_of(await rest.account(), await rest.positions())

    async def positions(self) -> tuple[Position, ...]:
        """Return nothing: shares are balances."""
        return ()

    @understood
    async def account_state(self) -> AccountState:
        """Return worth, margin and the day trades of five business days; three of them and a fourth may be refused."""
        account = await self._rest_now().account()
        return AccountState(
            account=self._access.account,
            currency=str(account.get("currency") or QUOTE),
            net_liquidation=Decimal(account["equity"]),
            cash=Decimal(account["cash"]),
            available_funds=Decimal(account["buying_power"]),
            maintenance_margin=Decimal(account.get("maintenance_margin") or 0),
            day_trades=account.get("daytrade_count"),
            pattern_day_trader=bool(account.get("pattern_day_trader")),
            at=self._tools.now(),
        )

    def is_open(self, symbol: str, at: int) -> bool:  # noqa: ARG002 - all shares keep the same hours
        """Whether the regular session is open, as far as is known without asking."""
        return self._hours is not None and self._hours.seems_open(at)

    async def market_facts(self, symbol: str) -> MarketFacts:  # noqa: ARG002 - all shares keep the same hours
        """Return the hours of US equities."""
        hours = (
            "09:30-16:00 New York on trading days; limit orders of fractions 04:00-20:00; market orders only when open"
        )
        return MarketFacts(max_leverage=Decimal(1), session=hours)

    @understood
    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Tell quotes of these too."""
        if self._quotes is None:
            raise VenueDown(self.name, "not connected")
        await self._quotes.subscribe(ticker_of(each) for each in symbols)

    @understood
    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return finished bars, adjusted for splits."""
        seconds = TIMEFRAMES.get(timeframe)
        if seconds is None:
            raise VenueCapabilityMissing(self.name, Capability.CANDLES)
        query = {"timeframe": _NAMES[seconds], "start": text_of(since), "limit": limit}
        rows = await self._rest_now().bars(ticker_of(symbol), query)
        found = (bar_of(symbol, row, seconds) for row in rows)
        end = self._tools.now() + self.clock_offset
        return tuple(bar for bar in found if bar.at >= since and bar.at + seconds * NANOS <= end)[:limit]

    @understood
    async def server_time(self) -> int:
        """Return the venue's clock."""
        if self._hours is None:
            raise VenueDown(self.name, "not connected")
        return await self._hours.server_time()
