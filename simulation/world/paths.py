"""Which markets a run has, and how their prices move."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from simulation.scenario import PathKind, PricePath
from simulation.world.draw import Draw, stream
from simulation.world.markets import MARKETS, MarketOf
from simulation.world.recorded import have_recorded, recorded_length

__all__ = ["paths_of"]

_KINDS: Final[Mapping[PathKind, int]] = {
    PathKind.TREND: 5,
    PathKind.RANGE: 5,
    PathKind.GAP: 3,
    PathKind.CRASH: 3,
    PathKind.THIN: 2,
    PathKind.HALTED: 2,
}
_RECORDED_CHANCE: Final = 0.3


def paths_of(seed: int, hours: float) -> tuple[PricePath, ...]:
    """Return the four to six paths of a run; where candles were recorded, some are those.

    Everything is drawn before it is looked whether the recordings are there: a seed's other paths never depend on it.
    """
    draw = stream(seed, "paths")
    symbols = sorted(draw.sample(list(MARKETS), draw.randint(4, 6)), key=list(MARKETS).index)
    return tuple(_path(draw, symbol, MARKETS[symbol], hours) for symbol in symbols)


def _path(draw: Draw, symbol: str, market: MarketOf, hours: float) -> PricePath:
    kind = draw.choices(list(_KINDS), list(_KINDS.values()))[0]
    seed = draw.getrandbits(48)
    start = market.start_price * Decimal(draw.randint(70, 130)) / 100
    recorded, share = draw.random() < _RECORDED_CHANCE, draw.random()
    tick = market.instrument.rules.tick_size
    generated = PricePath(symbol=symbol, kind=kind, seed=seed, start_price=start // tick * tick)
    if not recorded or not market.recordings:
        return generated
    file, step_s = market.recordings[0]
    bars = round(hours * 3_600 / step_s) + 1
    if not have_recorded(file) or recorded_length(file) < bars:
        return generated
    return PricePath(
        symbol=symbol,
        kind=PathKind.RECORDED,
        seed=seed,
        start_price=generated.start_price,
        step_s=step_s,
        file=file,
        skip=int(share * (recorded_length(file) - bars)),
    )
