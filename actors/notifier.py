"""The notifier: one shelf of notices for every screen and the phone, made of what the journal says (DS-720 to DS-726).

It hears of commits after they are durable, so nothing that trades waits for it. How far in the journal it looked is part of
its events: what was committed while it was down is read from the journal at its next start, so that no alert is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

import msgspec

from protocol.event_log import EventsAcknowledged
from protocol.messages import Event, Message
from protocol.notifications import (
    NOTICES,
    DayFigures,
    DaySummaryKept,
    DismissNotices,
    GroupNamed,
    ListNotices,
    NoticeList,
    NoticesDismissed,
    NoticesKept,
    NoticesRead,
    NoticesRepeated,
    ReadNotices,
)
from rules.notices.of_events import draft_of, group_of
from rules.notices.repeats import due_again, next_due
from rules.notices.shelf import Draft, Shelf, fold, keep, unread, visible
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.journal import Entry
from runtime.timers import Timer

__all__ = ["LOOKED_EVERY", "Backlog", "Notifier", "drafts_of", "no_backlog"]

LOOKED_EVERY: Final = 5_000
"""Records without a notice after which it is journalled how far was looked."""

_SUMMARY_AFTER_S: Final = 5.0
"""Seconds after midnight at which the day is summed up: its last fill is in the read models by then."""


class Backlog(Message, frozen=True, tag=True):
    """What the journal said up to ``through``: drafts in order, groups that began, which alerts were acknowledged."""

    OVERFLOW = "keep"

    drafts: tuple[Draft, ...]
    through: int
    seen: tuple[int, ...] = ()
    seen_through: int = 0
    by: str = ""
    groups: tuple[GroupNamed, ...] = ()


class _CaughtUp(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    backlog: Backlog


class _Repeat(Message, frozen=True, tag=True):
    pass


class _DayOver(Message, frozen=True, tag=True):
    pass


class _Summed(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    day: str
    text: str
    figures: tuple[DayFigures, ...] = ()


def drafts_of(events: Sequence[tuple[int, int, Event]], through: int) -> Backlog:
    """Return what ``(position, at, event)`` come to; ``through`` is the last position that was looked at."""
    drafts: list[Draft] = []
    seen: list[int] = []
    groups: list[GroupNamed] = []
    seen_through, by = 0, ""
    for position, at, event in events:
        if type(event) is EventsAcknowledged:
            seen += event.positions
            seen_through, by = max(seen_through, event.through), event.operator
        elif (draft := draft_of(event, position, at)) is not None:
            drafts.append(draft)
            if (group := group_of(event)) is not None:
                groups.append(group)
    return Backlog(tuple(drafts), through, tuple(seen), seen_through, by, tuple(groups))


async def no_backlog(after: int) -> Backlog:
    """Stand for a journal that says nothing more than was heard."""
    return Backlog((), max(after, 0))


class Notifier(DurableActor):
    """Keeps the shelf; one a daemon.

    ``backlog`` reads the journal after a position (-1: the first start ever, of which nothing is told), ``summary`` says
    in words and figures what a day (ISO 8601) came to; None where days are not summed up. Days are those of ``zone``.
    """

    SNAPSHOT_EVERY = 200

    def __init__(
        self,
        backlog: Callable[[int], Awaitable[Backlog]] = no_backlog,
        summary: Callable[[str], Awaitable[tuple[str, tuple[DayFigures, ...]]]] | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._backlog = backlog
        self._summary = summary
        self._zone = zone
        self._shelf = Shelf()
        self._heard: Any = None
        self._waiting: list[Backlog] | None = []
        self._timer: Timer | None = None
        self._told = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear of commits from now on, and read what was committed while nobody listened."""
        self._heard = self.context.callback(self._committed)
        self.context.system.durability.listeners.append(self._heard)
        self._told = max(self._shelf.through, 0)
        self.context.pipe(self._backlog(self._shelf.through), _CaughtUp, real=True)
        self._arm()
        self._begin_days()

    def let_go(self) -> None:
        """Hear no more."""
        listeners = self.context.system.durability.listeners
        if self._heard in listeners:
            listeners.remove(self._heard)

    def apply(self, event: Event) -> None:
        """Change the shelf."""
        if isinstance(event, NoticesKept | NoticesRead | NoticesDismissed | NoticesRepeated):
            fold(self._shelf, event)
        elif isinstance(event, DaySummaryKept):
            self._shelf.day = event.day

    def snapshot(self) -> bytes:
        """Return the shelf."""
        return msgspec.msgpack.encode(self._shelf)

    def restore(self, state: bytes) -> None:
        """Take a shelf."""
        self._shelf = msgspec.msgpack.decode(state, type=Shelf)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{len(self._shelf.notices)} kept, {unread(self._shelf, self.now())} unread"

    # --- what happens --------------------------------------------------------------------------------------------------

    def _committed(self, batch: Sequence[Entry]) -> None:
        """Tell itself what a commit comes to, in one message; nothing while it comes to nothing."""
        head = self.context.system.journal.head()
        first = head - len(batch) + 1
        found = drafts_of([(first + index, each.at, each.event) for index, each in enumerate(batch)], head)
        if found.drafts or found.seen or found.seen_through or head - self._told >= LOOKED_EVERY:
            self._told = head
            self.ref.tell(found)

    @handles
    def caught_up(self, msg: _CaughtUp) -> Do | None:
        """Take in what was committed while nobody listened, then what came meanwhile."""
        waiting, self._waiting = self._waiting or [], None
        for each in waiting:
            self.ref.tell(each)
        return self._take(msg.backlog)

    @handles
    def heard(self, msg: Backlog) -> Do | None:
        """Keep what a commit comes to."""
        if self._waiting is not None:
            self._waiting.append(msg)
            return None
        return self._take(msg)

    def _take(self, found: Backlog) -> Do | None:
        shelf = self._shelf
        if found.through <= shelf.through:
            return None
        fresh = [each for each in found.drafts if not each.position or each.position > shelf.through]
        kept = keep(shelf, fresh, through=found.through, now=self.now(), groups=found.groups)
        seen = [
            each.seq
            for each in (*shelf.notices.values(), *kept.notices)
            if not each.read and each.pinned and (each.position in found.seen or each.position <= found.seen_through)
        ]
        events: list[Event] = [kept]
        if seen:
            events.append(NoticesRead(seqs=tuple(seen), by=found.by or "unknown", at=self.now()))
        return Do(events, then=lambda: self._published(kept))

    def _published(self, event: NoticesKept | NoticesRepeated) -> None:
        self.context.bus.publish(NOTICES, event)
        self._arm()

    # --- said again ----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = next_due(self._shelf)
        self._timer = self.timers.at(max(due, self.now()), _Repeat()) if due is not None else None

    @handles
    def repeat(self, msg: _Repeat) -> Do | None:  # noqa: ARG002 - the type is the message
        """Say critical notices again that nobody has acknowledged (DK-261)."""
        self._timer = None
        seqs = due_again(self._shelf, self.now())
        if not seqs:
            self._arm()
            return None
        titles = tuple(self._shelf.notices[seq].title for seq in seqs)
        again = NoticesRepeated(seqs=seqs, titles=titles, at=self.now())
        return Do([again], then=lambda: self._published(again))

    # --- the day -------------------------------------------------------------------------------------------------------

    def _today(self) -> date:
        return datetime.fromtimestamp(self.now() / NANOS, self._zone).date()

    def _begin_days(self) -> None:
        """Wait for midnight; sum up the day before at once when that was missed."""
        if self._summary is None:
            return
        if self._shelf.through >= 0 and self._shelf.day < self._yesterday() and self._was_there():
            self.ref.tell(_DayOver())
        else:
            self._await_midnight()

    def _yesterday(self) -> str:
        return str(self._today() - timedelta(days=1))

    def _was_there(self) -> bool:
        """Whether this house is older than today: one that began today has no day before to sum up."""
        first = min((each.at for each in self._shelf.notices.values()), default=self.now())
        return bool(self._shelf.day) or first < self._begins(self._today())

    def _await_midnight(self) -> None:
        midnight = self._begins(self._today() + timedelta(days=1))
        self.timers.at(midnight + int(_SUMMARY_AFTER_S * NANOS), _DayOver())

    def _begins(self, day: date) -> int:
        return int(datetime.combine(day, datetime.min.time(), self._zone).timestamp() * NANOS)

    @handles
    def day_over(self, msg: _DayOver) -> None:  # noqa: ARG002
        """Have the day before summed up (EX-1716); one whose figures cannot be had is tried again at the next start."""
        self._await_midnight()
        day = self._yesterday()
        if self._summary is not None and self._shelf.day < day:
            self.context.pipe(
                self._summary(day), lambda said: _Summed(day, *said), lambda _: _Summed(day, ""), real=True
            )

    @handles
    def summed(self, msg: _Summed) -> Do | None:
        """Keep a day's summary; its notice is made of the journal like all others."""
        if not msg.text or self._shelf.day >= msg.day:
            return None
        return Do([DaySummaryKept(day=msg.day, text=msg.text, figures=msg.figures, at=self.now())])

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def listed(self, msg: ListNotices) -> NoticeList:
        """Say what is kept after a sequence."""
        return self._answer(msg.after, msg.limit)

    def _answer(self, after: int = 0, limit: int = 500) -> NoticeList:
        seen = visible(self._shelf, self.now())
        wanted = [each for each in seen if each.seq > after][:limit]
        count = sum(not each.read for each in seen)
        return NoticeList(notices=tuple(reversed(wanted)), unread=count, last_seq=self._shelf.last_seq)

    @handles
    def read(self, msg: ReadNotices) -> Do:
        """Note what an operator has seen."""
        seqs = self._named(msg.seqs, msg.through, lambda each: not each.read)
        said = [NoticesRead(seqs=seqs, by=msg.by, at=self.now())] if seqs else []
        return Do(said, then=self._then_answer)

    @handles
    def dismiss(self, msg: DismissNotices) -> Do:
        """Put notices away."""
        seqs = self._named(msg.seqs, msg.through, lambda each: not each.dismissed)
        said = [NoticesDismissed(seqs=seqs, by=msg.by, at=self.now())] if seqs else []
        return Do(said, then=self._then_answer)

    def _named(self, seqs: Sequence[int], through: int, wanted: Callable[[Any], bool]) -> tuple[int, ...]:
        shelf = self._shelf.notices
        return tuple(seq for seq, each in shelf.items() if (seq in seqs or seq <= through) and wanted(each))

    def _then_answer(self) -> Do:
        self._arm()
        return Do(answer=self._answer())
