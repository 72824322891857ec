"""The phone's conversation: what the bridge to Telegram took in, what it wants sent, what became of it.

The *bridge* decides and journals; the *wire* (an edge: told only what is durable) speaks with Telegram. ``PhoneTaken`` is
journalled before Telegram is told that a message was taken, ``PhoneSending`` before a message leaves: after a crash it is
known what was begun, and nothing acts twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from protocol.messages import Event, Message, Value
from protocol.values import Instant, Text

__all__ = [
    "BRIDGE",
    "Button",
    "Delivery",
    "OutItem",
    "OutKind",
    "PhoneBotChanged",
    "PhoneDropped",
    "PhoneEnded",
    "PhoneMail",
    "PhoneMoved",
    "PhoneQueued",
    "PhoneSending",
    "PhoneSent",
    "PhoneStrangers",
    "PhoneTaken",
    "PhoneUpdate",
    "PollPhone",
    "SendPhone",
    "SendResult",
    "WireTrouble",
    "WireUp",
]

BRIDGE: Final = "/operators/telegram/bridge"
"""Where the bridge lives."""


class OutKind(StrEnum):
    """What is sent: alerts and prompts must arrive; replies and pictures go at most once; edits repeat harmlessly."""

    ALERT = "alert"
    PROMPT = "prompt"
    REPLY = "reply"
    PICTURE = "picture"
    EDIT = "edit"

    @property
    def at_least_once(self) -> bool:
        """Whether it is sent again when nobody knows whether it arrived."""
        return self in (OutKind.ALERT, OutKind.PROMPT, OutKind.EDIT)


class Delivery(StrEnum):
    """What became of a message on its way: it is there, it certainly is not, it never will be, nobody knows."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Button(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A button under a message; ``data`` comes back when it is tapped (at most 64 bytes)."""

    label: str
    data: str


class OutItem(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A message for a chat. ``edits`` is the id of the message whose text it replaces, 0 for a new one.

    ``about`` names what later edits refer to (``live``, ``approval:a3``). ``picture`` says what is to be drawn; ``repeats``
    that it may have arrived before; ``left_out`` how many messages before it were given up because too many waited.
    """

    id: int
    chat: int
    kind: OutKind
    text: Text = ""
    buttons: tuple[Button, ...] = ()
    edits: int = 0
    about: str = ""
    picture: str = ""
    repeats: bool = False
    left_out: int = 0


# --- journal events ---------------------------------------------------------------------------------------------------


class PhoneTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A message or a tap of an allowed user was taken in; ``verdict`` is the reply key, ``effect`` what it does.

    Updates up to ``update_id`` never count again.
    """

    update_id: int
    chat: int
    user: int
    command: str = ""
    args: tuple[str, ...] = ()
    account: str = ""
    verdict: str = ""
    effect: str = ""
    at: Instant


class PhoneStrangers(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Updates of chats that are not allowed were passed over; ``told`` says that an alert was raised about it."""

    update_id: int
    count: int
    chat: int
    user: int
    told: bool = False
    at: Instant


class PhoneQueued(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """These are to be sent; one with a known id replaces the one that waits. ``notices`` is the newest notice told."""

    items: tuple[OutItem, ...] = ()
    notices: int = -1
    at: Instant


class PhoneSending(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """This item leaves now: from here on it may have arrived."""

    id: int
    at: Instant


class PhoneSent(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Telegram has it, as this message of its chat; ``delivered`` false: it certainly has not, and the item waits again."""

    id: int
    message_id: int = 0
    delivered: bool = True
    at: Instant


class PhoneDropped(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """This item is not sent any more; ``reason`` says why."""

    id: int
    chat: int
    reason: Text
    at: Instant


class PhoneBotChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Updates come from this bot from now on: it has numbers of its own."""

    bot: int
    at: Instant


class PhoneMoved(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group became a supergroup, which has another id; who is served in ``chat`` is served in ``to`` from now on."""

    chat: int
    to: int
    at: Instant


class PhoneEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What came of a command that was taken."""

    update_id: int
    outcome: Text
    at: Instant


# --- bridge and wire --------------------------------------------------------------------------------------------------


class PhoneUpdate(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One update: a text, or a tap (``data``) on a button under a message; ``moved_to`` is the group's new id, or 0."""

    update_id: int
    chat: int = 0
    user: int = 0
    text: str = ""
    data: str = ""
    callback: str = ""
    message_id: int = 0
    moved_to: int = 0


class PhoneMail(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Wire to bridge: what Telegram had; also when it had nothing.

    ``salt`` is chance from outside: the codes that answer these updates are made of it, so that nobody can know them before,
    and a replay makes them again. ``bot`` is whose updates these are.
    """

    OVERFLOW: ClassVar[str] = "keep"

    updates: tuple[PhoneUpdate, ...] = ()
    salt: str = ""
    bot: int = 0


class PollPhone(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Bridge to wire: ask for updates from this one on; all before it are durable here and may be forgotten there.

    ``offset`` 0 asks for whatever waits: after a week without updates their numbers begin anew.
    ``callbacks`` are taps to be acknowledged, each with what is shown over the chat.
    """

    OVERFLOW: ClassVar[str] = "keep"

    offset: int
    callbacks: tuple[tuple[str, str], ...] = ()


class SendPhone(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Bridge to wire: send this now."""

    OVERFLOW: ClassVar[str] = "keep"

    item: OutItem


class SendResult(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Wire to bridge: what became of an item; ``retry_after_s`` is what Telegram asks for, 0 when it does not.

    ``moved_to`` is the id that its chat has now, 0 when it is the same.
    """

    OVERFLOW: ClassVar[str] = "keep"

    id: int
    delivery: Delivery
    message_id: int = 0
    retry_after_s: float = 0.0
    error: str = ""
    moved_to: int = 0


class WireUp(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Wire to bridge: I begin a life; what was on its way then is unknown."""

    OVERFLOW: ClassVar[str] = "keep"


class WireTrouble(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Wire to bridge: Telegram cannot be reached or refuses the bot (``code``); an empty code: it answers again."""

    OVERFLOW: ClassVar[str] = "keep"

    code: str
    text: Text = ""
    wait_s: float = 0.0
