"""Which ladder and sizing hold for a group: the general ones, or those of the best matching override (EX-407)."""

from __future__ import annotations

import msgspec

from service.config.document import Config
from service.config.grid import GridStrategy, Match, Override
from service.config.trading import Sizing

__all__ = ["applied", "effective"]


def effective(config: Config, *, venue: str, symbol: str, timeframe: str) -> tuple[GridStrategy, Sizing]:
    """Return the settings of a group; most parts matched wins, the later entry on a tie."""
    best: Override | None = None
    for override in config.grid_strategy.overrides:
        score = _score(override.match, venue, symbol, timeframe)
        if score and (best is None or score >= _parts(best.match)):
            best = override
    return (config.grid_strategy, config.sizing) if best is None else applied(config, best)


def applied(config: Config, override: Override) -> tuple[GridStrategy, Sizing]:
    """Return the settings with one override's values in place."""
    grid = {name: value for name, value in override.settings.items() if name in GridStrategy.__struct_fields__}
    sizing = {name: value for name, value in override.settings.items() if name in Sizing.__struct_fields__}
    # Layers and the shorthand exclude each other: the one an override brings replaces the general other one.
    if "levels" in grid:
        grid = {"dca_count": None, "dca_gap_percent": None} | grid
    elif "dca_count" in grid:
        grid = {"levels": None} | grid
    return msgspec.structs.replace(config.grid_strategy, **grid), msgspec.structs.replace(config.sizing, **sizing)


def _parts(match: Match) -> int:
    return sum(part is not None for part in (match.venue, match.symbol, match.timeframe))


def _score(match: Match, venue: str, symbol: str, timeframe: str) -> int:
    """Return how many parts match, 0 when one that is named does not."""
    pairs = ((match.venue, venue), (match.symbol, symbol), (match.timeframe, timeframe))
    return 0 if any(wanted is not None and wanted != has for wanted, has in pairs) else _parts(match)
