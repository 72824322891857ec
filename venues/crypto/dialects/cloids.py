"""Our client ids as Hyperliquid takes them: 128 bits in hex, and back, with nothing remembered.

An id of ours has 131 bits if every part may have its full range, so parts have smaller ranges here: up to 64 pyramids,
128 layers and 4096 attempts. Other ids of up to 21 characters fit too. What fits is packed into 116 bits and followed by 12
bits that are drawn from them: a client id of somebody else's making passes for one of ours once in ten thousand. What does
not fit becomes a hash, which can be looked up by whoever made it and never be read back.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from protocol.orders import Purpose
from rules.client_ids import PREFIX, ClientId, parse

__all__ = ["cloid_of", "id_of"]

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PURPOSES: Final = {Purpose.ENTRY: "e", Purpose.TP: "t", Purpose.CLOSE: "c"}
_ORDER: Final = tuple(_PURPOSES)
_RANGES: Final = (36**4, 36**13, 64, 128, len(_ORDER), 4096)
"""Tag, group, pyramid, layer, purpose, attempt."""
_STRUCTURED: Final = 36**17 * 64 * 128 * 3 * 4096
_LONGEST_TEXT: Final = 21
_TEXT_BASE: Final = 37
"""Digit 0 is never written, so that an id may begin with a zero."""
_CHECK_BITS: Final = 12
_HEX: Final = 32


def cloid_of(client_order_id: str) -> str:
    """Return the 128 bits of an id, as ``0x`` and 32 hex digits; always the same for the same id."""
    packed = _pack(client_order_id)
    if packed is not None:
        return f"0x{packed << _CHECK_BITS | _check(packed):0{_HEX}x}"
    for salt in range(256):
        hashed = "0x" + blake2b(client_order_id.encode(), digest_size=16, salt=bytes([salt])).hexdigest()
        if id_of(hashed) is None:
            return hashed
    raise ValueError(f"no 128 bits for {client_order_id!r}")


def id_of(cloid: str) -> str | None:
    """Return the id that 128 bits stand for; None when they are a hash or of somebody else's making."""
    if len(cloid) != _HEX + 2 or not cloid.startswith("0x"):
        return None
    try:
        value = int(cloid, 16)
    except ValueError:
        return None
    packed = value >> _CHECK_BITS
    if value & ((1 << _CHECK_BITS) - 1) != _check(packed):
        return None
    return _unpack(packed) if packed < _STRUCTURED else _text(packed - _STRUCTURED)


def _check(packed: int) -> int:
    drawn = blake2b(packed.to_bytes(16), digest_size=2, person=b"bulkhead").digest()
    return int.from_bytes(drawn) >> (16 - _CHECK_BITS)


def _pack(client_order_id: str) -> int | None:
    said = parse(client_order_id)
    if said is not None:
        parts = _parts(said)
        if any(part >= limit for part, limit in zip(parts, _RANGES, strict=True)):
            return None
        packed = 0
        for part, limit in zip(parts, _RANGES, strict=True):
            packed = packed * limit + part
        return packed
    if not 0 < len(client_order_id) <= _LONGEST_TEXT or not set(client_order_id) <= set(_DIGITS):
        return None
    value = 0
    for letter in client_order_id:
        value = value * _TEXT_BASE + _DIGITS.index(letter) + 1
    return _STRUCTURED + value


def _parts(said: ClientId) -> tuple[int, ...]:
    purpose = _ORDER.index(said.purpose)
    return int(said.tag, 36), int(said.group_hash, 36), said.pyramid, said.layer, purpose, said.attempt


def _unpack(packed: int) -> str:
    parts: list[int] = []
    for limit in reversed(_RANGES):
        packed, part = divmod(packed, limit)
        parts.append(part)
    attempt, purpose, layer, pyramid, group, tag = parts
    where = _base36(pyramid, 2) + _base36(layer, 2) + _PURPOSES[_ORDER[purpose]]
    return PREFIX + _base36(tag, 4) + _base36(group, 13) + where + _base36(attempt, 4)


def _text(value: int) -> str | None:
    letters = ""
    while value:
        value, digit = divmod(value, _TEXT_BASE)
        if not digit:
            return None
        letters = _DIGITS[digit - 1] + letters
    return letters if 0 < len(letters) <= _LONGEST_TEXT else None


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
