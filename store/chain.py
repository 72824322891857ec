"""The checksum chain: each record's checksum covers the record and the checksum before it.

``checksum(n) = SHA-256(checksum(n-1) + canonical bytes of record n)``, beginning with 32 zero bytes. Names stand in the
canonical bytes, not dictionary numbers, so a changed dictionary is found too. Equal runs have equal chains: nothing of
the file (opening times, process ids, page layout) is in it.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

__all__ = ["GENESIS", "INTEGERS", "checksum", "stream_tag", "type_tag"]

GENESIS: Final = bytes(32)
"""Stands in place of the checksum before the first record."""

INTEGERS: Final = struct.Struct(">6q").pack
"""Packs position, seq, at, message id, correlation id, causation id; raises ``struct.error`` beyond 64 bits."""


def stream_tag(raw: bytes) -> bytes:
    """Return the canonical bytes of a stream's name in UTF-8: its length, then the name."""
    return struct.pack(">I", len(raw)) + raw


def type_tag(raw: bytes, version: int) -> bytes:
    """Return the canonical bytes of an event type, its name in UTF-8: version, length, then the name."""
    return struct.pack(">II", version, len(raw)) + raw


def checksum(previous: bytes, integers: bytes, stream: bytes, event_type: bytes, payload: bytes) -> bytes:
    """Return the 32 bytes of one link. Every part but the last tells its own length, so no two records look alike."""
    return sha256(b"".join((previous, integers, stream, event_type, payload))).digest()
