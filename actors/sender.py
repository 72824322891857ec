"""Senders of signals: what stands in for TradingView in demos and replays. They post authenticated alerts over HTTP.

``SignalPlayer`` posts recorded or written-down alerts at their instants; ``actors/demo`` follows a strategy on the market's
prices. Both use the same door as everybody, so what they show is what an alert would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import aiohttp

from protocol.messages import Message
from protocol.webhook import WebhookRequest
from runtime.actor import Actor, Do, handles

__all__ = ["Alert", "DirectPlayer", "Posted", "Sender", "SignalPlayer"]

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Alert(Message, frozen=True, tag=True):
    """One alert to be posted: its instant (nanoseconds) and its body."""

    at: int
    body: bytes


class Posted(Message, frozen=True, tag=True):
    """How a post was answered; status 0: it was not (``answer`` says why)."""

    status: int
    answer: str


class Sender(Actor):
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

    def post(self, body: bytes) -> None:
        """Post a body; whatever comes of it is counted."""
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


class SignalPlayer(Sender):
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
        self.post(msg.body)


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
