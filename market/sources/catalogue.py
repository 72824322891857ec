"""Describe a market source in configuration, open it, and say which instruments it has."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from market.sources.base import MarketSource, SourceError
from market.sources.checks import FeedPolicy
from market.sources.feed import SymbolFeed
from market.sources.synthetic import SyntheticConfig, SyntheticMarket
from protocol.instruments import Instrument, PrecisionRules
from protocol.messages import Value
from protocol.values import MarketType, Name

__all__ = ["SourceKind", "SourceSpec", "derived_instrument", "open_source", "source_instruments"]

_PRICE_COLUMNS: Final = ("open", "high", "low", "close", "bid", "ask", "price", "bid_open", "ask_open")
_COIN_QUOTES: Final = frozenset({"BTC", "ETH", "BNB"})


class SourceKind(StrEnum):
    """What a source is."""

    BARS = "bars"
    TICKS = "ticks"
    SYNTHETIC = "synthetic"


class SourceSpec(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One market source: recorded ``feeds`` with their defect ``policy``, or a ``synthetic`` market."""

    name: Name
    kind: SourceKind
    feeds: tuple[SymbolFeed, ...] = ()
    policy: FeedPolicy = FeedPolicy()
    synthetic: SyntheticConfig = SyntheticConfig()

    def __post_init__(self) -> None:
        if (self.kind is SourceKind.SYNTHETIC) is bool(self.feeds):
            raise ValueError("`feeds` belong to recorded sources, and those need at least one")


def open_source(spec: SourceSpec, root: Path) -> MarketSource:
    """Open a source; relative paths start at ``root``. Files are read when it is iterated."""
    if spec.kind is SourceKind.SYNTHETIC:
        return SyntheticMarket(spec.synthetic)
    from market.sources.replay import BarReplay, TickReplay  # see the package: pyarrow comes with it

    if spec.kind is SourceKind.BARS:
        return BarReplay(spec.feeds, root=root, policy=spec.policy)
    return TickReplay(spec.feeds, root=root, policy=spec.policy)


def source_instruments(spec: SourceSpec, root: Path, venue: str) -> tuple[Instrument, ...]:
    """Return the source's instruments, as given or derived; raise SourceError when a file cannot be read."""
    if spec.kind is SourceKind.SYNTHETIC:
        return SyntheticMarket(spec.synthetic).instruments(venue)
    return tuple(feed.instrument or derived_instrument(feed, root, venue) for feed in spec.feeds)


def derived_instrument(feed: SymbolFeed, root: Path, venue: str) -> Instrument:
    """Derive an instrument from a symbol's name and first recorded prices.

    Tick: the decimal place that 95 % of the first chunk's prices fit (some sources store float noise). Step: the
    power of ten worth about 0.1 to 1 quote, between 1e-8 and 1, also the smallest quantity. Smallest notional: 5 quote,
    0.0001 where a coin is the quote.
    """
    pair, _, settle = feed.symbol.partition(":")
    base, slash, quote = pair.partition("/")
    if not (base and slash and quote):
        raise SourceError(f"{feed.path}: {feed.symbol!r} is not BASE/QUOTE; give its instrument")
    path = root / feed.path
    measured = _first_price_and_tick(path, tuple(feed.where.items()), path.stat().st_mtime_ns if path.exists() else 0)
    if measured is None:
        raise SourceError(f"{path}: no prices for {feed.symbol}; give its instrument")
    price, tick = measured
    step = Decimal(1).scaleb(-min(max(price.adjusted() + 1, 0), 8))
    return Instrument(
        venue=venue,
        symbol=feed.symbol,
        venue_symbol=pair.replace("/", ""),
        base=base,
        quote=quote,
        market_type=MarketType.PERP if settle else MarketType.SPOT,
        rules=PrecisionRules(
            tick_size=tick,
            step_size=step,
            min_qty=step,
            min_notional=Decimal("0.0001") if quote in _COIN_QUOTES else Decimal(5),
        ),
    )


@lru_cache(maxsize=256)
def _first_price_and_tick(
    path: Path,
    where: tuple[tuple[str, str], ...],
    written_at: int,  # noqa: ARG001 - another content is measured anew
) -> tuple[Decimal, Decimal] | None:
    """Measure a file once: who replays it many times would spend half of the time here."""
    from market.sources.files import Reading, column_names, read_chunks

    names = [name for name in _PRICE_COLUMNS if name in column_names(path)]
    first = next(read_chunks(Reading(path, names, dict(where))), None)
    prices = [price for column in first.columns for price in column if price] if first else []
    if not prices:
        return None
    return prices[0], Decimal(1).scaleb(-sorted(map(_places, prices))[len(prices) * 95 // 100])


def _places(price: Decimal) -> int:
    exponent = price.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
