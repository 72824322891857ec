"""Market data: ticks, bars and what is known of a feed's health.

Market data conflates: a waiting tick is replaced by a newer one of the same symbol, so a slow reader is never stale.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from protocol.messages import Message
from protocol.values import Instant, Name, check_positive

__all__ = ["Bar", "FeedState", "FeedStatus", "PriceTick", "SubscribeMarket", "check_bar"]


class PriceTick(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Best bid, best ask and last price of a symbol at an instant.

    A source without a book gives its last price as bid and ask.
    """

    CONFLATE_BY: ClassVar[str] = "symbol"

    symbol: Name
    at: Instant
    bid: Decimal
    ask: Decimal
    last: Decimal


class Bar(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """One finished bar: ``at`` is its START, ``duration_s`` its length in seconds. Prices in quote currency.

    Built on the hot path and therefore unchecked; feeds check their rows with ``check_bar`` before they tell one.
    """

    CONFLATE_BY: ClassVar[str] = "symbol"

    symbol: Name
    at: Instant
    duration_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class FeedState(StrEnum):
    """How a feed is doing: ``degraded`` is connected but mute past its data deadline."""

    STARTING = "starting"
    LIVE = "live"
    DEGRADED = "degraded"
    ENDED = "ended"
    DOWN = "down"


class FeedStatus(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """State of one venue's market feed; every screen shows ``source`` (``SYNTHETIC``, ``replay``, ``binance``).

    Several accounts may trade one venue, each with a feed of its own: none replaces what another's says.
    """

    OVERFLOW: ClassVar[str] = "keep"

    venue: Name
    source: Name
    state: FeedState
    at: Instant
    detail: str = ""


class SubscribeMarket(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask a feed to deliver a symbol from now on; the answer begins with the newest known tick."""

    symbol: Name


def check_bar(bar: Bar) -> None:
    """Raise ``ValueError`` when the prices of a bar cannot be right (not positive, or open/close outside low..high)."""
    for name in ("open", "high", "low", "close"):
        check_positive(name, getattr(bar, name))
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise ValueError("`low` <= `open`, `close` <= `high` does not hold")
