"""A seeded market for trying things out: quotes on a fixed step from a regime-switching walk with jumps.

Everything random is a hash of (seed, symbol, step), so a step's draws never depend on how it was reached; the only
thing carried from step to step is ``SyntheticState`` (a price and a regime a symbol). Only additions,
multiplications, divisions and square roots of floats are used, which every machine rounds alike. The walk is pulled
gently towards its starting price, so that it neither dies out nor runs away however long it runs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from market.sources.base import Step
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Value
from protocol.values import Instant, Name, check_positive

__all__ = ["DEFAULT_SYMBOLS", "SyntheticConfig", "SyntheticMarket", "SyntheticState", "SyntheticSymbol"]

_MASK: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_SQRT3: Final = math.sqrt(3)
_MINUTE_NS: Final = 60_000_000_000
_PULL_PER_MINUTE: Final = 1 / 60
_SWITCH_PER_MINUTE: Final = 0.5
_JUMPS_PER_MINUTE: Final = 0.2
_REGIMES: Final = ((0.5, 0.0), (1.0, 0.0), (1.0, 0.25), (1.0, -0.25), (2.0, 0.0))
"""Calm, normal, rising, falling, wild: volatility and drift a minute, both in units of the configured volatility."""


class SyntheticSymbol(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One synthetic symbol: where its price starts, its tick and step, and its spread in ticks."""

    symbol: Name
    base: Name
    quote: Name
    start_price: Decimal
    tick_size: Decimal
    step_size: Decimal
    min_notional: Decimal = Decimal(5)
    spread_ticks: int = 1

    def __post_init__(self) -> None:
        for name in ("start_price", "tick_size", "step_size", "min_notional"):
            check_positive(name, getattr(self, name))
        if self.spread_ticks < 1:
            raise ValueError("`spread_ticks` must be at least 1")


def _symbol(base: str, start: str, tick: str, step: str, spread_ticks: int) -> SyntheticSymbol:
    return SyntheticSymbol(
        symbol=f"{base}/USDT",
        base=base,
        quote="USDT",
        start_price=Decimal(start),
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        spread_ticks=spread_ticks,
    )


DEFAULT_SYMBOLS: Final = (
    _symbol("BTC", "60000", "0.01", "0.00001", 100),
    _symbol("ETH", "3000", "0.01", "0.0001", 5),
    _symbol("SOL", "150", "0.01", "0.001", 1),
)


class SyntheticConfig(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A synthetic market. ``volatility_percent`` is the standard deviation of a minute's move in a normal regime.

    At the default 0.5 a ladder of 0.5 % gaps fills and its targets are hit within a minute or two; a real market has about
    0.05. ``start_at`` is the instant of step 0; ``steps`` None never ends.
    """

    symbols: tuple[SyntheticSymbol, ...] = DEFAULT_SYMBOLS
    seed: int = 1
    start_at: Instant = 0
    step_ns: int = 250_000_000
    steps: int | None = None
    volatility_percent: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.volatility_percent <= 10:
            raise ValueError("`volatility_percent` must be above 0 and at most 10")
        if not self.symbols or self.step_ns <= len(self.symbols):
            raise ValueError("`symbols` must not be empty and `step_ns` must be longer than one nanosecond a symbol")
        if len({symbol.symbol for symbol in self.symbols}) < len(self.symbols):
            raise ValueError("`symbols` must name each symbol once")


class SyntheticState(msgspec.Struct, frozen=True):
    """The walk after its first ``steps`` steps: a price and a regime a symbol. Kept by a host, it resumes at once."""

    steps: int
    prices: tuple[float, ...]
    regimes: tuple[int, ...]


class SyntheticMarket:
    """An endless (or ``steps`` long) source of quotes, the same for the same configuration on every machine."""

    name: Final = "SYNTHETIC"

    def __init__(self, config: SyntheticConfig, *, state: SyntheticState | None = None, after: int = -1) -> None:
        self.config = config
        self.symbols = tuple(symbol.symbol for symbol in config.symbols)
        minutes = config.step_ns / _MINUTE_NS
        self._sigma = config.volatility_percent / 100 * math.sqrt(minutes)
        self._drift = config.volatility_percent / 100 * minutes
        self._pull = _PULL_PER_MINUTE * minutes
        self._switch = _SWITCH_PER_MINUTE * minutes
        self._jump = _JUMPS_PER_MINUTE * minutes
        self._bases = tuple(_seed64(config.seed, symbol) for symbol in self.symbols)
        self._starts = tuple(float(symbol.start_price) for symbol in config.symbols)
        self._after = after
        self._from = state or SyntheticState(0, self._starts, (1,) * len(self.symbols))

    def instruments(self, venue: str) -> tuple[Instrument, ...]:
        """Return the instruments of the market as a venue would list them."""
        return tuple(
            Instrument(
                venue=venue,
                symbol=s.symbol,
                venue_symbol=s.symbol.replace("/", ""),
                base=s.base,
                quote=s.quote,
                rules=PrecisionRules(s.tick_size, s.step_size, s.step_size, s.min_notional),
            )
            for s in self.config.symbols
        )

    def resume_after(self, at: int, state: SyntheticState | None = None) -> SyntheticMarket:
        """Return a market that continues strictly after an instant; ``state`` saves recomputing the walk up to it."""
        return SyntheticMarket(self.config, state=state or self._from, after=at)

    def state_before(self, at: int) -> SyntheticState:
        """Return the walk after every step that lies wholly before ``at``; costs about 2 us a step and symbol."""
        steps = max(at - self.config.start_at, 0) // self.config.step_ns
        if steps < self._from.steps:
            return SyntheticMarket(self.config).state_before(at)
        prices, regimes = list(self._from.prices), list(self._from.regimes)
        for step in range(self._from.steps, steps):
            for index in range(len(prices)):
                prices[index], regimes[index] = self._move(index, step, prices[index], regimes[index])
        return SyntheticState(steps, tuple(prices), tuple(regimes))

    def __iter__(self) -> Iterator[Step]:
        """Yield one quote a symbol and step; the n-th symbol's instant is n nanoseconds after its step's."""
        config, after = self.config, self._after
        state = self._from if after < 0 else self.state_before(after)
        prices, regimes, step = list(state.prices), list(state.regimes), state.steps
        while config.steps is None or step < config.steps:
            at = config.start_at + step * config.step_ns
            for index, symbol in enumerate(config.symbols):
                prices[index], regimes[index] = self._move(index, step, prices[index], regimes[index])
                if at + index > after:
                    yield at + index, self._quote(symbol, at + index, prices[index], step)
            step += 1

    def _move(self, index: int, step: int, price: float, regime: int) -> tuple[float, int]:
        """Return price and regime after one step; all chance comes from two 64-bit draws."""
        draw = _mix(self._bases[index] + 2 * step * _GOLDEN)
        chance = _mix(self._bases[index] + (2 * step + 1) * _GOLDEN)
        if (chance & 0xFFFFFF) / 2**24 < self._switch:
            regime = (chance >> 24 & 0xFFFF) % len(_REGIMES)
        volatility, drift = _REGIMES[regime]
        # four uniforms of 16 bits: close to normal, and no logarithm whose last bit differs between machines
        four = (draw & 0xFFFF) + (draw >> 16 & 0xFFFF) + (draw >> 32 & 0xFFFF) + (draw >> 48)
        normal = (four / 65535 - 2) * _SQRT3
        move = self._sigma * volatility * normal + self._drift * drift
        if (chance >> 40) / 2**24 < self._jump:
            move += self.config.volatility_percent / 100 * (1 if draw & 1 else -1)
        move += self._pull * (self._starts[index] / price - 1)
        return price * (1 + max(move, -0.5)), regime

    def _quote(self, symbol: SyntheticSymbol, at: int, price: float, step: int) -> PriceTick:
        bid_ticks = max(int(price / float(symbol.tick_size)) - symbol.spread_ticks // 2, 1)
        bid = bid_ticks * symbol.tick_size
        ask = (bid_ticks + symbol.spread_ticks) * symbol.tick_size
        return PriceTick(symbol.symbol, at, bid, ask, bid if step & 1 else ask)


def _seed64(seed: int, symbol: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{symbol}".encode(), digest_size=8).digest(), "big")


def _mix(value: int) -> int:
    """Return the splitmix64 output for a counter value: 64 well-mixed bits."""
    value &= _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31
