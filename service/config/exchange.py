"""The section of exchanges: which one manual signals mean, and the access to each (EX-1101 to EX-1105)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from service.config import checks
from service.config.keys import Key, Secret, Section

__all__ = [
    "NEEDS_PASSPHRASE",
    "VENUES",
    "WITH_TESTNET",
    "Exchange",
    "MarketType",
    "RateLimitMode",
    "VenueAccess",
    "VenueName",
]


class VenueName(StrEnum):
    """The exchanges (EX-1101)."""

    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    KUCOIN = "kucoin"
    MEXC = "mexc"
    GATE = "gate"


VENUES = tuple(venue.value for venue in VenueName)
WITH_TESTNET = frozenset({"binance", "bybit"})
"""Exchanges with a test network (EX-1102)."""
NEEDS_PASSPHRASE = frozenset({"okx", "kucoin"})
"""Exchanges whose access has a third part."""


class MarketType(StrEnum):
    """Family of markets."""

    SPOT = "spot"
    FUTURES = "futures"


class RateLimitMode(StrEnum):
    """How much of an exchange's published limits is used (EX-1105)."""

    VENUE = "venue"
    CONSERVATIVE = "conservative"
    OFF = "off"


class VenueAccess(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Access to one exchange, for all accounts that trade there; paper accounts need none of it."""

    enabled: Annotated[
        bool,
        Key(
            doc='Insist on its credentials in live mode. What trades there is an account (venue = "..."), enabled or not.'
        ),
    ] = False
    api_key: Annotated[
        Secret | None,
        Key(doc="Key id of accounts at this exchange that have none of their own.", check=checks.venue_key),
    ] = None
    api_secret: Annotated[Secret | None, Key(doc="Signing secret of those accounts.", check=checks.venue_secret)] = None
    passphrase: Annotated[
        Secret | None,
        Key(
            doc="Third part of the access of those accounts, where there is one.",
            check=checks.venue_key,
        ),
    ] = None
    testnet: Annotated[
        bool,
        Key(
            doc="Trade on the test network, unless an account says otherwise; only binance and bybit have one (EX-1102)."
        ),
    ] = False
    market_type: Annotated[MarketType, Key(doc="Family of markets, unless an account says otherwise.")] = (
        MarketType.SPOT
    )
    rate_limit_mode: Annotated[
        RateLimitMode,
        Key(
            doc="All of the published limits, half of them, or no limiter here (EX-1105), unless an account says otherwise.",
            applies="now",
        ),
    ] = RateLimitMode.VENUE


class Exchange(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exchanges: the default one, and the access to each."""

    name: Annotated[VenueName, Key(doc="Exchange of manual signals that name none.", applies="now")] = VenueName.BINANCE
    binance: Annotated[VenueAccess, Key(doc="Access to Binance.")] = VenueAccess(testnet=True)
    bybit: Annotated[VenueAccess, Key(doc="Access to Bybit.")] = VenueAccess(testnet=True)
    okx: Annotated[VenueAccess, Key(doc="Access to OKX; it needs a passphrase.")] = VenueAccess()
    kucoin: Annotated[VenueAccess, Key(doc="Access to KuCoin; it needs a passphrase.")] = VenueAccess()
    mexc: Annotated[VenueAccess, Key(doc="Access to MEXC.")] = VenueAccess()
    gate: Annotated[VenueAccess, Key(doc="Access to Gate.io.")] = VenueAccess()

    def access(self, venue: str) -> VenueAccess:
        """Return the access to one of ``VENUES``."""
        found = getattr(self, venue)
        assert isinstance(found, VenueAccess), "the name of a venue, not another key"
        return found
