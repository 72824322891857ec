"""The golden vectors of signal intake and identity."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.errors import ValidationError
from protocol.signals import Problem, SignalKind
from rules.identity import group_key
from rules.signals import (
    AuthMode,
    Sighting,
    Target,
    authenticate,
    check_freshness,
    classify_signal,
    dedupe,
    validate_payload,
)
from rules.signals.duplicates import DuplicateWindows
from tests.rules.vectors import cases, decimal, instant, option, same, tolerance


@pytest.mark.parametrize("case", cases("signals", "validate_payload"))
def test_validate_payload(case: dict[str, Any]) -> None:
    """EX-202 to EX-209: every golden payload gives its clean values or its errors in order."""
    given = case["input"]
    clean, problems = validate_payload(given["payload"], option(given, "sizing_source", default="signal"))
    expected = case["expected"]
    assert [{"path": each.path, "code": each.code} for each in problems] == expected["errors"]
    if "clean" in expected:
        assert clean.keys() == expected["clean"].keys()
        assert [path for path, value in expected["clean"].items() if not same(plain(clean[path]), value)] == []


def plain(value: Any) -> Any:
    """Return a word of a list as the text it is."""
    return str(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", cases("signals", "authenticate"))
def test_authenticate(case: dict[str, Any]) -> None:
    """EX-220 to EX-224: every golden request is judged as expected."""
    given = case["input"]
    found = authenticate(
        AuthMode(given["mode"]),
        given["secrets"],
        given["hmac_keys"],
        given["headers"],
        given["body"].encode(),
        given["now_epoch"] * 10**9,
        tolerance_s=option(given, "tolerance_seconds", "signature_tolerance_seconds", default=300),
    )
    assert found == case["expected"].get("ok", case["expected"].get("error"))


@pytest.mark.parametrize("case", cases("signals", "check_freshness"))
def test_check_freshness(case: dict[str, Any]) -> None:
    """EX-230: every golden age is judged as expected."""
    given = case["input"]
    found = check_freshness(
        instant(given["timestamp"]),
        instant(given["now"]),
        max_age_s=option(given, "max_age_seconds", default=60),
        max_future_skew_s=option(given, "max_future_skew_seconds", default=10),
    )
    assert found == case["expected"]["result"]


@pytest.mark.parametrize("case", cases("signals", "dedupe"))
def test_dedupe(case: dict[str, Any]) -> None:
    """EX-240, EX-241: every golden sequence gives its outcomes and fingerprints."""
    given = case["input"]
    targets = {target.value: target for target in Target}
    arrivals = [
        (
            Sighting(
                key=each["key"],
                kind=SignalKind(each["kind"]),
                trade_id=each["trade_id"],
                fired_at=instant(each["timestamp"]),
                received_at=instant(each["received_at"]),
                entry_price=decimal(each.get("entry_price")),
            ),
            targets.get(each.get("target"), Target.NONE),
        )
        for each in given["signals"]
    ]
    windows = DuplicateWindows(
        exact_s=option(given, "dedupe_window_seconds", "window_seconds", default=86_400),
        near_s=option(given, "near_duplicate_window_seconds", "near_window_seconds", default=5),
    )
    replaces = option(given, "queue_replace_same_symbol", "replacement_enabled", default=True)
    found = dedupe(arrivals, windows, replacement_enabled=replaces)
    assert [str(verdict) for verdict, _ in found] == case["expected"]["outcomes"]
    assert [mark for _, mark in found] == case["expected"]["fingerprints"]


@pytest.mark.parametrize("case", cases("identity", "classify_signal"))
def test_classify_signal(case: dict[str, Any]) -> None:
    """EX-310 to EX-316: every golden combination is told or refused as expected."""
    given = case["input"]
    infers = option(given, "infer_exit_from_flat", "signal.infer_exit_from_flat", default=True)
    found = classify_signal(given.get("clean", given), infer_exit_from_flat=infers)
    expected = case["expected"]
    if isinstance(found, Problem):
        assert found.code == expected.get("error")
        return
    told = {name: plain(getattr(found, name)) for name in ("kind", "side", "fraction", "flip")}
    if found.amount is not None or "amount" in expected:
        told["amount"] = found.amount
    assert same(told, expected, tolerance(case)), told


@pytest.mark.parametrize("case", cases("identity", "group_key"))
def test_group_key(case: dict[str, Any]) -> None:
    """EX-301 to EX-304: every golden identity gives its key or its error."""
    try:
        found = {"key": group_key(**case["input"])}
    except ValidationError as error:
        found = {"error": error.code}
    assert found == case["expected"]
