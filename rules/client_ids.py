"""Client order ids: derived, so that the same order has the same id for ever (EX-422, EX-1108).

Layout, 28 characters of ``[a-z0-9]``::

    bh tttt ggggggggggggg pp ll u aaaa
    |  |    |             |  |  | attempt, base 36
    |  |    |             |  |  purpose: e entry, t target, c close
    |  |    |             |  layer, base 36
    |  |    |             pyramid, base 36
    |  |    hash of the group id, 13 digits base 36 (67 bits)
    |  deployment tag
    prefix
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, NamedTuple

from protocol.orders import Purpose

__all__ = ["MAX_ATTEMPT", "PREFIX", "ClientId", "derive", "group_hash", "is_ours", "parse"]

PREFIX: Final = "bh"
MAX_ATTEMPT: Final = 36**4 - 1
"""Most orders of one leg and purpose; reached only by a fault."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTER: Final = {Purpose.ENTRY: "e", Purpose.TP: "t", Purpose.CLOSE: "c"}
_PURPOSE: Final = {letter: purpose for purpose, letter in _LETTER.items()}
_LENGTH: Final = 28


class ClientId(NamedTuple):
    """What an id of ours says; the group id itself cannot be read back, only its hash."""

    tag: str
    group_hash: str
    pyramid: int
    layer: int
    purpose: Purpose
    attempt: int


def _base36(number: int, width: int) -> str:
    if not 0 <= number < 36**width:
        raise ValueError(f"{number} does not fit into {width} digits of base 36")
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def group_hash(group_id: str) -> str:
    """Return the 13 characters that stand for a group in its client ids."""
    number = int.from_bytes(blake2b(group_id.encode(), digest_size=16).digest())
    return _base36(number % 36**13, 13)


def derive(tag: str, group_id: str, *, pyramid: int, layer: int, purpose: Purpose, attempt: int) -> str:
    """Return the client order id of one attempt. Raises ``ValueError`` when a part does not fit."""
    if len(tag) != 4 or not set(tag) <= set(_DIGITS):
        raise ValueError(f"a deployment tag is four of [a-z0-9], not {tag!r}")
    where = _base36(pyramid, 2) + _base36(layer, 2)
    return f"{PREFIX}{tag}{group_hash(group_id)}{where}{_LETTER[purpose]}{_base36(attempt, 4)}"


def parse(client_order_id: str) -> ClientId | None:
    """Read an id of ours, whatever its deployment; None for an id that no bulkhead made."""
    fits = len(client_order_id) == _LENGTH and set(client_order_id) <= set(_DIGITS)
    if not fits or not client_order_id.startswith(PREFIX) or client_order_id[23] not in _PURPOSE:
        return None
    return ClientId(
        tag=client_order_id[2:6],
        group_hash=client_order_id[6:19],
        pyramid=int(client_order_id[19:21], 36),
        layer=int(client_order_id[21:23], 36),
        purpose=_PURPOSE[client_order_id[23]],
        attempt=int(client_order_id[24:], 36),
    )


def is_ours(client_order_id: str, tag: str) -> bool:
    """Whether this deployment made the id; another deployment's is ``ForeignEngine`` (EX-1108)."""
    found = parse(client_order_id)
    return found is not None and found.tag == tag
