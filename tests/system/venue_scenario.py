"""Eight groups traded through a venue: entries, layers, a partial fill, targets, exits; the same at any venue.

The house is the real one, from the alert over HTTP to the adapter; the market is moved by a script that waits until house
and venue have said all there is to say. What comes out is compared with the same house at the paper exchange (the practice
exchange runs it), with the same markets and the same prices.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from protocol.groups import GroupClosed
from protocol.instruments import Instrument
from protocol.market import Bar, PriceTick
from protocol.orders import FillRecorded, OrderSent, OrderState
from protocol.venue import VenueStatus
from runtime.clock import WallClock
from service.config import Config, parse
from tests.system.running import House, alert_document, eventually, house_at_venues
from tests.venues.rigs import Standing
from venues.contract import Venue
from venues.practice.adapter import PracticeVenue
from venues.practice.server import PracticeServer

__all__ = ["Outcome", "at_the_paper_exchange", "at_the_venue", "open_house"]

NOW: Final = WallClock().now
TIMEFRAMES: Final = ("1", "3", "5", "15", "30", "60", "120", "240")
QUIET_LOOKS: Final = 4


class Market(NamedTuple):
    """How a script moves a market, wherever it is."""

    symbol: str
    price: Decimal
    tick: Decimal
    to: Callable[[Decimal, Decimal], None]
    """Bid and ask."""
    trade: Callable[[Decimal, Decimal], None]
    """Price and volume."""
    fills: Callable[[], int]
    """How many fills there have been."""


class Outcome(NamedTuple):
    """What a run came to. Fills: group, leg, purpose, side, quantity, price, the fee's currency and the fee."""

    fills: list[tuple[Any, ...]]
    closed: dict[str, tuple[str, Decimal]]
    """Of each closed group: why, and what it earned before fees."""


def _config(folder: Path, exchange: str) -> Config:
    return parse(
        f"""
[app]
data_dir = "{folder}"
[webhook]
port = 0
[execution_pool]
max_open_groups = 100
[signal]
rate_limit_per_minute = 6000
[grid_strategy]
levels = [
  {{ gap_percent = 0, weight_percent = 40, tp_percent = 1.5 }},
  {{ gap_percent = -0.6, weight_percent = 30, tp_percent = 1.5 }},
  {{ gap_percent = -1.2, weight_percent = 30, tp_percent = 2 }},
]
[[accounts]]
name = "acc"
venue = "practice"
exchange = "{exchange}"
""",
        {},
    )


@asynccontextmanager
async def open_house(folder: Path, exchange: str, make: Callable[[], Venue]) -> AsyncIterator[House]:
    async with house_at_venues(_config(folder, exchange), {"acc": make}, tag="scen") as house:
        await eventually(lambda: _up(house), "the session is up and compared")
        yield house


def _up(house: House) -> bool:
    health = house.system.bus.kept("health:acc")
    return getattr(health, "status", None) is VenueStatus.UP and house.actor("/venues/acc/reconciler")._done > 0


async def _play(house: House, market: Market, exchange: str) -> None:
    """Move the market and send the alerts, each step once the one before has come to rest."""
    price, tick = market.price, market.tick

    async def to(part: str) -> None:
        bid = price * Decimal(part) // tick * tick
        market.to(bid, bid + tick)
        await _rest(house, market)

    async def alert(number: int, *, enter: bool = True) -> None:
        at = price * (1 - Decimal(number) / 10_000) // tick * tick
        document = alert_document(market.symbol, at, f"s-{number}-{enter}", NOW(), TIMEFRAMES[number], enter=enter)
        document["tv"] |= {"exchange": exchange.upper(), "symbol": market.symbol, "order_size": "4000"}
        document["risk"] = {"max_slippage_percent": "10"}
        status, answer = await house.post(msgspec.json.encode(document))
        assert status == 200, answer
        await _rest(house, market)

    await to("1")
    for number in range(8):
        await alert(number)
    await to("0.99895")  # the first layers
    await to("0.9935")  # the second ones
    await to("0.9889")
    at = price * Decimal("0.988") // tick * tick
    for _ in range(2):
        market.trade(at, Decimal(300) / price)  # two parts of the first group's third layer
        await _rest(house, market)
    await to("0.9895")
    for number in (0, 3):
        await alert(number, enter=False)
    await to("1.0088")  # the second layers' targets
    await alert(5, enter=False)
    await to("1.02")  # all the rest


async def _rest(house: House, market: Market) -> None:
    """Return once nothing is under way: every order has a known state, every fill is booked, and no event follows."""
    looks, before = 0, -1
    journal: Any = house.system.journal

    def still() -> bool:
        nonlocal looks, before
        book = house.actor("/venues/acc/desk")._book
        open_ended = [
            each
            for each in book.working()
            if each.cancel_requested or each.state in (OrderState.SENT, OrderState.UNKNOWN)
        ]
        booked = sum(len(each.fills) for each in book.orders.values())
        events = len(journal._records)
        calm = not open_ended and booked == market.fills() and events == before
        looks, before = (looks + 1 if calm else 0), events
        return looks >= QUIET_LOOKS

    async with asyncio.timeout(20):
        while not still():  # noqa: ASYNC110 - on many actors at once there is no one event
            await asyncio.sleep(0.004)  # house: sockets and threads have no clock of ours


def _outcome(house: House) -> Outcome:
    sent: dict[str, OrderSent] = {}
    fills: list[tuple[Any, ...]] = []
    closed: dict[str, tuple[str, Decimal]] = {}
    for record in house.system.journal.read_all():
        event = record.event
        if isinstance(event, OrderSent):
            sent[event.request.client_order_id] = event
        elif isinstance(event, FillRecorded):
            order = sent[event.client_order_id]
            fills.append(
                (order.group_id, order.leg_id, order.purpose.value, event.side.value, event.qty.normalize(),
                 event.price.normalize(), event.fee_currency, event.fee)
            )  # fmt: skip
        elif isinstance(event, GroupClosed):
            closed[event.group_id] = (event.reason.value, event.realized_quote.normalize())
    return Outcome(sorted(fills), closed)


async def at_the_venue(folder: Path, venue: Standing) -> Outcome:
    """Play it through a venue's client library, against the venue's server."""
    hall = venue.hall
    tick = hall.instruments()[venue.symbol].rules.tick_size
    exchange = venue.name.partition("-")[0]
    market = Market(
        venue.symbol, venue.price, tick, partial(hall.price, venue.symbol), partial(hall.trade, venue.symbol),
        lambda: len(hall.fills),
    )  # fmt: skip
    market.to(venue.price, venue.price + tick)
    async with open_house(folder, exchange, venue.make) as house:
        await _play(house, market, exchange)
        return _outcome(house)


async def _markets(venue: Standing) -> tuple[Instrument, ...]:
    """Return the venue's markets under the rules that its adapter tells: they may be stricter than the hall's."""
    adapter = venue.make()
    await adapter.connect(lambda _: None)
    try:
        told = {each.symbol: each.rules for each in await adapter.instruments()}
    finally:
        await adapter.close()
    listed = venue.hall.instruments().items()
    return tuple(msgspec.structs.replace(each, rules=told.get(symbol, each.rules)) for symbol, each in listed)


async def at_the_paper_exchange(folder: Path, venue: Standing) -> Outcome:
    """Play it at the paper exchange, with the venue's markets, balances and fees."""
    engine = venue.hall.exchange.engine
    exchange = venue.name.partition("-")[0]
    instruments = await _markets(venue)
    server = PracticeServer("acc", engine.config, instruments, now=NOW)
    await server.start()
    try:
        tick = venue.hall.instruments()[venue.symbol].rules.tick_size

        def to(bid: Decimal, ask: Decimal) -> None:
            server.exchange.tick(PriceTick(venue.symbol, NOW(), bid, ask, bid))

        def trade(price: Decimal, volume: Decimal) -> None:
            server.exchange.bar(Bar(venue.symbol, NOW(), 60, price, price, price, price, volume))

        fills = lambda: len(server.exchange.fills_since(0))  # noqa: E731 - a name for it says less
        market = Market(venue.symbol, venue.price, tick, to, trade, fills)
        market.to(venue.price, venue.price + tick)
        make = partial(PracticeVenue, server.url, account="acc", name=exchange, now=NOW)
        async with open_house(folder, exchange, make) as house:
            await _play(house, market, exchange)
            return _outcome(house)
    finally:
        await server.stop()
