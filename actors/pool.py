"""The pool of one venue account: who may open a position group, and who holds a slot (EX-901).

It decides entries by ``rules.pool``, journals who takes a slot, and has the group started. Exits, reductions and
pyramids go on to the live group, which answers for itself once it has journalled what it did: the gateway tells again
what nobody answered for, so nothing is lost between two commits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from actors.session import session_topic
from protocol.groups import AddPyramid, CloseGroup, CloseReason, OpenGroup, ReduceGroup, SlotReleased
from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.pool import GroupMail, GroupsUp, SlotFreed, SlotTaken, StartGroup
from protocol.signals import EntryRequest, ExitRequest, ReduceRequest, Signal, SignalOutcome
from protocol.venue import SessionDown, SessionUp
from rules.pool import Admission, PoolLimits, Slot, Verdict, admit
from runtime.actor import Do, handles
from runtime.durable import DurableActor

__all__ = ["OUTCOMES_KEPT", "GroupMaker", "Pool", "group_name"]

OUTCOMES_KEPT: Final = 10_000
"""Newest decided signals whose outcome is repeated when they are told again."""

GroupMaker = Callable[[Signal, Instrument, int], OpenGroup]
"""Builds the opening of a group (or of a further pyramid) from a signal under the present configuration."""


def group_name(opening: OpenGroup) -> str:
    """Return the name of a group's actor: what it trades, and its id, so that two lives of a key never share one."""
    symbol = opening.symbol.replace("/", "").replace(":", ".")
    return f"{opening.venue}:{symbol}:{opening.timeframe}:{opening.side.value}~{opening.group_id}"


class _Decided(NamedTuple):
    """What a signal came to. ``received_at`` 0: it is in the journal, so that nothing else ever has its id.

    A refusal is not: when the journal could not keep the signal itself, the next one is given the same id.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    received_at: int = 0


class Pool(DurableActor):
    """Admits, refuses and routes; remembers the groups that hold slots."""

    SNAPSHOT_EVERY = 10_000_000

    def __init__(self, *, account: str, limits: PoolLimits, make: GroupMaker, gateway: str, groups: str) -> None:
        self._account = account
        self._limits = limits
        self._make = make
        self._gateway = gateway
        self._groups = groups
        self._slots: dict[str, OpenGroup] = {}
        self._taken: dict[str, Slot] = {}
        self._markets: dict[str, Instrument] = {}
        self._unsent: list[GroupMail] = []
        self._decided: OrderedDict[str, _Decided] = OrderedDict()

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Learn the account's markets when its session comes up."""
        self.context.bus.subscribe(session_topic(self._account), self.ref)

    def apply(self, event: Event) -> None:
        """Take or free a slot."""
        match event:
            case SlotTaken():
                self._slots[event.group_key] = event.opening
                self._taken[event.group_key] = Slot(event.group_key, event.opening.group_id)
                self._remember(event.signal_id, _Decided("opened"))
            case SlotFreed():
                held = self._slots.get(event.group_key)
                if held is not None and held.group_id == event.group_id:
                    del self._slots[event.group_key], self._taken[event.group_key]

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{len(self._slots)} / {self._limits.max_open_groups} slots"

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Take the account's markets and their precision rules."""
        self._markets = {each.symbol: each for each in msg.instruments}

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep the rules: entries wait at the desk for the venue, exits as well."""

    @handles
    def groups_up(self, msg: GroupsUp) -> Do:
        """Have the group of every taken slot started, then hand on what came for them before."""
        unsent, self._unsent = self._unsent, []
        starts = [(msg.path, StartGroup(opening)) for opening in self._slots.values()]
        return Do(tells=[*starts, *((msg.path, mail) for mail in unsent)])

    # --- signals -------------------------------------------------------------------------------------------------------

    @handles
    def entry(self, msg: EntryRequest) -> Do | None:
        """Open a group, add a pyramid, or say why not."""
        signal = msg.signal
        known = self._decided.get(signal.signal_id)
        if known is not None and known.received_at in (0, signal.received_at):
            return Do(tells=[self._outcome(signal, known.outcome, known.reasons)])
        held = self._slots.get(signal.group_key)
        market = self._markets.get(signal.symbol)
        verdict = admit(signal, self._taken.get(signal.group_key), self._taken, market, self._limits)
        match verdict.admission:
            case Admission.OPEN if market is not None:
                return self._open(signal, market)
            case Admission.PYRAMID if market is not None and held is not None:
                return self._pyramid(signal, market, held)
        return self._refuse(signal, verdict)

    def _open(self, signal: Signal, market: Instrument) -> Do:
        opening = self._make(signal, market, self.now())
        taken = SlotTaken(
            group_key=opening.key,
            group_id=opening.group_id,
            signal_id=signal.signal_id,
            opening=opening,
            occupied=len(self._slots) + 1,
            maximum=self._limits.max_open_groups,
            at=self.now(),
        )
        return Do([taken], [(self._groups, StartGroup(opening)), self._outcome(signal, "opened")])

    def _pyramid(self, signal: Signal, market: Instrument, held: OpenGroup) -> Do | None:
        """Pass it on: the group answers for itself once it has journalled what it did (no slot is involved)."""
        wanted = self._make(signal, market, self.now())
        add = AddPyramid(
            group_id=held.group_id,
            signal_id=signal.signal_id,
            entry_price=wanted.entry_price,
            size=wanted.size,
            size_type=wanted.size_type,
            config=wanted.config,
            instrument=wanted.instrument,
            stop_price=wanted.stop_price,
            target_price=wanted.target_price,
            max_slippage_percent=wanted.max_slippage_percent,
            at=self.now(),
        )
        return self._to_group(held, add)

    def _refuse(self, signal: Signal, verdict: Verdict) -> Do:
        return self._say(signal, f"rejected:{verdict.code}", verdict.reasons)

    @handles
    def exit(self, msg: ExitRequest) -> Do | None:
        """Close the live group of this key."""
        signal = msg.signal
        held = self._slots.get(msg.group_key)
        if held is None:
            return self._say(signal, "nothing_to_exit")
        close = CloseGroup(
            group_id=held.group_id, reason=CloseReason.EXIT_SIGNAL, signal_id=signal.signal_id, at=self.now()
        )
        return self._to_group(held, close)

    @handles
    def reduce(self, msg: ReduceRequest) -> Do | None:
        """Close a part of the live group of this key."""
        signal = msg.signal
        held = self._slots.get(msg.group_key)
        if held is None:
            return self._say(signal, "nothing_to_exit")
        reduce = ReduceGroup(
            group_id=held.group_id,
            fraction=msg.fraction,
            amount=msg.amount,
            amount_type=signal.size_type,
            signal_id=signal.signal_id,
            at=self.now(),
        )
        return self._to_group(held, reduce)

    @handles
    def released(self, msg: SlotReleased) -> Do | None:
        """Free the slot of a closed group; a repeat changes nothing."""
        held = self._slots.get(msg.group_key)
        if held is None or held.group_id != msg.group_id:
            return None
        freed = SlotFreed(
            group_key=msg.group_key,
            group_id=msg.group_id,
            occupied=len(self._slots) - 1,
            maximum=self._limits.max_open_groups,
            at=self.now(),
        )
        return Do([freed])

    def _to_group(self, held: OpenGroup, message: AddPyramid | CloseGroup | ReduceGroup) -> Do | None:
        """Tell a group; one that does not live is brought back, and while its supervisor does not live either we wait."""
        path = f"{self._groups}/{group_name(held)}"
        if self.context.system.lookup(path) is not None:
            return Do(tells=[(path, message)])
        mail = GroupMail(path, message)
        if self.context.system.lookup(self._groups) is not None:
            return Do(tells=[(self._groups, mail)])
        self._unsent.append(mail)
        return None

    def _outcome(self, signal: Signal, outcome: str, reasons: tuple[str, ...] = ()) -> tuple[str, Any]:
        return self._gateway, SignalOutcome(signal.signal_id, outcome, reasons)

    def _say(self, signal: Signal, outcome: str, reasons: tuple[str, ...] = ()) -> Do:
        self._remember(signal.signal_id, _Decided(outcome, reasons, signal.received_at))
        return Do(tells=[self._outcome(signal, outcome, reasons)])

    def _remember(self, signal_id: str, decided: _Decided) -> None:
        self._decided[signal_id] = decided
        if len(self._decided) > OUTCOMES_KEPT:
            self._decided.popitem(last=False)
