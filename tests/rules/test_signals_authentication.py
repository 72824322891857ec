"""Authentication and age of requests (EX-220 to EX-230)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.signals import AuthFailure, AuthMode, Freshness, Proof, authenticate, check_freshness, sign

SECRET = "correct-horse-battery"
KEY = "0123456789abcdef0123456789abcdef"
AT = 1_772_366_400
NS = 10**9


def body(secret: Any = SECRET) -> bytes:
    """Return a body that presents a secret."""
    return json.dumps({"secret": secret, "tv": {"symbol": "BTCUSDT"}}).encode()


BARE = b'{"tv":{"symbol":"BTCUSDT"}}'


def signed(content: bytes, key: str = KEY, at: int = AT) -> dict[str, str]:
    """Return the headers of a signed request."""
    return {"X-Bulkhead-Timestamp": str(at), "X-Bulkhead-Signature": sign(key, str(at), content)}


def judge(mode: str, headers: Any, content: bytes, **changes: Any) -> object:
    """Authenticate with one secret and one key at the moment of signing."""
    given = {"secrets": [SECRET], "keys": [KEY], "now": AT * NS} | changes
    return authenticate(AuthMode(mode), headers=headers, body=content, **given)


@pytest.mark.parametrize(
    ("mode", "secret_only", "signature_only", "both", "none"),
    [
        ("secret", Proof.SECRET, AuthFailure.MISSING, Proof.BOTH, AuthFailure.MISSING),
        ("hmac", AuthFailure.MISSING, Proof.HMAC, Proof.BOTH, AuthFailure.MISSING),
        ("both", AuthFailure.MISSING, AuthFailure.MISSING, Proof.BOTH, AuthFailure.MISSING),
        ("either", Proof.SECRET, Proof.HMAC, Proof.BOTH, AuthFailure.MISSING),
    ],
)
def test_modes(mode: str, secret_only: object, signature_only: object, both: object, none: object) -> None:
    """EX-220: each mode needs its proofs and tells which were valid."""
    found = (
        judge(mode, {}, body()),
        judge(mode, signed(BARE), BARE),
        judge(mode, signed(body()), body()),
        judge(mode, {}, BARE),
    )
    assert found == (secret_only, signature_only, both, none)


@pytest.mark.parametrize("mode", list(AuthMode))
def test_every_presented_proof_must_be_valid(mode: AuthMode) -> None:
    """EX-220: whatever the mode, a bad signature is not rescued by a good secret, nor a bad secret by a signature."""
    assert judge(mode, signed(body(), key="f" * 32), body()) is AuthFailure.SIGNATURE_MISMATCH
    wrong = body("correct-horse-batterz")
    assert judge(mode, signed(wrong), wrong) is AuthFailure.SECRET_MISMATCH


def test_the_example_of_the_specification() -> None:
    """EX-222: the signature is HMAC-SHA256 over timestamp, dot, raw body."""
    content = b'{"secret":"correct-horse-battery","tv":{"symbol":"BTCUSDT"}}'
    expected = "sha256=cf2611090618c14c7381c3f59299a8927785dbeb965b158f8d281b0d39ede250"
    assert sign(KEY, "1772366400", content) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Bulkhead-Signature": ""},
        {"X-Bulkhead-Signature": "sha256=abc"},
        {"X-Bulkhead-Signature": "sha1=" + "0" * 64},
        {"X-Bulkhead-Signature": "0" * 64},
        {"X-Bulkhead-Signature": "sha256=" + "g" * 64},
        {"X-Bulkhead-Signature": "sha256=" + "0" * 65},
        {"X-Bulkhead-Signature": "sha256=" + "\uff10" * 64},
        {"X-Bulkhead-Timestamp": ""},
        {"X-Bulkhead-Timestamp": "now"},
        {"X-Bulkhead-Timestamp": "-1772366400"},
        {"X-Bulkhead-Timestamp": "1772366400.0"},
        {"X-Bulkhead-Timestamp": "9" * 5000},
        {"x-bulkhead-signature": "sha256=" + "0" * 64},
    ],
)
def test_malformed_signatures(changes: dict[str, str]) -> None:
    """EX-222: a wrong form, a timestamp that is none, two signatures: malformed, whatever the secret says."""
    assert judge("either", signed(body()) | changes, body()) is AuthFailure.SIGNATURE_MALFORMED


def test_a_signature_needs_its_timestamp() -> None:
    """EX-222: a signature without timestamp is malformed."""
    headers = {"X-Bulkhead-Signature": signed(BARE)["X-Bulkhead-Signature"]}
    assert judge("hmac", headers, BARE) is AuthFailure.SIGNATURE_MALFORMED


def test_header_names_and_hex_ignore_case() -> None:
    """EX-222: header names and the signature's hex digits are taken in either case, as mapping or as pairs."""
    upper = {
        name.upper(): value if "TIMESTAMP" in name.upper() else "sha256=" + value[7:].upper()
        for name, value in signed(BARE).items()
    }
    assert judge("hmac", upper, BARE) is Proof.HMAC
    assert judge("hmac", list(upper.items()), BARE) is Proof.HMAC


@pytest.mark.parametrize(("late_s", "valid"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_signatures_expire(late_s: int, valid: bool) -> None:
    """EX-222, EX-223: the tolerance holds in both directions and equality passes; a wrong signature is told first."""
    now = (AT + late_s) * NS
    assert judge("hmac", signed(BARE), BARE, now=now) is (Proof.HMAC if valid else AuthFailure.SIGNATURE_EXPIRED)
    assert judge("hmac", signed(BARE, "x" * 32), BARE, now=now) is AuthFailure.SIGNATURE_MISMATCH


def test_rotation() -> None:
    """EX-224: while two secrets or keys are valid either proves; when the old one is erased it proves nothing."""
    assert judge("secret", {}, body(), secrets=["a-new-secret-of-ours", SECRET]) is Proof.SECRET
    assert judge("hmac", signed(BARE), BARE, keys=["n" * 32, KEY]) is Proof.HMAC
    assert judge("secret", {}, body(), secrets=["a-new-secret-of-ours"]) is AuthFailure.SECRET_MISMATCH
    assert judge("hmac", signed(BARE), BARE, keys=[]) is AuthFailure.SIGNATURE_MISMATCH


@pytest.mark.parametrize("secret", [None, ""])
def test_an_empty_secret_is_not_presented(secret: object) -> None:
    """EX-221: an empty or absent secret is no proof, and no empty configured secret makes it one."""
    assert judge("either", {}, body(secret), secrets=["", SECRET]) is AuthFailure.MISSING
    assert judge("either", signed(body(secret)), body(secret)) is Proof.HMAC


@pytest.mark.parametrize("secret", [0, False, [], {}, [SECRET], 12345, " " + SECRET, SECRET.upper(), "\ud800"])
def test_a_wrong_secret_is_a_mismatch(secret: object) -> None:
    """EX-221: anything else that is presented must equal a secret exactly, an empty configured one included."""
    assert judge("either", {}, body(secret), secrets=["", SECRET]) is AuthFailure.SECRET_MISMATCH


@pytest.mark.parametrize("content", [b"", b"plain text", b"\xff", b"[1]", b'"x"', b'{"secret": "' + SECRET.encode()])
def test_an_unreadable_body_presents_no_secret(content: bytes) -> None:
    """EX-250: an unparsable body fails authentication unless its signature is valid."""
    assert judge("either", {}, content) is AuthFailure.MISSING
    assert judge("either", signed(content), content) is Proof.HMAC


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.text(max_size=30), st.text(max_size=90), st.sampled_from(list(AuthMode)))
def test_nothing_is_authenticated_by_chance(content: bytes, timestamp: str, signature: str, mode: AuthMode) -> None:
    """EX-220: no request makes the check raise, and without a valid proof none passes."""
    headers = {"X-Bulkhead-Timestamp": timestamp, "X-Bulkhead-Signature": signature}
    assert isinstance(judge(mode, headers, content), AuthFailure)


@pytest.mark.parametrize(
    ("age_ns", "expected"),
    [
        (0, Freshness.OK),
        (60 * NS, Freshness.OK),
        (60 * NS + 999_999, Freshness.OK),
        (60 * NS + 1_000_000, Freshness.STALE),
        (-10 * NS, Freshness.OK),
        (-10 * NS - 1_000_000, Freshness.FUTURE),
    ],
)
def test_freshness(age_ns: int, expected: Freshness) -> None:
    """EX-230: equality passes on both sides, one millisecond more does not."""
    assert check_freshness(AT * NS, AT * NS + age_ns) is expected


def test_freshness_limits_are_configurable() -> None:
    """EX-230: both limits are arguments, zero included."""
    assert check_freshness(AT * NS, (AT + 61) * NS, max_age_s=61) is Freshness.OK
    assert check_freshness((AT + 1) * NS, AT * NS, max_future_skew_s=0) is Freshness.FUTURE
