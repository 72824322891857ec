"""What the bridge remembers: which updates it took, what it is doing, what is to be sent and what may have arrived."""

from __future__ import annotations

from typing import Final

import msgspec

from protocol.messages import Event
from protocol.telegram import (
    OutItem,
    OutKind,
    PhoneBotChanged,
    PhoneDropped,
    PhoneEnded,
    PhoneMoved,
    PhoneQueued,
    PhoneSending,
    PhoneSent,
    PhoneStrangers,
    PhoneTaken,
)

__all__ = ["MESSAGES_KEPT", "NEVER_AGAIN", "NUMBERS_LAST_NS", "PROMPTS", "Memory", "fold"]

MESSAGES_KEPT: Final = 200
"""Newest messages whose id is remembered, so that they can be edited."""

NUMBERS_LAST_NS: Final = 6 * 86_400 * 1_000_000_000
"""How long after an update the next one's number is surely higher; Telegram says a week."""

PROMPTS: Final = "approval:"
"""How what a prompt is about begins."""

NEVER_AGAIN: Final = frozenset({"/run"})
"""Commands that are not carried out again after a crash: nobody knows whether they were, and twice is not once."""


class Memory(msgspec.Struct):
    """The bridge's state. ``sending`` are items that may have arrived, ``messages`` the ids of those that did, by about."""

    taken: int = 0
    notices: int = -1
    last_id: int = 0
    outbox: dict[int, OutItem] = msgspec.field(default_factory=dict)
    sending: dict[int, int] = msgspec.field(default_factory=dict)
    messages: dict[str, int] = msgspec.field(default_factory=dict)
    doing: dict[int, PhoneTaken] = msgspec.field(default_factory=dict)
    stranger_at: int = 0
    sent: int = 0
    dropped: int = 0
    taken_at: int = 0
    bot: int = 0
    """Whose updates and messages these are, 0 for not known yet."""
    moved: dict[int, int] = msgspec.field(default_factory=dict)
    """Groups that got another id, by their first."""

    def known(self, now: int) -> int:
        """Return the newest update that can come again, 0 when none can: Telegram keeps updates for a day.

        After a week without any it numbers the next one at random, lower as well as higher.
        """
        return self.taken if now - self.taken_at < NUMBERS_LAST_NS else 0

    def wanted(self, now: int) -> int:
        """Return the first update that is asked for, 0 for whatever there is."""
        known = self.known(now)
        return known + 1 if known else 0

    def message_of(self, chat: int, about: str) -> int:
        """Return the id of the newest message about something in a chat, 0 for none."""
        return self.messages.get(f"{chat}|{about}", 0)

    def waiting(self, chat: int) -> list[OutItem]:
        """Return what waits for a chat and does not leave yet, oldest first."""
        return [item for key, item in sorted(self.outbox.items()) if item.chat == chat and key not in self.sending]

    @property
    def prompts(self) -> set[str]:
        """What prompts are about that nobody was told the end of."""
        told = {item.about for item in self.outbox.values() if item.kind is OutKind.EDIT}
        shown = {key.partition("|")[2] for key in self.messages}
        waiting = {item.about for item in self.outbox.values() if item.kind is OutKind.PROMPT}
        return {about for about in shown | waiting if about.startswith(PROMPTS)} - told

    @property
    def chats(self) -> list[int]:
        """The chats that something waits for."""
        return list(dict.fromkeys(item.chat for item in self.outbox.values()))


def fold(memory: Memory, event: Event) -> None:
    """Change the memory by an event."""
    match event:
        case PhoneTaken():
            _took(memory, event)
            if event.effect:
                memory.doing[event.update_id] = event
        case PhoneStrangers():
            _took(memory, event)
            memory.stranger_at = event.at if event.told else memory.stranger_at
        case PhoneEnded():
            memory.doing.pop(event.update_id, None)
        case PhoneQueued():
            for item in event.items:
                memory.outbox[item.id] = item
                memory.last_id = max(memory.last_id, item.id)
            memory.notices = max(memory.notices, event.notices)
        case PhoneSending():
            memory.sending[event.id] = event.at
        case PhoneSent():
            _sent(memory, event)
        case PhoneDropped():
            _dropped(memory, event)
        case PhoneBotChanged():
            _changed(memory, event)
        case PhoneMoved():
            _moved(memory, event)


def _took(memory: Memory, event: PhoneTaken | PhoneStrangers) -> None:
    memory.taken = max(memory.known(event.at), event.update_id)
    memory.taken_at = event.at


def _dropped(memory: Memory, event: PhoneDropped) -> None:
    memory.sending.pop(event.id, None)
    item = memory.outbox.pop(event.id, None)
    memory.dropped += 1
    if (
        item is not None and item.kind is OutKind.EDIT
    ):  # what it was to change is gone: nothing is edited there any more
        memory.messages.pop(f"{item.chat}|{item.about}", None)


def _changed(memory: Memory, event: PhoneBotChanged) -> None:
    if memory.bot:  # another bot has numbers of its own, and cannot touch the messages of this one
        memory.taken, memory.taken_at = 0, 0
        memory.messages.clear()
    memory.bot = event.bot


def _moved(memory: Memory, event: PhoneMoved) -> None:
    for first, chat in list(memory.moved.items()):
        memory.moved[first] = event.to if chat == event.chat else chat
    memory.moved[event.chat] = event.to
    for key, item in memory.outbox.items():
        if item.chat == event.chat:
            memory.outbox[key] = msgspec.structs.replace(item, chat=event.to)
    # Messages of the group before stay there, out of reach.
    memory.messages = {key: ident for key, ident in memory.messages.items() if not key.startswith(f"{event.chat}|")}


def _sent(memory: Memory, event: PhoneSent) -> None:
    memory.sending.pop(event.id, None)
    if not event.delivered:
        return
    item = memory.outbox.pop(event.id, None)
    memory.sent += 1
    if item is None or not item.about or not event.message_id:
        return
    key = f"{item.chat}|{item.about}"
    if item.kind is OutKind.EDIT:
        if item.about.startswith(PROMPTS):  # what came of a prompt is its last word
            memory.messages.pop(key, None)
        elif key in memory.messages:  # what is renewed is not forgotten for messages that are never touched again
            memory.messages[key] = memory.messages.pop(key)
        return
    memory.messages.pop(key, None)
    memory.messages[key] = event.message_id
    while len(memory.messages) > MESSAGES_KEPT:
        del memory.messages[next(iter(memory.messages))]
