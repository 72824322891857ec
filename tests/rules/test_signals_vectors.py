"""The golden vectors of signal intake and identity."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
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
    parse_timestamp,
    validate_payload,
)

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "execution"


def cases(function: str) -> list[Any]:
    """Return the vector cases of one function as test parameters; one skipped case when the vectors are absent."""
    found = []
    for name in ("signals", "identity"):
        path = VECTORS / f"{name}.json"
        if not path.exists():
            return [pytest.param(None, marks=pytest.mark.skip(reason=f"no golden vectors at {path}"))]
        found += json.loads(path.read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in found if case["function"] == function]


def instant(text: str) -> int:
    """Return the instant of a vector's time."""
    found = parse_timestamp(text)
    assert found is not None
    return found


def same(found: Any, expected: Any, rel: float = 0) -> bool:
    """Whether values agree as the vectors define it: decimals numerically, everything else exactly."""
    if isinstance(found, Decimal):
        return expected is not None and abs(found - Decimal(expected)) <= abs(Decimal(expected)) * Decimal(rel)
    return bool(found == expected)


@pytest.mark.parametrize("case", cases("validate_payload"))
def test_validate_payload(case: dict[str, Any]) -> None:
    """EX-202 to EX-209: every golden payload gives its clean values or its errors in order."""
    clean, problems = validate_payload(case["input"]["payload"], case["input"]["sizing_source"])
    expected = case["expected"]
    assert [{"path": each.path, "code": each.code} for each in problems] == expected["errors"]
    if "clean" in expected:
        assert clean.keys() == expected["clean"].keys()
        assert [path for path, value in expected["clean"].items() if not same(clean[path], value)] == []


@pytest.mark.parametrize("case", cases("authenticate"))
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
        tolerance_s=given["tolerance_seconds"],
    )
    assert found == case["expected"].get("ok", case["expected"].get("error"))


@pytest.mark.parametrize("case", cases("check_freshness"))
def test_check_freshness(case: dict[str, Any]) -> None:
    """EX-230: every golden age is judged as expected."""
    found = check_freshness(instant(case["input"]["timestamp"]), instant(case["input"]["now"]))
    assert found == case["expected"]["result"]


@pytest.mark.parametrize("case", cases("dedupe"))
def test_dedupe(case: dict[str, Any]) -> None:
    """EX-240, EX-241: every golden sequence gives its outcomes and fingerprints."""
    arrivals = [
        (
            Sighting(
                key=each["key"],
                kind=SignalKind(each["kind"]),
                trade_id=each["trade_id"],
                fired_at=instant(each["timestamp"]),
                received_at=instant(each["received_at"]),
                entry_price=Decimal(each["entry_price"]),
            ),
            Target(each["target"]),
        )
        for each in case["input"]["signals"]
    ]
    found = dedupe(arrivals)
    assert [str(verdict) for verdict, _ in found] == case["expected"]["outcomes"]
    assert [mark for _, mark in found] == case["expected"]["fingerprints"]


@pytest.mark.parametrize("case", cases("classify_signal"))
def test_classify_signal(case: dict[str, Any]) -> None:
    """EX-310 to EX-316: every golden combination is told or refused as expected."""
    found = classify_signal(case["input"])
    expected = case["expected"]
    if isinstance(found, Problem):
        assert found.code == expected.get("error")
        return
    told = {name: getattr(found, name) for name in ("kind", "side", "fraction", "flip", "amount") if name in expected}
    assert told.keys() == expected.keys()
    assert all(same(value, expected[name], case["tolerance"]["rel"]) for name, value in told.items())


@pytest.mark.parametrize("case", cases("group_key"))
def test_group_key(case: dict[str, Any]) -> None:
    """EX-301 to EX-304: every golden identity gives its key or its error."""
    try:
        found = {"key": group_key(**case["input"])}
    except ValidationError as error:
        found = {"error": error.code}
    assert found == case["expected"]
