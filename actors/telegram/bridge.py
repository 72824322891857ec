"""The bridge to the phone: takes commands and taps in, once each, and tells allowed chats what happens.

An update counts when ``PhoneTaken`` is durable: only then Telegram is told that it was taken. A crash before that and the
update comes again, a crash after it and it is known. What was begun and has no outcome is carried out again under the same
request id, except what must not be (``memory.NEVER_AGAIN``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import msgspec

from actors.telegram.memory import NEVER_AGAIN
from actors.telegram.outbox import AWAY_MOST_S, Outbox, new_item
from actors.telegram.seat import Named, PhoneSettings, Seat
from actors.telegram.words import ALREADY, REPLIES, confirm_text, help_text, typing, written
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.event_log import EVENT_LOG, LogEvent, NoteCommand
from protocol.messages import Event, Message
from protocol.telegram import (
    Button,
    OutKind,
    PhoneBotChanged,
    PhoneEnded,
    PhoneMail,
    PhoneMoved,
    PhoneStrangers,
    PhoneTaken,
    PhoneUpdate,
    PollPhone,
    WireTrouble,
    WireUp,
)
from rules.telegram.chats import Chats, Judged, judge, judge_token, role_of
from rules.telegram.commands import ALL, HOUSE, Parsed, Role
from runtime.actor import Do, handles
from runtime.clock import NANOS

__all__ = ["STRANGER_EVERY_S", "PhoneCommands"]

STRANGER_EVERY_S: Final = 3_600
"""Seconds between two alerts about strangers (ML-1080)."""

_CAPTIONS: Final = {"equity": "Equity, the last 30 days", "pnl": "Result by day, the last 30 days"}


class _Shown(Message, frozen=True, tag=True):
    """The answer to a command that only looks."""

    OVERFLOW = "keep"

    update_id: int
    chat: int
    text: str
    about: str = ""
    buttons: tuple[Button, ...] = ()


class _NamedIt(Message, frozen=True, tag=True):
    """What a command would do."""

    OVERFLOW = "keep"

    update_id: int
    chat: int
    token: str
    text: str
    args: tuple[str, ...]
    error: str


class _Acted(Message, frozen=True, tag=True):
    """What came of a command."""

    OVERFLOW = "keep"

    update_id: int
    text: str
    error: str = ""


class _PollAgain(Message, frozen=True, tag=True):
    pass


class PhoneCommands(Outbox):
    """The receiving half of the bridge."""

    def __init__(self, settings: PhoneSettings, seat: Seat, wire: str) -> None:
        super().__init__(settings, wire)
        self._seat = seat
        self._chats = Chats()
        self._callbacks: list[tuple[str, str]] = []
        self._away = 0
        self._trouble = ""
        self._salt = ""

    @handles
    def settle(self, msg: ApplySettings) -> SettingsTaken:
        """Serve other chats from the next message on."""
        self._settings = msg.settings
        return SettingsTaken(msg.version)

    # --- what comes ----------------------------------------------------------------------------------------------------

    @handles
    def mail(self, msg: PhoneMail) -> Do:
        """Take updates in, each once, then ask for more."""
        events: list[Event] = []
        tells: list[tuple[Any, Any]] = []
        after: list[Any] = []
        strangers: list[PhoneUpdate] = []
        known, self._salt = self._memory.known(self.now()), msg.salt
        if msg.bot not in (0, self._memory.bot):
            events.append(PhoneBotChanged(msg.bot, self.now()))
            known = 0 if self._memory.bot else known
        for update in msg.updates:
            if update.update_id <= known:
                continue
            known = update.update_id
            if update.moved_to and any(each.chat == update.chat for each in self._members):
                events.append(PhoneMoved(update.chat, update.moved_to, self.now()))
            role = role_of(self._members, update.chat, update.user)
            if role is Role.NOBODY:
                strangers.append(update)
                continue
            found, then = self._take(update, role)
            events.append(found)
            after += then
        if strangers:
            passed, told = self._strangers(strangers)
            events.append(passed)
            tells += told
        self._away = 0
        if self._trouble:
            back = LogEvent(code="TelegramBack", text="Telegram answers again", about=self.context.path)
            tells.append((EVENT_LOG, back))
            self._trouble = ""
        return Do(events, tells, then=partial(self._go_on, after))

    def _go_on(self, after: Iterable[Any]) -> Do:
        """Begin what was taken in, let messages out, and ask for more: all of it stands in the journal first."""
        dos = [do for each in after if (do := each()) is not None]
        events = [event for do in dos for event in do.events]
        tells = [told for do in dos for told in do.tells]
        return Do(events, [*tells, (self._wire, self._poll())], then=self._pump)

    def _poll(self) -> PollPhone:
        callbacks, self._callbacks = tuple(self._callbacks), []
        return PollPhone(self._memory.wanted(self.now()), callbacks)

    def _take(self, update: PhoneUpdate, role: Role) -> tuple[Event, list[Any]]:
        """Return what an update is journalled as, and what follows once that is applied."""
        if update.data:
            return self._tapped(update, role)
        if not update.text:
            return self._taken(update, Judged(None)), []
        return self._typed(update, update.text, role)

    def _typed(self, update: PhoneUpdate, text: str, role: Role) -> tuple[Event, list[Any]]:
        """Judge a command that was written, or that a button writes."""
        found = judge(
            self._chats,
            update.chat,
            text,
            self.now() // 1_000_000,
            code=lambda: f"{self._drawn(update, 'code') % 1_000_000:06d}",
            token=lambda: f"{self._drawn(update, 'token'):016x}",
            role=role,
            commands=HOUSE,
            accounts=self._settings.accounts,
            user=update.user,
        )
        return self._taken(update, found), [partial(self._follow, update, found, role)]

    def _drawn(self, update: PhoneUpdate, what: str) -> int:
        """Draw 64 bits of the chance that came with the mail, for an update and a purpose."""
        drawn = blake2b(f"{self._salt}|{update.update_id}|{what}".encode(), digest_size=8)
        return int.from_bytes(drawn.digest())

    def _taken(self, update: PhoneUpdate, found: Judged) -> PhoneTaken:
        return PhoneTaken(
            update_id=update.update_id,
            chat=update.chat,
            user=update.user,
            command=found.parsed.command[:64],
            args=tuple(each[:128] for each in found.parsed.args),
            account=found.parsed.account,
            verdict=found.reply or "",
            effect=(found.effect or "")[:500],
            at=self.now(),
        )

    def _strangers(self, updates: list[PhoneUpdate]) -> tuple[Event, list[tuple[Any, Any]]]:
        """Pass over whom nobody knows, without a reply; tell of it at most once an hour (ML-1080)."""
        last, wrote = updates[-1], [each for each in updates if each.text or each.data]
        told = bool(wrote) and self.now() - self._memory.stranger_at >= STRANGER_EVERY_S * NANOS
        passed = PhoneStrangers(
            update_id=last.update_id, count=len(wrote), chat=last.chat, user=last.user, told=told, at=self.now()
        )
        text = f"user {last.user} in chat {last.chat} wrote to the bot and is on no list"
        line = LogEvent(severity="warning", code="TelegramStranger", text=text, about=self.context.path)
        return passed, [(EVENT_LOG, line)] if told else []

    # --- taps ----------------------------------------------------------------------------------------------------------

    def _tapped(self, update: PhoneUpdate, role: Role) -> tuple[Event, list[Any]]:
        """Judge a tap: a command, a confirmation or cancellation, an approval, an acknowledgement; all else is stale."""
        kind, _, rest = update.data.partition(":")
        if kind == "t":
            self._callbacks.append((update.callback, ""))
            return self._typed(update, rest, role)
        now_ms = self.now() // 1_000_000
        if kind == "c":
            found = judge_token(self._chats, update.chat, rest, now_ms, user=update.user, role=role, commands=HOUSE)
        elif kind == "x":
            pending = self._chats.pending.get(update.chat)
            if pending is not None and pending.token == rest:
                del self._chats.pending[update.chat]
            found = Judged("cancelled", parsed=Parsed("/confirm"))
        elif kind == "a" and len(parts := rest.split(":")) == 4:
            allowed = role >= Role.APPROVE
            found = Judged("done", "APPROVE", Parsed("/approve", tuple(parts))) if allowed else Judged("NotAllowed")
        elif kind == "k" and rest.isdigit():
            allowed = role >= Role.APPROVE
            found = Judged("done", "ACK", Parsed("/ack", (rest,))) if allowed else Judged("NotAllowed")
        else:
            found = Judged("stale")
        note = {"code_expired": ALREADY, "stale": ALREADY, "cancelled": "Cancelled: nothing was done."}.get(
            found.reply or "", REPLIES.get(found.reply or "", "")
        )
        self._callbacks.append((update.callback, note[:190]))
        follow = partial(self._follow, update, found, role) if found.effect else partial(self._noted, update, found)
        return self._taken(update, found), [follow]

    # --- what follows --------------------------------------------------------------------------------------------------

    def _follow(self, update: PhoneUpdate, found: Judged, role: Role) -> Do | None:
        """Answer, or have the house answer, or carry out."""
        parsed = found.parsed
        if found.effect:
            self._begin(self._memory.doing[update.update_id])
            return None
        if found.reply == "confirm":
            pending = self._chats.pending[update.chat]
            self.context.pipe(
                self._seat.name(parsed.command, parsed.args, parsed.account),
                partial(_named, update, pending.token),
                lambda error: _named(update, pending.token, Named("", error=_said(error))),
            )
            return None
        if found.reply == "NotACommand" and update.chat < 0:
            return None  # people talk in groups
        if found.reply == "help":
            return self._answered(update, found, help_text(HOUSE, role))
        if found.reply == "BadArguments":
            return self._answered(update, found, f"Write it so: {written(parsed.command, HOUSE[parsed.command])}")
        if found.reply == "AccountNeeded":
            names = [*self._settings.accounts, *([ALL] if HOUSE[parsed.command].for_all else ())]
            wanted = [" ".join((parsed.command, each, *parsed.args)) for each in names]
            text = "There are several accounts. Tap, or write, which is meant:\n" + "\n".join(wanted)
            return self._answered(update, found, text, typing(wanted))
        if found.reply in REPLIES:
            return self._answered(update, found, REPLIES[found.reply])
        return self._look(update, parsed)

    def _look(self, update: PhoneUpdate, parsed: Parsed) -> Do | None:
        if parsed.command == "/chart":
            picture = f"{parsed.args[0]}:{parsed.account}"
            item = new_item(update.chat, OutKind.PICTURE, _CAPTIONS[parsed.args[0]], picture=picture)
            return self._note(update.chat, update.user, parsed, "done", self._queued([item]))
        live = parsed.command == "/live"
        self.context.pipe(
            self._seat.show("/status" if live else parsed.command, parsed.args, parsed.account),
            lambda found: _Shown(
                update.update_id, update.chat, found.text, "live" if live else "", () if live else found.buttons
            ),
            lambda error: _Shown(update.update_id, update.chat, _said(error)),
        )
        return self._note(update.chat, update.user, parsed, "done")

    def _noted(self, update: PhoneUpdate, found: Judged) -> Do:
        return self._note(update.chat, update.user, found.parsed, f"refused: {found.reply}")

    def _answered(self, update: PhoneUpdate, found: Judged, text: str, buttons: tuple[Button, ...] = ()) -> Do:
        said = self._queued([new_item(update.chat, OutKind.REPLY, text, buttons=buttons)])
        done = "done" if found.reply == "help" else f"refused: {found.reply}"
        return self._note(update.chat, update.user, found.parsed, done, said)

    def _note(self, chat: int, user: int, parsed: Parsed, outcome: str, events: Iterable[Event] = ()) -> Do:
        """Put a command into the audit log: who, from which chat, what came of it (EX-1405, ML-1082)."""
        given = {"account": parsed.account} if parsed.account else {}
        note = NoteCommand(
            operator=f"telegram:{user}",
            origin=f"telegram chat {chat}",
            command=parsed.command or "(text)",
            arguments={**given, **{f"argument {n}": text[:300] for n, text in enumerate(parsed.args, 1)}},
            outcome=outcome[:1000],
        )
        return Do(tuple(events), [(EVENT_LOG, note)])

    @handles
    def shown(self, msg: _Shown) -> Do:
        """Send the house's answer."""
        item = new_item(msg.chat, OutKind.REPLY, msg.text, about=msg.about, buttons=msg.buttons)
        return Do(self._queued([item]), then=self._pump)

    @handles
    def named(self, msg: _NamedIt) -> Do | None:
        """Ask for the code of what was named; what cannot be done is said at once."""
        pending = self._chats.pending.get(msg.chat)
        if pending is None or pending.token != msg.token:
            return None
        if msg.error:
            del self._chats.pending[msg.chat]
            return Do(self._queued([new_item(msg.chat, OutKind.REPLY, msg.error)]), then=self._pump)
        parsed = pending.parsed._replace(args=msg.args or pending.parsed.args)
        self._chats.pending[msg.chat] = msgspec.structs.replace(pending, parsed=parsed)
        buttons = (Button("Confirm", f"c:{pending.token}"), Button("Cancel", f"x:{pending.token}"))
        item = new_item(msg.chat, OutKind.REPLY, confirm_text(msg.text, pending.code), buttons=buttons)
        return Do(self._queued([item]), then=self._pump)

    # --- carrying out --------------------------------------------------------------------------------------------------

    def _begin(self, taken: PhoneTaken) -> None:
        self.context.pipe(
            self._seat.act(
                taken.command,
                taken.args,
                taken.account,
                request_id=f"tg{taken.update_id}",
                by=f"telegram:{taken.user}",
            ),
            lambda text: _Acted(taken.update_id, text),
            lambda error: _Acted(taken.update_id, _said(error), type(error).__name__),
        )

    @handles
    def acted(self, msg: _Acted) -> Do | None:
        """Report what came of a command."""
        taken = self._memory.doing.get(msg.update_id)
        if taken is None:
            return None
        return self._end(taken, msg.text, f"failed: {msg.error}" if msg.error else f"done: {msg.text}")

    def _end(self, taken: PhoneTaken, text: str, outcome: str) -> Do:
        said = self._queued([new_item(taken.chat, OutKind.REPLY, text)])
        events = [PhoneEnded(update_id=taken.update_id, outcome=outcome[:1000], at=self.now()), *said]
        noted = self._note(taken.chat, taken.user, Parsed(taken.command, taken.args, account=taken.account), outcome)
        return Do(events, noted.tells, then=self._pump)

    def _finish(self) -> list[Do]:
        """Go on with what a life before this one began."""
        found = []
        for taken in list(self._memory.doing.values()):
            if taken.command in NEVER_AGAIN:
                text = f"bulkhead went down while it carried out {taken.command}: look whether it was done, then ask again."
                found.append(self._end(taken, text, "unknown: went down meanwhile"))
            else:
                self._begin(taken)
        return found

    # --- the wire ------------------------------------------------------------------------------------------------------

    @handles
    def trouble(self, msg: WireTrouble) -> Do:
        """Ask again later, ever more slowly; tell of it once."""
        self._away += 1
        wait = msg.wait_s or min(2.0 ** min(self._away - 1, 6), AWAY_MOST_S)
        self.timers.after(wait, _PollAgain())
        told = self._trouble == msg.code
        self._trouble = msg.code
        pinned = msg.code in ("TelegramRejected", "TelegramConflict")
        line = LogEvent(severity="warning", code=msg.code, text=msg.text, about=self.context.path, pinned=pinned)
        return Do(tells=[] if told else [(EVENT_LOG, line)])

    @handles
    def poll_again(self, msg: _PollAgain) -> Do:  # noqa: ARG002 - the type is the message
        """Try again."""
        return Do(tells=[(self._wire, self._poll())])

    @handles
    def wire_up(self, msg: WireUp) -> Do:  # noqa: ARG002 - the type is the message
        """Start anew with a wire that begins a life: what was on its way is uncertain."""
        return Do(self._recall(), then=partial(self._go_on, ()))


def _named(update: PhoneUpdate, token: str, found: Named) -> _NamedIt:
    return _NamedIt(update.update_id, update.chat, token, found.text, tuple(found.args), found.error)


def _said(error: BaseException) -> str:
    """Return what an operator is told of an error."""
    return f"That did not work: {getattr(error, 'code', type(error).__name__)}: {error}"[:1000]
