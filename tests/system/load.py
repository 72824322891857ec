"""A trader that keeps a house busy over HTTP, and a witness that keeps what supervisors report."""

from __future__ import annotations

from collections.abc import Callable

from actors.sender import Sender
from actors.session import market_topic
from protocol.control import SupervisorReport
from protocol.market import PriceTick
from protocol.messages import Message
from runtime.actor import Actor, handles
from supervision.keeper import TOPIC
from tests.system.running import alert

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
TIMEFRAMES = ("1", "5", "15", "60", "240")


class _Due(Message, frozen=True, tag=True):
    pass


class Pace(Message, frozen=True, tag=True):
    """Post this many alerts a second from now on; 0 stops."""

    per_second: int


class LoadTrader(Sender):
    """Enters, adds to and exits every symbol on every timeframe in turn, at the newest price."""

    def __init__(self, url: Callable[[], str]) -> None:
        super().__init__(url)
        self._prices: dict[str, PriceTick] = {}
        self._number = 0
        self._every = self._nothing = None

    async def started(self) -> None:
        """Listen to prices."""
        await super().started()
        for symbol in SYMBOLS:
            self.context.bus.subscribe(market_topic("paper", symbol), self.ref)

    @handles
    def pace(self, msg: Pace) -> None:
        """Change the pace."""
        if self._every is not None:
            self._every.cancel()
            self._every = None
        if msg.per_second:
            self._every = self.timers.every(1 / msg.per_second, _Due())

    @handles
    def tick(self, msg: PriceTick) -> None:
        """Remember a price."""
        self._prices[msg.symbol] = msg

    @handles
    def due(self, msg: _Due) -> None:
        """Post the next alert: two entries, then an exit, of each identity."""
        identities = len(SYMBOLS) * len(TIMEFRAMES)
        turn, number = divmod(self._number, identities)
        self._number += 1
        symbol, timeframe = SYMBOLS[number % len(SYMBOLS)], TIMEFRAMES[number // len(SYMBOLS)]
        price = self._prices.get(symbol)
        if price is not None:
            body = alert(
                symbol,
                price=price.ask,
                trade_id=f"t{self._number}",
                at=self.now(),
                timeframe=timeframe,
                enter=turn % 3 != 2,
            )
            self.post(body)


class Witness(Actor):
    """Keeps every report of every supervisor."""

    def __init__(self, reports: list[SupervisorReport]) -> None:
        self._reports = reports

    def started(self) -> None:
        """Listen."""
        self.context.bus.subscribe(TOPIC, self.ref)

    @handles
    def report(self, msg: SupervisorReport) -> None:
        """Keep a report."""
        self._reports.append(msg)
