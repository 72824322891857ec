"""The table of payload fields as the specification prints it, row by row, against the validation (EX-202 to EX-209)."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rules.signals import validate_payload
from tests.rules.signal_payloads import MISSING, change, payload

SPEC = Path(__file__).parents[3] / "shared" / "spec" / "execution.md"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside the repository")

WORDS = {
    "source": "tradingview, manual, telegram, api, replay",
    "tv.action": "buy, sell, long, short",
    "tv.market_position": "long, short, flat",
    "tv.prev_market_position": "long, short, flat",
    "execution_intent.type": "signal, exit, reduce, reverse",
    "execution_intent.side": "buy, sell, long, short",
    "execution_intent.position_size_type": "contracts, base, quote",
    "execution_intent.precision_mode": "auto, force",
}
"""Bounds of the words, written down once more so that a table read wrongly is noticed."""


class Row(NamedTuple):
    """One field of the table."""

    path: str
    kind: str
    required: bool
    default: str
    bounds: str


def rows() -> list[Row]:
    """Return the table of EX-202."""
    if not SPEC.exists():
        return []
    table = SPEC.read_text().partition("**EX-202**")[2].partition("**EX-203**")[0]
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "| `" in line[:8]]
    return [Row(cells[0].strip("`"), cells[1], cells[2] == "yes", cells[3], cells[4]) for cells in lines]


ROWS = rows()
BARE: dict[str, Any] = {"execution_intent__side": None}
"""A payload whose fields do not tie each other: no side to mirror the action."""


def codes(*changes: tuple[str, Any], sizing: str = "signal") -> list[tuple[str, str]]:
    """Return path and code of each problem of a payload with these paths changed."""
    made = payload(**BARE)
    for path, value in changes:
        change(made, path, value)
    return [(each.path, each.code) for each in validate_payload(made, sizing)[1]]


def clean_of(path: str, value: Any) -> Any:
    """Return the canonical value of one path."""
    made = payload(**BARE)
    change(made, path, value)
    if path == "execution_intent.side" and str(value).strip().lower() in ("sell", "short"):
        change(made, "tv.action", value)
    found, problems = validate_payload(made)
    assert not problems, problems
    return found[path]


def bad_values(row: Row) -> list[tuple[Any, str]]:
    """Return what a field must refuse, with the code, as the table and EX-205 say."""
    if row.kind == "enum":
        wrong = [(value, "WrongType") for value in (1, 0, True, 1.5, [], {}, ["buy"])]
        return [*wrong, ("hold", "InvalidEnum"), ("buysell", "InvalidEnum")]
    if row.kind == "decimal":
        wrong = [(value, "WrongType") for value in (True, False, [], {}, [1], "abc", "1,5", "1 2", "0x1")]
        wide = [(value, "OutOfRange") for value in ("inf", "-Infinity", float("inf"), "Infinity")]
        if row.bounds.startswith("> 0"):
            wide += [(value, "OutOfRange") for value in (0, "0", "0.0", -1, "-0.00001", "-1e-8")]
        if row.bounds.startswith("0–50"):  # noqa: RUF001 - as it is printed
            wide += [(value, "OutOfRange") for value in (51, "50.00000001", "-0.00000001", -1)]
        return wrong + wide
    if row.kind == "time":
        return [
            (value, "InvalidTimestamp")
            for value in ("soon", 5, "123456789", "17723664000", True, [], "2026-13-01T00:00:00Z")
        ]
    if row.path == "tv.timeframe":
        wrong = [(value, "WrongType") for value in (True, 1.5, [], {})]
        return [*wrong, *((value, "InvalidTimeframe") for value in ("0", 0, "15x", "x", "525601", -1, "1.5", "m5"))]
    if row.path == "tv.exchange":
        return [(1, "WrongType"), (True, "WrongType"), ({}, "WrongType"), ("NYSE", "UnsupportedVenue")]
    if row.path == "tv.symbol":
        return [
            (1, "WrongType"),
            (True, "WrongType"),
            ([], "WrongType"),
            ("FOOBAR", "UnknownSymbol"),
            ("USDT", "UnknownSymbol"),
        ]
    most = int((re.findall(r"\d+", row.bounds) or ["0"])[-1])
    return [
        (True, "WrongType"),
        ([], "WrongType"),
        ({}, "WrongType"),
        (1.5, "WrongType"),
        ("x" * (most + 1), "TooLong"),
    ]


def good_values(row: Row) -> list[tuple[Any, Any]]:
    """Return what a field must take, and what becomes of it."""
    if row.kind == "enum":
        words = row.bounds.split(", ")
        return [(spelled, word) for word in words for spelled in (word, word.upper(), f" {word.title()} ")]
    if row.kind == "decimal":
        some = [("65000.5", "65000.5"), ("1e1", "10"), (7, "7"), (0.1, "0.1"), (" 3 ", "3"), ("50", "50")]
        if row.bounds.startswith("0"):
            some = [(value, found) for value, found in some if value != "65000.5"] + [(0, "0"), ("0", "0")]
        if row.bounds.startswith("≥ 0"):
            some += [("-2.5", "2.5"), (-3, "3"), (0, "0"), ("-0", "0")]
        return [(value, Decimal(found)) for value, found in some]
    if row.kind == "time":
        noon = "2026-03-01T12:00:00.000Z"
        return [
            ("2026-03-01T12:00:00Z", noon),
            ("2026-03-01T12:00:00", noon),
            ("2026-03-01T13:30:00+01:30", noon),
            ("2026-03-01T12:00:00.25Z", "2026-03-01T12:00:00.250Z"),
            (1772366400, noon),
            ("1772366400", noon),
            (1772366400001, "2026-03-01T12:00:00.001Z"),
            ("1772366400001", "2026-03-01T12:00:00.001Z"),
        ]
    if row.path == "tv.timeframe":
        return [(15, "15m"), ("15", "15m"), ("D", "1d"), (1440, "1d"), ("1M", "1M"), (" 4H ", "4h"), (525600, "365d")]
    if row.path == "tv.exchange":
        return [("binance", "binance"), (" OKEX ", "okx"), ("Gate.io", "gate"), ("GATEIO", "gate")]
    if row.path == "tv.symbol":
        return [("btcusdt", "BTC/USDT"), (" BYBIT:ETHUSDT.P ", "ETH/USDT:USDT"), ("BTC-USDT-SWAP", "BTC/USDT:USDT")]
    most = int(re.findall(r"\d+", row.bounds)[-1])
    return [("x" * most, "x" * most), (12, "12"), (" a b ", "a b"), (-1, "-1")]


SECRET, *REST = ROWS or [Row("secret", "", False, "", "")]
PAIRS = [(row, value, code) for row in REST for value, code in bad_values(row)]
TAKEN = [(row, value, found) for row in REST for value, found in good_values(row)]


def named(value: object) -> str:
    """Return a short test id."""
    return value.path if isinstance(value, Row) else ascii(value)[:20]


def test_the_table_is_the_one_we_know() -> None:
    """EX-202: twenty-four fields; the words of the enumerations are those written down here too."""
    assert len(ROWS) == 24
    assert {row.path: row.bounds for row in ROWS if row.kind == "enum"} == WORDS
    assert [row.path for row in ROWS if row.required] == [
        "timestamp",
        "tv.exchange",
        "tv.symbol",
        "tv.timeframe",
        "tv.action",
        "strategy_info.trade_id",
        "execution_intent.type",
    ]


@pytest.mark.parametrize(("row", "value", "code"), PAIRS, ids=named)
def test_what_a_field_refuses(row: Row, value: Any, code: str) -> None:
    """EX-202, EX-205: each kind of bad value has its code, at its own path, and is the only error."""
    assert codes((row.path, value)) == [(row.path, code)]


@pytest.mark.parametrize(("row", "value", "found"), TAKEN, ids=named)
def test_what_a_field_takes(row: Row, value: Any, found: Any) -> None:
    """EX-202 to EX-205, EX-207: each accepted spelling has one canonical form."""
    assert clean_of(row.path, value) == found


@pytest.mark.parametrize("row", REST, ids=named)
@pytest.mark.parametrize("value", [MISSING, None, "", " ", "null", "NONE", "NaN", "na", "N/A", "{{x}}", "a {{x.y}} b"])
def test_what_is_not_there(row: Row, value: Any) -> None:
    """EX-203, EX-204: absent is an error on required fields only; elsewhere it is the default."""
    placeholder = isinstance(value, str) and "{{" in value
    if row.required:
        assert codes((row.path, value)) == [(row.path, "UnresolvedPlaceholder" if placeholder else "MissingField")]
        return
    if row.path == "tv.order_size":
        assert codes((row.path, value)) == [(row.path, "MissingField")]
        assert codes((row.path, value), sizing="fixed_quote") == []
        return
    assert clean_of(row.path, value) == (None if row.default in ("null", "–") else row.default)  # noqa: RUF001


def test_every_field_at_once() -> None:
    """EX-209: all errors of a payload come together, in the order of the table, one a field."""
    wrong = [(row.path, bad_values(row)[0][0]) for row in REST]
    assert [path for path, _ in codes(*wrong)] == [row.path for row in REST]
    assert [code for _, code in codes(*wrong)] == [bad_values(row)[0][1] for row in REST]


@pytest.mark.parametrize(("one", "other"), list(combinations(REST, 2)), ids=named)
def test_any_two_fields(one: Row, other: Row) -> None:
    """EX-209: two invalid fields are two errors in the order of the table, whichever was changed first."""
    first, second = bad_values(one)[-1], bad_values(other)[-1]
    expected = [(one.path, first[1]), (other.path, second[1])]
    assert codes((other.path, second[0]), (one.path, first[0])) == expected
