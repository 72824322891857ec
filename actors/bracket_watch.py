"""What the guard of brackets decides, and when it looks again: the part that listens to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from actors.bracket_orders import OVERSHOT, alarm_of, tells_of, unreachable
from protocol.brackets import BracketEnd, BracketOrderMoved, BracketStep, BracketStepTaken, BracketWanted
from protocol.incidents import IncidentCleared, IncidentRaised
from protocol.messages import Event, Message
from protocol.venue import ReconcileNow
from rules.broker.guarded import Guarded, Role, began
from rules.broker.protection import PROTECT_WITHIN_S, UNPROTECTED, next_due, next_steps
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.timers import Timer

__all__ = ["ASK_AFTER_S", "ENDED_KEPT", "BracketWatch"]

ENDED_KEPT: Final = 500
"""Newest brackets that are over and remembered, so that the same one is not placed twice."""

ASK_AFTER_S: Final = 2
"""How long a stop that nobody has spoken of is waited for before the books are compared."""


class _Look(Message, frozen=True, tag=True):
    pass


class _Book(msgspec.Struct):
    brackets: dict[str, Guarded] = {}
    incidents: dict[str, IncidentRaised] = {}


class BracketWatch(DurableActor):
    """Keeps the brackets of one account and decides; ``_heard_at`` is since when the venue can be heard, None: it cannot."""

    def __init__(self, account: str, desk: str, reconciler: str) -> None:
        self._account = account
        self._desk = desk
        self._reconciler = reconciler
        self._book = _Book()
        self._heard_at: int | None = None
        self._timer: Timer | None = None
        self._asked: set[str] = set()

    # --- the book ------------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Change the book by one of our events."""
        brackets, incidents = self._book.brackets, self._book.incidents
        match event:
            case BracketWanted():
                brackets[event.bracket_id] = began(event)
            case BracketOrderMoved() | BracketStepTaken():
                brackets[event.bracket_id] = brackets[event.bracket_id].after(event)
                if isinstance(event, BracketStepTaken) and event.step is BracketStep.ENDED:
                    self._forget()
            case IncidentRaised():
                incidents[f"{event.kind} {event.subject}"] = event
            case IncidentCleared():
                incidents.pop(f"{event.kind} {event.subject}", None)

    def _forget(self) -> None:
        ended = [key for key, bracket in self._book.brackets.items() if bracket.end]
        for key in ended[:-ENDED_KEPT]:
            del self._book.brackets[key]

    def snapshot(self) -> bytes:
        """Return the book."""
        return msgspec.msgpack.encode(self._book)

    def restore(self, state: bytes) -> None:
        """Take over a book."""
        self._book = msgspec.msgpack.decode(state, type=_Book)

    def _live(self) -> Iterator[Guarded]:
        return (bracket for bracket in self._book.brackets.values() if not bracket.end)

    # --- deciding ------------------------------------------------------------------------------------------------------

    @handles
    def look(self, msg: _Look) -> list[Do] | None:  # noqa: ARG002 - the type is the message
        """Decide what time has brought."""
        self._timer = None
        return self._all()

    def _all(self) -> list[Do] | None:
        dos = [self._go_on(bracket) for bracket in self._live()]
        self._arrange()
        return [do for do in dos if do.events or do.tells] or None

    def _go_on(self, bracket: Guarded, *news: BracketOrderMoved | BracketStepTaken) -> Do:
        """Return what news of a bracket and what is decided about it come to."""
        events: list[Event] = []
        tells: list[tuple[Any, Any]] = []
        now = self.now()
        for each in news:
            bracket = bracket.after(each)
            events.append(each)
        for step in next_steps(bracket, now, self._heard_at):
            bracket = bracket.after(step)
            events += [step, *self._alarms(bracket, step)]
            tells += [(self._desk, message) for message in tells_of(bracket, step, self.context.path)]
        events += self._blind(bracket, now) if not bracket.end else self._late(bracket, news, now)
        if bracket.end or not (bracket.exposed_at or bracket.closing):
            why = f"the bracket has ended: {bracket.end}" if bracket.end else "a working stop covers what is held"
            events += self._over(UNPROTECTED, self._subject(bracket), why)
        if self._silent(bracket, now):
            tells.append((self._reconciler, ReconcileNow()))
        return Do(events, tells, then=self._arrange)

    def _alarms(self, bracket: Guarded, step: BracketStepTaken) -> list[Event]:
        alarm = alarm_of(bracket, step, self._account)
        if alarm is not None:
            return [] if f"{alarm.kind} {alarm.subject}" in self._book.incidents else [alarm]
        return []

    def _over(self, kind: str, subject: str, text: str) -> list[Event]:
        if f"{kind} {subject}" not in self._book.incidents:
            return []
        return [IncidentCleared(kind=kind, subject=subject, text=text, at=self.now())]

    def _subject(self, bracket: Guarded) -> str:
        return f"{self._account} {bracket.wanted.client_id}"

    def _blind(self, bracket: Guarded, now: int) -> list[Event]:
        """Say once that a position has been without a stop for too long while the venue cannot be reached."""
        late = bracket.exposed_at and now >= bracket.exposed_at + PROTECT_WITHIN_S * NANOS
        told = f"{UNPROTECTED} {self._subject(bracket)}" in self._book.incidents
        if self._heard_at is not None or not late or told:
            return []
        return [unreachable(bracket, self._account, now)]

    def _late(self, bracket: Guarded, news: tuple[Any, ...], now: int) -> list[Event]:
        """Say that a trade came after the end and left something behind."""
        told = f"{OVERSHOT} {self._subject(bracket)}" in self._book.incidents
        if told or not bracket.open_qty or not any(isinstance(each, BracketOrderMoved) for each in news):
            return []
        step = BracketStepTaken(
            bracket_id=bracket.wanted.bracket_id,
            client_id=bracket.wanted.client_id,
            step=BracketStep.ENDED,
            reason=BracketEnd.OVERSHOT.value,
            at=now,
        )
        alarm = alarm_of(bracket, step, self._account)
        return [alarm] if alarm is not None else []

    def _silent(self, bracket: Guarded, now: int) -> bool:
        """Whether the venue is to be asked: a stop has been due for a while and nobody has said what became of it."""
        key = bracket.wanted.bracket_id
        stops = bracket.of(Role.STOP, Role.STOP_AGAIN)
        asks = bracket.exposed_at and self._heard_at is not None and any(not leg.over for leg in stops)
        if not asks or key in self._asked or now < self._ask_at(bracket):
            return False
        self._asked.add(key)
        return True

    def _ask_at(self, bracket: Guarded) -> int:
        return max(bracket.exposed_at, self._heard_at or 0) + ASK_AFTER_S * NANOS

    def _arrange(self) -> None:
        """Have a look made when time alone can next decide something."""
        now = self.now()
        instants = [at for bracket in self._live() for at in self._instants(bracket, now) if at > now]
        due = min(instants, default=None)
        if self._timer is not None and self._timer.alive:
            if due is not None and self._timer.at <= due:
                return
            self._timer.cancel()
        self._timer = None if due is None else self.timers.at(due, _Look())

    def _instants(self, bracket: Guarded, now: int) -> Iterator[int]:
        due = next_due(bracket, now, self._heard_at)
        if due is not None:
            yield due
        if bracket.exposed_at:
            yield bracket.exposed_at + PROTECT_WITHIN_S * NANOS
            if bracket.wanted.bracket_id not in self._asked:
                yield self._ask_at(bracket)
