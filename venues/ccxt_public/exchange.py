"""The ccxt exchange object as the adapter needs it: exact numbers, raw stream events tapped, no way to go deaf.

ccxt's receive loop ends for good when one frame cannot be read, and then notices neither data nor disconnects; its
candle stream drops the finished flag and turns prices into floats; of several symbols that change in one turn its
``watch`` methods return one. So the stream handlers are replaced by taps; connecting, subscribing, rate limits and
errors stay ccxt's.
"""

from __future__ import annotations

import importlib
import ssl
from decimal import Decimal
from typing import Any, Protocol

from venues.ccxt_public.library import Library
from venues.ccxt_public.policy import Endpoints, FeedPolicy, RateLimitMode
from venues.waits import retry_after_s

__all__ = ["Tap", "make_exchange"]

_MS_PER_REQUEST = 50  # Binance's 6000 weight a minute, as ccxt counts it: one unit is five weight
_ONE_CONNECTION = {"streamLimits": {"spot": 1}, "subscriptionLimitByStream": {"spot": 1000}}
_SPOT_ONLY = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "defaultType": "spot"}


class Tap(Protocol):
    """Hears every stream event as the venue sent it; may raise ``ValueError`` and the like for what it cannot read."""

    def book(self, message: dict[str, Any]) -> None:
        """Hear a ``bookTicker`` event."""

    def kline(self, message: dict[str, Any]) -> None:
        """Hear a ``kline`` event."""

    def malformed(self, reason: str) -> None:
        """Hear that a frame could not be read."""


def make_exchange(library: Library, endpoints: Endpoints, policy: FeedPolicy, tap: Tap) -> Any:
    """Return a ccxt exchange for Binance spot that talks to ``endpoints`` only. Blocks for the certificate store."""
    exchange = _tapped(library, tap)({
        "timeout": int(policy.request_timeout_s * 1000),
        "enableRateLimit": policy.rate_limit_mode is not RateLimitMode.OFF,
        "rateLimit": _MS_PER_REQUEST * (2 if policy.rate_limit_mode is RateLimitMode.CONSERVATIVE else 1),
        "options": {**_ONE_CONNECTION, **_SPOT_ONLY},
    })  # fmt: skip
    exchange.urls["api"]["public"] = endpoints.rest
    exchange.urls["api"]["ws"]["spot"] = endpoints.stream
    if endpoints.rest.startswith("https:"):
        certifi = importlib.import_module("certifi")
        exchange.ssl_context = ssl.create_default_context(cafile=certifi.where())
    else:
        exchange.timeout_on_exit = 0  # the wait of ccxt's close() is for TLS shutdowns only
    return exchange


def _tapped(library: Library, tap: Tap) -> type[Any]:
    errors = library.errors

    class TappedBinance(library.exchange):  # type: ignore[name-defined, misc]
        """ccxt.pro.binance with its stream handlers replaced by ``tap``."""

        number = Decimal
        dial_retry_after_s: float | None = None

        def client(self, url: str) -> Any:
            client = super().client(url)
            if not hasattr(client, "unguarded"):
                client.unguarded = client.handle_message
                client.handle_message = _guarded(client.unguarded, tap)
            return client

        def handle_message(self, client: Any, message: Any) -> None:
            if not _known(message):
                raise ValueError(f"no known kind of event: {message!r:.120}")
            super().handle_message(client, message)

        def handle_bids_asks(self, client: Any, message: Any) -> None:  # noqa: ARG002 - ccxt's signature
            tap.book(message)

        def handle_ohlcv(self, client: Any, message: Any) -> None:  # noqa: ARG002 - ccxt's signature
            tap.kline(message)

        def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
            if code == 451:
                raise errors.RestrictedLocation(f"{self.id} {code} {reason}")
            try:
                return super().handle_errors(code, reason, url, method, headers, *rest)
            except (errors.DDoSProtection, errors.RateLimitExceeded) as error:
                error.retry_after_s = _seconds(headers)
                raise

        def ws_dial_delay(self, url: str) -> float:  # noqa: ARG002 - ccxt's signature
            # The feed owns the backoff, on the injected clock; ccxt would sleep on the wall clock.
            return 0.0

        def on_error(self, client: Any, error: Any) -> None:
            self.dial_retry_after_s = getattr(client, "last_retry_after", None)  # absent in older versions of ccxt
            super().on_error(client, error)

        async def resubscribe(self, streams: list[str]) -> None:
            """Leave and join streams on the open connection; raise ``ConnectionError`` when there is none."""
            for client in list(self.clients.values()):
                for method in ("UNSUBSCRIBE", "SUBSCRIBE"):
                    await client.send({"method": method, "params": streams, "id": self.request_id(client.url)})

        def forget_streams(self) -> None:
            """Forget which subscription went where; call once the connections are closed."""
            self.clients.clear()
            self.options.update(streamBySubscriptionsHash={}, numSubscriptionsByStream={}, streamIndex=-1)

    return TappedBinance


def _known(message: Any) -> bool:
    """Whether a frame is an answer, an error, a candle or a best bid and ask (which has no event name)."""
    event = message.get("data", message) if isinstance(message, dict) else None
    if not isinstance(event, dict):
        return False
    return event["e"] == "kline" if "e" in event else bool(event.keys() & {"u", "result", "id", "error"})


def _guarded(handle: Any, tap: Tap) -> Any:
    """Wrap a ccxt client's frame handler so that no frame can end its receive loop."""

    def guarded(message: Any) -> None:
        try:
            handle(message)
        except Exception as error:  # noqa: BLE001 - the outermost edge: the bytes are the venue's and an error deafens ccxt
            tap.malformed(f"{type(error).__name__}: {error}")

    return guarded


def _seconds(headers: Any) -> float | None:
    """Return the ``Retry-After`` of an answer in seconds, None where absent or not a number."""
    return retry_after_s(
        next((value for name, value in (headers or {}).items() if name.lower() == "retry-after"), None)
    )
