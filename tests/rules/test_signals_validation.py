"""Validation of payloads (EX-202 to EX-209)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from rules.signals import validate_payload
from tests.rules.signal_payloads import MISSING, change, payload

HUGE = 10**400
DEEP: Any = []
for _ in range(50_000):
    DEEP = [DEEP]


def named(value: object) -> str:
    """Return a short test id; some values are too large to be written out."""
    return ascii(value)[:24] if isinstance(value, str) else type(value).__name__


def errors(made: object, sizing_source: str = "signal") -> list[tuple[str, str]]:
    """Return path and code of each problem."""
    return [(each.path, each.code) for each in validate_payload(made, sizing_source)[1]]


def clean(path: str, **changes: Any) -> Any:
    """Return the canonical value of one path of a valid payload."""
    found, problems = validate_payload(payload(**changes))
    assert problems == ()
    return found[path]


@pytest.mark.parametrize("value", [None, [], "text", 1, True, 1.5, HUGE, math.nan], ids=named)
def test_only_an_object_is_a_payload(value: object) -> None:
    """EX-209: what is no JSON object is refused as NotAnObject and nothing else."""
    assert errors(value) == [("", "NotAnObject")]


@pytest.mark.parametrize("section", ["tv", "strategy_info", "execution_intent", "risk"])
@pytest.mark.parametrize("value", ["text", 5, [1], True])
def test_a_section_that_is_no_object_is_one_error(section: str, value: object) -> None:
    """EX-209: one invalid section gives exactly one error, whatever would have been in it."""
    assert errors(payload(**{section: value})) == [(section, "NotAnObject")]


def test_an_absent_section_misses_its_required_fields() -> None:
    """EX-202: without a section each of its required fields is missing; risk has none."""
    assert errors(payload(strategy_info=MISSING)) == [("strategy_info.trade_id", "MissingField")]
    assert errors(payload(risk=MISSING)) == []
    assert errors(payload(tv=None)) == [
        ("tv.exchange", "MissingField"),
        ("tv.symbol", "MissingField"),
        ("tv.timeframe", "MissingField"),
        ("tv.action", "MissingField"),
        ("tv.entry_price", "MissingField"),
        ("tv.order_size", "MissingField"),
    ]


@pytest.mark.parametrize("word", ["", "  ", "null", "None", "NaN", "NA", "n/a", " N/A ", None])
def test_words_for_nothing_count_as_absent(word: str | None) -> None:
    """EX-203: empty text and the words for nothing are absent: optional null, required missing."""
    assert clean("tv.market_position", tv__market_position=word) is None
    assert clean("risk.take_profit", risk__take_profit=word) is None
    assert errors(payload(strategy_info__trade_id=word)) == [("strategy_info.trade_id", "MissingField")]


def test_text_is_trimmed_and_words_ignore_case() -> None:
    """EX-203, EX-205: text is trimmed, enum text is taken in any case, defaults are filled in."""
    assert clean("strategy_info.trade_id", strategy_info__trade_id="  Long 1\n") == "Long 1"
    assert clean("tv.action", tv__action=" BUY ") == "buy"
    assert clean("source", source=MISSING) == "tradingview"
    assert clean("execution_intent.position_size_type", execution_intent__position_size_type="") == "contracts"
    assert clean("execution_intent.precision_mode", execution_intent__precision_mode=MISSING) == "auto"


@pytest.mark.parametrize("text", ["{{ticker}}", "x{{close}}y", "{{a\nb}}", "{{}}"])
def test_unresolved_placeholders(text: str) -> None:
    """EX-204: a placeholder is an error on a required field and counts as absent on an optional one."""
    assert errors(payload(tv__symbol=text)) == [("tv.symbol", "UnresolvedPlaceholder")]
    assert clean("strategy_info.alert_message", strategy_info__alert_message=text) is None
    assert errors(payload(tv__entry_price=text, tv__close_price=text)) == [("tv.entry_price", "MissingField")]
    assert errors(payload(tv__order_size=text)) == [("tv.order_size", "MissingField")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("65000.5", "65000.5"),
        ("1e4", "10000"),
        ("1E-3", "0.001"),
        (" +5. ", "5"),
        (".5", "0.5"),
        (5, "5"),
        (0.1, "0.1"),
        (Decimal("2.50"), "2.5"),
        ("1.000000000000000000000000000000000000", "1"),
        ("0.123456789012345678901234567891", "0.123456789012345678901234567891"),
        ("999999999999999999", "999999999999999999"),
    ],
)
def test_numbers_are_taken_exactly(value: object, expected: str) -> None:
    """EX-205: numbers come as JSON numbers or text in any notation and keep every digit."""
    found = clean("tv.entry_price", tv__entry_price=value)
    assert str(found) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (True, "WrongType"),
        (False, "WrongType"),
        ([], "WrongType"),
        ({}, "WrongType"),
        (DEEP, "WrongType"),
        ("abc", "WrongType"),
        ("1,000.5", "WrongType"),
        ("1_000", "WrongType"),
        ("0x10", "WrongType"),
        ("١٢", "WrongType"),
        ("1e", "WrongType"),
        ("--1", "WrongType"),
        ("\ud800", "WrongType"),
        ("9" * 60_000 + "x", "WrongType"),
        (0, "OutOfRange"),
        ("0e999999999", "OutOfRange"),
        ("-1", "OutOfRange"),
        (-1e-9, "OutOfRange"),
        (math.inf, "OutOfRange"),
        (-math.inf, "OutOfRange"),
        (math.nan, "OutOfRange"),
        ("inf", "OutOfRange"),
        ("-Infinity", "OutOfRange"),
        (HUGE, "OutOfRange"),
        (10**5000, "OutOfRange"),
        ("1" + "0" * 60_000, "OutOfRange"),
        ("1e18", "OutOfRange"),
        ("1e400", "OutOfRange"),
        ("1e999999999", "OutOfRange"),
        ("1e-999999999", "OutOfRange"),
        ("1e99999999999999999999999", "OutOfRange"),
        ("1e-31", "OutOfRange"),
        (Decimal("Infinity"), "OutOfRange"),
        (Decimal("sNaN"), "OutOfRange"),
    ],
    ids=named,
)
def test_numbers_that_are_refused(value: object, code: str) -> None:
    """EX-205, EX-209: what is no number is WrongType, what is none we can trade with OutOfRange; never a crash."""
    assert errors(payload(tv__entry_price=value)) == [("tv.entry_price", code)]


def test_position_sizes_lose_their_sign_and_may_be_zero() -> None:
    """EX-202: position sizes are magnitudes; slippage runs from 0 to 50."""
    assert clean("tv.market_position_size", tv__market_position_size="-2.5") == Decimal("2.5")
    assert clean("tv.prev_market_position_size", tv__prev_market_position_size="-0") == 0
    assert clean("risk.max_slippage_percent", risk__max_slippage_percent=0) == 0
    assert clean("risk.max_slippage_percent", risk__max_slippage_percent="50") == 50
    for value in ("50.0001", "-0.1"):
        assert errors(payload(risk__max_slippage_percent=value)) == [("risk.max_slippage_percent", "OutOfRange")]


def test_whole_numbers_serve_as_text_where_allowed() -> None:
    """EX-205: timeframe, trade id, alert name and message accept JSON integers; exchange and symbol must be text."""
    assert clean("tv.timeframe", tv__timeframe=240) == "4h"
    assert clean("strategy_info.trade_id", strategy_info__trade_id=12345) == "12345"
    assert clean("strategy_info.alert_name", strategy_info__alert_name=7) == "7"
    assert clean("strategy_info.alert_message", strategy_info__alert_message=-7) == "-7"
    assert errors(payload(tv__exchange=1, tv__symbol=2)) == [("tv.exchange", "WrongType"), ("tv.symbol", "WrongType")]
    for value in (True, 1.5, Decimal("1.5"), [], {}):
        assert errors(payload(tv__timeframe=value)) == [("tv.timeframe", "WrongType")]
        assert errors(payload(strategy_info__trade_id=value)) == [("strategy_info.trade_id", "WrongType")]


def test_lengths_of_text() -> None:
    """EX-202: trade id up to 128, name up to 256, message up to 1024 characters; the secret 16 to 256."""
    for path, most in (
        ("strategy_info.trade_id", 128),
        ("strategy_info.alert_name", 256),
        ("strategy_info.alert_message", 1024),
        ("secret", 256),
    ):
        name = path.replace(".", "__")
        assert errors(payload(**{name: "x" * most})) == []
        assert errors(payload(**{name: "x" * (most + 1)})) == [(path, "TooLong")]
    assert errors(payload(secret="x" * 15)) == [("secret", "OutOfRange")]
    assert errors(payload(secret=5)) == [("secret", "WrongType")]
    for huge in (HUGE, 10**5000):
        assert errors(payload(strategy_info__trade_id=huge)) == [("strategy_info.trade_id", "TooLong")]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("source", "email", "InvalidEnum"),
        ("source", 5, "WrongType"),
        ("tv.action", "hold", "InvalidEnum"),
        ("tv.action", True, "WrongType"),
        ("tv.market_position", "up", "InvalidEnum"),
        ("tv.exchange", "NYSE", "UnsupportedVenue"),
        ("tv.exchange", "BINANCE_DL", "UnsupportedVenue"),
        ("tv.symbol", "FOOBAR", "UnknownSymbol"),
        ("tv.symbol", "NQ1!", "UnknownSymbol"),
        ("tv.timeframe", 0, "InvalidTimeframe"),
        ("tv.timeframe", HUGE, "InvalidTimeframe"),
        ("tv.timeframe", "15x", "InvalidTimeframe"),
        ("execution_intent.type", "entry", "InvalidEnum"),
        ("execution_intent.type", [], "WrongType"),
        ("execution_intent.side", "hold", "InvalidEnum"),
        ("execution_intent.position_size_type", "lots", "InvalidEnum"),
        ("execution_intent.precision_mode", "off", "InvalidEnum"),
        ("strategy_info.trade_id", "\ud800", "WrongType"),
        ("timestamp", "yesterday", "InvalidTimestamp"),
    ],
    ids=named,
)
def test_one_invalid_field_is_one_error(path: str, value: object, code: str) -> None:
    """EX-209: each code is told at its own path and alone."""
    made = payload()
    change(made, path, value)
    assert errors(made) == [(path, code)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01 12:00:00.5", "2026-03-01T12:00:00.500Z"),
        ("2026-03-01T12:00:00.1239999Z", "2026-03-01T12:00:00.123Z"),
        ("2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00.000Z"),
        ("2026-02-28T23:30:00-12:30", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T14:00:00+0200", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T14:00+02", "2026-03-01T12:00:00.000Z"),
        (1772366400, "2026-03-01T12:00:00.000Z"),
        ("1772366400", "2026-03-01T12:00:00.000Z"),
        (1772366400123, "2026-03-01T12:00:00.123Z"),
        (" 1772366400123 ", "2026-03-01T12:00:00.123Z"),
        (1772366400.0, "2026-03-01T12:00:00.000Z"),
        (Decimal(1772366400), "2026-03-01T12:00:00.000Z"),
    ],
)
def test_moments(value: object, expected: str) -> None:
    """EX-207: ISO 8601 with zone, offset or neither, Unix seconds and milliseconds, as number or text."""
    assert clean("timestamp", timestamp=value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30T12:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:60Z",
        "2026-03-01T12:00:00+25:00",
        "2026-03-01T12:00:00+02:99",
        "2026-03-01",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2300-01-01T00:00:00Z",
        "\uff12\uff10\uff12\uff16-03-01T12:00:00Z",
        "12345",
        "17723664001",
        99999999999,
        9999999999,
        -1772366400,
        1772366400.5,
        HUGE,
        10**5000,
        math.nan,
        math.inf,
        1e300,
        Decimal("1e999999999"),
        Decimal("sNaN"),
        True,
        [],
        {},
    ],
    ids=named,
)
def test_what_is_no_moment(value: object) -> None:
    """EX-207: anything else is InvalidTimestamp, whatever its type."""
    assert errors(payload(timestamp=value)) == [("timestamp", "InvalidTimestamp")]
