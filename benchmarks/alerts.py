"""A sender of alerts from outside the house: many connections that stay open, a fixed rate whatever the answers take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import aiohttp

from benchmarks.house_process import SYMBOLS
from service.demo import alert_body
from strategies.crossing import Wish

__all__ = ["Exchange", "identities", "post_all"]

CONNECTIONS: Final = 32


class Identity(NamedTuple):
    """What a group is of: a symbol and an interval."""

    symbol: str
    timeframe: str


class Exchange(NamedTuple):
    """One alert and its answer: instants in nanoseconds on this machine's clock; ``due_at`` is when it was to be sent."""

    due_at: int
    sent_at: int
    answered_at: int
    status: int
    trade_id: str


def identities(count: int) -> list[Identity]:
    """Return so many different groups' identities: the symbols of the synthetic market times intervals of minutes."""
    symbols = list(SYMBOLS)
    # Each is another number of minutes, so that none is another one in different spelling.
    return [Identity(symbols[number % len(symbols)], f"{7 * (number // len(symbols)) + 1}m") for number in range(count)]


def body_of(identity: Identity, secret: str, number: int, at: int) -> bytes:
    """Return an alert that opens a group, or adds a pyramid to it; its price is above the market, so it trades at once."""
    body = alert_body(
        secret=secret,
        exchange="binance",
        symbol=identity.symbol.replace("/", ""),
        wish=Wish.ENTER,
        price=Decimal(SYMBOLS[identity.symbol] * 105) / 100,
        at=at,
        size=Decimal(500),
        label=f"bench-{number}",
    )
    return body.replace(b'"timeframe":"1"', f'"timeframe":"{identity.timeframe}"'.encode())


async def post_all(url: str, secret: str, whom: Sequence[Identity], rate: float) -> list[Exchange]:
    """Post one alert to each in turn, ``rate`` a second; return what came of them.

    Each has its own instant: a slow answer delays none of the others, as with real senders.
    """
    found: list[Exchange] = []
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
        for number, due_at in enumerate(_instants(len(whom), rate)):
            await asyncio.sleep(max(0, due_at - time.time_ns()) / 1e9)
            tasks.create_task(_post(session, url, secret, whom[number], number, due_at, found))
    return found


def _instants(count: int, rate: float) -> Iterable[int]:
    first = time.time_ns() + 50_000_000
    return (first + round(number * 1e9 / rate) for number in range(count))


async def _post(
    session: aiohttp.ClientSession,
    url: str,
    secret: str,
    identity: Identity,
    number: int,
    due_at: int,
    found: list[Exchange],
) -> None:
    sent_at = time.time_ns()
    body = body_of(identity, secret, number, sent_at)
    async with session.post(url, data=body) as response:
        await response.read()
    found.append(Exchange(due_at, sent_at, time.time_ns(), response.status, f"bench-{number}-{sent_at}"))
