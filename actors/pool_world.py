"""What one account's pool sees of the world: markets, prices, balances, the permit. It reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from actors.risk import PERMITS
from actors.session import balances_topic, market_topic
from protocol.groups import OpenGroup
from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.precision import RulesState
from protocol.risk import Bar, Permit
from protocol.signals import Signal
from protocol.values import Instant, Side
from protocol.venue import BalancesChanged, SessionUp
from rules.pool import (
    EntryPlan,
    KnownMarkets,
    PoolSettings,
    PoolState,
    RulesFound,
    Surroundings,
    available_funds,
    find_rules,
    plan_entry,
    settle_funds,
)
from rules.precision import Action, PrecisionDecision
from rules.quote_usd import quote_usd, rate_symbol
from runtime.bus import Bus
from runtime.clock import NANOS

__all__ = ["BALANCES_AGE_NS", "GroupMaker", "PoolWorld"]

GroupMaker = Callable[[Signal, Instrument, int], OpenGroup]
"""Builds the opening of a group (or of a further pyramid) from a signal under the present configuration."""

BALANCES_AGE_NS: Final = 180 * NANOS
"""Oldest balance that still says what is free: what closed since has freed funds that it does not show."""

_HELD: Final = PrecisionDecision(None, Action.HOLD, "PrecisionFetchFailed", refreshed=True)


class PoolWorld:
    """Reads the bus whenever the rules ask: nothing is copied, so nothing is out of date."""

    def __init__(self, account: str, bus: Bus, make: GroupMaker) -> None:
        self._account = account
        self._bus = bus
        self._make = make
        self.markets = KnownMarkets()
        self._cached = False

    # --- markets -------------------------------------------------------------------------------------------------------

    def session_up(self, up: SessionUp) -> None:
        """Take the rules a session connected with, unless a cache keeps better ones."""
        if not self._cached:
            instruments = {each.symbol: each for each in up.instruments}
            self.markets = KnownMarkets(instruments, up.at, ages=False)

    def rules_state(self, state: RulesState) -> None:
        """Take the rules of the cache, once it has any or nobody else has."""
        if state.fetched_at is None and self.markets.fetched_at is not None and not self._cached:
            return
        self._cached = state.fetched_at is not None
        instruments = {each.symbol: each for each in state.instruments}
        self.markets = KnownMarkets(instruments, state.fetched_at, failed=state.failed_at is not None)

    # --- reading -------------------------------------------------------------------------------------------------------

    @property
    def barred(self) -> Bar | None:
        """Why nothing may enter, in words, None while entries may (EX-111)."""
        permit: Permit | None = self._bus.kept(PERMITS)
        if permit is None or (bar := permit.bars(self._account)) is None:
            return None
        return Bar(bar.code, permit.said(self._account))

    def seen(self, now: Instant, settings: PoolSettings, *, unknown: str = "") -> Surroundings:
        """Return the surroundings of a decision; the rules of the symbol ``unknown`` count as missing."""

        def rules(signal: Signal) -> RulesFound:
            if signal.symbol == unknown:
                return RulesFound(_HELD, None, old=True)
            return find_rules(signal, self.markets, now, settings)

        def plan(signal: Signal, pyramid: int, found: RulesFound, state: PoolState) -> EntryPlan:
            assert found.instrument is not None, "only entries whose rules are known are planned"
            opening = self._make(signal, found.instrument, now)
            quote = found.instrument.quote
            free, usd = self._free(quote, state, now), self._usd(quote, now)
            return plan_entry(opening, pyramid, settings, free=free, usd=usd)

        return Surroundings(
            now=now,
            settings=settings,
            barred=self.barred,
            price=self._last,
            market_price=self._executable,
            rules=rules,
            plan=plan,
            most_pyramids=lambda group: group.opening.config.max_pyramids_per_group,
        )

    def _tick(self, symbol: str) -> PriceTick | None:
        tick: PriceTick | None = self._bus.kept(market_topic(self._account, symbol))
        return tick

    def _last(self, symbol: str) -> Decimal | None:
        tick = self._tick(symbol)
        return tick.last if tick is not None and tick.last > 0 else None

    def _executable(self, signal: Signal) -> Decimal | None:
        tick = self._tick(signal.symbol)
        if tick is None:
            return None
        price = tick.ask if signal.side is Side.LONG else tick.bid
        return price if price > 0 else None

    def _free(self, quote: str, state: PoolState, now: Instant) -> Decimal | None:
        """Return what is free of a currency after all that was admitted since the balance was taken (EX-414)."""
        known: BalancesChanged | None = self._bus.kept(balances_topic(self._account))
        if known is None or now - known.at > BALANCES_AGE_NS:
            return None
        free = next((each.free for each in known.balances if each.currency == quote), Decimal(0))
        return available_funds(settle_funds(state, known.at), quote, free)

    def _usd(self, quote: str, now: Instant) -> Decimal | None:
        return quote_usd(quote, self._tick(rate_symbol(quote)), now)
