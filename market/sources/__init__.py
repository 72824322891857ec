"""Sources of prices, each an iterable of steps with strictly increasing instants; see ``base`` for what a step means.

``catalogue`` describes a source and opens it, ``replay`` reads recorded bars and ticks (``feed`` where they lie, ``files``
the columns, ``checks`` the defects), ``synthetic`` makes a seeded market. No clock here: whoever iterates decides when a
step happens.
"""

from typing import TYPE_CHECKING

from market.sources.base import MarketSource, SourceError, Step
from market.sources.catalogue import SourceKind, SourceSpec, open_source, source_instruments
from market.sources.checks import FeedPolicy, FeedReport, Handling
from market.sources.feed import SymbolFeed
from market.sources.synthetic import SyntheticConfig, SyntheticMarket, SyntheticState, SyntheticSymbol

if TYPE_CHECKING:
    from market.sources.replay import BarReplay, TickReplay

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


def __getattr__(name: str) -> object:
    """Import the reader of recorded files only where there are any: pyarrow costs a daemon without them 30 MB."""
    if name not in ("BarReplay", "TickReplay"):
        raise AttributeError(name)
    from market.sources import replay

    return getattr(replay, name)
