"""Which markets a run has, and how their prices move."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from simulation.scenario import PathKind, PricePath
from simulation.world.draw import Draw, stream
from simulation.world.markets import MARKETS, MarketOf
from simulation.world.recorded import have_recorded, recorded_length

__all__ = ["has_thin", "have_recordings", "paths_of"]

_KINDS: Final[Mapping[PathKind, int]] = {
    PathKind.TREND: 5,
    PathKind.RANGE: 5,
    PathKind.GAP: 3,
    PathKind.CRASH: 3,
    PathKind.THIN: 2,
    PathKind.HALTED: 2,
}
_RECORDED_CHANCE: Final = 0.3


def paths_of(seed: int, hours: float, recorded: bool | None = None) -> tuple[PricePath, ...]:
    """Return the four to six paths of a run; some are recorded ones (``recorded`` as in ``scenario_of``).

    Everything is drawn before it is looked whether the recordings are there: a seed's other paths never depend on it.
    """
    return tuple(_replayed(drawn, hours, recorded) or drawn.generated for drawn in _drawn(seed))


def have_recordings() -> bool:
    """Whether this machine has the recorded candles of every market that has some."""
    return all(have_recorded(market.recordings[0][0]) for market in MARKETS.values() if market.recordings)


def has_thin(seed: int) -> bool:
    """Whether one of the markets of a run is thin, with recordings or without."""
    return any(drawn.generated.kind is PathKind.THIN and not drawn.recorded for drawn in _drawn(seed))


class _Drawn(NamedTuple):
    generated: PricePath
    recorded: bool
    """Whether recorded candles are to take its place."""
    share: float
    """Of the recording, that lies before the run."""


def _drawn(seed: int) -> list[_Drawn]:
    draw = stream(seed, "paths")
    symbols = sorted(draw.sample(list(MARKETS), draw.randint(4, 6)), key=list(MARKETS).index)
    return [_draw(draw, symbol, MARKETS[symbol]) for symbol in symbols]


def _draw(draw: Draw, symbol: str, market: MarketOf) -> _Drawn:
    kind = draw.choices(list(_KINDS), list(_KINDS.values()))[0]
    seed = draw.getrandbits(48)
    start = market.start_price * Decimal(draw.randint(70, 130)) / 100
    recorded, share = draw.random() < _RECORDED_CHANCE, draw.random()
    tick = market.instrument.rules.tick_size
    generated = PricePath(symbol=symbol, kind=kind, seed=seed, start_price=start // tick * tick)
    return _Drawn(generated, recorded and bool(market.recordings), share)


def _replayed(drawn: _Drawn, hours: float, recorded: bool | None) -> PricePath | None:
    if not drawn.recorded or recorded is False:
        return None
    file, step_s = MARKETS[drawn.generated.symbol].recordings[0]
    bars = round(hours * 3_600 / step_s) + 1
    there = have_recorded(file)
    if recorded and not there:
        raise FileNotFoundError(
            f"the recorded candles {file} are not on this machine, and the campaign was begun with them"
        )
    if not there or recorded_length(file) < bars:
        return None
    return msgspec.structs.replace(
        drawn.generated,
        kind=PathKind.RECORDED,
        step_s=step_s,
        file=file,
        skip=int(drawn.share * (recorded_length(file) - bars)),
    )
