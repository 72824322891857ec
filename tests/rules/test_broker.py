"""Brackets, session ages, message pace and pair names of brokers."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ValidationError
from protocol.values import OrderSide
from rules.broker.brackets import bracket
from rules.broker.heartbeat import next_heartbeat, session_age
from rules.broker.names import dotted_pair, underscored_pair
from rules.broker.pacing import WINDOW_NS, Kind, Sent, earliest, may_go

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "portfolio" / "broker_ops.json"
D = Decimal


def cases(function: str) -> list[Any]:
    if not FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {FILE}"))]
    return [
        pytest.param(each, id=each["id"]) for each in json.loads(FILE.read_text())["cases"] if each["fn"] == function
    ]


def maybe(text: str | None) -> Decimal | None:
    return None if text is None else D(text)


@pytest.mark.parametrize("case", cases("bracket"))
def test_brackets_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Three orders, rounded toward the reference; a missing or misplaced stop is refused by name (PF-232, PF-233)."""
    told, wanted = case["input"], case["expected"]
    fields: dict[str, Any] = {"reference": D(told["ref"]), "stop": maybe(told["sl"]), "target": maybe(told["tp"])}
    fields |= {"tick": D(told["tick"]), "client_id": told["client_id"]}
    if "error" in wanted:
        with pytest.raises(ValidationError) as caught:
            bracket(OrderSide(told["side"]), D(told["qty"]), **fields)
        assert caught.value.code == wanted["error"]
        return
    orders = bracket(OrderSide(told["side"]), D(told["qty"]), **fields)
    found = [(each.type, each.side.value, each.qty, each.client_id, each.parent, each.price) for each in orders]
    assert found == [
        (each["type"], each["side"], D(each["qty"]), each["client_id"], each["parent"], maybe(each["price"]))
        for each in wanted
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": D(0)}, "InvalidQuantity"),
        ({"stop": D("100.4")}, "BracketStopWrongSide"),  # rounds onto the reference
        ({"stop": D(101)}, "BracketStopWrongSide"),
        ({"target": D(99)}, "BracketTargetWrongSide"),
        ({"stop": None}, "BracketStopMissing"),
    ],
)
def test_brackets_that_make_no_sense(changes: dict[str, Any], code: str) -> None:
    """What would not protect is refused by name (PF-233)."""
    fields: dict[str, Any] = {"reference": D(100), "stop": D(99), "target": D(102), "tick": D(1), "client_id": "c"}
    qty = changes.pop("qty", D(1))
    with pytest.raises(ValidationError) as caught:
        bracket(OrderSide.BUY, qty, **(fields | changes))
    assert caught.value.code == code


def test_a_bracket_without_target_is_two_orders() -> None:
    """The target is optional (PF-233)."""
    orders = bracket(OrderSide.SELL, D(2), reference=D(100), stop=D("101.3"), target=None, tick=D(1), client_id="c")
    assert [(each.type, each.price, each.client_id) for each in orders] == [("MKT", None, "c"), ("STP", D(101), "c-SL")]


@pytest.mark.parametrize("case", cases("session_status"))
def test_session_ages_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Active up to a minute, late up to five, then expired (PF-237, PF-238)."""
    found = session_age(case["input"]["last_ok"], case["input"]["now"])
    assert {"status": found.age, "action": found.action} == case["expected"]


def test_heartbeats_are_due() -> None:
    """55 s after the last attempt, 5 s after a failed one (PF-238)."""
    assert (next_heartbeat(100, failed=False), next_heartbeat(100, failed=True)) == (155, 105)


@given(st.lists(st.tuples(st.integers(0, 200_000_000), st.sampled_from(Kind)), max_size=150))
def test_never_more_than_fifty_messages_and_forty_data_requests_a_second(steps: list[tuple[int, Kind]]) -> None:
    """In any second that ends with a message there are at most 50, and 40 for data (DK-67)."""
    now, sent = 0, []
    for wait, kind in steps:
        now = earliest(kind, now + wait, sent)
        assert may_go(kind, now, sent)
        sent.append(Sent(now, kind))
        window = [each for each in sent if now - WINDOW_NS < each.at <= now]
        assert len(window) <= 50
        assert sum(each.kind is Kind.DATA for each in window) <= 40


def test_the_fifty_first_waits_until_the_first_is_a_second_old() -> None:
    """The window is open at its beginning: a message exactly a second old does not count (DK-67)."""
    sent = [Sent(0, Kind.ORDER)] * 50
    assert not may_go(Kind.ORDER, WINDOW_NS - 1, sent)
    assert may_go(Kind.ORDER, WINDOW_NS, sent)
    data = [Sent(0, Kind.DATA)] * 40
    assert not may_go(Kind.DATA, 1, data)
    assert may_go(Kind.ORDER, 1, data)


def test_pairs_in_both_forms() -> None:
    """EUR_USD is EUR.USD (PF-235)."""
    assert dotted_pair("EUR_USD") == "EUR.USD"
    assert underscored_pair("EUR.USD") == "EUR_USD"
    for broken in ("EURUSD", "EUR_", "eur_usd"):
        with pytest.raises(ValidationError) as caught:
            dotted_pair(broken)
        assert caught.value.code == "InvalidPair"
