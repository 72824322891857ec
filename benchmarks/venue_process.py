"""A Binance server in a process of its own: ``python -m benchmarks.venue_process MARKETS``.

Its markets stand still until it is told how fast they are to move. A line on standard input is a command: ``RATE SECONDS``
has quotes told at a fixed rate over the one WebSocket, however slowly they are read; each price bears its own number. The
answer is one JSON line: the instant of the first, and how many left. The end of the input ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance
from protocol.values import MarketType
from tests.servers.venues.binance import KEY, SECRET, BinanceServer
from tests.servers.venues.hall import Hall

__all__ = ["FIRST_PRICE", "KEY", "SECRET", "STEP", "market_of", "symbols"]

FIRST_PRICE: Final = 10_000
STEP: Final = 0.01
"""Each quote's bid is so much above that of the one before: the price is the quote's number."""

_BURST_S: Final = 0.002


def symbols(count: int) -> list[str]:
    """Return the unified symbols of so many markets."""
    return [f"C{number:02}/USDT" for number in range(count)]


def market_of(symbol: str) -> Instrument:
    """Return a market as Binance lists it."""
    base = symbol.partition("/")[0]
    rules = PrecisionRules(Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(5))
    return Instrument(
        venue="binance",
        symbol=symbol,
        venue_symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        market_type=MarketType.SPOT,
        rules=rules,
    )


async def _serve(count: int) -> None:
    names = symbols(count)
    hall = Hall("binance", [market_of(each) for each in names], (Balance("USDT", Decimal(10_000_000)),))
    async with BinanceServer(hall) as server:
        for each in names:
            hall.price(each, Decimal(100), Decimal(101))
        _say(url=server.url, stream_url=server.stream_url)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            rate, seconds = line.split()
            await _tell(server, [each.replace("/", "") for each in names], int(rate), float(seconds))


async def _tell(server: BinanceServer, names: list[str], rate: int, seconds: float) -> None:
    """Tell quotes at a fixed rate; what is late is caught up with in bursts."""
    sockets = [each.socket for each in server.streams if any("bookTicker" in topic for topic in each.topics)]
    assert len(sockets) == 1, f"one stream of quotes, not {len(sockets)}"
    total, sent = round(rate * seconds), 0
    first_at = time.time_ns()
    while sent < total:
        due = min(total, int((time.time_ns() - first_at) / 1e9 * rate) + 1)
        while sent < due:
            bid = FIRST_PRICE + sent * STEP
            name = names[sent % len(names)]
            await sockets[0].send_str(
                f'{{"u":{sent + 1},"s":"{name}","b":"{bid:.2f}","B":"31.21","a":"{bid + 1:.2f}","A":"40.66"}}'
            )
            sent += 1
        await asyncio.sleep(_BURST_S)  # house: the pace of a server on the wall clock
    _say(first_at=first_at, sent=sent, ended_at=time.time_ns())


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
