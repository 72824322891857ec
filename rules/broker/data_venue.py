"""Who executes a strategy and whose prices it goes by: two questions with separate answers (PF-230, PF-231)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from protocol.errors import ValidationError
from protocol.values import Instant

__all__ = [
    "BROKERS",
    "DATA_VENUES",
    "FEED_STALE",
    "STALE_AFTER_NS",
    "AssetClass",
    "asset_class",
    "broker_for",
    "broker_kept",
    "changed_broker",
    "entry_block",
    "feed_stale",
]

FEED_STALE: Final = "feed_stale"
"""Why an entry is blocked: a result that is stored with its signal, no error."""

STALE_AFTER_NS: Final = 30_000_000_000


class AssetClass(StrEnum):
    """Kinds of strategy that never mix."""

    FOREX = "forex"
    CRYPTO = "crypto"


BROKERS: Final[Mapping[AssetClass, tuple[str, ...]]] = MappingProxyType(
    {AssetClass.FOREX: ("oanda", "ibkr"), AssetClass.CRYPTO: ("coinbase",)}
)
"""Who may execute, the default first."""

DATA_VENUES: Final[Mapping[AssetClass, str]] = MappingProxyType(
    {AssetClass.FOREX: "oanda", AssetClass.CRYPTO: "coinbase"}
)
"""Whose prices, ATR and candles count, whatever broker executes."""


def asset_class(name: str | None) -> AssetClass:
    """Return the asset class of that name; forex where none is named. Raises ValidationError with code InvalidAsset."""
    if name is None:
        return AssetClass.FOREX
    try:
        return AssetClass(name)
    except ValueError:
        raise ValidationError("$.asset_class", "is forex or crypto", code="InvalidAsset", value=str(name)) from None


def broker_for(asset: AssetClass, chosen: str | None = None) -> str:
    """Return the broker chosen at promotion, else the default. Raises ValidationError with code UnknownBroker."""
    brokers = BROKERS[asset]
    if chosen is None:
        return brokers[0]
    if chosen not in brokers:
        why = f"{asset.value} is executed by {' or '.join(brokers)}"
        raise ValidationError("$.broker", why, code="UnknownBroker", value=chosen)
    return chosen


def changed_broker(asset: AssetClass, current: str, wanted: str, *, open_positions: int) -> str:
    """Return the broker after a wish to change it; the same one is no change (PF-230).

    Raises ValidationError with code UnknownBroker, InvalidCount or BrokerChangeWithOpenPositions.
    """
    broker = broker_for(asset, wanted)
    if open_positions < 0:
        raise ValidationError(
            "$.open_positions", "must not be negative", code="InvalidCount", value=str(open_positions)
        )
    if broker != current and open_positions:
        raise broker_kept("$.broker", wanted, f"{open_positions} positions are open at {current}")
    return broker


def broker_kept(path: str, wanted: str, why: str) -> ValidationError:
    """Return the refusal of another broker for what is open (PF-230)."""
    return ValidationError(path, why, code="BrokerChangeWithOpenPositions", value=wanted)


def feed_stale(last_quote_at: Instant | None, now: Instant, *, in_market_hours: bool) -> bool:
    """Whether a feed gave no quote for 30 s while its market is open; None: it never gave one."""
    if not in_market_hours:
        return False
    return last_quote_at is None or now - last_quote_at >= STALE_AFTER_NS


def entry_block(
    asset: AssetClass, last_quotes: Mapping[str, Instant], now: Instant, *, in_market_hours: bool
) -> str | None:
    """Return why new entries are blocked on every broker, None when they may go; exits are never asked (PF-231).

    ``last_quotes`` is the instant of the newest quote by venue. Fresh quotes of the executing broker do not help: only
    the data venue's count.
    """
    last = last_quotes.get(DATA_VENUES[asset])
    return FEED_STALE if feed_stale(last, now, in_market_hours=in_market_hours) else None
