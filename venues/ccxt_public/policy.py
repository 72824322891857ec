"""Where Binance is, and how patient the feed is: every limit with name, unit and default."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from protocol.messages import Value
from protocol.values import Name

__all__ = ["LIVE", "TIMEFRAMES_S", "Endpoints", "FeedPolicy", "RateLimitMode"]

TIMEFRAMES_S: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
"""Candle lengths on offer, in seconds."""


class Endpoints(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base addresses: ``rest`` with its version (``.../api/v3``), ``stream`` of the raw streams (``.../ws``)."""

    rest: Name
    stream: Name


LIVE: Final = Endpoints("https://api.binance.com/api/v3", "wss://stream.binance.com:9443/ws")
"""The real ones."""


class RateLimitMode(StrEnum):
    """How much of the venue's published request limit is used (EX-1105): all of it, half, or no local limiter."""

    VENUE = "venue"
    CONSERVATIVE = "conservative"
    OFF = "off"


class FeedPolicy(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Deadlines and limits of one feed; all times in seconds.

    Silence of the whole connection for ``data_deadline_s`` degrades the feed and resubscribes; as long again and it
    reconnects. One quiet symbol among live ones is resubscribed every ``symbol_deadline_s`` and degrades nothing.
    """

    data_deadline_s: float = 15.0
    symbol_deadline_s: float = 60.0
    backoff_first_s: float = 1.0
    backoff_max_s: float = 60.0
    hang_up_s: float = 2.0
    request_timeout_s: float = 10.0
    rate_limit_mode: RateLimitMode = RateLimitMode.VENUE
    rate_limit_waits_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    rate_limit_max_wait_s: float = 120.0
    backfill_bars: int = 1000
