"""Client order ids of brackets: derived, so that the same order has the same id for ever.

::

    bh tttt ggggggggggggg b e 0     entry: deployment tag, hash of account and the bracket's name
    sl tttt ggggggggggggg b e 0     its stop, tp...: its target (``<id>-SL`` and ``<id>-TP`` at a broker that wants them so)
    bh tttt ggggggggggggg b s 0     the stop that is sent again, once
    bh tttt ggggggggggggg b c nnn   closes at the market, counted

None of them has the length of a group's order (``rules.client_ids``): a desk that has lost its books takes a stop for
somebody else's order, and so does not cancel what protects a position.
"""

from __future__ import annotations

import re
from typing import Final

from rules.client_ids import PREFIX, group_hash

__all__ = [
    "bracket_id_of",
    "close_id",
    "entry_id",
    "is_attached",
    "is_bracket",
    "stop_again_id",
    "stop_id",
    "target_id",
]

_ATTACHED: Final = re.compile(rf"(?:{PREFIX}|sl|tp)[a-z0-9]{{17}}be0")
_ANY: Final = re.compile(rf"{_ATTACHED.pattern}|{PREFIX}[a-z0-9]{{17}}b(?:s0|c[a-z0-9]{{3}})")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def bracket_id_of(account: str, client_id: str) -> str:
    """Return the 13 characters that stand for a bracket in the ids of its orders."""
    return group_hash(f"bracket {account} {client_id}")


def entry_id(tag: str, bracket_id: str) -> str:
    """Return the id of the entry."""
    return f"{PREFIX}{tag}{bracket_id}be0"


def stop_id(entry: str) -> str:
    """Return the id of the stop that is sent with an entry."""
    return "sl" + entry[len(PREFIX) :]


def target_id(entry: str) -> str:
    """Return the id of the target that is sent with an entry."""
    return "tp" + entry[len(PREFIX) :]


def stop_again_id(tag: str, bracket_id: str) -> str:
    """Return the id of the one stop that may be sent in the first one's place."""
    return f"{PREFIX}{tag}{bracket_id}bs0"


def close_id(tag: str, bracket_id: str, attempt: int) -> str:
    """Return the id of an order that closes at the market; attempts count from 1."""
    digits = ""
    for _ in range(3):
        attempt, digit = divmod(attempt, 36)
        digits = _DIGITS[digit] + digits
    return f"{PREFIX}{tag}{bracket_id}bc{digits}"


def is_bracket(client_order_id: str) -> bool:
    """Whether an order belongs to a bracket, whichever it is."""
    return _ANY.fullmatch(client_order_id) is not None


def is_attached(client_order_id: str) -> bool:
    """Whether an order is one of those that are sent as one: none of them is ever sent alone."""
    return _ATTACHED.fullmatch(client_order_id) is not None
