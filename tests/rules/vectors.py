"""Golden vectors of the execution engine: where they are and how to read them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "execution"


def cases(topic: str, function: str) -> list[Any]:
    """Return the cases of a function as pytest parameters; a skipped one that says why when there are no vectors."""
    path = FOLDER / f"{topic}.json"
    if not path.exists():
        reason = f"golden vectors are not here: {path}"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    found = json.loads(path.read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in found if case["function"] == function]


def decimal(value: str | None) -> Decimal | None:
    """Return a vector's number, None for null."""
    return None if value is None else Decimal(value)


def same(found: Any, wanted: Any, rel: float = 0.0) -> bool:
    """Compare as the vectors say: numbers in text numerically, within a relative tolerance; all else exactly."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key], rel) for key in wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(same(f, w, rel) for f, w in zip(found, wanted, strict=True))
    if isinstance(found, Decimal) and isinstance(wanted, str):
        return abs(found - Decimal(wanted)) <= Decimal(rel) * abs(Decimal(wanted))
    return type(found) is type(wanted) and found == wanted


def tolerance(case: dict[str, Any]) -> float:
    """Return the relative tolerance of a case."""
    return float(case.get("tolerance", {}).get("rel", 0))
