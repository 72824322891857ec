"""The demo's trader: a strategy that posts alerts about made-up prices, so that a first start has something to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.sender import Sender
from actors.session import market_topic
from protocol.groups import GroupChanged, GroupState
from protocol.market import PriceTick
from protocol.messages import Message
from protocol.offset import TellStanding
from runtime.actor import handles
from runtime.clock import NANOS
from strategies.crossing import Crossing, Wish

__all__ = ["EARLY_HOLD_S", "EARLY_TARGET", "HOLD_INTERVALS", "LOOK_S", "DemoSymbol", "DemoTrader"]

LOOK_S: Final = 1.0
"""Time between two looks at prices."""

HOLD_INTERVALS: Final = 8
"""Intervals that a demo leaves a group alone before it may exit."""

EARLY_TARGET: Final = Decimal("0.003")
"""Profit, as a fraction of the entry price, at which the first trade is ended: what the fees take and a little more."""

EARLY_HOLD_S: Final = 20.0
"""Time after which the first trade is ended whatever it has earned."""

_QUICK: Final = Crossing(fast_length=6, slow_length=24)
"""Four prices a second: it has an opinion after six seconds."""


class DemoSymbol(NamedTuple):
    """What a demo trades: the symbol, and the body of an alert for a wish at a price and instant."""

    symbol: str
    body: Callable[[Wish, Any, int], bytes]


class _Held(NamedTuple):
    """A live group: since when (nanoseconds), and its average entry price once something has filled."""

    since: int
    entry: Decimal | None


class _Look(Message, frozen=True, tag=True):
    pass


class DemoTrader(Sender):
    """Enters and exits by the crossing rule, a symbol in turn, with at least ``interval_s`` between two alerts.

    An exit waits until a group has had ``HOLD_INTERVALS`` intervals to take its profits: a demo is to show those too. But
    whoever sees bulkhead for the first time wants to see one whole trade: until a first group has ended, in each life of
    this actor, alerts follow each other without the interval and the group that is furthest ahead is ended early.
    """

    def __init__(
        self,
        *,
        account: str,
        timeframe: str,
        symbols: Sequence[DemoSymbol],
        interval_s: float,
        url: Callable[[], str],
    ) -> None:
        super().__init__(url)
        self._account = account
        self._timeframe = timeframe
        self._symbols = tuple(symbols)
        self._interval_s = interval_s
        self._rules = {each.symbol: _QUICK for each in symbols}
        self._last: dict[str, PriceTick] = {}
        self._live: dict[str, dict[str, _Held]] = {each.symbol: {} for each in symbols}
        self._turn = 0
        self._quiet_until = 0
        self._first = True

    async def started(self) -> None:
        """Listen to prices and groups."""
        await super().started()
        for each in self._symbols:
            self.context.bus.subscribe(market_topic(self._account, each.symbol), self.ref)
        self.context.bus.subscribe(GROUPS, self.ref)
        self.context.bus.publish(desk_topic(self._account), TellStanding())
        self.timers.every(LOOK_S, _Look())

    @handles
    def tick(self, msg: PriceTick) -> None:
        """Follow a price."""
        self._last[msg.symbol] = msg
        self._rules[msg.symbol] = self._rules[msg.symbol].heard(float(msg.last))

    @handles
    def group(self, msg: GroupChanged) -> None:
        """Follow which groups are live."""
        live = self._live.get(msg.symbol)
        if live is None or (msg.account, msg.timeframe) != (self._account, self._timeframe):
            return  # somebody else's: an exit of the demo's would find nothing
        if msg.state is GroupState.CLOSED:
            live.pop(msg.group_id, None)
            self._first = False
        else:
            since = live[msg.group_id].since if msg.group_id in live else msg.at
            live[msg.group_id] = _Held(since, msg.avg_entry)

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Post an alert when it is time and a symbol wants something."""
        if self._first and (ahead := self._to_end_early()) is not None:
            self._first = False
            self._say(ahead, Wish.EXIT)
        elif self._first or self.now() >= self._quiet_until:
            self._next()

    def _next(self) -> None:
        for step in range(len(self._symbols)):
            each = self._symbols[(self._turn + step) % len(self._symbols)]
            wish = self._rules[each.symbol].wish(long=bool(self._live[each.symbol]))
            if each.symbol in self._last and wish is not Wish.NOTHING and self._patient(each.symbol, wish):
                self._turn += step + 1
                self._say(each, wish)
                return

    def _say(self, each: DemoSymbol, wish: Wish) -> None:
        self._quiet_until = self.now() + int(self._interval_s * NANOS)
        self.post(each.body(wish, self._last[each.symbol].last, self.now()))

    def _patient(self, symbol: str, wish: Wish) -> bool:
        since = min((held.since for held in self._live[symbol].values()), default=0)
        return wish is not Wish.EXIT or self.now() - since >= HOLD_INTERVALS * self._interval_s * NANOS

    def _to_end_early(self) -> DemoSymbol | None:
        """Return the symbol whose group is furthest ahead, if that is far enough or the oldest has lasted long enough."""
        filled = [
            (self._last[each.symbol].bid / held.entry - 1, held.since, each)
            for each in self._symbols
            for held in self._live[each.symbol].values()
            if held.entry is not None and each.symbol in self._last
        ]
        if not filled:
            return None
        ahead, _, best = max(filled, key=lambda found: found[0])
        lasted = self.now() - min(since for _, since, _ in filled)
        return best if ahead >= EARLY_TARGET or lasted >= EARLY_HOLD_S * NANOS else None
