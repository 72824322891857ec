"""The ccxt exchange object as the core needs it: exact numbers, our clock, streams tapped, nothing sent late or twice.

What ccxt does on its own and may not do here, each with where it is stopped:

- its receive loop ends for good at one frame that cannot be read: frames pass through a guard;
- its ``watch`` calls return what changed since the last call, and say nothing of what came between two calls until the next
  message: orders, trades and tickers are tapped where its handlers store them;
- ``json`` turns numbers without quotes into floats: they are kept as text, in answers and in frames;
- it rounds amounts and prices (and truncates amounts) to what it believes are the market's rules: they leave as they came,
  the venue refuses what it does not take;
- it reads the machine's clock: ours is used, moved by the offset of the venue's;
- it can repeat a failed request: that is off (``maxRetriesOnFailure`` 0, and aiohttp repeats no POST);
- it logs headers and addresses (keys, signatures) at DEBUG: its logger is silent.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
from contextlib import suppress
from typing import Any, Final

from venues.access import Access
from venues.ccxt_public.library import Library
from venues.crypto.dialect import Dialect
from venues.crypto.tapped import SENDING, Clock, House, Sending, Tap, Tapped, TooLateToSend, forget_streams

__all__ = ["SENDING", "Clock", "Sending", "Tap", "TooLateToSend", "forget_streams", "hang_up", "make_exchange"]

_TIMEOUT_MS: Final = 10_000
_GOODBYE_S: Final = 2.0
"""How long a venue may take to say goodbye before its connection is cut."""
_SILENT: Final = logging.Logger("bulkhead.ccxt")  # noqa: LOG001 - not in the tree of loggers: nobody can turn it on
_SILENT.disabled = True


def make_exchange(library: Library, dialect: Dialect, access: Access, clock: Clock, tap: Tap) -> Any:
    """Return a ccxt exchange of the dialect. Blocks for the certificate store."""
    config = {
        "timeout": _TIMEOUT_MS,
        "enableRateLimit": access.conservative is not None,
        "maxRetriesOnFailure": 0,
        **dialect.credentials(),
        **dialect.config(),
    }
    exchange = _tapped(library, dialect, clock, tap)(config)
    exchange.logger = _SILENT
    exchange.has["fetchCurrencies"] = False  # a private question at many venues, and nothing of it is used
    exchange.enableLastHttpResponse = exchange.enableLastJsonResponse = False
    exchange.enableLastResponseHeaders = False
    if access.conservative and exchange.rateLimit:
        exchange.rateLimit *= 2
        exchange.tokenBucket = None
        exchange.init_rest_rate_limiter()
    dialect.prepare(exchange)
    if access.url.startswith("http:"):
        exchange.ssl_context = False
        exchange.timeout_on_exit = 0  # the wait of ccxt's close() is for TLS shutdowns only
    else:
        certifi = importlib.import_module("certifi")
        exchange.ssl_context = ssl.create_default_context(cafile=certifi.where())
    return exchange


async def hang_up(exchange: Any, tap: Tap) -> None:
    """End all streams of an exchange object and forget what was subscribed."""
    clients = list((exchange.clients or {}).values())
    for client in clients:
        client.handle_message = _deaf
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await client.close()
    exchange.clients.clear()
    exchange.ws_dial_backoff = {}
    for name in ("streamBySubscriptionsHash", "numSubscriptionsByStream"):
        if name in exchange.options:
            exchange.options[name] = {}
    if "streamIndex" in exchange.options:
        exchange.options["streamIndex"] = -1
    exchange.forget()
    forget_streams(exchange, tap)


def _deaf(message: Any) -> None:
    """Hear nothing of a connection that was given up."""


def _tapped(library: Library, dialect: Dialect, clock: Clock, tap: Tap) -> type[Any]:
    house = House(clock, dialect, tap, library.errors)
    return type("TappedExchange", (Tapped, library.exchange), {"house": house})
