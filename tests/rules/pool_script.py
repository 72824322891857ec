"""A pool of the rules alone: what the vectors and the property tests drive, with the reducer the actor uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from protocol.groups import GridConfig, OpenGroup
from protocol.instruments import Instrument, PrecisionRules
from protocol.messages import Event
from protocol.risk import Bar
from protocol.signals import Signal, SignalKind, SignalSource, SizeType
from protocol.values import MarketType, Scope, Side
from rules.pool import (
    Action,
    ByOperator,
    Command,
    Decision,
    Enter,
    EntryPlan,
    KnownMarkets,
    Leave,
    LookAgain,
    PoolSettings,
    PoolState,
    Release,
    RulesFound,
    Surroundings,
    decide,
    find_rules,
    fold,
    occupancy,
    ranking_rules,
)
from rules.pool.settings import RankRule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
D = Decimal
RULES = PrecisionRules(D("0.01"), D("0.001"), D("0.001"), D(5))
_RENAMED = {
    "count_pyramids_toward_pool": "count_pyramids",
    "count_dca_toward_pool": "count_dca",
    "queue_replace_same_symbol": "replace",
    "cancel_opposite_queued": "cancel_opposite",
}
_RANKING = ("selection_priority", "priority_rules_enabled")


def instant(text: str) -> int:
    """Return the nanoseconds of an ISO 8601 time, with or without a fraction of a second."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1) * 1000


def perpetual(symbol: str) -> Instrument:
    """Return a market that can be sold short."""
    base, _, quote = symbol.partition("/")
    return Instrument(
        venue="binance",
        symbol=symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote,
        market_type=MarketType.PERP,
        rules=RULES,
    )


def settings_of(config: dict[str, Any]) -> tuple[PoolSettings, int]:
    """Return the settings a script's configuration means, and its pyramid maximum; an unknown key is an error."""
    given = dict(config)
    most = given.pop("max_pyramids_per_group", given.pop("max_pyramids", 5))
    if "opposite_signal_policy" in given:
        given["reverse_policy"] = given.pop("opposite_signal_policy") == "reverse"
    if "promotion_price" in given:
        given["market_price"] = given.pop("promotion_price") == "market"
    enabled = dict(given.get("priority_rules_enabled", {}))
    if "same_pair_timeframe" in given:
        enabled["same_pair_timeframe"] = given["same_pair_timeframe"]
    elif "same_pair_timeframe" in enabled:
        given["same_pair_timeframe"] = enabled["same_pair_timeframe"]
    rules = ranking_rules(tuple(given.get("selection_priority", [rule.value for rule in RankRule])), enabled)
    fields = {_RENAMED.get(name, name): value for name, value in given.items() if name not in _RANKING}
    return PoolSettings(rules=rules, **fields), most


class PoolScript:
    """One pool and its world: prices, missing rules, a pause, the time. ``do`` takes the events of EX section 19."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.settings, self.most = settings_of(config)
        self.state = PoolState()
        self.now = 0
        self.paused = False
        self.missing: set[str] = set()
        self.prices: dict[str, Decimal] = {}
        self.profits: dict[str, Decimal | None] = {}
        self.refused: dict[str, str] = {}
        self.journal: list[Event] = []
        self._signals = 0

    # --- the world ------------------------------------------------------------------------------------------------------

    def world(self) -> Surroundings:
        """Return what the rules see now."""
        return Surroundings(
            now=self.now,
            settings=self.settings,
            barred=Bar("EnginePaused", "by an operator") if self.paused else None,
            price=self.prices.get,
            market_price=lambda signal: self.prices.get(signal.symbol),
            rules=self._rules,
            plan=self._plan,
            most_pyramids=lambda _: self.most,
        )

    def _rules(self, signal: Signal) -> RulesFound:
        known = {} if signal.symbol in self.missing else {signal.symbol: perpetual(signal.symbol)}
        markets = KnownMarkets(
            known, None if signal.symbol in self.missing else self.now, signal.symbol in self.missing
        )
        return find_rules(signal, markets, self.now, self.settings)

    def _plan(self, signal: Signal, pyramid: int, found: RulesFound, state: PoolState) -> EntryPlan:
        del pyramid, state
        assert found.instrument is not None
        assert signal.entry_price is not None
        opening = OpenGroup(
            group_id=f"g{signal.signal_id}",
            key=signal.group_key,
            user=signal.user,
            scope=Scope.PAPER,
            venue=signal.venue,
            account="acc",
            symbol=signal.symbol,
            timeframe=signal.timeframe,
            side=signal.side,
            tag="test",
            signal_id=signal.signal_id,
            entry_price=signal.entry_price,
            size=D(1),
            size_type=SizeType.BASE,
            config=GridConfig(),
            instrument=found.instrument,
            at=self.now,
        )
        return EntryPlan(opening, self.refused.get(signal.symbol, ""), profit=self.profits.get(signal.signal_id))

    def signal(self, key: str, price: str, *, profit: str | None = None, reverse: bool = False) -> Signal:
        """Return the next signal of an identity."""
        user, venue, symbol, timeframe, side = key.split("|")
        self._signals += 1
        signal = Signal(
            signal_id=f"s{self._signals}",
            user=user,
            source=SignalSource.MANUAL,
            received_at=self.now,
            fired_at=self.now,
            venue=venue,
            symbol=symbol,
            timeframe=timeframe,
            kind=SignalKind.REVERSE if reverse else SignalKind.ENTRY,
            side=Side(side),
            entry_price=D(price),
            order_size=D(1),
            size_type=SizeType.BASE,
            trade_id=f"t{self._signals}",
        )
        self.profits[signal.signal_id] = None if profit is None else D(profit)
        return signal

    # --- driving it -----------------------------------------------------------------------------------------------------

    def command(self, command: Command) -> Decision:
        """Decide, journal and fold; the decision itself changes nothing."""
        before = self.state
        decision = decide(before, command, self.world())
        assert self.state is before
        self.journal += decision.events
        self.state = fold(before, decision.events)
        return decision

    def do(self, event: dict[str, Any]) -> list[str]:
        """Carry out one event of a script; return its outcomes."""
        if "at" in event:
            self.now = max(self.now, instant(event["at"]))
        match event["type"]:
            case "entry":
                signal = self.signal(
                    event["key"],
                    event.get("price", "1"),
                    profit=event.get("profit"),
                    reverse=event.get("reverse", False),
                )
                return list(self.command(Enter(signal)).outcomes)
            case "exit":
                return list(self.command(Leave(event["key"], f"x{len(self.journal)}")).outcomes)
            case "closed":
                group = self.state.live.get(event["key"])
                return list(self.command(Release(event["key"], group.group_id)).outcomes) if group else []
            case "promote" | "force_add" | "remove":
                return list(self.command(ByOperator(Action(event["type"]), event["id"])).outcomes)
            case "price":
                self.prices[event["symbol"]] = D(event["price"])
                return []
        worse = event["type"] == "pause" or (event["type"] == "precision" and not event["available"])
        self._change(event)
        # What can let nobody in has nobody looked at again (EX-917).
        return [] if worse else list(self.command(LookAgain()).outcomes)

    def _change(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "precision":
                (self.missing.discard if event["available"] else self.missing.add)(event["symbol"])
            case "set_max":
                self.settings = self.settings._replace(max_open_groups=_number(event))
            case "set_max_pyramids":
                self.most = _number(event)
            case "pause" | "resume":
                self.paused = event["type"] == "pause"
            case "tick":
                pass
            case unknown:
                raise ValueError(f"no such event: {unknown}")

    def standing(self) -> dict[str, Any]:
        """Return what the vectors compare after each step."""
        live = self.state.live.values()
        taken = occupancy(live, count_pyramids=self.settings.count_pyramids, count_dca=self.settings.count_dca)
        return {"occupied": taken, "live": sorted(self.state.live), "queue": list(self.state.queue)}

    def replayed(self) -> PoolState:
        """Return the state that the journal alone gives."""
        return fold(PoolState(), self.journal)

    def dca(self, key: str, legs: int) -> None:
        """Have a live group of this many placed layers after layer 0."""
        group = self.state.live[key]
        self.state = replace(self.state, live={**self.state.live, key: replace(group, dca_legs=legs)})


def _number(event: dict[str, Any]) -> int:
    (value,) = (each for name, each in event.items() if name not in ("type", "at"))
    return int(value)
