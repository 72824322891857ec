"""Run a practice exchange: a venue of its own with made-up prices, to rehearse what paper inside the daemon cannot show."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from market.sources.synthetic import DEFAULT_SYMBOLS, SyntheticConfig, SyntheticMarket
from protocol.errors import ValidationError
from protocol.market import PriceTick
from protocol.orders import Balance
from runtime.clock import NANOS, WallClock
from venues.paper.config import PaperConfig
from venues.practice.server import PracticeServer

__all__ = ["Practice", "run_practice"]


class Practice(NamedTuple):
    """What a practice exchange is to be: its address, its markets, its one account."""

    host: str
    port: int
    symbols: Sequence[str]
    usdt: Decimal
    liveliness: Decimal
    seed: int
    exchange: str = "binance"


def run_practice(wanted: Practice, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is told the address.

    Raises ValidationError for a symbol nobody makes prices for, OSError when the address cannot be had.
    """
    known = {each.symbol: each for each in DEFAULT_SYMBOLS}
    for index, symbol in enumerate(wanted.symbols):
        if symbol not in known:
            raise ValidationError(f"symbol[{index}]", f"there are prices for {', '.join(known)}", value=symbol)
    symbols = tuple(known[symbol] for symbol in wanted.symbols) or DEFAULT_SYMBOLS
    asyncio.run(_serve(wanted, SyntheticConfig(
        symbols=symbols,
        seed=wanted.seed,
        start_at=WallClock().now(),
        volatility_percent=min(10.0, 0.5 * float(wanted.liveliness)),
    ), ready))  # fmt: skip


async def _serve(wanted: Practice, settings: SyntheticConfig, ready: Callable[[str], None]) -> None:
    clock, market = WallClock(), SyntheticMarket(settings)
    config = PaperConfig(venue=wanted.exchange, balances=(Balance("USDT", wanted.usdt),), seed=wanted.seed)
    server = PracticeServer(
        "practice",
        config,
        market.instruments(wanted.exchange),
        now=clock.now,
        host=wanted.host,
        port=wanted.port,
    )
    await server.start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    moving = asyncio.create_task(_move(server, market, clock))
    ready(server.url)
    try:
        await asyncio.wait({moving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        moving.cancel()
        await server.stop()


async def _move(server: PracticeServer, market: SyntheticMarket, clock: WallClock) -> None:
    """Bring each price at its instant."""
    for at, step in market:
        passes = asyncio.get_running_loop().create_future()
        timer = asyncio.get_running_loop().call_later(max(0, at - clock.now()) / NANOS, passes.set_result, None)
        try:
            await passes
        finally:
            timer.cancel()
        if isinstance(step, PriceTick):
            server.exchange.tick(step)
