"""Validation across fields, and what holds for any payload (EX-206, EX-208, EX-209)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.instruments import Instrument, PrecisionRules
from rules.identity import market_names
from rules.signals import PATHS, iso_ms, parse_timestamp, validate_payload
from tests.rules.signal_payloads import change, payload

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
