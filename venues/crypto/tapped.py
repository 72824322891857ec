"""What is put between ccxt's classes and their users: one mixin, before the exchange's own class.

What of ccxt it stops, and why, stands in ``venues.crypto.exchange``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from venues.crypto.dialect import Dialect, Row

__all__ = ["SENDING", "Clock", "House", "Sending", "Tap", "Tapped", "TooLateToSend", "forget_streams"]

_LOST: Final = "bulkhead:lost"
"""A future that no message resolves: ccxt fails every future of a connection that ends."""


class TooLateToSend(Exception):
    """The request was not sent: the time until which it might be sent was over."""


class Clock:
    """The venue's clock: ours (``ours()``) moved by ``offset`` nanoseconds."""

    __slots__ = ("offset", "ours")

    def __init__(self, ours: Callable[[], int]) -> None:
        self.ours = ours
        self.offset = 0

    def __call__(self) -> int:
        """Return the venue's present."""
        return self.ours() + self.offset


class Sending:
    """One request that changes something: until when (our clock) it may leave, and whether it did."""

    __slots__ = ("left", "until")

    def __init__(self, until: int | None) -> None:
        self.until = until
        self.left = False


SENDING: Final[ContextVar[Sending | None]] = ContextVar("SENDING", default=None)
"""Set by the core around calls that place, cancel or change; the exchange object looks at it last before the wire."""


class Tap(Protocol):
    """Hears what the streams say, at once; may raise ``ValueError`` and the like for what cannot be read."""

    def order(self, order: Row) -> None:
        """Hear a unified order."""

    def trade(self, trade: Row) -> None:
        """Hear a unified trade of ours."""

    def quote(self, symbol: str, ticker: Row) -> None:
        """Hear a unified ticker: best bid and ask, last price, or both."""

    def frame(self, frame: Any) -> None:
        """Hear any readable frame, after it was handled."""

    def malformed(self, reason: str) -> None:
        """Hear that a frame could not be read."""

    def connected(self) -> None:
        """Hear that a connection for streams is open."""

    def lost(self, error: BaseException) -> None:
        """Hear that a connection for streams has ended, or could not be opened."""


class _Tapped(list[Row]):
    """Stands where ccxt keeps what its streams told; keeps nothing, tells all."""

    def __init__(self, tell: Callable[[Row], None]) -> None:
        super().__init__()
        self.hashmap: dict[str, Any] = {}
        self._tell = tell

    def append(self, item: Row) -> None:
        self._tell(item)

    def getLimit(self, symbol: str | None, limit: int | None) -> int:  # noqa: ARG002, N802 - ccxt's name
        return 0

    get_limit = getLimit


class _TappedTickers(dict[str, Row]):
    """Stands where ccxt keeps tickers; ccxt merges into what it finds, so the newest stays."""

    def __init__(self, tell: Callable[[str, Row], None]) -> None:
        super().__init__()
        self._tell = tell

    def __setitem__(self, symbol: str, ticker: Row) -> None:
        super().__setitem__(symbol, ticker)
        self._tell(symbol, ticker)


def forget_streams(exchange: Any, tap: Tap) -> None:
    """Put taps where ccxt keeps what its streams tell; anew after each connection, for it may have put its own there."""
    exchange.orders, exchange.myTrades = _Tapped(tap.order), _Tapped(tap.trade)
    exchange.triggerOrders = _Tapped(tap.order)
    exchange.bidsasks, exchange.tickers = _TappedTickers(tap.quote), _TappedTickers(tap.quote)


class House(NamedTuple):
    """What an exchange object is given. ``errors`` is ccxt's module of errors."""

    clock: Clock
    dialect: Dialect
    tap: Tap
    errors: Any


if TYPE_CHECKING:
    _Ccxt = Any
else:
    _Ccxt = object


class Tapped(_Ccxt):  # type: ignore[misc] # whatever ccxt class it stands before
    """A ccxt.pro exchange with its stores tapped."""

    number = str  # not Decimal: ccxt reads its own structures again, and its safe_string() knows no Decimal
    house: ClassVar[House]

    def __init__(self, config: Any) -> None:
        self.timers: list[asyncio.TimerHandle] = []
        self.goodbyes: list[asyncio.Future[None]] = []
        super().__init__(config)
        self.throttled_at = self.house.clock.ours()
        self.answered: dict[str, str] = {}
        forget_streams(self, self.house.tap)

    # --- numbers and time

    def parse_json(self, http_response: str) -> Any:
        """Keep numbers as text."""
        try:
            return json.loads(http_response, parse_float=str)
        except ValueError:
            return None

    def amount_to_precision(self, symbol: str, amount: Any) -> str:  # noqa: ARG002 - ccxt's signature
        """Leave an amount as it came."""
        return amount if isinstance(amount, str) else f"{Decimal(amount):f}"

    def price_to_precision(self, symbol: str, price: Any) -> str:  # noqa: ARG002 - ccxt's signature
        """Leave a price as it came."""
        return price if isinstance(price, str) else f"{Decimal(price):f}"

    def milliseconds(self) -> int:
        """Return the venue's time."""
        return self.house.clock() // 1_000_000

    def seconds(self) -> int:
        """Return the venue's time."""
        return self.house.clock() // 1_000_000_000

    def microseconds(self) -> int:
        """Return the venue's time."""
        return self.house.clock() // 1_000

    # --- the way out

    async def throttle(self, cost: Any = None) -> None:
        """Wait for the limits of the venue, which what is being sent has done before."""
        if SENDING.get() is not None:
            return  # who sends has waited already: what it signs must not grow old in a line
        bucket = self.throttler
        if not bucket.running:
            # ccxt's bucket fills only while somebody waits: an order would pay for what was asked long ago.
            idle_ms, filling = (self.house.clock.ours() - self.throttled_at) / 1e6, bucket.config
            filling["tokens"] = min(filling["tokens"] + idle_ms * filling["refillRate"], filling["capacity"])
        await super().throttle(cost)
        self.throttled_at = self.house.clock.ours()

    def sign(self, *args: Any, **named: Any) -> Any:
        """Sign, unless the time to send is over."""
        sending = SENDING.get()
        if sending is not None and sending.until is not None and self.house.clock.ours() > sending.until:
            raise TooLateToSend
        return super().sign(*args, **named)

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """Note what leaves; refuse answers that are no JSON."""
        sending = SENDING.get()
        if sending is not None and method != "GET":
            sending.left = True
        answer = await super().fetch(url, method, headers, body)
        if isinstance(answer, str) and answer:
            # ccxt hands on what is no JSON, and reads an order without a single field out of half a page.
            raise self.house.errors.BadResponse(f"{self.id} {method} an answer that cannot be read")
        return answer

    def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        """Keep with an error its status and how long to wait."""
        self.answered = {**_lower(headers), ":status": str(code)}
        try:
            return super().handle_errors(code, reason, url, method, headers, *rest)
        except self.house.errors.BaseError as error:
            error.status = code
            error.retry_after_s = self.house.dialect.retry_after_s(self.answered, self.house.clock() // 1_000_000)
            raise

    def handle_http_status_code(self, code: int, reason: str, url: str, method: str, body: str) -> Any:
        """Keep with an error its status and how long to wait."""
        try:
            return super().handle_http_status_code(code, reason, url, method, body)
        except self.house.errors.BaseError as error:
            error.status = code
            error.retry_after_s = self.house.dialect.retry_after_s(self.answered, self.house.clock() // 1_000_000)
            raise

    # --- streams

    def client(self, url: str) -> Any:
        """Return a connection whose frames pass through the guard."""
        client = super().client(url)
        if not hasattr(client, "guarded"):
            client.guarded = True
            client.handle_text_or_binary_message = _guarded(
                client, client.handle_text_or_binary_message, self.house.tap
            )
            client.future(_LOST).add_done_callback(lambda ended: _told_lost(ended, self.house.tap))
        return client

    def on_connected(self, client: Any, message: Any = None) -> None:
        """Tell that a connection is open."""
        if self.clients.get(client.url) is not client:
            # Given up while it was being opened; ccxt opens on, and would keep it.
            self.goodbyes = [task for task in self.goodbyes if not task.done()]
            self.goodbyes.append(asyncio.ensure_future(client.close()))
            return
        super().on_connected(client, message)
        self.house.tap.connected()

    def on_error(self, client: Any, error: Any) -> None:
        """Hear only of connections that are in use."""
        if self.clients.get(client.url) is client:
            super().on_error(client, error)

    def on_close(self, client: Any, code: Any) -> None:
        """Hear only of connections that are in use."""
        # ccxt knows connections by address alone: the end of an old one would make it forget its successor.
        if self.clients.get(client.url) is client:
            super().on_close(client, code)

    def delay(self, timeout: int, method: Any, *args: Any) -> Any:
        """Remember what is to be done later."""
        timer = super().delay(timeout, method, *args)
        self.timers.append(timer)
        return timer

    def forget(self) -> None:
        """Stop what was to be done later for the connections that have ended: keys kept alive, pings."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        self.house.dialect.forget(self)

    def ws_dial_delay(self, url: str) -> float:  # noqa: ARG002 - ccxt's signature
        """Return no pause."""
        return 0.0  # the core owns the backoff, on the injected clock; ccxt would sleep on the wall clock


def _told_lost(ended: asyncio.Future[Any], tap: Tap) -> None:
    if not ended.cancelled() and (error := ended.exception()) is not None:
        tap.lost(error)


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (headers or {}).items()}


def _guarded(client: Any, handle: Callable[[Any], None], tap: Tap) -> Callable[[Any], None]:
    """Wrap a ccxt client's frame handler: exact numbers, and no frame can end its receive loop."""

    def guarded(data: Any) -> None:
        try:
            text = data.decode() if isinstance(data, bytes) and client.decompressBinary else data
            frame = json.loads(text, parse_float=str) if isinstance(text, str) and text[:1] in "{[" else text
            if isinstance(frame, dict | list):
                client.on_message_callback(client, frame)
            else:
                handle(text)
            tap.frame(frame)
        except Exception as error:  # noqa: BLE001 - the outermost edge: the bytes are the venue's and an error deafens ccxt
            tap.malformed(f"{type(error).__name__}: {error}"[:300])

    return guarded
