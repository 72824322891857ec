"""What wire and line say to each other: lines of JSON over the pipes of a process."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from protocol.codec import encode_json
from protocol.messages import Value
from protocol.telegram import OutItem, PhoneMail, PollPhone, SendResult, WireTrouble

__all__ = ["FAREWELL_S", "LONGEST_FRAME", "Asked", "Deliver", "Dial", "Farewell", "answer_of", "frame", "request_of"]

LONGEST_FRAME: Final = 16_777_216
"""Bytes of one frame; the longest hold a picture."""


FAREWELL_S: Final = 2
"""Seconds that an end in order waits at most until the chats know of it."""


class Dial(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Speak for this bot; ``url`` is a Bot API server of your own, empty for Telegram's.

    ``menu`` are the commands that Telegram offers while somebody types in one of ``chats``, each with what it is for.
    """

    token: str
    url: str
    poll_s: int
    menu: tuple[tuple[str, str], ...] = ()
    chats: tuple[int, ...] = ()


class Deliver(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Send this; ``picture`` (PNG) goes with items that are one."""

    item: OutItem
    picture: bytes = b""


class Farewell(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Tell all ``chats`` this, as far as that is done within ``FAREWELL_S``; nothing follows."""

    text: str


Asked: TypeAlias = Dial | PollPhone | Deliver | Farewell
"""What the wire asks of the line."""

_asked: Final[msgspec.json.Decoder[Asked]] = msgspec.json.Decoder(Asked)
_answered: Final[msgspec.json.Decoder[PhoneMail | SendResult | WireTrouble]] = msgspec.json.Decoder(
    PhoneMail | SendResult | WireTrouble
)


def frame(said: Asked | PhoneMail | SendResult | WireTrouble) -> bytes:
    """Return a frame as it goes over the pipe."""
    return encode_json(said) + b"\n"


def request_of(raw: bytes) -> Asked:
    """Return what the wire asks."""
    return _asked.decode(raw)


def answer_of(raw: bytes) -> PhoneMail | SendResult | WireTrouble:
    """Return what the line says."""
    return _answered.decode(raw)
