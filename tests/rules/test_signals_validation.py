"""Validation of payloads (EX-202 to EX-209)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.instruments import Instrument, PrecisionRules
from rules.identity import market_names
from rules.signals import PATHS, iso_ms, parse_timestamp, validate_payload
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


@pytest.mark.parametrize(
    ("side", "action", "agree"),
    [
        ("buy", "long", True),
        ("long", "buy", True),
        ("short", "sell", True),
        ("buy", "short", False),
        ("short", "buy", False),
    ],
)
def test_side_and_action_mean_one_direction(side: str, action: str, agree: bool) -> None:
    """EX-208: buy equals long and sell equals short, else IntentSideMismatch."""
    expected = [] if agree else [("execution_intent.side", "IntentSideMismatch")]
    assert errors(payload(execution_intent__side=side, tv__action=action)) == expected


def test_presence_of_price_and_size() -> None:
    """EX-202, EX-208: an entry needs a price (the close will do) and, sized by the signal, a size; not when flat."""
    bare = {"tv__entry_price": None, "tv__close_price": None, "tv__order_size": None}
    both = [("tv.entry_price", "MissingField"), ("tv.order_size", "MissingField")]
    assert errors(payload(**bare)) == both
    assert errors(payload(**bare, tv__market_position=None)) == both
    assert errors(payload(**bare, execution_intent__type="reverse")) == both
    assert errors(payload(**bare), "fixed_quote") == [("tv.entry_price", "MissingField")]
    assert errors(payload(**bare, tv__market_position="flat")) == []
    for kind in ("exit", "reduce"):
        assert errors(payload(**bare, execution_intent__type=kind)) == []
    assert errors(payload(tv__entry_price=None)) == []


def test_presence_is_not_checked_on_invalid_fields() -> None:
    """EX-209: a presence rule waits until each of its fields is valid."""
    bare = {"tv__entry_price": None, "tv__close_price": None, "tv__order_size": None}
    assert errors(payload(**bare | {"tv__close_price": "x"})) == [
        ("tv.close_price", "WrongType"),
        ("tv.order_size", "MissingField"),
    ]
    assert errors(payload(**bare, tv__market_position="up")) == [("tv.market_position", "InvalidEnum")]
    assert errors(payload(**bare, execution_intent__type="x")) == [("execution_intent.type", "InvalidEnum")]
    assert errors(payload(execution_intent__side="sell", tv__action="x")) == [("tv.action", "InvalidEnum")]


def test_unknown_fields_are_ignored() -> None:
    """EX-206: what the table does not name changes nothing."""
    made = payload(extra={"a": DEEP}, tv__volume=5)
    assert validate_payload(made) == validate_payload(payload())


def test_clean_values_have_every_path_but_the_secret() -> None:
    """EX-209: the clean values are the table's paths in order, without the secret."""
    found, _ = validate_payload(payload())
    assert list(found) == [path for path in PATHS if path != "secret"]


def test_a_refused_secret_is_never_shown() -> None:
    """EX-110: the value of a refused secret appears in no problem."""
    _, problems = validate_payload(payload(secret="tooshort"))
    assert [each.value for each in problems] == [""]


def test_extra_venues_and_market_names() -> None:
    """EX-302, EX-303: configured venue names are taken as they are; a venue's market list decides its symbols."""
    rules = PrecisionRules(*map(Decimal, ("0.01", "0.001", "0.001", "5")))
    listed = Instrument(venue="paper", symbol="ABC/XYZ", venue_symbol="ABCXYZ", base="ABC", quote="XYZ", rules=rules)
    markets = {"paper": market_names([listed])}
    made = payload(tv__exchange="Paper", tv__symbol="ABCXYZ")
    found, problems = validate_payload(made, venues=("paper",), markets=markets)
    assert (problems, found["tv.exchange"], found["tv.symbol"]) == ((), "paper", "ABC/XYZ")
    _, problems = validate_payload(payload(tv__exchange="paper"), venues=("paper",), markets=markets)
    assert [(each.path, each.code) for each in problems] == [("tv.symbol", "UnknownSymbol")]


# --- properties -------------------------------------------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**500), max_value=10**500),
    st.floats(),
    st.decimals(),
    st.text(st.characters(), max_size=40),
    st.sampled_from(["1e999999999", "{{x}}", "nan", "long", "buy", "BTCUSDT", "15", "-0", "\ud800", "1772366400"]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), anything, max_size=6), anything, st.sampled_from(["signal", "x"]))
def test_validation_never_raises(changes: dict[str, Any], noise: Any, sizing_source: str) -> None:
    """EX-209: whatever JSON can say, the answer is clean values and problems, each at a known path, in table order."""
    validate_payload(noise, sizing_source)
    made = payload()
    for path, value in changes.items():
        change(made, path, value)
    _, problems = validate_payload(made, sizing_source)
    order = [PATHS.index(each.path) for each in problems]
    assert order == sorted(set(order))
    for each in problems:
        each.value.encode("utf-8")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([path for path in PATHS if path != "tv.close_price"]), anything)
def test_one_bad_field_gives_at_most_one_error(path: str, value: Any) -> None:
    """EX-209: changing one field of a valid payload gives no error or one, at that field or at a rule it is part of."""
    made = payload(execution_intent__side=None)
    change(made, path, value)
    found = errors(made)
    assert len(found) <= (2 if path == "tv.market_position" else 1)
    if found and found[0][1] != "MissingField":
        assert found[0][0] == path


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), anything, max_size=4))
def test_clean_values_are_a_fixed_point(changes: dict[str, Any]) -> None:
    """EX-209: validating clean values again changes nothing."""
    made = payload()
    for path, value in changes.items():
        change(made, path, value)
    found, problems = validate_payload(made)
    if problems:
        return
    again: dict[str, Any] = {"tv": {}, "strategy_info": {}, "execution_intent": {}, "risk": {}}
    for path, value in found.items():
        change(again, path, value)
    assert validate_payload(again) == (found, ())


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=9_000_000_000_000))
def test_instants_survive_their_text(ms: int) -> None:
    """EX-207: every millisecond has one text that reads back as itself."""
    assert parse_timestamp(iso_ms(ms * 1_000_000)) == ms * 1_000_000
