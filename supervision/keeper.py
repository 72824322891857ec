"""The mechanism of a supervisor: what the end of a child means, and how all children get to where they belong.

Everything done is one of three steps, taken again after each piece of news until every child is where it belongs: stop
the next child that must go (last started first, one at a time), wait for the backoff, start the next child that must come
(first first, one at a time; under one_for_one all at once after the first start).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Final

from protocol.control import ActorStanding, ReportContext, SupervisorReport
from protocol.incident_files import SupervisorDecision
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from runtime.journal import JournalUnavailable
from runtime.lifecycle import ChildExited, ChildStarted, Exit, ExitKind
from runtime.timers import Timer
from supervision.budget import Intensity, spend
from supervision.child import ChildSpec, Verdict, verdict
from supervision.decisions import decision
from supervision.errors import ChildStartFailed, SupervisionError, SupervisorExhausted
from supervision.messages import RestartDue, StartChild, StartOverdue, StopChild
from supervision.slots import LIVE, Phase, Slot, Strategy, affected

__all__ = ["BY_OPERATOR", "JOURNAL_RETRY_S", "REASON_LENGTH", "REPORTS_KEPT", "TOPIC", "Keeper"]

REPORTS_KEPT: Final = 200
"""Newest reports a supervisor keeps for a reader."""

REASON_LENGTH: Final = 1_000
"""Characters of a reason that a report keeps."""

JOURNAL_RETRY_S: Final = 1.0
"""Longest wait of a child whose events the journal could not keep: it goes on soon after there is space again."""

BY_OPERATOR: Final = "by an operator"
"""Reason of a quarantine that no failure led to."""

TOPIC: Final = "supervision"
"""Bus topic on which every supervisor publishes its reports."""


class Keeper(Actor):
    """The part of a supervisor that deals with its children; ``Supervisor`` adds its own life and what others ask of it."""

    READY_AT_ONCE: ClassVar[bool] = False

    def __init__(
        self,
        children: Sequence[ChildSpec] = (),
        *,
        strategy: Strategy = "one_for_one",
        intensity: Intensity | None = None,
    ) -> None:
        self._static = tuple(children)
        if len({spec.name for spec in children}) != len(self._static):
            raise SupervisionError(f"two children have the same name: {[spec.name for spec in children]}")
        self._strategy = strategy
        self._intensity = intensity if intensity is not None else Intensity()
        self._slots: dict[str, Slot] = {}
        self._history: tuple[int, ...] = ()
        self._pause: Timer | None = None
        self._pause_token = 0
        self._tokens = 0
        self._booting = True
        self._failed = False
        self.reports: deque[SupervisorReport] = deque(maxlen=REPORTS_KEPT)

    # --- news of children ----------------------------------------------------------------------------------------------

    @handles
    def child_started(self, news: ChildStarted) -> None:
        """Go on to the next child."""
        slot = self._slots.get(news.name)
        if slot is None or slot.phase is not Phase.STARTING:
            return
        slot.cancel_timer()
        slot.phase = Phase.UP
        slot.once_up = True
        slot.up_since = self.now()
        self._answer(slot)
        self._advance(slot)

    @handles
    def child_exited(self, news: ChildExited) -> None:
        """Decide what the end of a child means."""
        slot = self._slots.get(news.name)
        if slot is None:
            self.context.forget(news.name)
            return
        phase, slot.phase = slot.phase, Phase.DOWN
        judged = news.exit
        slot.cancel_timer()
        if phase is Phase.STOPPING:
            self._stopped(slot, news.exit)
        elif slot.doomed:
            self._report(ReportContext.CHILD_TERMINATED, slot, str(news.exit), error=news.exit.error)
            self._stopped(slot, Exit(ExitKind.SHUTDOWN))
        elif news.starting:
            judged = self._start_failed(slot, news.exit)
        else:
            self._judge(slot, news.exit)
        if judged.abnormal:
            self.context.system.black_box.decided(news.path, self._decision(slot), judged)
        self._advance(slot)

    def _stopped(self, slot: Slot, exit_: Exit) -> None:
        if exit_.abnormal:
            self._report(ReportContext.SHUTDOWN_ERROR, slot, str(exit_), error=exit_.error)
        slot.doomed = False
        if slot.held and not slot.removing:
            slot.held = slot.again = False
            self._quarantine(slot, BY_OPERATOR)
            self._answer(slot)
            return
        if slot.removing or (slot.spec.restart == "temporary" and not slot.again):
            self._remove(slot)
            return
        slot.again = False
        self.context.mark(slot.name, Phase.WAITING)

    def _start_failed(self, slot: Slot, exit_: Exit) -> Exit:
        """Judge a start that failed; return the exit it counts as."""
        if slot.overdue:
            error: BaseException = TimeoutError(f"{self._path(slot)} was not up within {slot.spec.start_s} s")
            exit_ = Exit(ExitKind.CRASH, error)
        gone_in_order = not exit_.abnormal and slot.spec.restart != "permanent"
        if not gone_in_order:
            self._report(ReportContext.START_ERROR, slot, str(exit_), error=exit_.error)
        asked = slot.asker is not None and slot.asker.reply is not None
        if slot.once_up or gone_in_order:
            self._judge(slot, exit_, reported=True)
        elif slot.static:
            self._crash(ChildStartFailed(self._path(slot), exit_.error))
        elif asked:
            self._remove(slot, ChildStartFailed(self._path(slot), exit_.error))
        else:
            self._judge(slot, exit_, reported=True)
        return exit_

    def _judge(self, slot: Slot, exit_: Exit, *, reported: bool = False) -> None:
        decided = verdict(slot.spec.restart, exit_)
        if not reported and (exit_.abnormal or decided is Verdict.RESTART):
            self._report(ReportContext.CHILD_TERMINATED, slot, str(exit_), error=exit_.error)
        if decided is Verdict.RESTART:
            self._answer(slot, ChildStartFailed(self._path(slot), exit_.error))
            if isinstance(exit_.error, JournalUnavailable) or slot.spec.by_itself():
                self._restart(slot, exit_)
            else:
                self._quarantine(slot, str(exit_))
        elif decided is Verdict.KEEP:
            slot.phase = Phase.DONE
            self._answer(slot)
            self.context.forget(slot.name)
        elif decided is Verdict.REMOVE:
            self._remove(slot, ChildStartFailed(self._path(slot), exit_.error))
        else:
            self._escalate(slot, exit_)

    def _decision(self, slot: Slot) -> SupervisorDecision:
        """Say what was decided about a child that has just ended."""
        waits = slot.timer if self._strategy == "one_for_one" else self._pause
        return decision(
            self.context.path,
            self._path(slot),
            slot,
            failed=self._failed,
            known=self._slots.get(slot.name) is slot,
            delay_s=(waits.at - self.now()) / NANOS if waits is not None else 0.0,
            alone=self._strategy == "one_for_one",
        )

    # --- restart, or the end of the budget -----------------------------------------------------------------------------

    def _restart(self, slot: Slot, exit_: Exit) -> None:
        now = self.now()
        # A full disk is no fault of the child's: it does not use up the budget, or one would bring the whole house down.
        blameless = isinstance(exit_.error, JournalUnavailable)
        if not blameless and not self._spend(slot, now, exit_):
            return
        backoff = slot.spec.backoff
        if slot.up_since is not None and now - slot.up_since >= backoff.forget_s * NANOS:
            slot.failures = 0
        slot.up_since = None
        delay_s = backoff.delay_s(slot.failures, self.context.random.random())
        if blameless:
            delay_s = min(delay_s, JOURNAL_RETRY_S)
        slot.failures += 1
        slot.restarts += 1
        self._report(ReportContext.RESTART, slot, str(exit_), delay_s=delay_s)
        self._wait(slot, delay_s)

    def _spend(self, slot: Slot, now: int, exit_: Exit) -> bool:
        """Take one restart from the budget; False when there was none left and the way out was taken."""
        alone = slot.spec.on_exhausted == "quarantine"
        spent = spend(slot.history if alone else self._history, now, self._intensity)
        if spent is None:
            if alone:
                self._quarantine(slot, str(exit_))
            else:
                self._escalate(slot, exit_)
            return False
        if alone:
            slot.history = spent
        else:
            self._history = spent
        return True

    def _wait(self, slot: Slot, delay_s: float) -> None:
        slot.phase = Phase.WAITING
        self.context.mark(slot.name, Phase.WAITING)
        self._tokens += 1
        due = RestartDue(self._tokens, slot.name)
        if self._strategy == "one_for_one":
            slot.token = self._tokens
            slot.timer = self.timers.after(delay_s, due)
            return
        self._doom(slot)
        # One pause for the whole group; a failure during the pause of another never shortens it.
        at = self.now() + round(delay_s * NANOS)
        if self._pause is None or at >= self._pause.at:
            if self._pause is not None:
                self._pause.cancel()
            self._pause = self.timers.at(at, due)
            self._pause_token = self._tokens

    def _doom(self, slot: Slot) -> None:
        for each in affected(self._strategy, list(self._slots.values()), slot):
            if each.phase in LIVE:
                each.doomed = True
            elif each.phase is Phase.DONE:
                each.phase = Phase.DOWN

    def _quarantine(self, slot: Slot, reason: str) -> None:
        slot.phase = Phase.QUARANTINED
        self.context.mark(slot.name, Phase.QUARANTINED)
        self.context.seal(slot.name)
        self._report(ReportContext.QUARANTINED, slot, reason)
        if self._strategy != "one_for_one":
            self._doom(slot)

    def _escalate(self, slot: Slot, exit_: Exit) -> None:
        self._report(ReportContext.ESCALATED, slot, str(exit_))
        self._crash(SupervisorExhausted(self.context.path, self._path(slot), exit_.error))

    def _crash(self, error: SupervisionError) -> None:
        self._failed = True
        self._answer_all(error)
        self.context.escalate(error)

    # --- towards every child being where it belongs --------------------------------------------------------------------

    def _advance(self, concerned: Slot | None = None) -> None:
        """Take the next steps; ``concerned`` is the only child whose standing has changed, None when any may have."""
        if concerned is not None and self._strategy == "one_for_one" and not self._booting:
            # Nobody waits for anybody here: with a thousand children, looking at all of them at each news is what costs.
            if not self._failed and concerned.phase is Phase.DOWN and self._slots.get(concerned.name) is concerned:
                self._start(concerned)
            return
        if self._failed or self._stop_next() or self._pause is not None or not self._start_next():
            return
        if self._booting:
            self._booting = False
            self.context.ready()

    def _stop_next(self) -> bool:
        """Stop the last child that must go; return whether one is on its way out."""
        doomed = [slot for slot in self._slots.values() if slot.doomed]
        if not doomed:
            return False
        if doomed[-1].phase is not Phase.STOPPING:
            self._stop(doomed[-1])
        return True

    def _start_next(self) -> bool:
        """Start the next child that must come; return whether there is none left to wait for."""
        slots = list(self._slots.values())
        in_order = self._booting or self._strategy != "one_for_one"
        held = [slot for slot in slots if slot.phase is Phase.QUARANTINED] if self._strategy != "one_for_one" else []
        if held:
            # What depends on a quarantined child stays down with it.
            slots = slots[: slots.index(held[0])] if self._strategy == "rest_for_one" else []
        for slot in slots:
            if in_order and slot.phase is Phase.STARTING:
                return False
            if slot.phase is Phase.DOWN or (slot.phase is Phase.WAITING and self._strategy != "one_for_one"):
                self._start(slot)
                if in_order:
                    return False
        return True

    def _start(self, slot: Slot) -> None:
        slot.phase = Phase.STARTING
        slot.overdue = False
        if slot.spec.start_s is not None:
            self._tokens += 1
            slot.token = self._tokens
            slot.timer = self.timers.after(slot.spec.start_s, StartOverdue(self._tokens, slot.name))
        fresh = self.context.child_state(slot.name) is None
        self.context.spawn(slot.spec)
        if fresh and slot is not next(reversed(self._slots.values())):
            self.context.arrange(self._slots)

    def _stop(self, slot: Slot) -> None:
        slot.cancel_timer()
        slot.phase = Phase.STOPPING
        self.context.stop_child(slot.name)

    def _remove(self, slot: Slot, error: SupervisionError | None = None) -> None:
        slot.cancel_timer()
        del self._slots[slot.name]
        if self.context.child_state(slot.name) is not None:
            self.context.forget(slot.name)
        self._answer(slot, error)

    @handles
    def restart_due(self, due: RestartDue) -> None:
        """Start what has waited long enough."""
        if due.token == self._pause_token:
            self._pause = None
            self._pause_token = 0
            self._advance()
            return
        slot = self._slots.get(due.name)
        if slot is not None and slot.token == due.token:
            slot.cancel_timer()
            slot.phase = Phase.DOWN
            self._advance(slot)

    @handles
    def start_overdue(self, due: StartOverdue) -> None:
        """Give up on a child that does not come up; its exit follows."""
        slot = self._slots.get(due.name)
        if slot is not None and slot.token == due.token and slot.phase is Phase.STARTING:
            slot.overdue = True
            self.context.stop_child(slot.name)

    # --- reports and answers -------------------------------------------------------------------------------------------

    def _path(self, slot: Slot) -> str:
        return f"{self.context.path.rstrip('/')}/{slot.name}"

    def _report(
        self,
        context: ReportContext,
        slot: Slot,
        reason: str,
        *,
        delay_s: float = 0.0,
        error: BaseException | None = None,
    ) -> None:
        report = SupervisorReport(
            supervisor=self.context.path,
            context=context,
            reason=reason[:REASON_LENGTH],
            offender=self._path(slot),
            restarts=slot.restarts,
            delay_s=delay_s,
            at=self.now(),
        )
        self.reports.append(report)
        if error is not None:
            self.context.system.report(report.offender, context.value, error)
        self.context.bus.publish(TOPIC, report)

    def _answer(self, slot: Slot, error: Exception | None = None) -> None:
        """Answer whoever waits for this child."""
        envelope, slot.asker = slot.asker, None
        if envelope is None:
            return
        answer: object = None
        if error is None and isinstance(envelope.message, StartChild):
            answer = self.context.system.lookup(self._path(slot))
        elif error is None and not isinstance(envelope.message, StopChild):
            answer = self._standing(slot)
        self.context.answer(envelope, answer, error)

    def _answer_all(self, error: Exception) -> None:
        for slot in self._slots.values():
            self._answer(slot, error)

    def _standing(self, slot: Slot) -> ActorStanding:
        return ActorStanding(path=self._path(slot), state=slot.phase.value, restarts=slot.restarts)
