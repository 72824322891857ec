"""Crypto exchanges through ccxt: one adapter (``CryptoVenue``), one dialect an exchange (``dialects/``).

What must not live here: anything that only one exchange does (that is its dialect's), decisions about orders, prices or
amounts as binary floats, an import of ccxt before an account connects.
"""

from venues.crypto.dialect import Dialect
from venues.crypto.venue import CryptoVenue

__all__ = ["CryptoVenue", "Dialect"]
