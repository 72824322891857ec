"""When the loss offset looks, and what it makes of what it sees (EX-1003..1008, EX-1019, EX-1020, EX-1024..1026)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from actors.offset_figures import Weighed
from actors.offset_plans import PlanRunner
from actors.offset_records import NOTE_EVERY_NS, Recorder
from protocol.groups import GroupChanged, GroupState
from protocol.messages import Event, Message
from protocol.offset import (
    OffsetPlan,
    OffsetStarted,
    OffsetStatus,
    RiskFlag,
    RiskFlagCleared,
    RiskStatus,
    RiskTimerCleared,
    RiskTimerStarted,
)
from rules.offset import (
    Candidate,
    Cycle,
    Flight,
    OffsetSettings,
    Outcome,
    bands,
    cycle_status,
    next_instant,
    risk_cycle,
    start_holds,
    timer_after,
)
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.timers import Timer

__all__ = ["LOOK_AT_LEAST_NS", "CycleRunner", "risk_topic"]

LOOK_AT_LEAST_NS: Final = 4 * NOTE_EVERY_NS
"""While a position is open it is looked at this often even when nothing could change, so that the record stays near it."""

_NOTHING: Final = Cycle({}, {}, (), (), None)


def risk_topic(account: str) -> str:
    """Return the bus topic on which an account's loss offset says how it stands (kept)."""
    return f"risk:{account}"


class _Look(Message, frozen=True, tag=True):
    OVERFLOW: ClassVar[str] = "keep"

    trigger: str


class _Again(Message, frozen=True, tag=True):
    OVERFLOW: ClassVar[str] = "keep"

    number: int


class CycleRunner(PlanRunner):
    """The half of the engine that decides."""

    def __init__(self, *, account: str, settings: OffsetSettings, groups: str) -> None:
        super().__init__(account=account, settings=settings, groups=groups)
        self.in_error = False
        self.standing: tuple[OffsetStatus, str] = (OffsetStatus.IDLE, "nothing was looked at yet")
        self.recorder = Recorder(account)
        self._said: RiskStatus | None = None
        self._next: Timer | None = None
        self._looked_at: int | None = None
        self._fill_looked_at: int | None = None
        self._skipped_now: frozenset[str] = frozenset()

    # --- when ----------------------------------------------------------------------------------------------------------

    @property
    def due(self) -> int:
        """The earliest instant of the next look: an interval after the last one."""
        if self._looked_at is None:
            return self.now()
        return self._looked_at + self.settings.evaluate_interval_sec * NANOS

    def arrange(self, at: int, trigger: str) -> None:
        """Look at an instant, or now if that has passed, unless a look is arranged that is no later."""
        at = max(at, self.now())
        if self._next is not None:
            if self._next.alive and self._next.at <= at:
                return
            self._next.cancel()
        self._next = self.timers.at(at, _Look(trigger))

    def arrange_after_fill(self) -> None:
        """Look now, or a second after the look that the last fill caused (EX-1020)."""
        if not self.settings.evaluate_on_fill:
            self.arrange(self.due, "fill")
            return
        self.arrange(self.now() if self._fill_looked_at is None else self._fill_looked_at + NANOS, "fill")

    @handles
    def look_now(self, msg: _Look) -> Do | None:
        """Run the cycle that was arranged."""
        if msg.trigger == "fill":
            self._fill_looked_at = self.now()
        return self.look(msg.trigger)

    # --- a cycle -------------------------------------------------------------------------------------------------------

    def weighed(self) -> tuple[Weighed, list[Candidate]]:
        """Return all groups with a position, and those of them that have a price and a rate."""
        weighed = self.figures.weigh(self.state, self.now())
        return weighed, [each for each in weighed.candidates if each.group_id not in weighed.left_out]

    def look(self, trigger: str, number: int = 1) -> Do | None:
        """Run a cycle; ``number`` is the place in its cycle that a plan would have. None while a plan is in flight."""
        if self.state.flight is not None:
            return None
        now = self._looked_at = self.now()
        if number == 1:
            self._skipped_now = frozenset()
        weighed, priced = self.weighed()
        # Whom the first look of this cycle has skipped once, its further plans leave alone as well.
        priced = [each._replace(skip_once=True) if each.group_id in self._skipped_now else each for each in priced]
        cycle = risk_cycle(priced, self.settings, now) if self.settings.enabled else _NOTHING
        goes = cycle.plan is not None and cycle.plan.executable and bool(self.venue_up)
        self.stand(cycle, executing=goes)
        consumed = [
            RiskFlagCleared(group_id=group_id, flag=RiskFlag.SKIP_ONCE, cause="consumed", at=now)
            for group_id in cycle.skip_consumed
            if group_id in self.state.skipped
        ]
        self._skipped_now |= frozenset(event.group_id for event in consumed)
        if goes and cycle.plan is not None:
            return self.start_plan(cycle, cycle.plan, weighed, trigger, before=consumed, number=number)
        self._rest(weighed, cycle, again=bool(self._skipped_now))
        status = self.standing[0]
        recorded = self.recorder.record(
            self.state, cycle, weighed.left_out, trigger=trigger, plan_id="", status=status, now=now
        )
        events = [*consumed, *recorded]
        if not events:
            self.say()
            return None
        return Do(events, then=self.say)

    def start_plan(
        self,
        cycle: Cycle,
        plan: OffsetPlan,
        weighed: Weighed,
        trigger: str,
        *,
        before: Sequence[Event] = (),
        number: int = 1,
        forced: bool = False,
        answer: Any = None,
    ) -> Do:
        """Begin to carry out a plan."""
        now = self.now()
        if self._next is not None:
            self._next.cancel()
        self.watch.end()
        plan_id = f"p{self.state.plans + 1}"
        recorded = self.recorder.record(
            self.state, cycle, weighed.left_out, trigger=trigger, plan_id=plan_id, status=OffsetStatus.ACTIVE, now=now
        )
        held = (*(winner.group_id for winner in plan.winners), plan.loser)
        rates = {each.group_id: each.quote_usd for each in weighed.candidates if each.quote_usd is not None}
        known = {each: self.figures.get(each) for each in held}
        started = OffsetStarted(
            plan_id=plan_id,
            decision_id=f"d{self.state.decisions + 1}",
            plan=plan,
            quote_usd={each: rates[each] for each in held},
            paths={each: found.standing.path for each, found in known.items() if found is not None},
            number=number,
            forced=forced,
            at=now,
        )

        def going() -> Do | None:
            self.say()
            return self.go(answer)

        return Do([*before, *recorded, started], then=going)

    def plan_over(self, flight: Flight, outcome: Outcome) -> Do | None:
        """Look again at once while plans of this cycle are left; after one that was stopped, an interval later."""
        self._looked_at = self.now()
        more = outcome.word == "done" and not flight.forced and flight.number < self.settings.max_plans_per_cycle
        self.stand(_NOTHING, executing=False)
        self.say()
        if more:
            return Do(tells=[(self.ref, _Again(flight.number + 1))])
        self.arrange(self.due, "after a plan")
        return None

    @handles
    def look_again(self, msg: _Again) -> Do | None:
        """Go on with a cycle after one of its plans, with what the groups have said since."""
        return self.look("after a plan", msg.number)

    def _rest(self, weighed: Weighed, cycle: Cycle, *, again: bool) -> None:
        """Set what wakes the engine next: prices outside their bands, the next instant that matters."""
        now = self.now()
        able = [each for each in weighed.candidates if weighed.left_out.get(each.group_id) != "Frozen"]
        waits_for_venue = cycle.plan is not None and cycle.plan.executable
        self.watch.begin(self.figures, {} if waits_for_venue else bands(able, cycle, self.settings, now))
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if again:
            self.arrange(self.due, "a group was skipped once")
            return
        at = next_instant(able, self.settings, now)
        if at is not None:
            self.arrange(max(at, self.due), "time")
        if weighed.candidates and self.settings.enabled:
            self.arrange(now + LOOK_AT_LEAST_NS, "time")

    # --- how it stands -------------------------------------------------------------------------------------------------

    def stand(self, cycle: Cycle, *, executing: bool) -> None:
        """Take over the status that a cycle means."""
        self.standing = cycle_status(cycle, self.settings, executing=executing, engine_error=self.in_error)

    def say(self) -> None:
        """Publish status and last action when either is new."""
        state, (status, why) = self.state, self.standing
        said = self._said
        if said is not None and (said.status, said.why, said.text, said.acted_at) == (
            status,
            why,
            state.text,
            state.acted_at,
        ):
            return
        self._said = RiskStatus(
            account=self.account, status=status, why=why, text=state.text, acted_at=state.acted_at, at=self.now()
        )
        self.context.bus.publish(risk_topic(self.account), self._said, keep=True)

    # --- timers of the groups ------------------------------------------------------------------------------------------

    def timer_events(self, standing: GroupChanged, *, replaced: bool = False) -> list[Event]:
        """Return what becomes of a group's timer and flags by how it stands now (EX-1005..1007, EX-1023)."""
        now, group_id = self.now(), standing.group_id
        if standing.state is GroupState.CLOSED:
            return self._forget(group_id)
        holds = start_holds(
            standing.received,
            all_sent=standing.all_layers_sent,
            all_filled=standing.all_layers_filled,
            settings=self.settings,
        )
        before = self.state.timers.get(group_id)
        after = timer_after(before, holds=holds, now=now, settings=self.settings, replaced=replaced)
        if after == before:
            return []
        if after is None:
            return [RiskTimerCleared(group_id=group_id, at=now)]
        return [RiskTimerStarted(group_id=group_id, expires_at=after, at=now)]

    def _forget(self, group_id: str) -> list[Event]:
        now = self.now()
        events: list[Event] = []
        if group_id in self.state.timers:
            events.append(RiskTimerCleared(group_id=group_id, at=now))
        events += [
            RiskFlagCleared(group_id=group_id, flag=flag, cause="closed", at=now)
            for flag in RiskFlag
            if group_id in self.state.flags(flag)
        ]
        return events
