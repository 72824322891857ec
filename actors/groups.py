"""The supervisor of one account's position groups.

Each group is an actor of its own, quarantined rather than restarted for ever, and brought back when something still
concerns it after its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from actors.group import PositionGroup, group_stream
from actors.group_recovery import fell_topic
from actors.pool import group_name
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups.recovery import GroupFell
from protocol.groups.tolerance import TakeTolerance
from protocol.messages import Message
from protocol.pool import GroupMail, GroupsUp, StartGroup
from runtime.actor import handles
from runtime.journal import JournalUnavailable
from runtime.lifecycle import ChildExited, ExitKind
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.keeper import JOURNAL_RETRY_S
from supervision.slots import Phase
from supervision.supervisor import Supervisor

__all__ = ["MAIL_AGAIN_S", "GroupHouse"]

MAIL_AGAIN_S: Final = 0.1
"""How long what came for a group waits until that group's turn to start may have come."""


class _AskPool(Message, frozen=True, tag=True):
    CONFLATE_BY: ClassVar[str] = "what"

    what: str = "groups"


class GroupHouse(Supervisor):
    """Starts the groups that the pool admits, and after a restart every group that holds a slot.

    ``make`` builds a group's actor from its id; what it trades it learns from its opening or its own journal.
    """

    def __init__(
        self,
        *,
        pool: str,
        make: Callable[[str, Any], PositionGroup],
        intensity: Intensity,
        by_itself: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__((), strategy="one_for_one", intensity=intensity)
        self._pool = pool
        self._make = make
        self._by_itself = by_itself
        self._early: dict[str, list[GroupMail]] = {}
        """What came for a group that holds a slot and has journalled nothing: it waits for the pool's word."""

    def made(self, group_id: str) -> PositionGroup:
        """Return the actor of a group as it is made when it is brought back from its journal."""
        return self._make(group_id, None)

    def started(self) -> None:
        """Begin as any supervisor, then have the pool say which groups must live.

        A group of an earlier life is not simply started again: its admission may not have been kept.
        """
        for spec, mark in self.context.leftovers():
            if mark != Phase.QUARANTINED and not self._is_journalled(spec.name):
                self.context.forget(spec.name)
        super().started()
        self._ask_pool()

    @handles
    def child_exited(self, news: ChildExited) -> None:
        """Decide as any supervisor; a group that ended in order is forgotten, its journal is enough to bring it back.

        One that the journal kept nothing of may owe its life to an admission that was not kept either: the pool says
        whether it is to live. So it does of one whose journal cannot be read, after a while.
        """
        if isinstance(news.exit.error, JournalUnavailable):
            journalled = self._is_journalled(news.name)
            slot = self._slots.pop(news.name, None) if not journalled else None
            if slot is not None:
                slot.cancel_timer()
            if journalled is None:
                self.timers.after(JOURNAL_RETRY_S, _AskPool())
            elif not journalled:
                self._ask_pool()
        if news.exit.abnormal:
            group_id = news.name.rpartition("~")[2]
            self.context.bus.publish(fell_topic(group_id), GroupFell(group_id, self.now()), keep=True)
        if news.exit.kind is ExitKind.NORMAL and self._goes_on(news.name):
            return
        super().child_exited(news)
        slot = self._slots.get(news.name)
        if slot is not None and slot.phase is Phase.DONE:
            del self._slots[news.name]
            self.context.bus.forget(fell_topic(news.name.rpartition("~")[2]))

    @handles
    def ask_pool(self, msg: _AskPool) -> None:  # noqa: ARG002 - the type is the message
        """Have the pool say again which groups must live."""
        self._ask_pool()

    def _ask_pool(self) -> None:
        self.context.system.tell(self._pool, GroupsUp(self.context.path))

    def _goes_on(self, name: str) -> bool:
        """Begin another life of a closed group for what came while it was ending; return whether there was anything.

        It came too late for that life and too early to find nobody there, and it may be a fill.
        """
        slot = self._slots.get(name)
        if slot is None or slot.phase is not Phase.UP or not self.context.has_mail(name):
            return False
        slot.cancel_timer()
        slot.phase = Phase.DOWN
        self._advance(slot)
        return True

    def _is_journalled(self, name: str) -> bool | None:
        """Whether the journal has anything of a group; None while it cannot be read."""
        try:
            reader = self.context.system.journal.reader()
            return next(iter(reader.read(group_stream(name.rpartition("~")[2]))), None) is not None
        except JournalUnavailable:
            return None

    @handles
    def apply_settings(self, msg: ApplySettings) -> SettingsTaken:
        """Have every group follow the slippage settings in force; one that is down is told when it begins a life."""
        for name in self._slots:
            self.context.system.tell(f"{self.context.path}/{name}", TakeTolerance(msg.settings))
        return SettingsTaken(msg.version)

    @handles
    def start_group(self, msg: StartGroup) -> None:
        """Start a group unless it lives already."""
        name = group_name(msg.opening)
        self._have(name, msg.opening.group_id, msg)
        for mail in self._early.pop(name, ()):
            self._deliver(name, mail)

    @handles
    def mail(self, msg: GroupMail) -> None:
        """Bring back a group that does not live, for what still concerns it."""
        name = msg.group_path.rpartition("/")[2]
        if self.context.child_state(name) is None and not (journalled := self._is_journalled(name)):
            if journalled is None:
                self.timers.after(JOURNAL_RETRY_S, msg)
            else:
                self._early.setdefault(name, []).append(msg)
                self._ask_pool()
            return
        self._have(name, name.rpartition("~")[2], None)
        self._deliver(name, msg)

    def _deliver(self, name: str, mail: GroupMail) -> None:
        if self.context.child_state(name) is None:
            # While the house itself begins a life its groups start one after the other; this one's turn will come.
            self.timers.after(MAIL_AGAIN_S, mail)
        else:
            self.context.system.tell(mail.group_path, mail.message)

    def _have(self, name: str, group_id: str, opening: StartGroup | None) -> None:
        """Start a group unless it is there, down for a while or waiting for its turn included."""
        if name in self._slots or self.context.child_state(name) is not None:
            return
        spec = ChildSpec(
            name,
            lambda: self._make(group_id, opening.opening if opening is not None else None),
            restart="transient",
            on_exhausted="quarantine",
            by_itself=self._by_itself,
        )
        self.start_child(spec)
