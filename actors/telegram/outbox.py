"""How messages leave: in order, one at a time a chat, at the pace Telegram allows, kept while it is away.

Telegram knows no idempotency key, so a crash or a lost answer leaves a message that may have arrived. Each kind has one
answer to that, decided beforehand: alerts and prompts are sent again and say so, edits are repeated (the second changes
nothing), replies and pictures are given up and can be asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from actors.telegram.memory import Memory, fold
from actors.telegram.seat import Member, PhoneSettings
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Event, Message
from protocol.telegram import (
    Button,
    Delivery,
    OutItem,
    OutKind,
    PhoneDropped,
    PhoneMoved,
    PhoneQueued,
    PhoneSending,
    PhoneSent,
    SendPhone,
    SendResult,
)
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor

__all__ = ["AWAY_MOST_S", "GROUPS_SLOWER", "LONGEST", "WAITING_MOST", "Outbox", "fitting", "new_item"]

GROUPS_SLOWER: Final = 3
"""Groups are written to this much slower: Telegram takes 20 messages a minute there."""

AWAY_MOST_S: Final = 60.0
"""Longest wait between two tries while Telegram is away."""

LONGEST: Final = 3_900
"""Units of UTF-16 of a message; what is longer is cut, and alerts begin a new one. With its marks it stays below the 4,096
that Telegram takes."""

WAITING_MOST: Final = 50
"""Messages that wait for a chat: thousands of alerts, which are put together. Older ones are given up, and counted."""


class _Go(Message, frozen=True, tag=True):
    CONFLATE_BY = "chat"

    chat: int


def fitting(text: str) -> str:
    """Return a text that Telegram takes: cut, with a mark, where it is too long."""
    units = text.encode("utf-16-le", "replace")
    return text if len(units) <= 2 * LONGEST else units[: 2 * LONGEST - 2].decode("utf-16-le", "ignore") + "\u2026"


def new_item(chat: int, kind: OutKind, text: str, **more: Any) -> OutItem:
    """Return an item that has no number yet."""
    return OutItem(id=0, chat=chat, kind=kind, text=fitting(text), **more)


def _lane(item: OutItem) -> tuple[int, bool]:
    """Return in which of its chat's two lanes an item goes: a picture takes seconds to draw, and no alert waits for it."""
    return item.chat, item.kind is OutKind.PICTURE


class Outbox(DurableActor):
    """The sending half of the bridge."""

    SNAPSHOT_EVERY = 300

    def __init__(self, settings: PhoneSettings, wire: str) -> None:
        self._settings = settings
        self._wire = wire
        self._memory = Memory()
        self._in_flight: dict[tuple[int, bool], int] = {}
        self._not_before: dict[int, int] = {}
        self._looks_at: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        self._refused: set[int] = set()
        """Chats that refused the newest message: told once, not with each alert that they refuse."""
        self._numbered = 0
        """The newest number that was given to an item, applied already or not."""

    # --- state ---------------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Remember."""
        fold(self._memory, event)

    def snapshot(self) -> bytes:
        """Return everything."""
        return msgspec.msgpack.encode(self._memory)

    def restore(self, state: bytes) -> None:
        """Take everything over."""
        self._memory = msgspec.msgpack.decode(state, type=Memory)

    # --- putting in ----------------------------------------------------------------------------------------------------

    def _queued(self, items: Iterable[OutItem], notices: int = -1) -> list[Event]:
        """Return what puts items into the outbox, those without an id behind all others; ``_pump`` must follow."""
        found = []
        self._numbered = max(self._numbered, self._memory.last_id)
        for item in items:
            if not item.id:
                self._numbered += 1
            found.append(item if item.id else msgspec.structs.replace(item, id=self._numbered))
        if not found:
            return [PhoneQueued(items=(), notices=notices, at=self.now())] if notices >= 0 else []
        kept, dropped = self._bounded(found)
        return [PhoneQueued(items=tuple(kept), notices=notices, at=self.now()), *dropped]

    def _bounded(self, found: list[OutItem]) -> tuple[list[OutItem], list[Event]]:
        """Give up the oldest alerts, and prompts that are over, where too many wait; the next message says how many."""
        dropped: list[Event] = []
        for chat in dict.fromkeys(item.chat for item in found):
            new = {item.id: item for item in found if item.chat == chat}
            waiting = {**{item.id: item for item in self._memory.waiting(chat)}, **new}
            over = [each for each in waiting.values() if each.kind is OutKind.ALERT or not each.buttons]
            old = over[: max(0, len(waiting) - WAITING_MOST)]
            rest = [each for each in over[len(old) :] if each.kind is OutKind.ALERT]
            if not old or not rest:
                continue
            count = sum(1 + each.left_out for each in old) + rest[0].left_out
            found = [
                *(each for each in found if each.id != rest[0].id),
                msgspec.structs.replace(rest[0], left_out=count),
            ]
            reason = f"more than {WAITING_MOST} messages waited"
            dropped += [PhoneDropped(id=each.id, chat=chat, reason=reason, at=self.now()) for each in old]
        return found, dropped

    def _edit(self, chat: int, about: str, text: str, buttons: tuple[Button, ...] = ()) -> list[OutItem]:
        """Return the item that gives a message another text: the one that waits to be sent, an edit, or none."""
        for item in self._memory.waiting(chat):
            if item.about == about:
                return [msgspec.structs.replace(item, text=fitting(text), buttons=buttons)]
        message = self._memory.message_of(chat, about)
        if not message:
            return []
        return [new_item(chat, OutKind.EDIT, text, about=about, edits=message, buttons=buttons)]

    def _alert(self, chats: Iterable[int], text: str, buttons: tuple[Button, ...] = ()) -> list[OutItem]:
        """Return alert items: one that still waits in a chat takes the text in, so that a storm is a few messages."""
        items: list[OutItem] = []
        for chat in chats:
            waits = [item for item in self._memory.waiting(chat) if item.kind is OutKind.ALERT and not item.repeats]
            both = f"{waits[-1].text}\n{text}" if waits else text
            if waits and fitting(both) == both:
                joined = (*waits[-1].buttons, *(each for each in buttons if each not in waits[-1].buttons))[-8:]
                items.append(msgspec.structs.replace(waits[-1], text=both, buttons=joined))
            else:
                items.append(new_item(chat, OutKind.ALERT, text, buttons=buttons))
        return items

    # --- letting out ---------------------------------------------------------------------------------------------------

    def _pump(self) -> Do | None:
        """Let the next item of each lane leave, if nothing of it is on its way and its chat's pace allows."""
        now, events, tells = self.now(), [], []
        for chat in self._memory.chats:
            waiting = self._next(chat)
            if not waiting:
                continue
            wait = self._not_before.get(chat, 0)
            if wait > now:
                self._look_again(chat, wait)
                continue
            for item in waiting:
                self._in_flight[_lane(item)] = item.id
                events.append(PhoneSending(item.id, now))
                tells.append((self._wire, SendPhone(item)))
        return Do(events, tells) if events else None

    def _look_again(self, chat: int, at: int) -> None:
        """Look again at an instant: once, however much comes until then."""
        if self._looks_at.get(chat) != at:
            self._looks_at[chat] = at
            self.timers.at(at, _Go(chat))

    def _next(self, chat: int) -> list[OutItem]:
        """Return the first item that waits in each lane of a chat that is free."""
        found: dict[tuple[int, bool], OutItem] = {}
        for item in self._memory.waiting(chat):
            if _lane(item) not in self._in_flight:
                found.setdefault(_lane(item), item)
        return list(found.values())

    @handles
    def go(self, msg: _Go) -> Do | None:
        """Go on when a chat's pace allows."""
        self._looks_at.pop(msg.chat, None)
        return self._pump()

    @handles
    def result(self, msg: SendResult) -> Do | None:
        """Take in what became of a message."""
        item = self._memory.outbox.get(msg.id)
        if item is None or self._in_flight.get(_lane(item)) != msg.id:
            return None
        del self._in_flight[_lane(item)]
        self._not_before[item.chat] = self.now() + self._pace(item.chat)
        return self._after_result(item, msg)

    def _pace(self, chat: int) -> int:
        """Return how long a chat has to wait for its next message; what comes meanwhile is put together."""
        return round(self._settings.pace_s * (1 if chat > 0 else GROUPS_SLOWER) * NANOS)

    def _after_result(self, item: OutItem, msg: SendResult) -> Do:
        now = self.now()
        if msg.delivery is Delivery.DELIVERED:
            self._failures.pop(item.chat, None)
            self._refused.discard(item.chat)
            return Do([PhoneSent(id=item.id, message_id=msg.message_id, at=now)], then=self._pump)
        if msg.delivery in (Delivery.LATER, Delivery.UNKNOWN):
            failures = self._failures[item.chat] = self._failures.get(item.chat, 0) + 1
            wait = msg.retry_after_s or min(2.0 ** min(failures - 1, 6), AWAY_MOST_S)
            self._not_before[item.chat] = now + round(wait * NANOS)
        if msg.moved_to:
            moved = PhoneMoved(item.chat, msg.moved_to, now)
            return Do([PhoneSent(id=item.id, delivered=False, at=now), moved], then=self._pump)
        if msg.delivery is Delivery.LATER:
            return Do([PhoneSent(id=item.id, delivered=False, at=now)], then=self._pump)
        if msg.delivery is Delivery.UNKNOWN:
            return Do(self._uncertain(item), then=self._pump)
        if item.kind is OutKind.EDIT:
            return Do([PhoneDropped(id=item.id, chat=item.chat, reason=msg.error[:500], at=now)], then=self._pump)
        said = LogEvent(
            severity="warning",
            code="TelegramRefused",
            text=f"chat {item.chat}: {msg.error}"[:1000],
            about=self.context.path,
        )
        events: list[Event] = [PhoneDropped(id=item.id, chat=item.chat, reason=msg.error[:500], at=now)]
        if item.kind is OutKind.PICTURE:  # whoever asked for it waits
            events += self._queued([new_item(item.chat, OutKind.REPLY, f"There is no picture: {msg.error}")])
        elif item.chat in self._refused:
            return Do(events, then=self._pump)
        else:
            self._refused.add(item.chat)
        return Do(events, [(EVENT_LOG, said)], then=self._pump)

    @property
    def _members(self) -> list[Member]:
        """Who is served: groups by the ids that they have now."""
        moved = self._memory.moved
        return [each._replace(chat=moved.get(each.chat, each.chat)) for each in self._settings.members]

    def _uncertain(self, item: OutItem) -> list[Event]:
        """Decide about an item of which nobody knows whether it arrived."""
        now = self.now()
        if not item.kind.at_least_once:
            reason = "nobody knows whether it arrived: it is not sent twice"
            return [PhoneDropped(id=item.id, chat=item.chat, reason=reason, at=now)]
        back = PhoneSent(id=item.id, delivered=False, at=now)
        if item.kind is OutKind.EDIT or item.repeats:
            return [back]
        return [back, *self._queued([msgspec.structs.replace(item, repeats=True)])]

    def _recall(self) -> list[Event]:
        """Decide about everything that was on its way when a life of bridge or wire ended."""
        self._in_flight.clear()
        items = [self._memory.outbox[ident] for ident in sorted(self._memory.sending) if ident in self._memory.outbox]
        return [event for item in items for event in self._uncertain(item)]
