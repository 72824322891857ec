"""The pool of one venue account: who may open a position group, who holds a slot, who waits (EX-901 to EX-931).

It decides by ``rules.pool``, journals what came of it and has groups started. Exits, reductions and pyramids go on to the
live group, which answers for itself once it has journalled what it did: the gateway tells again what nobody answered for,
so nothing is lost between two commits. An entry whose market rules must be fetched first is set aside, told to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.pool_memory import OUTCOMES_KEPT, Decided, Outcomes
from actors.pool_operators import OperatedPool
from actors.pool_tells import close_of, group_name, group_path, tells_of, untold
from actors.pool_world import GroupMaker, PoolWorld
from actors.risk import PERMITS
from actors.session import session_topic
from actors.topics import pool_topic, precision_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import AddPyramid, CloseGroup, GroupChanged, ReduceGroup, SlotReleased
from protocol.messages import Event, Message
from protocol.offset import TellStanding
from protocol.pool import (
    ContinuationReplaced,
    DryRun,
    DryRunReport,
    GroupMail,
    GroupsUp,
    PoolIdentities,
    QueuedReplaced,
    QueueReport,
    QueueSnapshot,
    StartGroup,
)
from protocol.precision import NeedRules, RulesState
from protocol.risk import Permit
from protocol.signals import EntryRequest, ExitRequest, ReduceRequest, RetellSignals, Signal, SignalOutcome
from protocol.venue import SessionDown, SessionUp
from rules.pool import (
    Command,
    Decision,
    Enter,
    Leave,
    LiveGroup,
    LookAgain,
    PoolSettings,
    PoolState,
    Rehearse,
    Release,
    carry_out,
    evolve,
    fold,
    free_slots,
    learn,
    next_expiry,
    pyramid_of,
    queue_report,
    what_would_happen,
)
from rules.signals.arrival import came_before
from runtime.actor import Do, handles
from runtime.timers import Timer

__all__ = ["OUTCOMES_KEPT", "RULES_WITHIN_S", "GroupMaker", "Pool", "group_name"]

RULES_WITHIN_S: Final = 75.0
"""How long an entry is set aside for a fetch of its rules; then it is decided by what is known."""


class _Expiry(Message, frozen=True, tag=True):
    pass


class _RulesLate(Message, frozen=True, tag=True):
    symbol: str


class Pool(OperatedPool):
    """Admits, queues, refuses and routes; remembers the groups that hold slots and the entries that wait."""

    def __init__(
        self,
        *,
        account: str,
        settings: PoolSettings,
        make: GroupMaker,
        gateway: str,
        groups: str,
        precision: str = "",
    ) -> None:
        self._account = account
        self._settings = settings
        self._make = make
        self._gateway = gateway
        self._groups = groups
        self._precision = precision
        self._state = PoolState()
        self._outcomes = Outcomes()
        self._unsent: list[GroupMail] = []
        self._aside: dict[str, list[Signal]] = {}
        self._expiry: Timer | None = None
        self._was_barred = False
        self._said: PoolIdentities | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Learn what the account's markets are, how its groups stand, and whether entries are allowed."""
        bus = self.context.bus
        self._world = PoolWorld(self._account, bus, self._make)
        self._was_barred = self._world.barred is not None
        for topic in (session_topic(self._account), precision_topic(self._account), PERMITS, GROUPS):
            bus.subscribe(topic, self.ref)
        # What groups say of themselves is in nobody's journal: a group may have begun to close, and say nothing for hours.
        bus.publish(desk_topic(self._account), TellStanding())
        self._after(())

    def apply(self, event: Event) -> None:
        """Take over what was decided."""
        self._state = evolve(self._state, event)
        self._outcomes.note(event)

    def snapshot(self) -> bytes:
        """Return slots, queue and outcomes."""
        return msgspec.msgpack.encode((self._state, self._outcomes.all()))

    def restore(self, state: bytes) -> None:
        """Take over slots, queue and outcomes."""
        self._state, kept = msgspec.msgpack.decode(state, type=tuple[PoolState, list[tuple[str, Decided]]])
        self._outcomes = Outcomes(kept)

    def recovered(self) -> Do:
        """Tell groups again what they may not have heard, and have the gateway hand over what it has no outcome of."""
        mail = [each for group in self._state.live.values() for each in untold(group, self._groups)]
        tells = [told for each in mail if (told := self._route(each)) is not None]
        if self.context.system.lookup(self._gateway) is not None:
            tells.append((self._gateway, RetellSignals(self.context.path)))
        return Do(tells=tells)

    def rolled_back(self) -> None:
        """Forget what stands in memory only: its signals may be lost, and the gateway tells the others again."""
        if self._aside or self._unsent:
            self._aside.clear()
            self._unsent.clear()
            self.context.system.tell(self._gateway, RetellSignals(self.context.path))

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        settings = self._settings
        taken = settings.max_open_groups - free_slots(self._state, settings)
        waiting = f", {len(self._state.queue)} waiting" if self._state.queue else ""
        return f"{taken} / {settings.max_open_groups} slots{waiting}"

    # --- the world -----------------------------------------------------------------------------------------------------

    @handles
    def session_up(self, msg: SessionUp) -> Do | None:
        """Take the account's markets; what waited for their rules may go on."""
        self._world.session_up(msg)
        return self._with_rules()

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep the rules: entries wait at the desk for the venue, exits as well."""

    @handles
    def rules(self, msg: RulesState) -> Do | None:
        """Take the rules that a fetch brought, or that it failed; what waited for them goes on (EX-506)."""
        if msg.fetching:
            return None
        self._world.rules_state(msg)
        return self._with_rules()

    @handles
    def rules_late(self, msg: _RulesLate) -> Do | None:
        """Decide without the fetch: nobody said how it ended."""
        return self._with_rules() if msg.symbol in self._aside else None

    @handles
    def permit(self, msg: Permit) -> Do | None:
        """Promote when engine and account take entries again (EX-928)."""
        was_barred, self._was_barred = self._was_barred, msg.bars(self._account) is not None
        return self._did(LookAgain()) if was_barred and not self._was_barred else None

    @handles
    def expiry(self, msg: _Expiry) -> Do | None:  # noqa: ARG002 - the type is the message
        """Take out what has waited too long (EX-915)."""
        self._expiry = None
        return self._did(LookAgain())

    @handles
    def stands(self, msg: GroupChanged) -> Do | None:
        """Take in how a live group stands: what it occupies, and whether it is closing."""
        if msg.account != self._account:
            return None
        known = self._state
        self._state = learn(known, msg)
        return self._did(LookAgain()) if self._state is not known and known.queue else None

    @handles
    def apply_settings(self, msg: ApplySettings) -> Do:
        """Go on under other settings: a lower limit closes nothing, a higher one promotes at once (EX-906)."""
        assert isinstance(msg.settings, PoolSettings), msg.settings
        self._settings = msg.settings
        do = self._did(LookAgain())
        return Do(do.events, do.tells, SettingsTaken(msg.version), then=do.then)

    # --- groups --------------------------------------------------------------------------------------------------------

    @handles
    def groups_up(self, msg: GroupsUp) -> Do:
        """Have the group of every taken slot started, then hand on what came for them before."""
        unsent, self._unsent = self._unsent, []
        groups = self._state.live.values()
        starts = [(msg.path, StartGroup(group.opening)) for group in groups]
        mails = [mail for group in groups for mail in untold(group, self._groups)]
        told = {(mail.group_path, getattr(mail.message, "signal_id", "")) for mail in mails}
        more = [mail for mail in unsent if (mail.group_path, getattr(mail.message, "signal_id", "")) not in told]
        return Do(tells=[*starts, *((msg.path, mail) for mail in (*mails, *more))])

    @handles
    def released(self, msg: SlotReleased) -> Do | None:
        """Free the slot of a closed group and let the next in, in the same turn; a repeat changes nothing."""
        do = self._did(Release(msg.group_key, msg.group_id))
        return do if do.events else None

    def _route(self, mail: GroupMail) -> tuple[str, Message] | None:
        """Say whom to tell: the group, else its supervisor, which brings it back; while that does not live either, wait."""
        if self.context.system.lookup(mail.group_path) is not None:
            return mail.group_path, mail.message
        if self.context.system.lookup(self._groups) is not None:
            return self._groups, mail
        self._unsent.append(mail)
        return None

    def _start(self, start: StartGroup) -> tuple[str, Message] | None:
        """Say whom to tell of a new group: its supervisor; one that is not up yet asks for all taken slots itself."""
        return (self._groups, start) if self.context.system.lookup(self._groups) is not None else None

    def _mail(self, group: LiveGroup, message: AddPyramid | CloseGroup | ReduceGroup) -> GroupMail:
        return GroupMail(group_path(self._groups, group.opening), message)

    def _to_group(self, group: LiveGroup, message: AddPyramid | CloseGroup | ReduceGroup) -> Do | None:
        told = self._route(self._mail(group, message))
        return Do(tells=[told]) if told is not None else None

    # --- signals -------------------------------------------------------------------------------------------------------

    @handles
    def entry(self, msg: EntryRequest) -> Do | None:
        """Let it in, queue it, or say why not; set it aside while its rules are being fetched."""
        signal = msg.signal
        known = self._outcomes.of(signal)
        if known is not None:
            return self._repeat(signal, known)
        aside = self._aside.get(signal.symbol)
        if aside is not None:
            if all(each.signal_id != signal.signal_id for each in aside):
                aside.append(signal)
            return None
        if self._must_fetch(signal):
            self._aside[signal.symbol] = [signal]
            self.timers.after(RULES_WITHIN_S, _RulesLate(signal.symbol))
            return Do(tells=[(self._precision, NeedRules(signal.symbol))])
        return self._did(Enter(signal))

    def _must_fetch(self, signal: Signal) -> bool:
        if not self._precision or self._world.barred is not None:
            return False
        found = self._world.seen(self.now(), self._settings).rules(signal)
        return found.old and self.context.system.lookup(self._precision) is not None

    def _with_rules(self) -> Do:
        """Decide what was set aside, in order, and look whether a hold has ended."""
        aside, self._aside = self._aside, {}
        return self._did(*(Enter(signal) for signals in aside.values() for signal in signals), LookAgain())

    def _repeat(self, signal: Signal, known: Decided) -> Do | None:
        group = self._state.live.get(signal.group_key)
        market = self._world.markets.instruments.get(signal.symbol)
        same = group is not None and known.group_id in ("", group.group_id)
        if known.outcome.startswith("pyramid_added") and group is not None and same and market is not None:
            # The group alone knows what it did with it; told again it only answers.
            add = group.adds.get(signal.signal_id) or pyramid_of(self._make(signal, market, self.now()), group.group_id)
            return self._to_group(group, add)
        return Do(tells=[self._outcome(signal.signal_id, known.outcome, known.reasons)])

    @handles
    def exit(self, msg: ExitRequest) -> Do | None:
        """Delete what waits under this key and close the live group."""
        signal, before = msg.signal, self._outcomes.of(msg.signal)
        if before is not None:
            return self._repeat(signal, before)
        if self._settings.dry_run:
            return self._did(Rehearse(signal), about=signal)
        # What was set aside before it came first: it is queued, and this exit deletes it.
        aside = self._aside.pop(signal.symbol, [])
        unknown = signal.symbol if aside else ""
        leave = Leave(msg.group_key, signal.signal_id)
        do = self._did(*(Enter(each) for each in aside), leave, about=signal, unknown=unknown)
        group = self._state.live.get(msg.group_key)
        if group is None or not group.closing:
            return do
        # It answers for itself that it is closing already.
        again = self._route(self._mail(group, close_of(group.group_id, signal.signal_id, self.now())))
        return Do(do.events, [*do.tells, *([again] if again is not None else ())], then=do.then)

    @handles
    def reduce(self, msg: ReduceRequest) -> Do | None:
        """Close a part of the live group of this key."""
        signal = msg.signal
        if self._settings.dry_run:
            return self._did(Rehearse(signal), about=signal)
        group = self._state.live.get(msg.group_key)
        if group is None or came_before(signal.signal_id, group.opening.signal_id):
            self._outcomes.refuse(signal, Decided("nothing_to_exit"))
            return Do(tells=[self._outcome(signal.signal_id, "nothing_to_exit")])
        reduce = ReduceGroup(
            group_id=group.group_id,
            fraction=msg.fraction,
            amount=msg.amount,
            amount_type=signal.size_type,
            signal_id=signal.signal_id,
            at=self.now(),
        )
        return self._to_group(group, reduce)

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def report(self, msg: QueueSnapshot) -> QueueReport:  # noqa: ARG002 - the type is the message
        """Read the queue."""
        return queue_report(self._state, self._account, self._world.seen(self.now(), self._settings))

    @handles
    def dry_run(self, msg: DryRun) -> DryRunReport:
        """Say what would become of a signal now."""
        return what_would_happen(self._state, msg.signal, self._world.seen(self.now(), self._settings))

    # --- deciding ------------------------------------------------------------------------------------------------------

    def _did(self, *commands: Command | Rehearse, about: Signal | None = None, unknown: str = "") -> Do:
        """Decide commands one after the other. ``about`` is the signal of an exit; ``unknown`` as in ``PoolWorld.seen``."""
        world = self._world.seen(self.now(), self._settings, unknown=unknown)
        state = self._state
        events: list[Event] = []
        tells: list[tuple[str, Any]] = []
        answer = None
        for command in commands:
            decision = carry_out(state, command, world)
            state = fold(state, decision.events)
            events += decision.events
            answer = decision.answer
            tells += self._said_of(command.signal if isinstance(command, Enter) else about, decision)
            for told in tells_of(decision.events, state, self._groups):
                tells += filter(None, [self._route(told) if isinstance(told, GroupMail) else self._start(told)])
        return Do(events, tells, answer, then=lambda: self._after(events))

    def _said_of(self, signal: Signal | None, decision: Decision) -> list[tuple[str, Any]]:
        """Tell the gateway what a signal came to, unless a group will."""
        if signal is None or decision.said is None or decision.said[0].startswith("pyramid_added"):
            return []
        outcome, reasons = decision.said
        if not decision.events:
            self._outcomes.refuse(signal, Decided(outcome, reasons))
        return [self._outcome(signal.signal_id, outcome, reasons)]

    def _outcome(self, signal_id: str, outcome: str, reasons: tuple[str, ...] = ()) -> tuple[str, Any]:
        return self._gateway, SignalOutcome(signal_id, outcome, tuple(each[:500] for each in reasons))

    def _after(self, events: Sequence[Event]) -> None:
        """Say what changed, and wait for the next entry to become too old."""
        bus, topic = self.context.bus, pool_topic(self._account)
        for event in events:
            if isinstance(event, QueuedReplaced) and event.group_id:
                bus.publish(topic, ContinuationReplaced(event.group_id))
        said = PoolIdentities(
            self._account,
            tuple(self._state.live),
            tuple(entry.key for entry in self._state.queue.values()),
            self._settings.replace,
        )
        if said != self._said:
            self._said = said
            bus.publish(topic, said, keep=True)
        self._wait_for_expiry()

    def _wait_for_expiry(self) -> None:
        due, timer = next_expiry(self._state, self._settings), self._expiry
        if timer is not None and timer.live and timer.at == due:
            return
        if timer is not None:
            timer.cancel()
        self._expiry = None if due is None else self.timers.at(due, _Expiry())
