"""Golden vectors of the execution engine: where they are and how to read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "execution"


def cases(topic: str, function: str) -> list[Any]:
    """Return the cases of a function as pytest parameters; a skipped one that says why when there are no vectors."""
    files = sorted(FOLDER.glob("*.json"))
    if not (FOLDER / f"{topic}.json").exists():
        reason = f"golden vectors are not here: {FOLDER}"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    found = (case for path in files for case in json.loads(path.read_text())["cases"])
    return [pytest.param(case, id=case["id"]) for case in found if case["function"] == function]


def option(given: dict[str, Any], *names: str, default: Any) -> Any:
    """Return an input that a case may leave out, under the first of the names that it goes by."""
    return next((given[name] for name in names if given.get(name) is not None), default)


def instant(text: str) -> int:
    """Return a vector's time in nanoseconds, fractions of a second included."""
    since = datetime.fromisoformat(text).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000


def decimal(value: str | None) -> Decimal | None:
    """Return a vector's number, None for null."""
    return None if value is None else Decimal(value)


def same(found: Any, wanted: Any, rel: float = 0.0) -> bool:
    """Compare as the vectors say: numbers in text numerically, within a relative tolerance; all else exactly."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key], rel) for key in wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(same(f, w, rel) for f, w in zip(found, wanted, strict=True))
    if isinstance(found, Decimal) and isinstance(wanted, str | int | float) and not isinstance(wanted, bool):
        exact = Decimal(str(wanted))
        return abs(found - exact) <= Decimal(rel) * abs(exact)
    return type(found) is type(wanted) and found == wanted


def tolerance(case: dict[str, Any]) -> float:
    """Return the relative tolerance of a case."""
    return float(case.get("tolerance", {}).get("rel", 0))
