"""What servers of venues with a spot and a futures interface have in common: the clock, signed routes, streams, money."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import Position
from protocol.values import MarketType
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue, Stream

__all__ = ["TwoDesks", "marked_positions", "money_in", "quoted_market", "words_of"]


class TwoDesks(HttpVenue):
    """Both interfaces on one port: ``spot`` and ``futures``. ``skew_ms``: how far its clock is ahead."""

    def __init__(self, hall: Hall, secret: str, spot: Any, futures: Any) -> None:
        super().__init__(hall)
        self.skew_ms = 0
        self.secret = secret
        self.spot = spot
        self.futures = futures

    @property
    def now_ms(self) -> int:
        """Its clock."""
        return self.hall.now() // 1_000_000 + self.skew_ms

    def desk_of(self, market: Instrument) -> Any:
        """Return the interface that a market is traded at."""
        return self.futures if market.market_type is MarketType.PERP else self.spot

    @abstractmethod
    def stranger(self, request: web.Request, body: str) -> web.Response | None:
        """Return the refusal of a request that is not signed as it must be."""

    @abstractmethod
    def frame(self, stream: Stream, frame: dict[str, Any]) -> None:
        """Answer what a client says on a stream."""

    def signed(self, handler: Any) -> Any:
        """Let only signed requests through to a handler."""

        async def check(request: web.Request) -> web.Response:
            if refusal := self.stranger(request, await request.text()):
                return refusal
            answer: web.Response = await handler(request)
            return answer

        return check

    async def serve(self, stream: Stream) -> web.WebSocketResponse:
        """Answer on a stream until it ends."""
        try:
            with suppress(ConnectionError):
                async for message in stream.socket:
                    if message.type is WSMsgType.TEXT:
                        self.frame(stream, json.loads(message.data))
        finally:
            self.close_stream(stream)
        return stream.socket


async def words_of(request: web.Request) -> dict[str, Any]:
    """Return what a request says in its query, its path and its body, as one."""
    body = json.loads(text) if (text := await request.text()) else {}
    return {**request.query, **request.match_info, **body}


def money_in(hall: Hall, currency: str) -> tuple[Decimal, Decimal]:
    """Return what is free and what is locked of a currency."""
    free = locked = Decimal(0)
    for each in hall.balances():
        if each.currency == currency:
            free, locked = each.free, each.locked
    return free, locked


def marked_positions(hall: Hall) -> Iterator[tuple[Position, Instrument, Decimal]]:
    """Return the open positions with their markets and last prices."""
    for each in hall.positions():
        tick = hall.quote(each.symbol)
        yield each, hall.instruments()[each.symbol], tick.last if tick else Decimal(0)


def quoted_market(hall: Hall, tick: PriceTick, family: MarketType) -> Instrument | None:
    """Return the market of a quote when it is one of a family."""
    market = hall.instruments().get(tick.symbol)
    return market if market is not None and market.market_type is family else None
