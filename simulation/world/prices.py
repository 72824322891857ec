"""Price paths: bars of one symbol over a run, generated from a seed or read from recorded candles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from protocol.market import Bar
from runtime.clock import NANOS
from simulation.scenario import PathKind, PricePath
from simulation.world.draw import Draw, normal
from simulation.world.markets import MARKETS, MarketOf
from simulation.world.recorded import recorded_candles

__all__ = ["bars_of", "price_at"]

_DAY_S: Final = 86_400

_KEPT: Final = 32


class _Row(NamedTuple):
    """One bar in whole ticks and steps."""

    open: int
    high: int
    low: int
    close: int
    volume: int


class _Weather(NamedTuple):
    """What drives each bar of a path: drift, volatility (1 is ordinary), jump before it, whether it is missing."""

    drift: list[float]
    wild: list[float]
    jump: list[float]
    missing: list[bool]
    pull: float
    """Towards the starting price, a bar."""
    spike: float
    """Share of bars whose shadows are far longer than their bodies."""
    turnover: float
    """Share of the market's ordinary turnover."""


def bars_of(path: PricePath, start_at: int, hours: float) -> Iterator[Bar]:
    """Yield the bars of a path from ``start_at`` on, without those in which there is no price.

    Raises ``FileNotFoundError`` for a recorded path whose file is not there.
    """
    rows = _rows(path, _count(path, hours))
    rules = MARKETS[path.symbol].instrument.rules
    tick, step = rules.tick_size, rules.step_size
    symbol, seconds = path.symbol, path.step_s
    at, length = start_at, seconds * NANOS
    for row in rows:
        if row is not None:
            opened, high, low, close, volume = row
            yield Bar(symbol, at, seconds, opened * tick, high * tick, low * tick, close * tick, volume * step)
        at += length


def price_at(path: PricePath, start_at: int, hours: float, at: int) -> Decimal:
    """Return the newest price that is known at an instant: where its bar began, or the last price before a hole."""
    rows = _rows(path, _count(path, hours))
    index = min(max((at - start_at) // (path.step_s * NANOS), 0), len(rows) - 1)
    row = rows[index]
    if row is not None:
        return row.open * _tick(path)
    before = next(row for row in reversed(rows[:index]) if row is not None)
    return before.close * _tick(path)


def _tick(path: PricePath) -> Decimal:
    return MARKETS[path.symbol].instrument.rules.tick_size


def _count(path: PricePath, hours: float) -> int:
    return math.ceil(hours * 3_600 / path.step_s)


@lru_cache(maxsize=_KEPT)
def _rows(path: PricePath, count: int) -> Sequence[_Row | None]:
    """Return the bars of a path: made once for the alerts and once more for the run that follows."""
    market = MARKETS[path.symbol]
    if path.kind is PathKind.RECORDED:
        return _recorded(path, market, count)
    draw = Draw(path.seed)
    return _walk(path, market, _weather(path.kind, draw, count, path.step_s, market.daily), draw)


def _recorded(path: PricePath, market: MarketOf, count: int) -> Sequence[_Row | None]:
    tick, step = float(market.instrument.rules.tick_size), float(market.instrument.rules.step_size)
    rows = []
    for *prices, volume in recorded_candles(path.file, path.skip, count):
        opened, high, low, close = (max(round(price / tick), 1) for price in prices)
        rows.append(_Row(opened, high, low, close, max(round(volume / step), 1)))
    return rows


def _walk(path: PricePath, market: MarketOf, weather: _Weather, draw: Draw) -> Sequence[_Row | None]:
    tick, step = float(market.instrument.rules.tick_size), float(market.instrument.rules.step_size)
    sigma = market.daily * math.sqrt(path.step_s / _DAY_S)
    start = last = float(path.start_price)
    turnover = market.turnover * weather.turnover * path.step_s / 300
    one, pull, spike = draw.random, weather.pull, weather.spike
    rows: list[_Row | None] = []
    for drift, wild, jump, missing in zip(*weather[:4], strict=True):
        shake = sigma * wild
        begin = last * (1 + jump)
        last = max(begin * (1 + max(drift + shake * normal(draw) + pull * (start / begin - 1), -0.5)), 20 * tick)
        shadow = shake * (6.0 if one() < spike else 0.7)
        high, low = max(begin, last) * (1 + shadow * one()), min(begin, last) * (1 - shadow * one())
        volume = round(turnover * (0.2 + 1.6 * one()) * wild / last / step)
        row = _Row(
            round(begin / tick), round(high / tick), max(round(low / tick), 1), round(last / tick), max(volume, 1)
        )
        rows.append(None if missing else row)
    return rows


# --- weather -----------------------------------------------------------------------------------------------------------


def _weather(kind: PathKind, draw: Draw, count: int, step_s: int, daily: float) -> _Weather:
    weather = _ordinary(draw, count, step_s)
    match kind:
        case PathKind.TREND:
            _trends(weather, draw, step_s, daily)
        case PathKind.RANGE:
            return weather._replace(pull=step_s / (3_600 * draw.uniform(4, 12)))
        case PathKind.GAP:
            _gaps(weather, draw, step_s)
        case PathKind.CRASH:
            _crash(weather, draw, step_s)
        case PathKind.THIN:
            return weather._replace(pull=step_s / 43_200, spike=0.15, turnover=draw.uniform(0.0005, 0.01))
        case PathKind.HALTED:
            _holes(weather, draw, step_s)
    return weather


def _ordinary(draw: Draw, count: int, step_s: int) -> _Weather:
    """Return calm and wild hours in turn, no drift."""
    wild: list[float] = []
    while len(wild) < count:
        stretch = max(round(draw.uniform(2, 12) * 3_600 / step_s), 1)
        wild.extend([draw.choice((0.5, 0.8, 1.0, 1.0, 1.3, 2.2))] * stretch)
    return _Weather([0.0] * count, wild[:count], [0.0] * count, [False] * count, step_s / (_DAY_S * 5), 0.01, 1.0)


def _trends(weather: _Weather, draw: Draw, step_s: int, daily: float) -> None:
    """Let the price rise or fall for half a day to three, by up to two ordinary days' moves a day."""
    at, count = 0, len(weather.drift)
    while at < count:
        stretch = max(round(draw.uniform(12, 72) * 3_600 / step_s), 1)
        drift = draw.choice((-1, 1)) * draw.uniform(0.3, 2.0) * daily * step_s / _DAY_S
        for index in range(at, min(at + stretch, count)):
            weather.drift[index] = drift
        at += stretch


def _gaps(weather: _Weather, draw: Draw, step_s: int) -> None:
    chance = step_s / (3_600 * draw.uniform(2, 6))
    for index in range(1, len(weather.jump)):
        if draw.random() < chance:
            weather.jump[index] = draw.choice((-1, 1)) * draw.uniform(0.004, 0.04)


def _crash(weather: _Weather, draw: Draw, step_s: int) -> None:
    """Fall by 28 to 38 % within minutes, then come back by 40 to 80 % of it within hours."""
    count = len(weather.drift)
    falling = max(round(draw.uniform(600, 2_400) / step_s), 1)
    rising = max(round(draw.uniform(1, 5) * 3_600 / step_s), 1)
    at = round(draw.uniform(0.1, 0.7) * count)
    deep = draw.uniform(0.28, 0.38)
    back = deep * draw.uniform(0.4, 0.8) / (1 - deep)
    for index in range(at, min(at + falling + rising, count)):
        down = index < at + falling
        weather.drift[index] = (1 - deep) ** (1 / falling) - 1 if down else (1 + back) ** (1 / rising) - 1
        weather.wild[index] = 4.0 if down else 2.5


def _holes(weather: _Weather, draw: Draw, step_s: int) -> None:
    """Leave out the bars of one to three stretches of hours, never the first bar nor the last ones."""
    count = len(weather.missing)
    for _ in range(draw.randint(1, 3)):
        length = min(round(draw.uniform(1, 10) * 3_600 / step_s), count // 8)
        at = draw.randint(1, max(1, round(count * 0.85) - length))
        weather.missing[at : at + length] = [True] * length
