"""Notes the prices that equity is drawn from: at the start, at each fill, at an interval while they change (EX-1705).

It reads prices where they stand and hears of fills after they are durable: nothing that trades waits for it or pays for it.
On a virtual clock it has no interval: there only fills count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.session_topics import balances_topic, market_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.errors import ValidationError
from protocol.groups import GroupChanged
from protocol.market import PriceTick
from protocol.messages import Event, Message
from protocol.offset import TellStanding
from protocol.orders import FillRecorded
from protocol.performance import EquityMarked, Mark, MarkedFor, RecordFlow
from protocol.values import Scope
from protocol.venue import BalancesChanged
from rules.quote_usd import USD_LIKE, quote_usd, rate_symbol
from runtime.actor import NO_ANSWER, Do, handles
from runtime.clock import VirtualClock
from runtime.durable import DurableActor
from runtime.journal import Entry
from runtime.timers import Timer

__all__ = ["EquityKeeper", "EquitySettings"]

_ZERO: Final = Decimal(0)


class EquitySettings(NamedTuple):
    """Seconds between two marks, each account's scope, and the equity its curves begin with (None: its balances then)."""

    interval_s: float
    scopes: Mapping[str, Scope]
    starting: Mapping[str, Decimal | None]


class _Filled(Message, frozen=True, tag=True):
    CONFLATE_BY: ClassVar[str] = "account"

    account: str


class _Traded(Message, frozen=True, tag=True):
    OVERFLOW: ClassVar[str] = "keep"

    account: str
    symbol: str


class _Due(Message, frozen=True, tag=True):
    pass


class _Account(msgspec.Struct):
    """What an account trades, where its curves begin, and the newest marks."""

    symbols: set[str]
    starting: Decimal | None = None
    marks: tuple[Mark, ...] = ()


class _Held(NamedTuple):
    """Dollars of an account while its other currencies stood as when they were first heard of."""

    others: dict[str, Decimal]
    dollars: Decimal


class EquityKeeper(DurableActor):
    """Journals marks; one a daemon, for all accounts.

    What an account trades is known from its fills, and in a later life from its groups: a fill whose mark was lost with the
    life before is in nobody's mark.
    """

    SNAPSHOT_VERSION = 2

    def __init__(self, settings: EquitySettings) -> None:
        self._settings = settings
        self._accounts: dict[str, _Account] = {}
        self._held: dict[str, _Held] = {}
        self._heard: Any = None
        self._timer: Timer | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear of fills as they become durable; look at prices now and then where time is real."""
        self._heard = self.context.callback(self._committed)
        self.context.system.durability.listeners.append(self._heard)
        bus = self.context.bus
        bus.subscribe(GROUPS, self.ref, wanted=self._is_news)
        for account in self._settings.scopes:
            bus.publish(desk_topic(account), TellStanding())
            bus.subscribe(balances_topic(account), self.ref, wanted=self._may_begin)
        self._begin_interval()

    def let_go(self) -> None:
        """Hear no more."""
        listeners = self.context.system.durability.listeners
        if self._heard in listeners:
            listeners.remove(self._heard)

    def _begin_interval(self) -> None:
        if not isinstance(self.context.system.clock, VirtualClock):
            self._timer = self.timers.every(self._settings.interval_s, _Due())
            self.ref.tell(_Due())  # the curves begin with the account, not with its first trade

    def apply(self, event: Event) -> None:
        """Remember where curves begin, what is open and its newest marks."""
        if isinstance(event, EquityMarked):
            account = self._account(event.account)
            account.starting, account.marks = event.starting, event.marks
            account.symbols.update(mark.symbol for mark in event.marks)

    def snapshot(self) -> bytes:
        """Return what is known of each account."""
        return msgspec.msgpack.encode(self._accounts)

    def restore(self, state: bytes) -> None:
        """Take a snapshot."""
        self._accounts = msgspec.msgpack.decode(state, type=dict[str, _Account])

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{sum(len(each.symbols) for each in self._accounts.values())} symbols"

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Go on with another interval; where the curves begin stays."""
        self._settings = msg.settings
        if self._timer is not None:
            self._timer.cancel()
        self._begin_interval()
        return SettingsTaken(msg.version)

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account(set()))

    # --- what is traded ------------------------------------------------------------------------------------------------

    def _is_news(self, fact: GroupChanged) -> bool:
        return fact.open_qty > 0 and fact.symbol not in self._account(fact.account).symbols

    def _may_begin(self, fact: BalancesChanged) -> bool:
        known = self._accounts.get(fact.account)
        return self._settings.starting.get(fact.account) is None and (known is None or known.starting is None)

    @handles
    def balances(self, msg: BalancesChanged) -> None:
        """Remember what an account held before it bought: balances may come before the first mark and after its fill."""
        held = _held(msg)
        known = self._held.get(msg.account)
        if known is None or known.others == held.others:
            self._held[msg.account] = held
        if known is None and self._timer is not None:
            self.ref.tell(_Due())

    @handles
    def stands(self, msg: GroupChanged) -> None:
        """Learn of a position that no mark of an earlier life was for."""
        self._account(msg.account).symbols.add(msg.symbol)

    @handles
    def traded(self, msg: _Traded) -> None:
        """Learn of a symbol that an account trades, and note the marks that this makes it part of."""
        self._account(msg.account).symbols.add(msg.symbol)
        self.ref.tell(_Filled(msg.account))

    def _committed(self, batch: Sequence[Entry]) -> None:
        """Say to itself, in messages, which symbols are new and which accounts have fills: marks are noted once a commit."""
        for entry in batch:
            event = entry.event
            if type(event) is FillRecorded:
                name = entry.stream.split("/")[2]
                known = self._accounts.get(name)
                new = known is None or event.symbol not in known.symbols
                self.ref.tell(_Traded(name, event.symbol) if new else _Filled(name))

    # --- marks ---------------------------------------------------------------------------------------------------------

    @handles
    def filled(self, msg: _Filled) -> Do | None:
        """Note the marks after a fill."""
        return self._mark(msg.account, MarkedFor.FILL)

    @handles
    def due(self, msg: _Due) -> Do | None:  # noqa: ARG002 - the type is the message
        """Note the marks of each account in which a price has changed, and where those begin that have none."""
        found = [self._mark(name, MarkedFor.INTERVAL) for name in sorted(self._settings.scopes)]
        events = [event for do in found if do is not None for event in do.events]
        return Do(events) if events else None

    @handles
    def flow(self, msg: RecordFlow) -> Any:
        """Note a deposit or withdrawal with the prices of the moment; of an account that there is not: ``NotFound``."""
        envelope, scope = self.context.envelope, self._settings.scopes.get(msg.account)
        if scope is None:
            assert envelope is not None
            error = ValidationError("account", "is not configured", code="NotFound", value=msg.account)
            self.context.answer(envelope, error=error)
            return NO_ANSWER
        counted = self._account(msg.account).starting is None and self._settings.starting.get(msg.account) is None
        marked = self._marked(msg.account, scope, MarkedFor.FLOW)
        # Where the curves begin only now they begin with the balances, and those hold what was deposited already.
        starting = marked.starting - msg.amount if counted else marked.starting
        noted = replace(marked, starting=starting, flow=msg.amount, note=msg.note, operator=msg.operator)
        return Do([noted], answer=noted)

    def _mark(self, name: str, reason: MarkedFor) -> Do | None:
        scope = self._settings.scopes.get(name)
        if scope is None:
            return None  # an account of an earlier configuration
        marked, account = self._marked(name, scope, reason), self._account(name)
        begins = account.starting is None and self._known_start(name) is not None
        if reason is MarkedFor.INTERVAL and marked.marks == account.marks and not begins:
            return None
        return Do([marked])

    def _marked(self, name: str, scope: Scope, reason: MarkedFor) -> EquityMarked:
        account = self._account(name)
        marks = tuple(mark for symbol in sorted(account.symbols) if (mark := self._mark_of(name, symbol)) is not None)
        starting = account.starting if account.starting is not None else self._known_start(name) or _ZERO
        return EquityMarked(account=name, scope=scope, reason=reason, starting=starting, marks=marks, at=self.now())

    def _mark_of(self, account: str, symbol: str) -> Mark | None:
        bus = self.context.bus
        tick: PriceTick | None = bus.kept(market_topic(account, symbol))
        if tick is None:
            return None
        quote = symbol.partition("/")[2].partition(":")[0]
        rate = quote_usd(quote, bus.kept(market_topic(account, rate_symbol(quote))), self.now())
        return Mark(symbol=symbol, bid=tick.bid, ask=tick.ask, quote_usd=rate)

    def _known_start(self, name: str) -> Decimal | None:
        """Return what the account's curves begin with: what was set, else its dollars before anything was bought."""
        given, held = self._settings.starting.get(name), self._held.get(name)
        return given if given is not None or held is None else held.dollars


def _held(fact: BalancesChanged) -> _Held:
    amounts = {each.currency: each.free + each.locked for each in fact.balances}
    others = {name: amount for name, amount in amounts.items() if amount and name not in USD_LIKE}
    return _Held(others, sum((amount for name, amount in amounts.items() if name in USD_LIKE), _ZERO))
