"""The whole bridge: commands, and what allowed chats are told of: alerts, prompts for approval, one live status each."""

from __future__ import annotations

from collections.abc import Sequence

from actors.telegram.bridge import PhoneCommands
from actors.telegram.memory import PROMPTS
from actors.telegram.outbox import new_item
from actors.telegram.words import alert_text
from protocol.approvals import (
    APPROVAL_DESK,
    APPROVALS,
    ApprovalAsked,
    ApprovalEnded,
    ApprovalList,
    ApprovalPrompt,
    ListApprovals,
)
from protocol.messages import Event, Message
from protocol.notifications import (
    NOTICES,
    NOTIFIER,
    ListNotices,
    Notice,
    NoticeList,
    NoticeSeverity,
    NoticesKept,
    NoticesRepeated,
)
from protocol.telegram import Button, OutItem, OutKind
from rules.notices.repeats import Merger
from rules.notices.sentence import who
from rules.notices.types import TOLD_ON_THE_PHONE
from rules.telegram.commands import Role
from runtime.actor import Do, handles

__all__ = ["TelegramBridge"]

_ASK_S = 10.0
_ASK_AGAIN_S = 5.0


class _AskMissed(Message, frozen=True, tag=True):
    pass


class _Missed(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    notices: NoticeList | None
    approvals: ApprovalList | None


class _Live(Message, frozen=True, tag=True):
    pass


class _Renewed(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    text: str


class TelegramBridge(PhoneCommands):
    """The bridge; one a daemon."""

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> Do | None:
        """Hear of notices and prompts, ask what was missed, go on with what was begun, begin to poll."""
        self._merger = Merger()
        self._live_text: dict[int, str] = {}
        for topic in (NOTICES, APPROVALS):
            self.context.bus.subscribe(topic, self.ref)
        self._early: list[NoticesKept] | None = []
        self.ask_missed(_AskMissed())
        self.timers.every(self._settings.live_every_s, _Live())
        events = self._recall()
        ended = self._finish()
        events += [event for do in ended for event in do.events]
        tells = [told for do in ended for told in do.tells]
        return Do(events, [*tells, (self._wire, self._poll())], then=self._pump)

    def let_go(self) -> None:
        """Release the seat's files."""
        self._seat.close()

    @handles
    def ask_missed(self, msg: _AskMissed) -> None:  # noqa: ARG002 - the type is the message
        """Ask what was said while the bridge did not live."""
        self.context.pipe(self._missed(), lambda found: found, lambda _: _Missed(None, None))

    async def _missed(self) -> _Missed:
        """Ask for what was said while the bridge did not live; whoever does not answer tells it later itself."""
        system = self.context.system
        notifier, desk = system.lookup(NOTIFIER), system.lookup(APPROVAL_DESK)
        notices: NoticeList | None = None
        approvals: ApprovalList | None = None
        if notifier is not None:
            notices = await notifier.ask(ListNotices(after=max(self._memory.notices, 0)), _ASK_S)
        if desk is not None:
            approvals = await desk.ask(ListApprovals(), _ASK_S)
        return _Missed(notices, approvals)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        waiting = f", {len(self._memory.outbox)} waiting" if self._memory.outbox else ""
        away = f", {self._trouble}" if self._trouble else ""
        return f"{self._memory.sent} sent{waiting}{away}"

    def _told(self, role: Role) -> list[int]:
        """Return the chats that somebody of at least this role reads."""
        return list(dict.fromkeys(each.chat for each in self._members if each.role >= role))

    # --- alerts --------------------------------------------------------------------------------------------------------

    @handles
    def missed(self, msg: _Missed) -> Do:
        """Tell what happened while the bridge did not live; at its first start ever nothing of the past."""
        events: list[Event] = []
        if msg.notices is None:
            self.timers.after(_ASK_AGAIN_S, _AskMissed())
        else:
            first, early, self._early = self._memory.notices < 0, self._early or (), None
            events += self._alerts(() if first else msg.notices.notices, msg.notices.last_seq)
            for each in early:
                self.ref.tell(each)
        if msg.approvals is not None:
            for prompt in msg.approvals.prompts:
                events += self._prompts(prompt)
            events += self._ended_meanwhile(msg.approvals.prompts)
        return Do(events, then=self._pump)

    @handles
    def notices(self, msg: NoticesKept) -> Do | None:
        """Tell of new notices: critical ones, warnings where that is set, and a few that matter away from the desk."""
        if self._early is not None:  # what is older comes first: it is being asked for
            self._early.append(msg)
            return None
        last = max((each.seq for each in msg.notices), default=0)
        events = self._alerts(msg.notices, last) if last else []
        return Do(events, then=self._pump) if events else None

    def _alerts(self, notices: Sequence[Notice], last: int) -> list[Event]:
        """Return what puts the notices that count into the outbox, with how far was told; nothing for those known."""
        if last <= self._memory.notices:
            return []
        sent: list[Notice] = []
        for each in notices:
            if each.seq <= self._memory.notices:
                continue
            if not self._is_told(each):
                self._merger.passes(each)
            elif self._merger.admit(each):
                sent.append(each)
        items: list[OutItem] = []
        if sent:
            text = "\n".join(alert_text(each) for each in sent)
            pinned = [each for each in sent if each.pinned]
            buttons = (Button(f"Seen ({len(pinned)})", f"k:{max(each.seq for each in pinned)}"),) if pinned else ()
            items = self._alert(self._told(Role.WATCH), text, buttons)
        return self._queued(items, notices=last)

    def _is_told(self, notice: Notice) -> bool:
        loud = notice.severity is NoticeSeverity.CRITICAL
        warns = notice.severity is NoticeSeverity.WARNING and self._settings.warnings
        return (loud or warns or notice.type in TOLD_ON_THE_PHONE) and not notice.type.startswith("approval.")

    @handles
    def repeated(self, msg: NoticesRepeated) -> Do:
        """Say again what nobody has acknowledged (DK-261)."""
        text = "\n".join(("‼ still not acknowledged:", *msg.titles))
        button = Button(f"Seen ({len(msg.seqs)})", f"k:{max(msg.seqs)}")
        return Do(self._queued(self._alert(self._told(Role.WATCH), text, (button,))), then=self._pump)

    # --- approvals -----------------------------------------------------------------------------------------------------

    @handles
    def asked(self, msg: ApprovalAsked) -> Do:
        """Ask whoever may approve."""
        return Do(self._prompts(msg.prompt), then=self._pump)

    def _prompts(self, prompt: ApprovalPrompt) -> list[Event]:
        about = _about(prompt)
        items = []
        for chat in self._told(Role.APPROVE):
            known = self._memory.message_of(chat, about) or any(
                item.about == about and item.chat == chat for item in self._memory.outbox.values()
            )
            if not known:
                items.append(new_item(chat, OutKind.PROMPT, _asking(prompt), about=about, buttons=_buttons(prompt)))
        return self._queued(items)

    @handles
    def ended(self, msg: ApprovalEnded) -> Do:
        """Write under the prompt what came of it, and take its buttons away."""
        by = f" by {who(msg.by)}" if msg.by else ""
        return Do(self._close(f"{PROMPTS}{msg.prompt_id}:", f"{msg.title}\n\n{msg.how.value}{by}"), then=self._pump)

    def _close(self, prefix: str, text: str) -> list[Event]:
        found = {
            (int(key.partition("|")[0]), key.partition("|")[2])
            for key in self._memory.messages
            if key.partition("|")[2].startswith(prefix)
        } | {(item.chat, item.about) for item in self._memory.outbox.values() if item.about.startswith(prefix)}
        items = [item for chat, about in sorted(found) for item in self._edit(chat, about, text)]
        return self._queued(items)

    def _ended_meanwhile(self, open_ones: Sequence[ApprovalPrompt]) -> list[Event]:
        """Close prompts that ended while the bridge did not live."""
        gone = sorted(self._memory.prompts - {_about(each) for each in open_ones})
        text = "What waited here was dealt with, or its time was over. /approvals shows what waits now."
        return [event for about in gone for event in self._close(about, text)]

    # --- the live status -----------------------------------------------------------------------------------------------

    @handles
    def live(self, msg: _Live) -> None:  # noqa: ARG002 - the type is the message
        """Renew the live status messages, where there are any."""
        if any(self._memory.message_of(chat, "live") for chat in self._told(Role.WATCH)):
            self.context.pipe(
                self._seat.show("/status", (), ""), lambda found: _Renewed(found.text), lambda _: _Renewed("")
            )

    @handles
    def renewed(self, msg: _Renewed) -> Do | None:
        """Edit the live status of each chat, when it says something new: one message, edited, and no flood."""
        if not msg.text:
            return None
        items = []
        for chat in self._told(Role.WATCH):
            if self._live_text.get(chat) != msg.text and self._memory.message_of(chat, "live"):
                self._live_text[chat] = msg.text
                items += self._edit(chat, "live", msg.text)
        return Do(self._queued(items), then=self._pump) if items else None


def _about(prompt: ApprovalPrompt) -> str:
    return f"{PROMPTS}{prompt.prompt_id}:{prompt.version}"


def _asking(prompt: ApprovalPrompt) -> str:
    return f"Approve? {prompt.title}" + (f"\n{prompt.body}" if prompt.body else "")


def _buttons(prompt: ApprovalPrompt) -> tuple[Button, ...]:
    data = f"a:{prompt.prompt_id}:{prompt.version}:{prompt.token}"
    return (Button("Approve", f"{data}:y"), Button("Reject", f"{data}:n"))
