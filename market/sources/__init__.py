"""Sources of prices, each an iterable of steps with strictly increasing instants; see ``base`` for what a step means.

``catalogue`` describes a source and opens it, ``replay`` reads recorded bars and ticks (``feed`` where they lie, ``files``
the columns, ``checks`` the defects), ``synthetic`` makes a seeded market. No clock here: whoever iterates decides when a
step happens.
"""

from market.sources.base import MarketSource, SourceError, Step
from market.sources.catalogue import SourceKind, SourceSpec, open_source, source_instruments
from market.sources.checks import FeedPolicy, FeedReport, Handling
from market.sources.feed import SymbolFeed
from market.sources.replay import BarReplay, TickReplay
from market.sources.synthetic import SyntheticConfig, SyntheticMarket, SyntheticState, SyntheticSymbol

__all__ = [
    "BarReplay",
    "FeedPolicy",
    "FeedReport",
    "Handling",
    "MarketSource",
    "SourceError",
    "SourceKind",
    "SourceSpec",
    "Step",
    "SymbolFeed",
    "SyntheticConfig",
    "SyntheticMarket",
    "SyntheticState",
    "SyntheticSymbol",
    "TickReplay",
    "open_source",
    "source_instruments",
]
