"""Carrying out a plan of the loss offset: one close after the other, every step journalled before the next (EX-1015)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from actors.offset_figures import Figures
from actors.offset_state import OffsetState
from actors.offset_watch import PriceWatch
from protocol.groups import RiskClose, RiskCloseEnded
from protocol.messages import Event, Message
from protocol.offset import OffsetEnded, OffsetStepAsked, OffsetStepEnded
from protocol.pool import GroupMail
from rules.offset import Ask, End, Flight, OffsetSettings, Outcome, Step, Wait, next_move
from rules.quote_usd import quote_usd
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.timers import Timer

__all__ = ["GIVE_UP_S", "RETELL_S", "PlanRunner"]

RETELL_S: Final = 30.0
"""How long a step may be unanswered before it is told again; the group knows what it has done."""

GIVE_UP_S: Final = 120.0
"""How long a plan waits for its loser's price, or for its loser to say how it stands, before it ends without it."""


class _Go(Message, frozen=True, tag=True):
    """On the data lane: what the groups have said by now is heard before the plan goes on."""

    OVERFLOW: ClassVar[str] = "keep"


class _Retell(Message, frozen=True, tag=True):
    OVERFLOW: ClassVar[str] = "keep"

    step_id: str


class _GiveUp(Message, frozen=True, tag=True):
    OVERFLOW: ClassVar[str] = "keep"

    plan_id: str


class PlanRunner(DurableActor):
    """The half of the engine that executes. ``groups`` is the path of the supervisor of the account's groups."""

    SNAPSHOT_EVERY = 200

    def __init__(self, *, account: str, settings: OffsetSettings, groups: str) -> None:
        self.account = account
        self.settings = settings
        self.state = OffsetState()
        self.venue_up: bool | None = None
        """None until the session has said anything in this life."""
        self._groups = groups
        self._retell: Timer | None = None
        self._give_up: Timer | None = None

    def begin(self) -> None:
        """Make what needs the system; the first thing a life does."""
        self.figures = Figures(self.account, self.context.bus)
        self.watch = PriceWatch(self.context.bus, self.ref)

    def plan_over(self, flight: Flight, outcome: Outcome) -> Do | None:
        """Go on after a plan has ended."""
        raise NotImplementedError

    def apply(self, event: Event) -> None:
        """Fold an event."""
        self.state.fold(event)

    def snapshot(self) -> bytes | None:
        """Return all that is remembered."""
        return self.state.encoded()

    def restore(self, state: bytes) -> None:
        """Take over what was remembered."""
        self.state = OffsetState.decoded(state)

    # --- going on ------------------------------------------------------------------------------------------------------

    @handles
    def go_on(self, msg: _Go) -> Do | None:  # noqa: ARG002 - the type is the message
        """Take the next step of the plan in flight."""
        return self.go()

    def go(self, answer: Any = None) -> Do | None:
        """Return the next step of the plan in flight; ``answer`` goes to who asked for the plan."""
        flight = self.state.flight
        if flight is None:
            return None
        self._stop_waiting()
        now = self.now()
        move = next_move(
            flight,
            self.settings,
            loser=self.figures.candidate(flight.plan.loser, self.state, now),
            winners={
                each.group_id: self.figures.candidate(each.group_id, self.state, now) for each in flight.plan.winners
            },
            blocked=self.state.blocked,
            venue_up=self.venue_up,
            now=now,
        )
        match move:
            case Ask():
                return self._ask(flight, move, answer)
            case End():
                return self._end(flight, move.outcome, answer)
            case Wait():
                self._wait(flight, move.what)
        return Do(answer=answer)

    def _ask(self, flight: Flight, move: Ask, answer: Any) -> Do:
        self._need_not_give_up()
        known = self.figures.get(move.group_id)
        asked = OffsetStepAsked(
            plan_id=flight.plan_id,
            step_id=f"{flight.plan_id}.{len(flight.steps) + 1}",
            group_id=move.group_id,
            path=known.standing.path if known is not None and known.standing.path else flight.paths[move.group_id],
            qty=move.qty,
            loser=move.loser,
            at=self.now(),
        )

        def told() -> Do:
            self._tell_step()
            return Do(answer=answer)

        return Do([asked], then=told)

    def _tell_step(self) -> None:
        """Tell the open step to its group; one that does not live is brought back for it. Told again until answered."""
        flight = self.state.flight
        step = flight.open_step if flight is not None else None
        if step is None:
            return
        system = self.context.system
        close = self._close_of(step)
        if system.lookup(step.path) is not None:
            system.tell(step.path, close)
        elif system.lookup(self._groups) is not None:
            system.tell(self._groups, GroupMail(step.path, close))
        if self._retell is not None:
            self._retell.cancel()
        self._retell = self.timers.after(RETELL_S, _Retell(step.step_id))

    def _close_of(self, step: Step) -> RiskClose:
        """Return the step as its group is told it: with the instant it was decided, however often it is told."""
        return RiskClose(
            group_id=step.group_id,
            plan_id=step.step_id,
            reply_to=self.context.path,
            qty=step.qty,
            at=step.asked_at or self.now(),
        )

    @handles
    def retell(self, msg: _Retell) -> None:
        """Tell a step again that nobody answered."""
        flight = self.state.flight
        step = flight.open_step if flight is not None else None
        if step is not None and step.step_id == msg.step_id:
            self._tell_step()

    @handles
    def step_ended(self, msg: RiskCloseEnded) -> Do | None:
        """Book what a step came to; an answer that was heard before, or is to nothing we asked, changes nothing."""
        flight = self.state.flight
        step = flight.open_step if flight is not None else None
        if flight is None or step is None or (step.step_id, step.group_id) != (msg.plan_id, msg.group_id):
            return None
        ended = OffsetStepEnded(
            plan_id=flight.plan_id,
            step_id=step.step_id,
            group_id=step.group_id,
            loser=step.loser,
            status=msg.status,
            code=msg.code,
            qty=msg.qty,
            booked_quote=msg.booked_quote,
            booked_usd=msg.booked_quote * self._rate(flight, step.group_id),
            slippage_exceeded=msg.slippage_exceeded,
            worst_slippage=msg.worst_slippage,
            at=self.now(),
        )
        return Do([ended], [(self.ref, _Go())])

    def _rate(self, flight: Flight, group_id: str) -> Any:
        """Return USD per unit of a group's quote currency: now, or as it was when the plan was made."""
        known = self.figures.get(group_id)
        if known is not None:
            rate = quote_usd(known.quote, self.context.bus.kept(known.rate) if known.rate else None, self.now())
            if rate is not None:
                return rate
        return flight.quote_usd[group_id]

    def _end(self, flight: Flight, outcome: Outcome, answer: Any = None) -> Do:
        self._need_not_give_up()
        ended = OffsetEnded(
            account=self.account,
            plan_id=flight.plan_id,
            decision_id=flight.decision_id,
            outcome=outcome.word,
            code=outcome.code,
            booked_usd=flight.booked_usd,
            began_at=flight.began_at,
            at=self.now(),
        )

        def over() -> Do:
            following = self.plan_over(flight, outcome)
            return Do(tells=following.tells if following is not None else (), answer=answer)

        return Do([ended], then=over)

    # --- waiting -------------------------------------------------------------------------------------------------------

    def _wait(self, flight: Flight, what: str) -> None:
        """Wait for an answer, for the venue, or for the loser's price or standing: for these not for ever."""
        if what == "answer":
            self._tell_step()
            return
        known = self.figures.get(flight.plan.loser)
        if what == "price" and known is not None:
            self.watch.any_price(known.market)
        if what != "venue" and self._give_up is None:
            self._give_up = self.timers.after(GIVE_UP_S, _GiveUp(flight.plan_id))

    def _stop_waiting(self) -> None:
        self.watch.end()
        if self._retell is not None:
            self._retell.cancel()

    def _need_not_give_up(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()
            self._give_up = None

    @handles
    def give_up(self, msg: _GiveUp) -> Do | None:
        """End a plan whose loser has no price, or has not said how it stands; what is booked stays booked."""
        flight = self.state.flight
        self._give_up = None
        if flight is None or flight.plan_id != msg.plan_id or flight.open_step is not None:
            return None
        code = "StaleMark" if flight.plan.loser in self.figures else "NotFound"
        return self._end(flight, Outcome("stopped", code))

    def news_for_plan(self, group_id: str = "") -> Do | None:
        """Go on with a plan that waits, because a group, a price or the venue was heard of."""
        flight = self.state.flight
        if flight is None or flight.open_step is not None or (group_id and group_id != flight.plan.loser):
            return None
        return self.go()
