"""The venues that bulkhead trades at: what each can do, and which adapter speaks to it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.errors import FeatureUnavailable
from protocol.values import MarketType
from venues.access import Access, Tools
from venues.contract import Venue
from venues.errors import TestnetUnsupported, VenueCapabilityMissing

__all__ = ["KNOWN", "Brackets", "VenueFacts", "make_venue"]

SPOT, PERP = MarketType.SPOT, MarketType.PERP


class Brackets(StrEnum):
    """How a venue takes an entry with its stop and target (PF-232)."""

    NONE = "none"
    TOGETHER = "together"
    """As three orders that are sent as one."""
    RIDING = "riding"
    """Stop and target ride on the entry: the venue keeps them at the size of what it has opened."""


class VenueFacts(NamedTuple):
    """What is known of a venue before anybody has connected. ``credentials``: those it needs, in the words of ``Access``."""

    title: str
    trades: str
    markets: tuple[MarketType, ...]
    testnet: bool
    credentials: tuple[str, ...]
    maker: str
    """``module:Class`` of its adapter, called with ``(access, tools)``."""
    extra: str = ""
    """The extra that brings its client library; empty: it is always there."""
    options: bool = False
    """Whether its adapter has option chains (``HasChains``)."""
    brackets: Brackets = Brackets.NONE
    gateway: bool = False
    """An address of one's own stands for its credentials: a gateway that has logged in by itself."""


_KEYS: Final = ("key", "secret")
_KEYS3: Final = ("key", "secret", "passphrase")
_CRYPTO: Final = "venues.crypto:CryptoVenue"

KNOWN: Final[dict[str, VenueFacts]] = {
    "binance": VenueFacts("Binance", "crypto", (SPOT, PERP), True, _KEYS, _CRYPTO),
    "bybit": VenueFacts("Bybit", "crypto", (SPOT, PERP), True, _KEYS, _CRYPTO),
    "okx": VenueFacts("OKX", "crypto", (SPOT, PERP), False, _KEYS3, _CRYPTO),
    "kucoin": VenueFacts("KuCoin", "crypto", (SPOT, PERP), False, _KEYS3, _CRYPTO),
    "mexc": VenueFacts("MEXC", "crypto", (SPOT, PERP), False, _KEYS, _CRYPTO),
    "gate": VenueFacts("Gate.io", "crypto", (SPOT, PERP), False, _KEYS, _CRYPTO),
    "hyperliquid": VenueFacts("Hyperliquid", "crypto", (SPOT, PERP), True, ("account_id", "secret"), _CRYPTO),
    "oanda": VenueFacts(
        "OANDA v20",
        "FX and CFDs",
        (PERP,),
        True,
        ("account_id", "secret"),
        "venues.oanda:OandaVenue",
        "oanda",
        brackets=Brackets.RIDING,
    ),
    "ibkr": VenueFacts(
        "Interactive Brokers",
        "equities, FX, futures, options",
        (SPOT, PERP),
        True,
        (),
        "venues.ibkr:IbkrVenue",
        "ibkr",
        options=True,
        brackets=Brackets.TOGETHER,
    ),
    "ibkr_web": VenueFacts(
        "Interactive Brokers Web API",
        "equities, FX, futures, options",
        (SPOT, PERP),
        True,
        (*_KEYS3, "keys_dir"),
        "venues.ibkr_web:IbkrWebVenue",
        gateway=True,
    ),
    "alpaca": VenueFacts("Alpaca", "US equities", (SPOT,), True, _KEYS, "venues.alpaca:AlpacaVenue", "alpaca"),
}
"""By the name that configuration and instruments carry."""


def make_venue(access: Access, tools: Tools) -> Venue:
    """Return the adapter of an account, not connected.

    Raises TestnetUnsupported (EX-1102), VenueCapabilityMissing for a market family it does not trade, FeatureUnavailable
    when its client library is not installed.
    """
    facts = KNOWN[access.venue]
    if access.testnet and not facts.testnet:
        raise TestnetUnsupported(access.venue, f"{facts.title} has no test network")
    if access.market not in facts.markets:
        raise VenueCapabilityMissing(access.venue, access.market)
    module, _, name = facts.maker.partition(":")
    try:
        maker: Callable[[Access, Tools], Venue] = getattr(importlib.import_module(module), name)
    except ImportError as error:
        if not facts.extra:
            raise
        raise FeatureUnavailable(facts.extra, facts.title) from error
    return maker(access, tools)
