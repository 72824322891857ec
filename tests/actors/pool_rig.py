"""A pool between its gateway, the supervisor of its groups and a cache of trading rules, all of them probes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.pool import Pool, group_name
from actors.risk import PERMITS
from actors.session import balances_topic, market_topic, session_topic
from actors.topics import pool_topic, precision_topic
from protocol.groups import GroupChanged, GroupState, SlotReleased
from protocol.market import PriceTick
from protocol.orders import Balance
from protocol.pool import QueueReport, QueueSnapshot, StartGroup
from protocol.precision import NeedRules, RulesState
from protocol.risk import EngineStatus, Permit
from protocol.signals import EntryRequest, ExitRequest, ReduceRequest, Signal, SignalOutcome
from protocol.values import MarketType, Side
from protocol.venue import BalancesChanged, SessionUp
from rules.pool import PoolSettings
from tests.actors.cast import Stage, of
from tests.actors.groups import group_fact, opening, signal
from tests.actors.orders import market

__all__ = [
    "BTC",
    "ETH",
    "GROUPS",
    "MARKETS",
    "PATH",
    "RELEASE",
    "SOL",
    "PoolRig",
    "entry",
    "exit_",
    "path_of",
    "reduce",
]

PATH = "/house/pool"
GROUPS = "/house/groups"
PERP = "BTC/USDT:USDT"
MARKETS = (market(), market("ETH/USDT"), market("SOL/USDT"), market(PERP, MarketType.PERP))


class PoolRig:
    """The pool ``/house/pool`` with two slots, its gateway and the supervisor of its groups."""

    def __init__(
        self, stage: Stage, *, up: bool = True, groups: bool = True, cache: bool = False, **settings: Any
    ) -> None:
        self.stage = stage
        self.settings = PoolSettings(**{"max_open_groups": 2, **settings})
        self.gateway = stage.probe("gateway")
        self.groups: list[Any] = stage.probe("groups") if groups else []
        self.cache: list[Any] = stage.probe("cache") if cache else []
        self.heard = stage.probe("listener", topics=(pool_topic("acc"),))
        if up:
            stage.system.bus.publish(session_topic("acc"), SessionUp("acc", MARKETS, stage.now), keep=True)
        stage.add("pool", self.make)

    def make(self) -> Pool:
        return Pool(
            account="acc",
            settings=self.settings,
            make=opening,
            gateway="/house/gateway",
            groups=GROUPS,
            precision="/house/cache",
        )

    async def told(self, *messages: Any) -> None:
        await self.stage.told("pool", *messages)

    def outcomes(self) -> list[tuple[str, str]]:
        """Return signal and outcome of what the gateway heard."""
        return [(each.signal_id, each.outcome) for each in of(self.gateway, SignalOutcome)]

    def outcome(self) -> str:
        """Return the newest outcome."""
        return self.outcomes()[-1][1]

    def started(self) -> list[str]:
        """Return the ids of the groups that were to be started."""
        return [each.opening.group_id for each in of(self.groups, StartGroup)]

    def needs(self) -> list[str]:
        """Return the symbols whose rules the cache was asked for."""
        return [each.symbol for each in of(self.cache, NeedRules)]

    async def queue(self) -> QueueReport:
        """Return the queue as an operator reads it."""
        report: QueueReport = await self.stage.ask("pool", QueueSnapshot())
        return report

    async def waiting(self) -> list[str]:
        """Return the ids of what waits, best first."""
        return [entry.queue_id for entry in (await self.queue()).entries]

    # --- the world ------------------------------------------------------------------------------------------------------

    async def rules(self, *symbols: str, failed: bool = False, age_s: int = 0, fetching: bool = False) -> None:
        """Have the cache say what rules it has."""
        known = tuple(each for each in MARKETS if each.symbol in symbols)
        now = self.stage.now
        state = RulesState(
            account="acc",
            instruments=known,
            fetched_at=None if failed and not known else now - age_s * 10**9,
            failed_at=now if failed else None,
            error="no answer" if failed else "",
            fetching=fetching,
            at=now,
        )
        self.stage.system.bus.publish(precision_topic("acc"), state, keep=True)
        await self.stage.settle()

    async def permit(self, status: EngineStatus, reason: str = "", *, paused: Mapping[str, str] | None = None) -> None:
        """Have the risk coordinator allow or stop entries."""
        permit = Permit(number=1, status=status, reason=reason, at=self.stage.now, paused=tuple((paused or {}).items()))
        self.stage.system.bus.publish(PERMITS, permit, keep=True)
        await self.stage.settle()

    async def balance(self, free: str, currency: str = "USDT") -> None:
        """Have the session say what is free."""
        fact = BalancesChanged("acc", (Balance(currency, Decimal(free)),), self.stage.now)
        self.stage.system.bus.publish(balances_topic("acc"), fact, keep=True)
        await self.stage.settle()

    async def price(self, symbol: str, last: str) -> None:
        """Have a market trade at a price, with a book of 1 around it."""
        mid = Decimal(last)
        tick = PriceTick(symbol, self.stage.now, mid - 1, mid + 1, mid)
        self.stage.system.bus.publish(market_topic("acc", symbol), tick, keep=True)
        await self.stage.settle()

    async def stands(self, found: Signal, state: GroupState, *, received: int = 1, dca: int = 0) -> None:
        """Have the group that a signal opened say how it stands."""
        await self.told(self.standing(found, state, received=received, dca=dca))

    def standing(self, found: Signal, state: GroupState, *, received: int = 1, dca: int = 0) -> GroupChanged:
        """Return how the group that a signal opened stands."""
        return group_fact(
            f"g{found.signal_id}",
            symbol=found.symbol,
            side=found.side,
            key=found.group_key,
            state=state,
            received=received,
            placed_legs=received + dca,
            placed_dca_legs=dca,
            all_layers_filled=False,
            at=self.stage.now,
        )


def entry(signal_id: str = "s1", **more: Any) -> EntryRequest:
    """Return a request to enter."""
    return EntryRequest(signal(signal_id, **more))


def exit_(signal_id: str = "x1", *, symbol: str = "BTC/USDT", side: Side = Side.LONG) -> ExitRequest:
    """Return a request to close what s1 opened, or another market's group."""
    found = signal(signal_id, "exit", symbol=symbol, side=side.value)
    return ExitRequest(found, found.group_key)


def reduce(signal_id: str = "r1", **how: Any) -> ReduceRequest:
    """Return a request to close a part of what s1 opened."""
    found = signal(signal_id, "reduce", **how)
    return ReduceRequest(found, found.group_key, **how)


def path_of(found: Signal) -> str:
    """Return where the group that a signal opened lives."""
    return f"{GROUPS}/{group_name(opening(found))}"


BTC, ETH, SOL = (
    entry(f"s{number}", symbol=name) for number, name in enumerate(("BTC/USDT", "ETH/USDT", "SOL/USDT"), 1)
)
"""Three entries; with two slots the last one waits."""
RELEASE = SlotReleased(signal("s1").group_key, "gs1")
"""The group of the first entry lets go of its slot."""
