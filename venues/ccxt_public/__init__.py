"""Live public market data of Binance spot through the real ccxt library: no key, no orders.

``BinancePublic`` has the market-data half of ``venues.contract.Venue``; orders are filled by the paper venue on top of
these prices. ``probe`` tells, quietly and without importing ccxt, whether Binance can be reached at all.

What must not live here: orders, account data, keys, prices as binary floats, the choice what to do without network.
"""

from venues.ccxt_public.errors import UnknownSymbol
from venues.ccxt_public.policy import LIVE, Endpoints, FeedPolicy, RateLimitMode
from venues.ccxt_public.probe import Probe, probe
from venues.ccxt_public.venue import BinancePublic

__all__ = ["LIVE", "BinancePublic", "Endpoints", "FeedPolicy", "Probe", "RateLimitMode", "UnknownSymbol", "probe"]
