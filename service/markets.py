"""Where an account's prices come from: decided once at the start, shown on every screen, never changed silently.

An account remembers in ``<data_dir>/markets.json`` which source it was opened on. ``auto`` decides only for a new account:
positions that were opened on Binance's prices must not meet synthetic ones after a restart without network.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec

from actors.feed import LiveSource
from market.sources.base import MarketSource
from market.sources.catalogue import SourceKind, SourceSpec, open_source, source_instruments
from market.sources.feed import SymbolFeed
from market.sources.synthetic import DEFAULT_SYMBOLS, SyntheticConfig
from protocol.codec import convert, encode_json
from protocol.errors import BulkheadError
from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.messages import Message
from rules.identity import timeframe_seconds
from runtime.clock import WallClock
from service.config import Config
from service.config.market import Account
from service.config.market import MarketSource as Kind
from venues.ccxt_public import LIVE, BinancePublic, Endpoints, probe

__all__ = [
    "BinanceTicks",
    "Market",
    "MarketRefused",
    "binance_market",
    "prepare_market",
    "recorded_market",
    "replay_spec",
]

_PROBE_S = 1.0
_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS


class MarketRefused(BulkheadError):
    """An account cannot be given prices: its source is gone, unreachable, or not the one it was opened on."""


@dataclass(frozen=True, slots=True)
class Market:
    """An account's prices: what screens call them, how to open them, which instruments they know.

    ``lookback_ns`` is the longest bar; ``first_at`` the instant before the first recorded step, None for live sources.
    """

    label: str
    kind: Kind
    open: Callable[[], MarketSource | LiveSource]
    instruments: tuple[Instrument, ...]
    lookback_ns: int
    first_at: int | None = None


async def prepare_market(config: Config, account: Account, *, now: int) -> Market:
    """Decide on an account's source and learn its instruments; raise MarketRefused or SourceError."""
    kind = await _kind_of(config, account)
    match kind:
        case Kind.REPLAY:
            return await anyio.to_thread.run_sync(recorded_market, config, account)
        case Kind.BINANCE:
            market = await binance_market(config)
        case _:
            market = _synthetic(config, account, now)
    return _with_fees(market, account)


# --- which -------------------------------------------------------------------------------------------------------------


async def _kind_of(config: Config, account: Account) -> Kind:
    wanted = account.market if account.market is not Kind.AUTO else config.market.source
    book = config.app.data_dir / "markets.json"
    remembered = _read_book(book)
    before = remembered.get(account.name)
    kind = wanted if wanted is not Kind.AUTO else Kind(before) if before else await _choose(config)
    if before and before != kind.value:
        raise MarketRefused(
            f"account {account.name} was opened on {before} prices and cannot go on with {kind.value} ones: "
            f"set market.source = {before!r}, or give the account another name or app.data_dir"
        )
    if not before:
        _write_book(book, remembered | {account.name: kind.value})
    return kind


async def _choose(config: Config) -> Kind:
    if config.market.replay:
        return Kind.REPLAY
    return Kind.BINANCE if await probe(_PROBE_S) else Kind.SYNTHETIC


def _read_book(path: Path) -> dict[str, str]:
    try:
        return convert(json.loads(path.read_text(encoding="utf-8")), dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, BulkheadError) as error:
        raise MarketRefused(f"{path} cannot be read ({error}); it says on which prices accounts were opened") from error


def _write_book(path: Path, book: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(book, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)


# --- the kinds ---------------------------------------------------------------------------------------------------------


def _synthetic(config: Config, account: Account, now: int) -> Market:
    """Make a seeded market whose walk begins at the last full hour, so that a restart goes on with the same prices."""
    known = {each.symbol: each for each in DEFAULT_SYMBOLS}
    symbols = tuple(known[symbol] for symbol in config.market.symbols if symbol in known)
    if not symbols:
        raise MarketRefused(f"the synthetic market knows {', '.join(known)}; market.symbols names none of them")
    settings = SyntheticConfig(
        symbols=symbols,
        seed=config.market.seed,
        start_at=now - now % _HOUR_NS,
        volatility_percent=min(10.0, 0.5 * float(config.market.liveliness)),
    )
    spec = SourceSpec(name="SYNTHETIC", kind=SourceKind.SYNTHETIC, synthetic=settings)
    return Market(
        "SYNTHETIC",
        Kind.SYNTHETIC,
        partial(open_source, spec, Path()),
        source_instruments(spec, Path(), account.exchange),
        0,
    )


def replay_spec(config: Config) -> SourceSpec:
    """Return the recorded source that a configuration names."""
    files = config.market.replay
    if not files:
        raise MarketRefused("market.source is replay but market.replay names no files")
    ticks = [file.timeframe == "tick" for file in files.values()]
    if any(ticks) and not all(ticks):
        raise MarketRefused("a replay is either of bars or of ticks: market.replay names both")
    feeds = tuple(
        SymbolFeed(
            symbol=symbol,
            path=str(file.path),
            duration_s=None if file.timeframe == "tick" else timeframe_seconds(file.timeframe),
        )
        for symbol, file in files.items()
    )
    return SourceSpec(name="replay", kind=SourceKind.TICKS if ticks[0] else SourceKind.BARS, feeds=feeds)


def recorded_market(config: Config, account: Account) -> Market:
    """Return the recorded prices that a configuration names, at the account's fees; raise MarketRefused or SourceError."""
    spec = replay_spec(config)
    source = open_source(spec, Path())
    first = next(iter(source), None)
    if first is None:
        raise MarketRefused("the recorded files hold no prices")
    longest = max((feed.duration_s or 0 for feed in spec.feeds), default=0)
    market = Market(
        "replay",
        Kind.REPLAY,
        partial(open_source, spec, Path()),
        source_instruments(spec, Path(), account.exchange),
        longest * 1_000_000_000,
        first[0] - 1,
    )
    return _with_fees(market, account)


class BinanceTicks:
    """Binance's public quotes as a live source; its finished bars are left out: the exchange fills from quotes."""

    name = "binance"

    def __init__(self, symbols: Sequence[str], endpoints: Endpoints = LIVE) -> None:
        clock = WallClock()
        self._symbols = tuple(symbols)
        self._venue = BinancePublic(
            sleep=anyio.sleep,  # house: live prices live on the wall clock
            now_ns=clock.now,
            endpoints=endpoints,
        )

    async def open(self, sink: Callable[[Message], None]) -> None:
        """Connect and follow the configured symbols from now on."""
        await self._venue.connect(lambda fact: None if isinstance(fact, Bar) else sink(fact))
        await self._venue.subscribe(self._symbols)

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Follow further symbols."""
        await self._venue.subscribe(symbols)

    async def close(self) -> None:
        """Close every connection."""
        await self._venue.close()

    async def instruments(self) -> tuple[Instrument, ...]:
        """Connect only to learn every market's rules."""
        try:
            await self._venue.connect(lambda _: None)
            return await self._venue.instruments()
        finally:
            await self._venue.close()


async def binance_market(config: Config, endpoints: Endpoints = LIVE) -> Market:
    """Learn Binance's instruments, from the venue or from the copy of the last time it could be reached."""
    kept = config.app.data_dir / "instruments-binance.json"
    try:
        instruments = await BinanceTicks((), endpoints).instruments()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(encode_json(instruments))
    except BulkheadError as error:
        instruments = _kept_instruments(kept, error)
    wanted = set(config.market.symbols)
    chosen = tuple(each for each in instruments if each.symbol in wanted)
    missing = sorted(wanted - {each.symbol for each in chosen})
    if missing:
        raise MarketRefused(f"binance has no {', '.join(missing)}; see market.symbols")
    opened = partial(BinanceTicks, [each.symbol for each in chosen], endpoints)
    return Market("binance", Kind.BINANCE, opened, chosen, 0)


def _kept_instruments(path: Path, cause: BulkheadError) -> tuple[Instrument, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Instrument, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise MarketRefused(
            f"binance cannot be reached ({cause}) and was never reached before; "
            "set market.source to synthetic or replay, or connect this machine"
        ) from error


def _with_fees(market: Market, account: Account) -> Market:
    """Put the account's own fees in place of the exchange's, where it names them."""
    fees: dict[str, Any] = {}
    if account.maker_fee is not None:
        fees["maker_fee"] = Decimal(account.maker_fee)
    if account.taker_fee is not None:
        fees["taker_fee"] = Decimal(account.taker_fee)
    if not fees:
        return market
    changed = tuple(msgspec.structs.replace(each, **fees) for each in market.instruments)
    return Market(market.label, market.kind, market.open, changed, market.lookback_ns, market.first_at)
