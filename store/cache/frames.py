"""How a value lies in the cache: one codec byte, then the body (DS-712)."""

from __future__ import annotations

import zlib
from typing import Any, Final, TypeVar

from protocol.codec import MAX_MESSAGE_BYTES, decode_msgpack, encode_msgpack
from protocol.errors import ValidationError
from store.cache.errors import BadFrame

__all__ = ["COMPRESS_FROM", "encoded", "frame", "framed", "unframed"]

COMPRESS_FROM: Final = 1_024
"""Bytes from which on compression is tried."""

_RAW: Final = b"\x00"
_ZLIB: Final = b"\x01"

T = TypeVar("T")


def frame(body: bytes) -> bytes:
    """Return codec byte and body; compressed at level 1 where that makes it smaller."""
    if len(body) >= COMPRESS_FROM:
        packed = zlib.compress(body, 1)
        if len(packed) < len(body):
            return _ZLIB + packed
    return _RAW + body


def encoded(value: Any) -> bytes | None:
    """Return a message, value, or anything msgspec knows, as a body; None when it is larger than any message may be."""
    body = encode_msgpack(value)
    return body if len(body) <= MAX_MESSAGE_BYTES else None


def framed(value: Any) -> bytes | None:
    """Return a value as a frame; None when it is larger than any message may be."""
    body = encoded(value)
    return None if body is None else frame(body)


def unframed(data: bytes, of: type[T]) -> T:
    """Return the value of a frame; raise BadFrame for whatever is not one of type ``of``."""
    try:
        return decode_msgpack(_body(data), of)
    except ValidationError as error:
        raise BadFrame(f"no {getattr(of, '__name__', of)}: {error}") from error


def _body(data: bytes) -> bytes:
    codec, body = data[:1], data[1:]
    if codec == _RAW:
        return body
    if codec != _ZLIB:
        raise BadFrame(f"codec {codec.hex() or 'missing'} is unknown")
    # Never unpack more than a message may hold: whoever can write to the cache could send a bomb.
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(body, MAX_MESSAGE_BYTES + 1)
    except zlib.error as error:
        raise BadFrame(f"the body is corrupt: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise BadFrame("the body is cut off, too large or followed by more")
    return found
