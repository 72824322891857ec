"""Prove who sent a request: a secret in the body, a signature in the headers (EX-220 to EX-224).

The caller passes every secret and key that is valid now, so a rotation is just two of them (EX-224).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from rules.signals.body import MalformedJson, parse_body

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "AuthFailure", "AuthMode", "Proof", "authenticate", "sign"]

TIMESTAMP_HEADER: Final = "X-Bulkhead-Timestamp"
SIGNATURE_HEADER: Final = "X-Bulkhead-Signature"

_SIGNATURE = re.compile(r"sha256=(?P<hex>[0-9a-fA-F]{64})")
_SECONDS = re.compile(r"[0-9]{1,12}")
_NS: Final = 1_000_000_000
_IN_THE_BODY: Final = object()


class AuthMode(StrEnum):
    """Which proofs are needed (``security.webhook_auth_mode``)."""

    SECRET = "secret"  # noqa: S105 - the name of a proof, not a secret
    HMAC = "hmac"
    BOTH = "both"
    EITHER = "either"


class Proof(StrEnum):
    """Which proofs were presented and valid."""

    SECRET = "secret"  # noqa: S105 - the name of a proof, not a secret
    HMAC = "hmac"
    BOTH = "both"


class AuthFailure(StrEnum):
    """Why a request is not authenticated; answered with 401 and this code only (EX-225)."""

    MISSING = "AuthMissing"
    SIGNATURE_MALFORMED = "SignatureMalformed"
    SIGNATURE_MISMATCH = "SignatureMismatch"
    SIGNATURE_EXPIRED = "SignatureExpired"
    SECRET_MISMATCH = "SecretMismatch"  # noqa: S105 - a code, not a secret


def authenticate(
    mode: AuthMode,
    secrets: Iterable[str],
    keys: Iterable[str],
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    now: int,
    *,
    tolerance_s: int = 300,
    presented: object = _IN_THE_BODY,
) -> Proof | AuthFailure:
    """Return which proofs were valid, or the first failure: proofs present, then signature, then secret (EX-223).

    Every proof that is presented must be valid whatever the mode. A secret that is neither text nor null, and an empty
    signature header, count as presented and wrong. ``now`` is an instant in nanoseconds. ``presented`` is the secret as a
    mapping found it; by default it is the field ``secret`` of a JSON body. No request makes it raise.
    """
    signatures = _header_values(headers, SIGNATURE_HEADER)
    secret = _presented_secret(body) if presented is _IN_THE_BODY else _as_presented(presented)
    has_signature, has_secret = bool(signatures), secret is not None
    needed = {
        AuthMode.SECRET: has_secret,
        AuthMode.HMAC: has_signature,
        AuthMode.BOTH: has_secret and has_signature,
        AuthMode.EITHER: has_secret or has_signature,
    }
    if not needed[mode]:
        return AuthFailure.MISSING
    if has_signature:
        failure = _check_signature(signatures, _header_values(headers, TIMESTAMP_HEADER), keys, body, now, tolerance_s)
        if failure is not None:
            return failure
    if secret is not None and not _matches_any(secret, secrets):
        return AuthFailure.SECRET_MISMATCH
    if has_signature and has_secret:
        return Proof.BOTH
    return Proof.HMAC if has_signature else Proof.SECRET


def sign(key: str, timestamp: str, body: bytes) -> str:
    """Return the signature header of a body sent at ``timestamp`` (Unix seconds as text)."""
    return f"sha256={_digest(key, timestamp, body).hex()}"


def _digest(key: str, timestamp: str, body: bytes) -> bytes:
    return hmac.new(_bytes(key), timestamp.encode("ascii") + b"." + body, hashlib.sha256).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _header_values(headers: Mapping[str, str] | Iterable[tuple[str, str]], name: str) -> list[str]:
    """Return all values of a header; names are case-insensitive, so a mapping may hold it more than once."""
    items = headers.items() if isinstance(headers, Mapping) else headers
    return [value for each, value in items if each.lower() == name.lower()]


def _presented_secret(body: bytes) -> str | None:
    """Return the secret a body presents: None for none, and what no secret can equal for one that is not text."""
    try:
        payload = parse_body(body)
    except MalformedJson:
        return None
    return _as_presented(payload.get("secret") if isinstance(payload, dict) else None)


def _as_presented(secret: object) -> str | None:
    if secret is None or secret == "":
        return None
    return secret if isinstance(secret, str) else ""


def _matches_any(given: str, candidates: Iterable[str]) -> bool:
    """Compare in constant time with every candidate; hashing first makes lengths equal. Empty never matches."""
    wanted = hashlib.sha256(_bytes(given)).digest()
    matched = False
    for each in candidates:
        matched |= hmac.compare_digest(hashlib.sha256(_bytes(each)).digest(), wanted)
    return matched and given != ""


def _check_signature(
    signatures: list[str], timestamps: list[str], keys: Iterable[str], body: bytes, now: int, tolerance_s: int
) -> AuthFailure | None:
    if len(signatures) != 1 or len(timestamps) != 1 or not _SECONDS.fullmatch(timestamps[0]):
        return AuthFailure.SIGNATURE_MALFORMED
    form = _SIGNATURE.fullmatch(signatures[0])
    if form is None:
        return AuthFailure.SIGNATURE_MALFORMED
    given = bytes.fromhex(form["hex"])
    matched = False
    for key in keys:
        matched |= hmac.compare_digest(_digest(key, timestamps[0], body), given)
    if not matched:
        return AuthFailure.SIGNATURE_MISMATCH
    if abs(now - int(timestamps[0]) * _NS) > tolerance_s * _NS:
        return AuthFailure.SIGNATURE_EXPIRED
    return None
