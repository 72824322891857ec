"""Secrets: how a stored one is shown, and the key they are encrypted with (EX-1502, EX-1503)."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

__all__ = ["HIDDEN", "KEY_BYTES", "NOT_SET", "derive_data_key", "mask_secret"]

HIDDEN: Final = "********"
NOT_SET: Final = "(not set)"
KEY_BYTES: Final = 32
"""Length of the master key and of the key derived from it."""

_SHOWN_FROM: Final = 20
"""Characters an API key must have before six of them are shown."""

_INFO: Final = b"bulkhead.secrets.v1"


def mask_secret(kind: str, value: str | None) -> str:
    """Return what may be shown of a secret: six characters of a long API key, nothing of any other (EX-1503)."""
    if not value:
        return NOT_SET
    if kind == "api_key" and len(value) >= _SHOWN_FROM:
        return f"****{value[-9:-3]}***"
    return HIDDEN


def derive_data_key(master_key: bytes, deployment_id: str, binding: str) -> bytes:
    """Return the 32-byte key that encrypts the secrets of one deployment on one machine (EX-1502).

    HKDF with SHA-256 (RFC 5869); one round of its expansion is the whole key. Raises ``ValueError`` for a master key
    of another length.
    """
    if len(master_key) != KEY_BYTES:
        raise ValueError(f"`master_key` must have {KEY_BYTES} bytes, not {len(master_key)}")
    salt = sha256(f"{deployment_id}|{binding}".encode()).digest()
    extracted = hmac.digest(salt, master_key, sha256)
    return hmac.digest(extracted, _INFO + b"\x01", sha256)
