"""Entries: none leaves without the permit in force, none while anything stops entries, none outside its market's format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from protocol.groups import GroupOpened, PyramidAdded, RulesTaken
from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import OrderRequest, OrderSent, Purpose
from protocol.paper import PaperOrderAccepted
from protocol.risk import (
    AccountArmed,
    AccountPaused,
    AccountResumed,
    AccountStopped,
    EngineStatus,
    EngineStatusChanged,
)
from protocol.values import OrderType
from protocol.venue import EntriesAllowed, EntriesStopped, Reconciled, VenueStatus, VenueStatusChanged
from runtime.clock import NANOS
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import Tail, account_of, instrument_of

__all__ = ["EntriesPermitted", "OrdersFit", "StoppedMeansStopped"]

_ON_ITS_WAY_S: Final = 15
"""What was decided before a stop may arrive this much later: it leaves within ten seconds or not at all."""


_PAUSED: Final = "the account's pause"
_STOPPED: Final = "the account's stop"
_OUTLAST: Final = ("venue", _PAUSED, _STOPPED)
"""What is not over when another engine on the account is gone."""


class EntriesPermitted(Invariant):
    """Every entry carries the newest permit, and that permit allows entries (EX-111)."""

    NAME = "entries-are-permitted"
    WANTS = (OrderSent, EngineStatusChanged)

    def __init__(self) -> None:
        self._statuses: dict[int, EngineStatus] = {0: EngineStatus.RUNNING}
        self._newest = 0
        self._since = 0

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Look at the permit; one that is told at this very instant may not have come yet."""
        event = entry.event
        if isinstance(event, EngineStatusChanged):
            self._statuses[event.number] = event.status
            self._newest, self._since = event.number, scene.now
            return
        assert isinstance(event, OrderSent)
        if event.purpose is not Purpose.ENTRY:
            return
        name, status = event.request.client_order_id, self._statuses.get(event.permit)
        if status is None:
            yield f"{name} left with permit {event.permit}, which nobody gave"
        elif scene.now > self._since and event.permit != self._newest:
            now = self._statuses[self._newest].value
            yield f"{name} left with permit {event.permit} ({status.value}) when {self._newest} ({now}) was in force"
        elif status is not EngineStatus.RUNNING:
            yield f"{name} left although permit {event.permit} says {status.value}"


class StoppedMeansStopped(Invariant):
    """No entry is decided on, nor arrives, once something stopped entries: a pause, an Error, a venue that is down."""

    NAME = "no-entry-after-a-stop"
    WANTS = (
        OrderSent,
        EngineStatusChanged,
        AccountPaused,
        AccountResumed,
        AccountStopped,
        AccountArmed,
        EntriesStopped,
        EntriesAllowed,
        VenueStatusChanged,
        Reconciled,
    )

    def __init__(self) -> None:
        self._stops: dict[tuple[str, str], int] = {}
        """Account (empty: all) and what stopped it -> since when, on the outside's clock."""
        self._entries: set[str] = set()
        self._tail = Tail()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Follow what stops entries and look at each that leaves."""
        yield from self.at_rest(scene)
        match entry.event:
            case EngineStatusChanged() as event:
                self._set("", "the engine", scene, stopped=event.status is not EngineStatus.RUNNING)
            case AccountPaused() | AccountResumed() as event:
                self._set(event.account, _PAUSED, scene, stopped=isinstance(event, AccountPaused))
            case AccountStopped() | AccountArmed() as event:
                self._set(event.account, _STOPPED, scene, stopped=isinstance(event, AccountStopped))
            case EntriesStopped() as event:
                self._set(event.account, event.code, scene, stopped=True)
            case EntriesAllowed() as event:
                self._stops = {
                    key: at for key, at in self._stops.items() if key[0] != event.account or key[1] in _OUTLAST
                }
            case VenueStatusChanged() as event if event.status in (VenueStatus.DOWN, VenueStatus.STOPPED):
                self._set(event.account, "venue", scene, stopped=True)
            case Reconciled() as event:
                # Up again is not enough: entries wait until the books were compared.
                self._set(event.account, "venue", scene, stopped=False)
            case OrderSent() as event if event.purpose is Purpose.ENTRY:
                name = event.request.client_order_id
                self._entries.add(name)
                for what, since in self._standing(account_of(entry.stream)):
                    if scene.now > since:
                        yield f"{name} was decided on {(scene.now - since) / NANOS:g} s after entries were stopped ({what})"

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at what has arrived at the exchanges."""
        for account, event in self._tail.news(scene):
            if not isinstance(event, PaperOrderAccepted) or event.request.client_order_id not in self._entries:
                continue
            for what, since in self._standing(account):
                if event.at > since + _ON_ITS_WAY_S * NANOS:
                    late = (event.at - since) / NANOS
                    yield f"{event.request.client_order_id} arrived {late:g} s after entries were stopped ({what})"

    def _set(self, account: str, what: str, scene: Scene, *, stopped: bool) -> None:
        if stopped:
            self._stops.setdefault((account, what), scene.now)
        else:
            self._stops.pop((account, what), None)

    def _standing(self, account: str) -> Iterator[tuple[str, int]]:
        return ((what, since) for (of, what), since in self._stops.items() if of in ("", account))


class OrdersFit(Invariant):
    """Every order fits the tick, step and minimums of its market, as its group has them and as the exchange does."""

    NAME = "orders-fit-their-market"
    WANTS = (OrderSent, GroupOpened, PyramidAdded, RulesTaken)

    def __init__(self) -> None:
        self._markets: dict[str, Instrument] = {}
        self._loose: set[str] = set()
        """Groups whose configuration does not ask for a smallest order value."""

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Measure the order."""
        event = entry.event
        if isinstance(event, OrderSent):
            market = self._markets.get(event.group_id)
            account = account_of(entry.stream)
            there = instrument_of(scene, account, event.request.symbol) if account in scene.exchanges else None
            for each in (market, there):
                if each is not None and (fault := self._misfit(event, each.rules)):
                    yield f"{event.request.client_order_id} {fault}"
                    return
            return
        assert isinstance(event, GroupOpened | PyramidAdded | RulesTaken)
        self._markets[event.group_id] = event.instrument
        if not isinstance(event, RulesTaken) and not event.config.enforce_min_notional:
            self._loose.add(event.group_id)

    def _misfit(self, event: OrderSent, rules: PrecisionRules) -> str:
        request: OrderRequest = event.request
        if request.qty % rules.step_size:
            return f"is for {request.qty}, no multiple of the step {rules.step_size}"
        if request.qty < rules.min_qty:
            return f"is for {request.qty}, below the minimum of {rules.min_qty}"
        for price in (request.price, request.stop_price):
            if price is not None and price % rules.tick_size:
                return f"is at {price}, no multiple of the tick {rules.tick_size}"
        value = request.qty * (request.price or 0)
        if request.type is OrderType.LIMIT and value < rules.min_notional and event.group_id not in self._loose:
            return f"is worth {value}, below the minimum of {rules.min_notional}"
        return ""
