"""Proofs, ages and duplicates against second, plain tellings of their rules (EX-220 to EX-241)."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.signals import SignalKind
from rules.signals import Sighting, Target, authenticate, check_freshness, dedupe, fingerprint, parse_timestamp
from rules.signals.authentication import AuthMode
from rules.signals.duplicates import DuplicateWindows

AT = 1_772_366_400
KEYS = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]
SECRETS = ["correct-horse-battery", "the-one-before-this-one"]


def mac(key: str, timestamp: str, body: bytes) -> str:
    """Return the hex digest of EX-222."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


SIGNATURES: dict[str, Any] = {
    "absent": lambda _: ({}, None),
    "good": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT), body)}"},
        "",
    ),
    "older key": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": f"sha256={mac(KEYS[1], str(AT), body)}"},
        "",
    ),
    "shouted": lambda body: (
        {"x-bulkhead-TIMESTAMP": str(AT), "X-BULKHEAD-signature": f"sha256={mac(KEYS[0], str(AT), body).upper()}"},
        "",
    ),
    "oldest": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT - 300), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT - 300), body)}"},
        "",
    ),
    "newest": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT + 300), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT + 300), body)}"},
        "",
    ),
    "too old": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT - 301), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT - 301), body)}"},
        "SignatureExpired",
    ),
    "too new": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT + 301), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT + 301), body)}"},
        "SignatureExpired",
    ),
    "old and wrong": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT - 999), "X-Bulkhead-Signature": f"sha256={mac('x' * 32, str(AT - 999), body)}"},
        "SignatureMismatch",
    ),
    "of another body": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT), body + b' ')}"},
        "SignatureMismatch",
    ),
    "of another time": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT - 1), body)}"},
        "SignatureMismatch",
    ),
    "without time": lambda body: (
        {"X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT), body)}"},
        "SignatureMalformed",
    ),
    "time is no number": lambda body: (
        {"X-Bulkhead-Timestamp": "noon", "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], 'noon', body)}"},
        "SignatureMalformed",
    ),
    "without prefix": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": mac(KEYS[0], str(AT), body)},
        "SignatureMalformed",
    ),
    "cut": lambda body: (
        {"X-Bulkhead-Timestamp": str(AT), "X-Bulkhead-Signature": f"sha256={mac(KEYS[0], str(AT), body)[:-1]}"},
        "SignatureMalformed",
    ),
    "time alone": lambda _: ({"X-Bulkhead-Timestamp": str(AT)}, None),
}
"""How a signature may come: headers of a body, and the code (empty: valid, None: not presented)."""

BODY_SECRETS: dict[str, Any] = {
    "absent": ({}, None),
    "null": ({"secret": None}, None),
    "empty": ({"secret": ""}, None),
    "good": ({"secret": SECRETS[0]}, ""),
    "older": ({"secret": SECRETS[1]}, ""),
    "wrong": ({"secret": SECRETS[0][:-1] + "z"}, "SecretMismatch"),
    "longer": ({"secret": SECRETS[0] + "y"}, "SecretMismatch"),
    "in capitals": ({"secret": SECRETS[0].upper()}, "SecretMismatch"),
}


@pytest.mark.parametrize("mode", [mode.value for mode in AuthMode])
def test_every_mix_of_proofs(mode: str) -> None:
    """EX-220 to EX-224: presence, then signature, then secret; whatever is presented must be valid in every mode."""
    for (how, signature), (what, secret) in product(SIGNATURES.items(), BODY_SECRETS.items()):
        fields, secret_code = secret
        body = json.dumps({**fields, "tv": {"symbol": "BTCUSDT"}}).encode()
        headers, signature_code = signature(body)
        signed, told = signature_code is not None, secret_code is not None
        enough = {"secret": told, "hmac": signed, "both": signed and told, "either": signed or told}[mode]
        valid = "both" if signed and told else "hmac" if signed else "secret"
        expected = (signature_code or secret_code or valid) if enough else "AuthMissing"
        found = authenticate(AuthMode(mode), SECRETS, KEYS, headers, body, AT * 10**9, tolerance_s=300)
        assert found == expected, (mode, how, what)


@pytest.mark.parametrize("tolerance", [10, 300, 3600])
def test_the_tolerance_is_a_setting(tolerance: int) -> None:
    """EX-222: a signature exactly as old as the tolerance passes, one second more does not."""
    headers, _ = SIGNATURES["good"](b"{}")
    for late, passes in ((tolerance, True), (-tolerance, True), (tolerance + 1, False), (-tolerance - 1, False)):
        found = authenticate(AuthMode.HMAC, [], KEYS, headers, b"{}", (AT + late) * 10**9, tolerance_s=tolerance)
        assert found == ("hmac" if passes else "SignatureExpired")


@given(age=st.integers(-4_000_000, 4_000_000), most=st.integers(1, 3600), lead=st.integers(0, 300))
def test_ages(age: int, most: int, lead: int) -> None:
    """EX-230: age above the limit is stale, a lead above its limit is from the future, equality passes (milliseconds)."""
    expected = "StaleSignal" if age > most * 1000 else "FutureSignal" if -age > lead * 1000 else "ok"
    now = AT * 10**9
    assert check_freshness(now - age * 10**6, now, max_age_s=most, max_future_skew_s=lead) == expected


def test_the_fingerprint_of_the_specification() -> None:
    """EX-240: the text that is hashed, as the specification shows it."""
    at = parse_timestamp("2026-03-01T12:00:00.000Z")
    assert at is not None
    text = "u1|binance|BTC/USDT|15m|long"
    seen = Sighting(key=text, kind=SignalKind.ENTRY, trade_id="12345", fired_at=at, received_at=at)
    assert fingerprint(seen) == "474c351d8ebefd906fa5a68fc99a0f96ecb0f1251b136736817f31f587030f25"


def expected_outcomes(arrivals: list[Any], exact_s: int, near_s: int, *, replaces: bool) -> list[str]:
    """Judge each signal by looking at all that came before it and was no exact duplicate (EX-240, EX-241)."""
    kept: list[Sighting] = []
    outcomes = []
    for seen, target in arrivals:
        same = [
            each
            for each in kept
            if (each.key, each.kind, each.trade_id, each.fired_at)
            == (seen.key, seen.kind, seen.trade_id, seen.fired_at)
        ]
        if any(seen.received_at - each.received_at <= exact_s * 10**9 for each in same):
            outcomes.append("duplicate_ignored")
            continue
        near = [
            each
            for each in kept
            if near_s
            and seen.kind is each.kind is SignalKind.ENTRY
            and (each.key, each.trade_id, each.entry_price) == (seen.key, seen.trade_id, seen.entry_price)
            and seen.received_at - each.received_at <= near_s * 10**9
        ]
        kept.append(seen)
        if not near:
            outcomes.append("accepted")
        elif target is Target.QUEUED and replaces:
            outcomes.append("replacement")
        else:
            outcomes.append("duplicate_ignored")
    return outcomes


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 999, 1000, 2000, 3000, 5000, 5001, 60_000, 60_001]),  # since the one before, ms
        st.integers(0, 2),  # fired at, s
        st.sampled_from(["a", "b"]),
        st.sampled_from(["65000", "65000.0", "64999"]),
        st.sampled_from([SignalKind.ENTRY, SignalKind.ENTRY, SignalKind.EXIT, SignalKind.REDUCE]),
        st.sampled_from(["long", "short"]),
        st.sampled_from(Target),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, exact_s=st.sampled_from([60, 86_400]), near_s=st.sampled_from([0, 1, 5]), replaces=st.booleans())
def test_every_sequence_of_signals(steps: list[Any], exact_s: int, near_s: int, replaces: bool) -> None:
    """EX-240, EX-241: exact and near windows, their ends included, the near one sliding, replacement only when queued."""
    at = AT * 10**9
    arrivals = []
    for later, fired, trade_id, price, kind, side, target in steps:
        at += later * 10**6
        seen = Sighting(
            key=f"u1|binance|BTC/USDT|15m|{side}",
            kind=kind,
            trade_id=trade_id,
            fired_at=(AT + fired) * 10**9,
            received_at=at,
            entry_price=Decimal(price),
        )
        arrivals.append((seen, target))
    windows = DuplicateWindows(exact_s=exact_s, near_s=near_s)
    found = dedupe(arrivals, windows, replacement_enabled=replaces)
    assert [verdict.value for verdict, _ in found] == expected_outcomes(arrivals, exact_s, near_s, replaces=replaces)
