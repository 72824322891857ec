"""A position group: one managed position, from its opening to its last fill.

A thin shell around ``rules.group``: it hears signals, order updates, fills and prices, lets the rules decide, journals
what they decided and tells the order desk. Its stream is its group id, so an identity may live again later under the same
key without ever sharing history.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from actors.desk import desk_topic
from actors.group_recovery import absence_of, compared_topic
from actors.session import market_topic
from actors.session_topics import health_topic
from actors.topics import GROUPS, precision_topic
from protocol.groups import (
    AddPyramid,
    Batch,
    CloseGroup,
    CloseSkipped,
    FreezeGroup,
    GroupClosed,
    GroupState,
    OpenGroup,
    PyramidAdded,
    PyramidRefused,
    ReduceGroup,
    RetryClose,
    RetryEntry,
    RiskClose,
    RulesOverdue,
    SlotReleased,
    TakeRules,
    TriggerHeld,
    UnfreezeGroup,
)
from protocol.groups.editing import EditGroup
from protocol.groups.recovery import AccountCompared
from protocol.groups.tolerance import TakeTolerance, Tolerance
from protocol.instruments import PrecisionRules
from protocol.market import PriceTick, SubscribeMarket
from protocol.messages import Event, Message
from protocol.offset import TellStanding
from protocol.orders import DeskUp, FillReported, OrderUpdate, RetellOrders
from protocol.pool import SignalActedOn
from protocol.precision import NeedRules, RulesState
from protocol.signals import SignalOutcome
from protocol.venue import VenueStatus
from rules.group import (
    GroupView,
    answer_again,
    answers,
    decide,
    effects,
    evolve,
    outstanding,
    quiet,
    retries,
    summary,
    watch_bounds,
)
from rules.group.edit_preview import edit_answer
from rules.group.new_rules import follows
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.timers import Timer

__all__ = ["GROUPS", "LINGER_S", "PositionGroup", "group_stream"]

LINGER_S: Final = 60.0
"""How long a closed group stays to deal with late fills itself; later ones bring it back."""


def group_stream(group_id: str) -> str:
    """Return the journal stream of a group."""
    return f"group:{group_id}"


class _Leave(Message, frozen=True, tag=True):
    pass


class PositionGroup(DurableActor):
    """One group. ``opening`` is None when it is brought back from its journal alone."""

    SNAPSHOT_EVERY = 200
    BORN_WITH = ("_group_id", "_opening")

    def __init__(
        self,
        group_id: str,
        opening: OpenGroup | None,
        *,
        desk: str,
        pool: str,
        gateway: str,
        feed: str,
        precision: str,
        tolerance: Tolerance | None = None,
    ) -> None:
        self._group_id = group_id
        self._opening = opening
        self._desk = desk
        self._pool = pool
        self._gateway = gateway
        self._feed = feed
        self._precision = precision
        self._tolerance = tolerance
        self._last_rules: PrecisionRules | None = None
        self._view: GroupView | None = None
        self._acted: dict[str, SignalActedOn] = {}
        self._watching = False
        self._hears_prices = False
        self._prices = ""
        self._retries: dict[str, Timer] = {}

    # --- life ----------------------------------------------------------------------------------------------------------

    @property
    def stream(self) -> str:
        """The group's id, not its path: see the module."""
        return group_stream(self._group_id)

    def apply(self, event: Event) -> None:
        """Change the group by one of its events."""
        if isinstance(event, SignalActedOn):
            self._acted[event.signal_id] = event
            return
        self._view = evolve(self._view, event)
        self._watching = watch_bounds(self._view) != (None, None)

    def snapshot(self) -> bytes | None:
        """Return the group's whole state."""
        if self._view is None:
            return None
        return msgspec.msgpack.encode((self._view, self._acted))

    def restore(self, state: bytes) -> None:
        """Take over a state."""
        self._view, self._acted = msgspec.msgpack.decode(state, type=tuple[GroupView, dict[str, SignalActedOn]])
        self._watching = watch_bounds(self._view) != (None, None)

    def started(self) -> Do | None:
        """Listen to prices and to the desk; open the group in its first life."""
        known = self._view if self._view is not None else self._opening
        if known is None:
            raise LookupError(f"{self._group_id} has no opening and no journal")
        self._prices = market_topic(known.account, known.symbol)
        self._hear_prices(tell_newest=True)
        self.context.bus.subscribe(desk_topic(known.account), self.ref)
        self.context.bus.subscribe(precision_topic(known.account), self.ref, tell_kept=False)
        self.context.system.tell(self._feed, SubscribeMarket(known.symbol))
        if self._view is None and self._opening is not None:
            return self._step(self._opening)
        return None

    def recovered(self) -> Do | None:
        """Tell again what has no known outcome: receivers know by client id what they have heard before."""
        view = self._view
        if view is None:
            return None
        if view.state is GroupState.CLOSED:
            self.timers.after(LINGER_S, _Leave())
            return Do(tells=self._unanswered(view))
        self._set_retries()
        self._announce()
        back = absence_of(self.context.bus, view, self.now())
        do = self._did(self._decide(back) if back is not None else ())
        # The settings may have changed while it was away.
        follow = [(self.ref, TakeTolerance(self._tolerance))] if self._tolerance is not None else []
        return Do(do.events, [*self._unanswered(view), *do.tells, *follow], then=self._flatten_when_compared)

    def _flatten_when_compared(self) -> None:
        """Wait for the books of the account to be compared when the recovery contract has the group close itself."""
        if self._view is not None and self._view.flatten_due:
            self.context.bus.subscribe(compared_topic(self._view.account), self.ref)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        view = self._view
        if view is None:
            return "opening"
        health = self.context.bus.kept(health_topic(view.account))
        down = "" if health is None or health.status is VenueStatus.UP else ", venue down"
        frozen = f", frozen: {view.frozen}" if view.frozen else ""
        return f"{view.state.value}, {view.open_qty.normalize():f} open{down}{frozen}"

    # --- the world -----------------------------------------------------------------------------------------------------

    @handles
    def tick(self, msg: PriceTick) -> Do | None:
        """Look at a price only when it reaches what the group watches for."""
        return self._step(msg) if self._watching else None

    @handles
    def update(self, msg: OrderUpdate) -> Do | None:
        """Hear of an order."""
        return self._step(msg)

    @handles
    def fill(self, msg: FillReported) -> Do | None:
        """Hear of a fill."""
        return self._step(msg)

    @handles
    def retry(self, msg: RetryClose | RetryEntry) -> Do | None:
        """Try again what failed before."""
        return self._step(msg)

    @handles
    def risk_close(self, msg: RiskClose | Batch) -> Do | None:
        """Close a slice, or all, for a risk plan; asked again about a step that has ended, repeat the answer."""
        again = answer_again(self._view, msg)
        if again is not None:
            return Do(tells=[(msg.reply_to, again)] if isinstance(msg, RiskClose) and msg.reply_to else [])
        return self._step(msg)

    @handles
    def compared(self, msg: AccountCompared) -> Do | None:
        """Close a group whose recovery contract asks for it: what the venue knows is booked by now."""
        return self._step(msg)

    @handles
    def edit(self, msg: EditGroup) -> Do:
        """Show what an edit would lead to, or make it; the same request again is only answered."""
        answer = edit_answer(self._view, msg, self.now(), self.context.bus.kept(self._prices))
        if msg.preview or answer.applied or answer.problems:
            return Do(answer=answer)
        do = self._did(self._decide(msg))
        made = msgspec.structs.replace(answer, applied=True, version=answer.version + 1)
        return Do(do.events, do.tells, made, then=do.then)

    @handles
    def standing(self, msg: TellStanding) -> None:  # noqa: ARG002 - the type is the message
        """Say how this group stands: whoever asks has begun a life and heard nobody yet."""
        self._announce()

    @handles
    def rules(self, msg: RulesState) -> Do | None:
        """Take new rules of the market when something waits for them, or when those in force come from there."""
        view = self._view
        if view is None or msg.fetching:
            return None
        before = self._last_rules
        found = next((each for each in msg.instruments if each.symbol == view.symbol), None)
        self._last_rules = found.rules if found else before
        if view.rules_wanted and (found is None or msg.error):
            return self._step(RulesOverdue(self._group_id, self.now()))
        if found is not None and (view.rules_wanted or follows(view, before, found.rules)):
            return self._step(TakeRules(self._group_id, found, self.now()))
        return None

    @handles
    def steered(self, msg: FreezeGroup | UnfreezeGroup | TakeRules | RulesOverdue | TakeTolerance) -> Do | None:
        """Stop everything automatic, or go on (EX-1204); trade by new rules, or without; take other tolerances."""
        return self._step(msg)

    @handles
    def desk_up(self, msg: DeskUp) -> Do | None:  # noqa: ARG002 - the type is the message
        """Tell the desk's new life what this group still waits for."""
        if self._view is None:
            return None
        return Do(tells=self._unanswered(self._view))

    def _unanswered(self, view: GroupView) -> list[tuple[Any, Any]]:
        """Return what the desk is told when either of us begins a life: what it may know, and what it may not."""
        owner = self.context.path
        told = outstanding(view, owner=owner)
        return [
            (self._desk, RetellOrders(owner)),
            *((self._address(message), message) for message in told),
        ]

    # --- signals -------------------------------------------------------------------------------------------------------

    @handles
    def add_pyramid(self, msg: AddPyramid) -> Do | None:
        """Add a pyramid; answer the signal once that is recorded."""
        return self._for_signal(msg.signal_id, msg, "pyramid_added")

    @handles
    def close(self, msg: CloseGroup) -> Do | None:
        """Close the group or one leg of it."""
        return self._for_signal(msg.signal_id, msg, self._unless_ending("closing"))

    @handles
    def reduce(self, msg: ReduceGroup) -> Do | None:
        """Close a part of the group."""
        return self._for_signal(msg.signal_id, msg, self._unless_ending("reduced"))

    def _unless_ending(self, outcome: str) -> str:
        ends = self._view and self._view.state in (GroupState.CLOSING, GroupState.CLOSED)
        return "already_closing" if ends else outcome

    def _for_signal(self, signal_id: str, msg: Message, outcome: str) -> Do | None:
        """Act on a signal once: told again (the gateway heard no answer), only the outcome is repeated."""
        if not signal_id:
            return self._step(msg)
        acted = self._acted.get(signal_id)
        if acted is not None:
            return Do(tells=[(self._gateway, SignalOutcome(signal_id, acted.outcome, acted.reasons))])
        events = self._decide(msg)
        outcome, reasons = _outcome_of(events, outcome)
        acted = SignalActedOn(self._group_id, signal_id, outcome, reasons, self.now())
        do = self._did((*events, acted))
        return Do(do.events, [*do.tells, (self._gateway, SignalOutcome(signal_id, outcome, reasons))], then=do.then)

    # --- deciding ------------------------------------------------------------------------------------------------------

    def _decide(self, msg: Any) -> tuple[Event, ...]:
        return decide(self._view, msg, self.now(), self.context.bus.kept(self._prices))

    def _step(self, msg: Any) -> Do | None:
        events = self._decide(msg)
        if events:
            return self._did(events)
        if isinstance(msg, RetryClose | RetryEntry | RulesOverdue):
            # What was due could not be done yet: it stays due. Not at once, or it would be a circle.
            self._set_retries(least_s=1)
        return None

    def _did(self, events: tuple[Event, ...]) -> Do:
        told = effects(events, owner=self.context.path)
        tells: list[tuple[Any, Any]] = [(self._address(message), message) for message in told]
        tells += answers(events)
        return Do(events, tells, then=lambda: self._after(events))

    def _address(self, message: Message) -> str:
        if isinstance(message, SlotReleased):
            return self._pool
        return self._precision if isinstance(message, NeedRules) else self._desk

    def _after(self, events: tuple[Event, ...]) -> None:
        """Set the waits that the new events ask for and say how the group stands."""
        if any(isinstance(event, GroupClosed) for event in events):
            self.timers.after(LINGER_S, _Leave())
        self._hear_prices(tell_newest=False)
        self._set_retries()
        self._announce()

    def _hear_prices(self, *, tell_newest: bool) -> None:
        """Hear prices only while one could change anything: groups that wait for their orders cost a tick nothing."""
        if self._watching == self._hears_prices:
            return
        self._hears_prices = self._watching
        if self._watching:
            self.context.bus.subscribe(self._prices, self.ref, tell_kept=tell_newest, wanted=self._reaches)
        else:
            self.context.bus.unsubscribe(self._prices, self.ref)

    def _reaches(self, fact: Any) -> bool:
        """Whether a price reaches what the group watches for."""
        return type(fact) is PriceTick and self._view is not None and not quiet(self._view, fact)

    def _set_retries(self, *, least_s: int = 0) -> None:
        """Keep one timer for each thing to try again; one that is asked for no more is stopped."""
        if self._view is None:
            return
        wanted = {_name_of(message): (delay_s, message) for delay_s, message in retries(self._view, self.now())}
        for name in [name for name in self._retries if name not in wanted or not self._retries[name].live]:
            self._retries.pop(name).cancel()
        for name, (delay_s, message) in wanted.items():
            if name not in self._retries:
                self._retries[name] = self.timers.after(max(delay_s, least_s), message)

    def _announce(self) -> None:
        if self._view is not None:
            self.context.bus.publish(GROUPS, summary(self._view, self.now(), self.context.path))

    @handles
    def leave(self, msg: _Leave) -> None:  # noqa: ARG002 - the type is the message
        """End: nothing has come for a closed group for a while."""
        if self._view is not None and self._view.state is GroupState.CLOSED:
            self.context.stop()


def _name_of(message: RetryClose | RetryEntry | RulesOverdue) -> str:
    if isinstance(message, RulesOverdue):
        return "rules"
    return f"close:{message.number}" if isinstance(message, RetryClose) else f"entry:{message.leg_id}"


def _outcome_of(events: tuple[Event, ...], otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Return what a signal came to in this group, and why."""
    for event in events:
        match event:
            case PyramidRefused():
                return f"rejected:{event.code}", (event.text[:500],)
            case PyramidAdded():
                return f"pyramid_added:{event.pyramid}", ()
            case CloseSkipped():
                return f"skipped:{event.code}", ()
            case TriggerHeld():
                return "held:GroupFrozen", ("the group is frozen: it acts once an operator unfreezes it",)
    return otherwise, ()
