"""How a broker session stands, by the age of its last heartbeat, and when the next one is due (PF-237, PF-238)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = [
    "EVERY_S",
    "EXPIRES_S",
    "LATE_S",
    "RETRY_S",
    "Action",
    "SessionAge",
    "Standing",
    "next_heartbeat",
    "session_age",
]

EVERY_S: Final = 55
"""Seconds from one heartbeat to the next."""

RETRY_S: Final = 5
"""Seconds after a heartbeat that failed."""

LATE_S: Final = 60
"""A session older than this takes no new entries."""

EXPIRES_S: Final = 300
"""A session of this age must be opened anew."""


class SessionAge(StrEnum):
    """``late``: exits are still tried, entries are not. ``expired`` and ``down``: connect again."""

    ACTIVE = "active"
    LATE = "late"
    EXPIRED = "expired"
    DOWN = "down"


class Action(StrEnum):
    """What is to be done now."""

    WAIT = "wait"
    TICKLE = "tickle"
    INIT = "init"


class Standing(NamedTuple):
    """How a session stands and what to do."""

    age: SessionAge
    action: Action


def session_age(last_ok: float | None, now: float) -> Standing:
    """Say how a session stands ``now`` whose last heartbeat was answered at ``last_ok``; seconds, None: never."""
    if last_ok is None:
        return Standing(SessionAge.DOWN, Action.INIT)
    age = now - last_ok
    if age >= EXPIRES_S:
        return Standing(SessionAge.EXPIRED, Action.INIT)
    if age > LATE_S:
        return Standing(SessionAge.LATE, Action.TICKLE)
    return Standing(SessionAge.ACTIVE, Action.TICKLE if age >= EVERY_S else Action.WAIT)


def next_heartbeat(last_attempt: float, *, failed: bool) -> float:
    """Return when the next heartbeat is due, in seconds."""
    return last_attempt + (RETRY_S if failed else EVERY_S)
