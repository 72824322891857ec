"""Every key of the specification's table, its type and bounds as they are printed there (EX-1302, EX-1303)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from service.config.validate import validate_config
from tests.service.test_config_spec import SPEC, names, rows

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside the repository")

LEVELS = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}]
GOOD: dict[str, Any] = {
    "path": "here",
    "tz": "Europe/Berlin",
    "levels": LEVELS,
    "bool": True,
    "secret": "s" * 64,
    "string": "text",
}
WRONG: dict[str, list[Any]] = {
    "bool": ["true", "yes", 1, 0, 1.0, [], {}],
    "int": ["5", 5.0, 5.5, True, False, [], {}],
    "decimal": [True, False, [], {}, "much", "", "1,5"],
    "enum": [1, 0, True, None.__class__, [], {}],
    "tz": [1, True, [], {}],
    "path": [1, True, [], {}],
    "string": [1, True, [], {}],
    "secret": [1, True, [], {}],
    "list": ["text", 1, True, {}],
    "levels": ["text", 1, True, {}],
    "map": ["text", 1, True, []],
}
WRONG["enum"] = [each for each in WRONG["enum"] if not isinstance(each, type)]
COMPANIONS: dict[str, dict[str, Any]] = {
    "grid_strategy.dca_count": {"grid_strategy.dca_gap_percent": "0.5", "grid_strategy.max_dca_per_pyramid": 50},
    "grid_strategy.dca_gap_percent": {"grid_strategy.dca_count": 1},
    "grid_strategy.max_pyramids_per_group": {"risk_engine.required_pyramids_for_timer": 1},
    "risk_engine.required_pyramids_for_timer": {"grid_strategy.max_pyramids_per_group": 50},
    "app.mode": {},
}
"""Keys that must change together, so that only the one is judged."""
SYMBOLIC = {"max_pyramids_per_group": 50, "max_dca_per_pyramid": 50}


def found(key: str, value: Any) -> list[tuple[str, str]]:
    """Return (path, code) of every mistake of one changed key and of those that go with it."""
    errors, renamed = validate_config({key: value, **COMPANIONS.get(key, {})})
    assert renamed == ()
    return [(error.path, error.code) for error in errors]


def number(text: str) -> Any:
    """Return a bound of the table."""
    return SYMBOLIC[text] if text in SYMBOLIC else Decimal(text)


def limits(kind: str, bounds: str) -> tuple[list[Any], list[Any]]:
    """Return the numbers just inside and just outside of printed bounds."""
    unit = Decimal(1) if kind == "int" else Decimal("0.00000001")
    inside: list[Any] = []
    outside: list[Any] = []
    if span := re.match(r"(-?[\d.]+?)\.\.([\w]+)", bounds):
        low, high = number(span[1]), number(span[2])
        inside, outside = [low, high], [low - unit, high + unit]
    elif between := re.match(r"(-\d+) < x < (\d+)", bounds):
        low, high = number(between[1]), number(between[2])
        inside, outside = [low + unit, high - unit], [low, high, low - unit, high + unit]
    elif bounds.startswith("> 0"):
        inside, outside = [unit], [Decimal(0), -unit]
        if top := re.search(r"<= (\d+)", bounds):
            inside, outside = [*inside, number(top[1])], [*outside, number(top[1]) + unit]
    elif bounds.startswith(">= 0"):
        inside, outside = [Decimal(0), unit], [-unit]
    assert inside, bounds
    return [as_given(kind, each) for each in inside], [as_given(kind, each) for each in outside]


def as_given(kind: str, value: Any) -> Any:
    """Return a number as JSON holds it: whole numbers as such, decimals as text."""
    return int(value) if kind == "int" else format(Decimal(value), "f")


KEYS = [(name, row[1], row[3], row[4]) for row in rows() for name in names(row[0])]


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), KEYS, ids=[key[0] for key in KEYS])
def test_values_of_another_type(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1303: no text for a number or a truth value, no truth value for a number, no number for text."""
    for value in WRONG[kind]:
        assert found(key, value) == [(key, "WrongType")], value


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), KEYS, ids=[key[0] for key in KEYS])
def test_null(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1303: null is MissingValue where a default exists, and nothing where none does."""
    companions = {} if default == "–" else COMPANIONS.get(key, {})  # noqa: RUF001 - as it is printed
    errors, _ = validate_config({key: None, **companions})
    expected = [] if default == "–" else [(key, "MissingValue")]  # noqa: RUF001
    assert [(error.path, error.code) for error in errors] == expected


NUMBERS = [each for each in KEYS if each[1] in ("int", "decimal")]


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), NUMBERS, ids=[key[0] for key in NUMBERS])
def test_bounds_of_numbers(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1302, EX-1303: the least and the largest value pass, one step beyond is OutOfRange."""
    inside, outside = limits(kind, bounds)
    for value in inside:
        assert found(key, value) == [], value
    for value in outside:
        beyond = key == "risk_engine.required_pyramids_for_timer" and value > 50
        assert found(key, value)[:1] == [(key, "ExceedsMaxPyramids" if beyond else "OutOfRange")], value
    if kind == "decimal":
        assert found(key, float(inside[0])) == []
        for value in ("inf", "-Infinity", "nan", float("inf")):
            assert found(key, value) == [(key, "OutOfRange")], value


WORDS = [each for each in KEYS if each[1] == "enum"]


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), WORDS, ids=[key[0] for key in WORDS])
def test_words(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1302, EX-1303, EX-1305: every word and every older word of it passes, another one is InvalidEnum."""
    words, _, alias = bounds.partition(" (alias ")
    assert default in words.split(", ")
    for word in [*words.split(", "), *([alias.rstrip(")")] if alias else [])]:
        assert found(key, word) == [], word
    for word in ("", "blue", default.upper(), f" {default}"):
        assert found(key, word) == [(key, "InvalidEnum")], word


TEXTS = [each for each in KEYS if each[1] in ("secret", "string")]


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), TEXTS, ids=[key[0] for key in TEXTS])
def test_lengths_of_texts(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1302, EX-1303: texts of the least and the largest length pass, one character beyond is OutOfRange."""
    low, high = map(int, re.findall(r"(\d+)\.\.(\d+)", bounds)[0])
    for length in (low, high):
        assert found(key, "x" * length) == []
    for length in (low - 1, high + 1):
        assert found(key, "x" * length) == [(key, "OutOfRange")]


REST = [each for each in KEYS if each[1] in ("bool", "tz", "path", "levels")]


@pytest.mark.parametrize(("key", "kind", "default", "bounds"), REST, ids=[key[0] for key in REST])
def test_other_good_values(key: str, kind: str, default: str, bounds: str) -> None:
    """EX-1302: truth values, zones, paths and layers are taken; the switches that guard something have their rule."""
    guarded = {
        "security.store_secrets_encrypted": "EncryptionRequired",
        "security.webhook_signature_validation": "AuthenticationRequired",
    }
    assert found(key, GOOD[kind]) == ([(key, "TestnetUnsupported")] if unsupported(key) else [])
    if kind == "bool":
        assert found(key, False) == ([(key, guarded[key])] if key in guarded else [])


def unsupported(key: str) -> bool:
    """Whether a key is the test network of a venue without one."""
    return bool(re.fullmatch(r"exchange\.(okx|kucoin|mexc|gate)\.testnet", key))


def test_all_wrong_at_once() -> None:
    """EX-1303: all errors come together in the order the keys were given, one a key, in either direction."""
    changes = {key: WRONG[kind][0] for key, kind, _, _ in KEYS}
    for order in (changes, dict(reversed(changes.items()))):
        errors, _ = validate_config(order)
        assert [(error.path, error.code) for error in errors] == [(key, "WrongType") for key in order]
