"""Where on the bus an account's session speaks, and the settings it takes."""

from __future__ import annotations

from typing import NamedTuple

from actors.session_limit import RateMode
from protocol.messages import Value

__all__ = [
    "DataFeed",
    "SessionSettings",
    "balances_topic",
    "health_topic",
    "hours_topic",
    "market_topic",
    "session_topic",
]


def market_topic(account: str, symbol: str) -> str:
    """Return the bus topic of an account's prices of one symbol."""
    return f"market:{account}:{symbol}"


def session_topic(account: str) -> str:
    """Return the bus topic on which an account's session says whether it is up."""
    return f"session:{account}"


def health_topic(account: str) -> str:
    """Return the bus topic on which an account's session says how its connection stands (kept)."""
    return f"health:{account}"


def balances_topic(account: str) -> str:
    """Return the bus topic of an account's balances (kept)."""
    return f"balances:{account}"


def hours_topic(account: str) -> str:
    """Return the bus topic on which an account's session says which of its markets are closed (kept)."""
    return f"hours:{account}"


class DataFeed(NamedTuple):
    """Another account whose prices an account goes by (PF-231); ``path``: who delivers them when asked to."""

    account: str
    path: str


class SessionSettings(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How a session treats its venue.

    ``rate_mode`` is how much of the published limits is used (EX-1105). A market that is open and tells no price for
    ``mute_after_s`` seconds is mute (0: never). ``maintenance`` are spans (``rules.windows``) in which errors are expected.
    """

    rate_mode: RateMode = RateMode.VENUE
    mute_after_s: float = 0.0
    maintenance: tuple[str, ...] = ()
