"""Senders of signals: what stands in for TradingView in demos and replays. They post authenticated alerts over HTTP.

``SignalPlayer`` posts recorded or written-down alerts at their instants. ``DemoTrader`` follows a strategy on the market's
prices. Both use the same door as everybody, so what they show is what an alert would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import aiohttp

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.session import market_topic
from protocol.groups import GroupChanged, GroupState
from protocol.market import PriceTick
from protocol.messages import Message
from protocol.offset import TellStanding
from protocol.webhook import WebhookRequest
from runtime.actor import Actor, Do, handles
from runtime.clock import NANOS
from strategies.crossing import Crossing, Wish

__all__ = ["HOLD_INTERVALS", "Alert", "DemoSymbol", "DemoTrader", "DirectPlayer", "Posted", "SignalPlayer"]

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Alert(Message, frozen=True, tag=True):
    """One alert to be posted: its instant (nanoseconds) and its body."""

    at: int
    body: bytes


class Posted(Message, frozen=True, tag=True):
    """How a post was answered; status 0: it was not (``answer`` says why)."""

    status: int
    answer: str


class _Sender(Actor):
    """Posts bodies to an address; keeps count of the answers."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self.posted = 0
        self.answers: dict[int, int] = {}

    async def started(self) -> None:
        """Open the HTTP session of this life."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def let_go(self) -> None:
        """Close the HTTP session."""
        if self._session is not None:
            await self._session.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        answers = ", ".join(f"{count}x {status}" for status, count in sorted(self.answers.items()))
        return f"{self.posted} posted ({answers or 'none answered'})"

    def _post(self, body: bytes) -> None:
        self.posted += 1
        self.context.pipe(self._request(body), lambda answer: answer, _unanswered, real=True)

    async def _request(self, body: bytes) -> Posted:
        assert self._session is not None, "opened in started"
        async with self._session.post(self._url(), data=body) as response:
            return Posted(response.status, await response.text())

    @handles
    def posted_(self, msg: Posted) -> None:
        """Count an answer."""
        self.answers[msg.status] = self.answers.get(msg.status, 0) + 1


def _unanswered(error: Exception) -> Posted:
    if not isinstance(error, aiohttp.ClientError | OSError | TimeoutError):
        raise error
    return Posted(0, repr(error))


class SignalPlayer(_Sender):
    """Posts alerts at their instants. After a restart it goes on with those after the present instant."""

    def __init__(self, alerts: Sequence[Alert], url: Callable[[], str]) -> None:
        super().__init__(url)
        self._alerts = alerts

    async def started(self) -> None:
        """Open the session and put what is still to come on the timers."""
        await super().started()
        self.timers.stream(self._coming(self.now()))

    def _coming(self, now: int) -> Iterator[tuple[int, Message]]:
        return ((alert.at, alert) for alert in self._alerts if alert.at > now)

    @handles
    def due(self, msg: Alert) -> None:
        """Post an alert; virtual time stands still until it is answered."""
        self._post(msg.body)


class DirectPlayer(Actor):
    """Hands alerts to the gateway at their instants without HTTP between: for fast replays."""

    def __init__(self, alerts: Sequence[Alert], *, user: str, gateway: str) -> None:
        self._alerts = alerts
        self._user = user
        self._gateway = gateway

    def started(self) -> None:
        """Put what is still to come on the timers."""
        now = self.now()
        self.timers.stream((alert.at, alert) for alert in self._alerts if alert.at > now)

    @handles
    def due(self, msg: Alert) -> Do:
        """Hand over an alert."""
        return Do(tells=[(self._gateway, WebhookRequest(self._user, "replay", (), msg.body))])


HOLD_INTERVALS = 8
"""Intervals that a demo leaves a group alone before it may exit."""


class DemoSymbol(NamedTuple):
    """What a demo trades: the symbol, and the body of an alert for a wish at a price and instant."""

    symbol: str
    body: Callable[[Wish, Any, int], bytes]


class _Look(Message, frozen=True, tag=True):
    pass


class DemoTrader(_Sender):
    """Enters and exits by the crossing rule, looking at one symbol each ``interval_s`` in turn.

    An exit waits until a group has had ``HOLD_INTERVALS`` intervals to take its profits: a demo is to show those too.
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
        self._rules = {each.symbol: Crossing() for each in symbols}
        self._last: dict[str, PriceTick] = {}
        self._live: dict[str, dict[str, int]] = {each.symbol: {} for each in symbols}
        self._turn = 0

    async def started(self) -> None:
        """Listen to prices and groups."""
        await super().started()
        for each in self._symbols:
            self.context.bus.subscribe(market_topic(self._account, each.symbol), self.ref)
        self.context.bus.subscribe(GROUPS, self.ref)
        self.context.bus.publish(desk_topic(self._account), TellStanding())
        self.timers.every(self._interval_s, _Look())

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
        else:
            live.setdefault(msg.group_id, msg.at)

    def _patient(self, symbol: str, wish: Wish) -> bool:
        opened = min(self._live[symbol].values(), default=0)
        return wish is not Wish.EXIT or self.now() - opened >= HOLD_INTERVALS * self._interval_s * NANOS

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Look at the next symbol that wants something."""
        for step in range(len(self._symbols)):
            each = self._symbols[(self._turn + step) % len(self._symbols)]
            tick = self._last.get(each.symbol)
            wish = self._rules[each.symbol].wish(long=bool(self._live[each.symbol]))
            if tick is not None and wish is not Wish.NOTHING and self._patient(each.symbol, wish):
                self._turn += step + 1
                self._post(each.body(wish, tick.last, self.now()))
                return
