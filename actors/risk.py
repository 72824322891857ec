"""The risk coordinator: publishes the permit that every order which adds risk needs; knows the engine's status (EX-111)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from actors.session_topics import health_topic
from protocol.messages import Event, Message
from protocol.risk import (
    AccountArmed,
    AccountPaused,
    AccountResumed,
    AccountStanding,
    AccountStopped,
    ArmAccount,
    EngineStatus,
    EngineStatusChanged,
    EngineTrouble,
    EngineTroubleOver,
    PauseEngine,
    Permit,
    RenewPermit,
    ResumeEngine,
    StatusAnswer,
    StopAccount,
)
from protocol.venue import VenueHealth, VenueStatus
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.journal import JournalError
from runtime.system import ActorSystem

__all__ = ["PERMITS", "PROBE_S", "RiskCoordinator", "tell_of_journal"]

PERMITS: Final = "permits"
"""Bus topic on which every permit is published."""

PROBE_S: Final = 1.0
"""While the journal cannot be written, and nothing else tries, it is tried this often."""

_ENGINE: Final = ""
"""The scope of a pause that is about the whole engine; every other is the name of an account."""

_JOURNAL: Final = "journal"
_VENUES: Final = "venues"
_BROKEN: Final = (VenueStatus.DOWN, VenueStatus.STOPPED)


class _Probe(Message, frozen=True, tag=True):
    pass


def tell_of_journal(system: ActorSystem, path: str, error: JournalError | None) -> None:
    """Tell the coordinator at ``path`` that the journal failed or works again; for ``Durability.watchers``."""
    trouble = EngineTroubleOver(_JOURNAL) if error is None else EngineTrouble(_JOURNAL, _unwritable(error))
    system.tell(path, trouble)


def _unwritable(error: JournalError) -> str:
    return f"the journal cannot be written: {error}"


class RiskCoordinator(DurableActor):
    """Says whether entries are allowed, whenever a desk asks: a permit that nobody renews is soon worth nothing.

    Renewed on demand rather than by a clock: a replay of a year pays nothing for it, and an order that adds risk still
    cannot leave while this actor is down. Pauses, of the engine and of single accounts, are journalled, so each survives
    every restart and is ended by itself alone. Error lasts as long as its causes, which are found anew in each life: the
    journal cannot be written, every account's venue is down, or whatever else is told as ``EngineTrouble``. ``accounts``
    are those whose venues count, ``troubles`` the texts of what is known to be wrong before anybody asks, by cause.
    """

    def __init__(self, accounts: Sequence[str] = (), troubles: Mapping[str, str] | None = None) -> None:
        self._paused: dict[str, str] = {}
        """What operators paused, and why: accounts, and ``_ENGINE``."""
        self._number = 0
        self._said: EngineStatus = EngineStatus.RUNNING
        self._troubles: dict[str, str] = dict(troubles or {})
        self._venues: dict[str, VenueHealth | None] = dict.fromkeys(accounts)
        self._probing = False
        self._stopped: dict[str, str] = {}

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> Do | None:
        """Publish the first permit of this life, under what troubles the house now."""
        error = self.context.system.durability.error
        if error is not None:
            self._journal_fails(error)
        for account in self._venues:
            self.context.bus.subscribe(health_topic(account), self.ref)
        self._publish()
        return None if _JOURNAL in self._troubles else self._changed()

    def apply(self, event: Event) -> None:
        """Take over a recorded status; an Error is not what anybody wanted, so what was wanted before stays."""
        if isinstance(event, EngineStatusChanged):
            self._number, self._said = event.number, event.status
            if event.status is EngineStatus.PAUSED:
                self._paused[_ENGINE] = event.reason
            elif event.status is EngineStatus.RUNNING:
                self._paused.pop(_ENGINE, None)
        elif isinstance(event, AccountPaused):
            self._paused[event.account] = event.reason
        elif isinstance(event, AccountResumed):
            self._paused.pop(event.account, None)
        elif isinstance(event, AccountStopped):
            self._stopped[event.account] = event.reason
        elif isinstance(event, AccountArmed):
            self._stopped.pop(event.account, None)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        held = sorted({account for account, _ in self._permit().held})
        return f"{self._status.value} {self._reason}".strip() + (f", not {', '.join(held)}" if held else "")

    @property
    def _status(self) -> EngineStatus:
        if self._troubles:
            return EngineStatus.ERROR
        return EngineStatus.PAUSED if _ENGINE in self._paused else EngineStatus.RUNNING

    @property
    def _reason(self) -> str:
        return "; ".join(self._troubles.values()) if self._troubles else self._paused.get(_ENGINE, "")

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def pause(self, msg: PauseEngine) -> Do:
        """Stop entries, of the engine or of one account, until an operator resumes the same."""
        if msg.account in self._paused:
            return Do(answer=self._answer(msg.account))
        why = msg.reason or "by an operator"
        if msg.account:
            return self._then_said([AccountPaused(msg.account, why, self.now())], msg.account)
        return self._then_said(self._wanted(EngineStatus.PAUSED, why))

    @handles
    def resume(self, msg: ResumeEngine) -> Do:
        """End that pause; while something else stops entries they still wait, and the answer says what."""
        if msg.account not in self._paused:
            return Do(answer=self._answer(msg.account))
        if msg.account:
            return self._then_said([AccountResumed(msg.account, self.now())], msg.account)
        return self._then_said(self._wanted(EngineStatus.RUNNING, ""))

    def _wanted(self, status: EngineStatus, reason: str) -> list[Event]:
        """Return what records an operator's wish: an Error outlasts it."""
        events: list[Event] = [self._event(status, reason)]
        if self._troubles:
            events.append(self._event(EngineStatus.ERROR, self._reason, after=1))
        return events

    def _then_said(self, events: list[Event], account: str = _ENGINE) -> Do:
        return Do(events, then=lambda: self._say_and_answer(account))

    @handles
    def stop_account(self, msg: StopAccount) -> Do:
        """Stop one account's entries until it is armed again; stopping a stopped one changes nothing."""
        if msg.account in self._stopped:
            return Do(answer=self._standing(msg.account))
        event = AccountStopped(msg.account, msg.reason or "by an operator", msg.by, self.now())
        return Do([event], then=lambda: self._say_standing(msg.account))

    @handles
    def arm_account(self, msg: ArmAccount) -> Do:
        """Allow a stopped account's entries again."""
        if msg.account not in self._stopped:
            return Do(answer=self._standing(msg.account))
        event = AccountArmed(msg.account, msg.by, self.now())
        return Do([event], then=lambda: self._say_standing(msg.account))

    def _standing(self, account: str) -> AccountStanding:
        return AccountStanding(account, account in self._stopped, self._stopped.get(account, ""))

    def _say_standing(self, account: str) -> Do:
        self._publish()
        return Do(answer=self._standing(account))

    def _say_and_answer(self, account: str) -> Do:
        self._publish()
        return Do(answer=self._answer(account))

    def _answer(self, account: str) -> StatusAnswer:
        if account == _ENGINE:
            return StatusAnswer(self._status, self._reason, self._number)
        said = self._permit().said(account)
        paused = said and self._status is EngineStatus.RUNNING
        return StatusAnswer(EngineStatus.PAUSED if paused else self._status, said, self._number, account)

    @handles
    def renew(self, msg: RenewPermit) -> None:  # noqa: ARG002 - the type is the message
        """Say again what is allowed."""
        self._publish()

    # --- troubles ------------------------------------------------------------------------------------------------------

    @handles
    def trouble(self, msg: EngineTrouble) -> Do | None:
        """Go into Error, or say the newest text of why."""
        if msg.cause == _JOURNAL:
            self._probe_soon()
        return self._trouble(msg.cause, msg.text)

    @handles
    def trouble_over(self, msg: EngineTroubleOver) -> Do | None:
        """Leave Error by itself when its last cause is gone."""
        return self._trouble(msg.cause, "")

    @handles
    def health(self, msg: VenueHealth) -> Do | None:
        """Go into Error while every account's venue is down."""
        self._venues[msg.account] = msg
        known = [health for health in self._venues.values() if health is not None]
        down = len(known) == len(self._venues) and all(health.status in _BROKEN for health in known)
        text = "; ".join(f"{health.account} is {health.status.value} ({health.code})" for health in known)
        return self._trouble(_VENUES, f"no venue can be traded: {text}" if down else "")

    def _trouble(self, cause: str, text: str) -> Do | None:
        before = (self._status, self._reason)
        if text:
            self._troubles[cause] = text
        else:
            self._troubles.pop(cause, None)
        if (self._status, self._reason) == before:
            return None
        self._publish()
        # What cannot be written is said all the same; it is written when it can be.
        return None if _JOURNAL in self._troubles else self._changed()

    def _changed(self) -> Do | None:
        if self._status is self._said:
            return None
        return Do([self._event(self._status, self._reason)], then=self._publish)

    def _journal_fails(self, error: JournalError) -> None:
        self._troubles[_JOURNAL] = _unwritable(error)
        self._probe_soon()

    def _probe_soon(self) -> None:
        if not self._probing:
            self._probing = True
            self.timers.after(PROBE_S, _Probe())

    @handles
    def probe(self, msg: _Probe) -> Do | None:  # noqa: ARG002 - the type is the message
        """Try to write: if nobody else has anything to write, nobody would find out that it works again."""
        self._probing = False
        if _JOURNAL not in self._troubles:
            return None
        self._probe_soon()
        return Do([self._event(EngineStatus.ERROR, self._reason)])

    # --- saying it -----------------------------------------------------------------------------------------------------

    def _event(self, status: EngineStatus, reason: str, *, after: int = 0) -> EngineStatusChanged:
        return EngineStatusChanged(self._number + 1 + after, status, reason, self.now())

    def _permit(self) -> Permit:
        stopped = tuple(sorted(self._stopped.items()))
        paused = tuple(sorted((account, why) for account, why in self._paused.items() if account != _ENGINE))
        return Permit(
            number=self._number,
            status=self._status,
            reason=self._reason,
            at=self.now(),
            stopped=stopped,
            paused=paused,
        )

    def _publish(self) -> None:
        self.context.bus.publish(PERMITS, self._permit(), keep=True)
