"""What the bridge asks of the house: answers, the effect of a command in words, to carry it out, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from protocol.telegram import Button
from rules.telegram.commands import Role

__all__ = ["BUTTONS", "BUTTON_BYTES", "Answer", "Member", "Named", "PhoneSettings", "Seat"]


BUTTONS: Final = 8
"""Most buttons under a message."""

BUTTON_BYTES: Final = 64
"""Most that Telegram carries behind a button."""


class Member(NamedTuple):
    """Who is served: a user of a chat, or everybody in it (``user`` None)."""

    chat: int
    user: int | None
    role: Role


class PhoneSettings(NamedTuple):
    """Who is served, what they are told of, how often a live status message is renewed, how fast messages may follow."""

    members: tuple[Member, ...]
    accounts: tuple[str, ...]
    warnings: bool = False
    live_every_s: float = 15.0
    pace_s: float = 1.0


class Named(NamedTuple):
    """What a command would do: in words, with the ids that it is about from now on, or why it cannot be done."""

    text: str
    args: tuple[str, ...] = ()
    error: str = ""


class Answer(NamedTuple):
    """What a command that only looks is answered; its buttons type further commands."""

    text: str
    buttons: tuple[Button, ...] = ()


class Seat(Protocol):
    """The house as the bridge sees it; ``service.telegram.seat`` is one. What it raises is told as the answer."""

    def close(self) -> None:
        """Release files."""
        ...

    async def show(self, command: str, args: Sequence[str], account: str) -> Answer:
        """Answer a command that only looks."""
        ...

    async def name(self, command: str, args: Sequence[str], account: str) -> Named:
        """Say what a command would do, before it is confirmed (EX-1603)."""
        ...

    async def act(self, command: str, args: Sequence[str], account: str, *, request_id: str, by: str) -> str:
        """Carry a command out and say what came of it; the same request id never acts twice."""
        ...
