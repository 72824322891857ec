"""Measure an order's round trip: ``python -m benchmarks.venue_orders [--orders N]``.

The same limit orders to the same server, one after the other: by the bare client library, by the adapter over it, and by the
account's session over that, from the desk's message to the venue's word at the desk. In turns, so that a slow moment of the
machine hits all alike. Loopback and a small server: what a real network adds is the same for all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from itertools import count
from typing import Any, Final

import ccxt.async_support as ccxt

from actors.session import VenueSession
from benchmarks.measure import Row, percentile, row_of, table
from benchmarks.venue_ticks import Server, access, serving, tools
from protocol.orders import OrderReport, OrderRequest, PlaceAtVenue
from protocol.values import OrderSide, OrderType
from runtime.actor import Actor, handles
from runtime.spec import Spec
from runtime.system import ActorSystem
from venues.contract import Venue
from venues.known import make_venue

__all__ = ["rows"]

ORDERS: Final = 60
ROUNDS: Final = 5
SYMBOL: Final = "C00/USDT"
_PRICE: Final = Decimal(50)
_QTY: Final = Decimal(1)
_numbers: Final = count(1)


def rows(orders: int = ORDERS, rounds: int = ROUNDS) -> list[Row]:
    """Return the median of each way, and what it is of the bare library's."""
    return asyncio.run(_measured(orders, rounds))


async def _measured(orders: int, rounds: int) -> list[Row]:
    async with serving(1) as server, ActorSystem() as system:
        desk = _Desk()
        system.spawn(Spec("desk", lambda: desk))

        def make() -> Venue:
            return make_venue(access(server), tools())

        session = system.spawn(
            Spec("session", lambda: VenueSession(account="acc", venue=make, desk="/desk"), edge=True)
        )
        await system.ready()
        bare, adapter = _bare(server), make()
        await bare.load_markets()
        await adapter.connect(lambda _: None)

        async def by_session() -> None:
            request = _request()
            session.tell(PlaceAtVenue(request, time.time_ns() + 10**10, adds_risk=True))
            await desk.said(request.client_order_id)

        async def by_library() -> None:
            request = _request()
            params = {"newClientOrderId": request.client_order_id}
            await bare.create_order(SYMBOL, "limit", "buy", float(_QTY), float(_PRICE), params)

        ways = {"bare ccxt": by_library, "adapter": lambda: adapter.place(_request()), "session": by_session}
        try:
            found = await _in_turns(ways, orders, rounds)
        finally:
            await bare.close()
            await adapter.close()
    floor = ("bare ccxt", found["bare ccxt"])
    return [
        row_of("order round trip p50, bare ccxt", floor[1], "ms"),
        row_of("order round trip p50, our adapter", found["adapter"], "ms", against=floor),
        row_of("order round trip p50, desk to desk through the session", found["session"], "ms", against=floor),
    ]


async def _in_turns(
    ways: Mapping[str, Callable[[], Awaitable[Any]]], orders: int, rounds: int
) -> dict[str, list[float]]:
    """Return the median of each way in each round, ms; a round before the first warms up."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(orders if turn else 10):
            for name, way in ways.items():
                began = time.perf_counter()
                await way()
                taken[name].append((time.perf_counter() - began) * 1e3)
        for name, values in taken.items():
            figures[name] += [percentile(values, 0.5)] if turn else []
    return figures


def _request() -> OrderRequest:
    return OrderRequest(
        client_order_id=f"bench{next(_numbers):08}",
        symbol=SYMBOL,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        qty=_QTY,
        price=_PRICE,
    )


def _bare(server: Server) -> Any:
    """Return the library's own client of the same server, nothing of ours in it."""
    given = access(server)
    options = {
        "defaultType": "spot",
        "fetchCurrencies": False,
        "fetchMargins": False,
        "fetchMarkets": {"types": ["spot"]},
    }
    client = ccxt.binance(
        {"apiKey": given.key.reveal(), "secret": given.secret.reveal(), "enableRateLimit": False, "options": options}
    )
    client.urls["api"] = {
        name: url.replace("https://api.binance.com", server.url) if isinstance(url, str) else url
        for name, url in client.urls["api"].items()
    }
    return client


class _Desk(Actor):
    """Hears what became of orders."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Event] = {}

    async def said(self, key: str) -> None:
        """Wait for the first word on an order."""
        came = self._waiting[key] = asyncio.Event()
        await came.wait()

    @handles
    def report(self, msg: OrderReport) -> None:
        """Take a word on an order."""
        if (came := self._waiting.pop(msg.client_order_id, None)) is not None:
            came.set()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of each way in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(table(rows(options.orders, options.rounds)))
