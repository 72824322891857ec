"""Who a position group is: canonical venue, symbol and timeframe, and the key made of them (EX-301 to EX-304).

Every function takes what people and alert templates write and returns the one spelling that is used everywhere else, or
raises a subclass of ``IdentityError``. Canonical values are fixed points: canonicalising one again changes nothing.

What must not live here: whether a venue is enabled or a market exists (configuration and precision decide that).
"""

from rules.identity.errors import (
    IdentityError,
    InvalidSide,
    InvalidTimeframe,
    InvalidUser,
    UnknownSymbol,
    UnsupportedVenue,
)
from rules.identity.keys import canonical_side, group_key, netted_with, opposite_key
from rules.identity.markets import market_names, near_symbols
from rules.identity.symbols import canonical_symbol
from rules.identity.timeframes import canonical_timeframe, timeframe_seconds
from rules.identity.venues import canonical_venue

__all__ = [
    "IdentityError",
    "InvalidSide",
    "InvalidTimeframe",
    "InvalidUser",
    "UnknownSymbol",
    "UnsupportedVenue",
    "canonical_side",
    "canonical_symbol",
    "canonical_timeframe",
    "canonical_venue",
    "group_key",
    "market_names",
    "near_symbols",
    "netted_with",
    "opposite_key",
    "timeframe_seconds",
]
