"""What a session tells itself."""

from __future__ import annotations

from typing import Any

from protocol.messages import Message

__all__ = ["Again", "Look", "Probed", "Tried", "Turn"]


class Again(Message, frozen=True, tag=True):
    """Try to connect, or to get through the breaker, once more."""


class Look(Message, frozen=True, tag=True):
    """Look who is mute, and whether a window of maintenance has begun or ended."""


class Turn(Message, frozen=True, tag=True):
    """Calls that wait for the venue's limits may go on."""


class Tried(Message, frozen=True, tag=True):
    """A try to connect has come to an end."""

    found: Any


class Probed(Message, frozen=True, tag=True):
    """A probe has come to an end."""
