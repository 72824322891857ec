"""Whose trading rules an entry uses, and whether it may go on, waits for them or ends (EX-505 to EX-511)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from protocol.instruments import Instrument, PrecisionRules
from protocol.signals import PrecisionMode, Signal
from protocol.values import Instant, MarketType
from rules.pool.settings import PoolSettings
from rules.precision import Action, Fetch, PrecisionDecision, Source, precision_decision

__all__ = ["KnownMarkets", "RulesFound", "find_rules"]


class KnownMarkets(NamedTuple):
    """What is known of an account's markets.

    ``fetched_at`` None: nothing was fetched yet; ``failed``: the last fetch did; ``ages`` False: these rules came with a
    session and nobody can fetch newer ones.
    """

    instruments: Mapping[str, Instrument] = MappingProxyType({})
    fetched_at: Instant | None = None
    failed: bool = False
    ages: bool = True


class RulesFound(NamedTuple):
    """The decision of EX-506 with the market it is about; ``old`` asks for a fetch (absent, or past its age)."""

    decision: PrecisionDecision
    instrument: Instrument | None
    old: bool

    @property
    def held(self) -> bool:
        """Whether the entry waits for rules."""
        return self.decision.action is Action.HOLD

    @property
    def refusal(self) -> str | None:
        """The code that ends the entry, if any."""
        return self.decision.code if self.decision.action is Action.REJECT else None


def find_rules(signal: Signal, known: KnownMarkets, now: Instant, settings: PoolSettings) -> RulesFound:
    """Decide by what is known now; a fetch that has ended counts, one that was not made does not."""
    market = known.instruments.get(signal.symbol)
    age_s = 0.0 if not known.ages or known.fetched_at is None else (now - known.fetched_at) / 10**9
    cached = market.rules if market is not None else None
    forced = settings.forced_rules.get(signal.symbol)
    decision = precision_decision(
        signal.precision_mode,
        cached=cached,
        cache_age_s=age_s,
        refresh_s=float(settings.refresh_seconds),
        fetch=_fetch(known, market),
        block_on_missing=settings.block_on_missing,
        forced=forced,
    )
    old = signal.precision_mode is PrecisionMode.AUTO and (cached is None or age_s > settings.refresh_seconds)
    rules = {Source.FORCED: forced, Source.FALLBACK: settings.fallback_rules}.get(
        decision.source or Source.CACHE, cached
    )
    if decision.action is not Action.PROCEED or rules is None:
        return RulesFound(decision, market, old)
    return RulesFound(decision, _with_rules(signal, market, rules), old)


def _fetch(known: KnownMarkets, market: Instrument | None) -> Fetch | None:
    if known.failed:
        return Fetch.FAILED
    if known.fetched_at is not None and market is None:
        return Fetch.SYMBOL_ABSENT
    return None


def _with_rules(signal: Signal, market: Instrument | None, rules: PrecisionRules) -> Instrument:
    """Return the market under these rules; one that nobody knows is read from its unified symbol."""
    if market is not None:
        return market if market.rules == rules else replace(market, rules=rules)
    pair, _, settle = signal.symbol.partition(":")
    base, _, quote = pair.partition("/")
    return Instrument(
        venue=signal.venue,
        symbol=signal.symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote or base,
        market_type=MarketType.PERP if settle else MarketType.SPOT,
        rules=rules,
    )
