"""Alerts over real HTTP at a steady rate: entries, exits, resends, and what nobody can read."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from decimal import Decimal
from typing import Final

import aiohttp

from benchmarks.soak.daemon import ACCOUNT, SYMBOLS, SoakDaemon
from protocol.errors import BulkheadError
from service.demo import alert_body
from strategies.crossing import Wish

__all__ = ["Traffic"]

_TIMEFRAMES: Final = (1, 5, 15, 30, 60, 240)
_NAMES: Final = 5
"""Names of alerts: a trader has a few, and each is a source that the gateway remembers."""

_ASK_PRICES_S: Final = 2.0
_CONNECTIONS: Final = 8
_TIMEOUT_S: Final = 15.0


class Traffic:
    """Sends for as long as its task runs; ``answers`` counts HTTP status codes and connection errors."""

    def __init__(self, daemon: SoakDaemon, rate: float, seed: int) -> None:
        self._daemon = daemon
        self._rate = rate
        self._random = random.Random(seed)
        self._prices: dict[str, Decimal] = {}
        self._asked_at = 0.0
        self._last = b""
        self._number = 0
        self.answers: Counter[str] = Counter()

    async def run(self) -> None:
        """Send until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(self._random.expovariate(self._rate))
                await self._learn_prices()
                body = self._next_body()
                if body:
                    tasks.create_task(self._post(session, body))

    async def _learn_prices(self) -> None:
        if time.monotonic() - self._asked_at < _ASK_PRICES_S:
            return
        self._asked_at = time.monotonic()
        for symbol in SYMBOLS:
            ask = {"path": f"/venues/{ACCOUNT}/exchange", "message": {"type": "NewestPrice", "symbol": symbol}}
            try:
                said = await self._daemon.post("/v1/send", ask)
            except BulkheadError:
                return  # it is down just now, as planned
            tick = (said["answer"] or {}).get("tick")
            if tick:
                self._prices[symbol] = Decimal(str(tick["last"]))

    def _next_body(self) -> bytes:
        draw = self._random.random()
        if draw < 0.03 and self._last:
            return self._last  # a sender that sends again
        if draw < 0.05:
            return b'{"secret": "wrong", "tv": {"action": "buy"}}'
        if draw < 0.06:
            return b"not json at all"
        symbol = self._random.choice(SYMBOLS)
        price = self._prices.get(symbol)
        if price is None:
            return b""
        self._number += 1
        body = alert_body(
            secret=self._daemon.secret,
            exchange="binance",
            symbol=symbol.replace("/", ""),
            wish=Wish.ENTER if draw < 0.7 else Wish.EXIT,
            price=price,
            at=time.time_ns(),
            size=Decimal(500),
            label=f"soak {self._number % _NAMES}",
        )
        frame = self._random.choice(_TIMEFRAMES)
        self._last = body.replace(b'"timeframe":"1"', f'"timeframe":"{frame}"'.encode())
        return self._last

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> None:
        try:
            async with session.post(self._daemon.url, data=body) as response:
                await response.read()
                self.answers[str(response.status)] += 1
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.answers["no answer"] += 1
