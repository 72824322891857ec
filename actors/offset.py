"""The loss offset of one account: closes losers out of winners' profit, so that floating loss shrinks at no net loss.

Groups say how they stand, the bus holds the newest prices; ``rules.offset`` decides. A *cycle* is run when something could
have changed what the last one decided (``actors.offset_watch``), never more often than the interval, besides after a fill
and on an operator's word. A plan is carried out one close at a time and journalled at every step: a step that was asked
and not answered is told again, the group knows by its id what it has done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.offset_cycles import risk_topic
from actors.offset_preview import PreviewingOffset
from actors.offset_view import picture
from actors.risk import PERMITS
from actors.session import session_topic
from actors.topics import pool_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import GroupChanged, GroupState
from protocol.market import PriceTick, SubscribeMarket
from protocol.offset import (
    BlockGroup,
    RiskCommandDone,
    RiskFlag,
    RiskFlagCleared,
    RiskFlagSet,
    RiskPicture,
    RiskView,
    RunNow,
    SkipOnce,
    TellStanding,
    UnblockGroup,
)
from protocol.pool import ContinuationReplaced
from protocol.risk import EngineStatus, Permit
from protocol.venue import SessionDown, SessionUp
from rules.offset import Cycle, OffsetSettings, Run, risk_cycle, run_now, unrealized_usd
from rules.quote_usd import rate_symbol
from runtime.actor import Do, handles

__all__ = ["OffsetEngine", "risk_topic"]

_REFUSALS: Final = {
    "NotFound": "no live group has this id; `bulkhead risk` lists those that lose",
    "NotLive": "nothing of it can be offset in this state: only groups that are active or partially filled can be",
    "GroupBlocked": "it is blocked for the loss offset; unblock it first (`bulkhead risk unblock`)",
    "NotLosing": "it does not lose at the present price: there is nothing to offset",
    "StaleMark": "its newest price is older than 30 seconds; try again when prices come in",
    "QuoteRateMissing": "the USD value of its quote currency is unknown or too old; try again when that market has a price",
    "Frozen": "an operator must first resolve the difference that froze it",
    "OffsetOff": "loss offsetting is off; set risk_engine.enabled to use it",
    "PlanRunning": "a plan is being carried out; try again when it has ended",
    "VenueDown": "the venue is not connected; try again when it is",
}


class OffsetEngine(PreviewingOffset):
    """The engine of one account. ``feed`` is told which markets give the USD value of quote currencies."""

    def __init__(self, *, account: str, settings: OffsetSettings, groups: str, feed: str) -> None:
        super().__init__(account=account, settings=settings, groups=groups)
        self._feed = feed
        self._rates: set[str] = set()

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Listen, and have every living group say how it stands."""
        self.begin()
        account = self.account
        hear: Callable[..., None] = self.context.bus.subscribe
        hear(GROUPS, self.ref, wanted=lambda fact: fact.account == account)
        hear(pool_topic(account), self.ref, wanted=lambda fact: type(fact) is ContinuationReplaced)
        hear(PERMITS, self.ref, wanted=lambda fact: (fact.status is EngineStatus.ERROR) != self.in_error)
        hear(session_topic(account), self.ref)
        self.context.bus.publish(desk_topic(account), TellStanding())
        self.say()

    def recovered(self) -> Do | None:
        """Go on with the plan in flight: its open step is told again, it may have been lost."""
        return self.go()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        plan = f", {self.state.flight.plan_id} in flight" if self.state.flight is not None else ""
        return f"{self.standing[0].value}, {len(self.figures)} groups{plan}"

    # --- the world -----------------------------------------------------------------------------------------------------

    @handles
    def changed(self, msg: GroupChanged) -> Do | None:
        """Take over how a group stands; look when that could matter."""
        before = self.figures.take(msg)
        events = self.timer_events(msg)
        self._hear_rate(msg.group_id)
        if self.state.flight is not None:
            return Do(events, then=lambda: self._for_plan(msg, first=before is None))
        if before is None or before.open_qty != msg.open_qty or before.avg_entry != msg.avg_entry:
            if msg.open_qty or before is not None:
                self.arrange_after_fill()
        elif events or _differs(before, msg):
            self.arrange(self.due, "a group changed")
        return Do(events) if events else None

    def _for_plan(self, standing: GroupChanged, *, first: bool) -> Do | None:
        """Go on with a plan that waits for this group: for its answer, if it has just begun a life, or its standing."""
        flight = self.state.flight
        step = flight.open_step if flight is not None else None
        if step is not None:
            # A closed group is never known here, so each of its words would look like the first.
            came_back = first and standing.state is not GroupState.CLOSED
            return self.go() if came_back and step.group_id == standing.group_id else None
        return self.news_for_plan(standing.group_id)

    def _hear_rate(self, group_id: str) -> None:
        known = self.figures.get(group_id)
        if known is not None and known.rate and known.rate not in self._rates:
            self._rates.add(known.rate)
            self.context.system.tell(self._feed, SubscribeMarket(rate_symbol(known.quote)))

    @handles
    def price(self, msg: PriceTick) -> Do | None:  # noqa: ARG002 - that it came says all: the newest is on the bus
        """Wake up: a price has left its band."""
        self.watch.end()
        if self.state.flight is not None:
            return self.news_for_plan()
        self.arrange(self.due, "price")
        return None

    @handles
    def replaced(self, msg: ContinuationReplaced) -> Do | None:
        """Start a running timer anew when the settings say so (EX-1007)."""
        known = self.figures.get(msg.group_id)
        events = self.timer_events(known.standing, replaced=True) if known is not None else []
        if events and self.state.flight is None:
            self.arrange(self.due, "a group changed")
        return Do(events) if events else None

    @handles
    def session(self, msg: SessionUp | SessionDown) -> Do | None:
        """Note whether orders can reach the venue."""
        self.venue_up = isinstance(msg, SessionUp)
        if isinstance(msg, SessionUp):
            self.figures.take_markets(msg.instruments)
        if self.state.flight is not None:
            return self.news_for_plan()
        if self.venue_up:
            self.arrange(self.due, "the venue is connected")
        return None

    @handles
    def permit(self, msg: Permit) -> None:
        """Note whether the engine is in Error: it is shown, risk closes go on (EX-111)."""
        self.in_error = msg.status is EngineStatus.ERROR
        self.arrange(self.due, "the engine's status changed")

    @handles
    def apply_settings(self, msg: ApplySettings) -> Do:
        """Go on under other settings; timers start and end by them at once."""
        assert isinstance(msg.settings, OffsetSettings), msg.settings
        self.settings = msg.settings
        events = [event for known in self.figures for event in self.timer_events(known.standing)]
        if self.state.flight is None:
            self.arrange(self.now(), "the settings changed")
        return Do(events, answer=SettingsTaken(msg.version))

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def view(self, msg: RiskView) -> RiskPicture:  # noqa: ARG002 - the type is the message
        """Show how everything stands, with projected plans; nothing is changed by it."""
        weighed, _ = self.weighed()
        return picture(self.account, self.figures, weighed, self.state, self.settings, self.standing, self.now())

    @handles
    def run_now(self, msg: RunNow) -> Do:
        """Run a cycle at once, or offset one group whatever it still waits for (EX-1021)."""
        if not self.settings.enabled:
            return _refused(msg.group_id, "OffsetOff")
        if self.state.flight is not None:
            return _refused(msg.group_id, "PlanRunning")
        if not self.venue_up and not msg.check:
            return _refused(msg.group_id, "VenueDown")
        return self._run_for(msg) if msg.group_id else self._run_all(msg)

    def _run_all(self, msg: RunNow) -> Do:
        if msg.check:
            _, priced = self.weighed()
            cycle = risk_cycle(priced, self.settings, self.now())
            return Do(answer=RiskCommandDone(group_id="", plan=cycle.plan))
        before = self.state.plans
        do = self.look("run now") or Do()

        def done() -> RiskCommandDone:
            flight = self.state.flight
            begun = flight if flight is not None and self.state.plans > before else None
            plan = begun.plan if begun is not None else (self.state.last.plan if self.state.last is not None else None)
            return RiskCommandDone(group_id="", plan=plan, plan_id=begun.plan_id if begun is not None else "")

        return _answered(do, done)

    def _run_for(self, msg: RunNow) -> Do:
        group_id = msg.group_id
        weighed, priced = self.weighed()
        code = self._unpriced(group_id, weighed.left_out)
        run = Run(code) if code else run_now(priced, group_id, self.settings, self.now())
        if run.error is not None or run.plan is None:
            known = group_id in self.figures
            return _refused(group_id, "NotLive" if run.error == "NotFound" and known else run.error or "NotFound")
        if msg.check or not run.plan.executable:
            why = "" if run.plan.executable else f"nothing can be closed: {run.plan.reason}"
            return Do(answer=RiskCommandDone(group_id=group_id, skipped=run.skipped, plan=run.plan, message=why))
        loser = next(each for each in priced if each.group_id == group_id)
        usd = unrealized_usd(loser)
        assert usd is not None, "a group that loses has a price"
        cycle = Cycle({group_id: run.skipped}, {group_id: usd}, (group_id,), (), run.plan)
        plan_id = f"p{self.state.plans + 1}"
        answer = RiskCommandDone(group_id=group_id, skipped=run.skipped, plan=run.plan, plan_id=plan_id)
        self.stand(cycle, executing=True)
        return self.start_plan(cycle, run.plan, weighed, f"run now {group_id}", forced=True, answer=answer)

    def _unpriced(self, group_id: str, left_out: dict[str, str]) -> str:
        """Return why a group takes no part; empty when it does, or when it is blocked, which is said first."""
        return "" if group_id in self.state.blocked else left_out.get(group_id, "")

    @handles
    def block(self, msg: BlockGroup | SkipOnce) -> Do:
        """Exempt a group (EX-1022, EX-1023)."""
        flag = RiskFlag.BLOCKED if isinstance(msg, BlockGroup) else RiskFlag.SKIP_ONCE
        if msg.group_id not in self.figures:
            return _refused(msg.group_id, "NotFound")
        if msg.group_id in self.state.flags(flag):
            return Do(answer=RiskCommandDone(group_id=msg.group_id))
        return self._flagged(RiskFlagSet(group_id=msg.group_id, flag=flag, at=self.now()))

    @handles
    def unblock(self, msg: UnblockGroup) -> Do:
        """End a group's exemption."""
        if msg.group_id not in self.state.blocked:
            if msg.group_id not in self.figures:
                return _refused(msg.group_id, "NotFound")
            return Do(answer=RiskCommandDone(group_id=msg.group_id))
        cleared = RiskFlagCleared(group_id=msg.group_id, flag=RiskFlag.BLOCKED, cause="operator", at=self.now())
        return self._flagged(cleared)

    def _flagged(self, event: RiskFlagSet | RiskFlagCleared) -> Do:
        if self.state.flight is None:
            self.arrange(self.due, "a flag changed")
        return Do([event], answer=RiskCommandDone(group_id=event.group_id))


def _differs(before: GroupChanged, after: GroupChanged) -> bool:
    """Tell whether anything that a cycle looks at is different."""
    return (before.state, before.received, before.frozen, before.rules, before.first_fill_at) != (
        after.state,
        after.received,
        after.frozen,
        after.rules,
        after.first_fill_at,
    )


def _refused(group_id: str, code: str) -> Do:
    return Do(answer=RiskCommandDone(group_id=group_id, code=code, message=_REFUSALS.get(code, code)))


def _answered(do: Do, answer: Callable[[], Any]) -> Do:
    """Return the same Do, answered with what ``answer`` returns once all of it is carried out."""
    before = do.then

    def then() -> Do:
        following = before() if before is not None else None
        if following is None:
            return Do(answer=answer())
        return _answered(following, answer)

    return Do(do.events, do.tells, then=then, correlation_id=do.correlation_id)
