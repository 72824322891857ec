"""The wire format of protocol buffers, as much of it as MEXC's streams use: text, whole numbers and messages within."""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["Field", "encoded"]

Field: TypeAlias = tuple[int, "str | int | bool | list[Field]"]
"""The field's number and its value; a list of fields is a message within."""
_TEXT: Final = 2


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encoded(fields: list[Field]) -> bytes:
    """Return a message; fields with the value zero or empty are left out, as proto3 does."""
    out = b""
    for number, value in fields:
        if isinstance(value, list):
            body = encoded(value)
            out += _varint(number << 3 | _TEXT) + _varint(len(body)) + body
        elif not value:
            continue
        elif isinstance(value, str):
            out += _varint(number << 3 | _TEXT) + _varint(len(value.encode())) + value.encode()
        else:
            out += _varint(number << 3) + _varint(int(value))
    return out
