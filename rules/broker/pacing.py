"""How fast messages may go to a broker: fifty a second, of which forty may ask for data (DK-67)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["DATA_LIMIT", "MESSAGE_LIMIT", "WINDOW_NS", "Kind", "Sent", "earliest", "may_go"]

MESSAGE_LIMIT: Final = 50
DATA_LIMIT: Final = 40
WINDOW_NS: Final = 1_000_000_000


class Kind(StrEnum):
    """``order``: orders, cancels and whatever asks for no data; it goes before waiting data."""

    ORDER = "order"
    DATA = "data"


class Sent(NamedTuple):
    """A message that went."""

    at: int
    kind: Kind


def may_go(
    kind: Kind, now: int, sent: Sequence[Sent], *, messages: int = MESSAGE_LIMIT, data: int = DATA_LIMIT
) -> bool:
    """Whether a message may go at ``now`` (ns): fewer than the limit went in (now - 1 s, now]."""
    return earliest(kind, now, sent, messages=messages, data=data) <= now


def earliest(
    kind: Kind, now: int, sent: Sequence[Sent], *, messages: int = MESSAGE_LIMIT, data: int = DATA_LIMIT
) -> int:
    """Return when a message may go at the earliest if nothing else goes before; ``sent`` is oldest first, times in ns."""
    recent = [each for each in sent if each.at > now - WINDOW_NS]
    due = now
    if len(recent) >= messages:
        due = recent[-messages].at + WINDOW_NS
    asked = [each for each in recent if each.kind is Kind.DATA]
    if kind is Kind.DATA and len(asked) >= data:
        due = max(due, asked[-data].at + WINDOW_NS)
    return due
