"""What decoding refuses, and that the refusal names the field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import protocol.market
import protocol.signals
from protocol.codec import (
    MAX_MESSAGE_BYTES,
    convert,
    decode_json,
    decode_msgpack,
    decode_named,
    encode_json,
    encode_msgpack,
)
from protocol.errors import BulkheadError, ValidationError
from protocol.messages import Value, event_types, injectable_types, message_types
from protocol.orders import OrderRequest, SubmitOrder
from protocol.signals import SignalRouted
from protocol.values import OrderSide, OrderType


class Ladder(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A value with values inside lists and dicts."""

    legs: tuple[OrderRequest, ...] = ()
    by_name: dict[str, OrderRequest] = msgspec.field(default_factory=dict)


def request(**changes: Any) -> dict[str, Any]:
    """Return an order request as plain data, with some fields changed."""
    given = {
        "client_order_id": "abcdef1",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "qty": "1",
        "price": "2",
    }
    return given | changes


def submit(**changes: Any) -> dict[str, Any]:
    """Return a message with a request inside, as plain data."""
    given = {
        "type": "SubmitOrder",
        "owner": "/x",
        "group_id": "g",
        "leg_id": "l",
        "purpose": "entry",
        "adds_risk": True,
    }
    return given | {"request": request()} | changes


def refused(document: Any) -> ValidationError:
    """Return the error with which a named message is refused; text is taken as it stands."""
    with pytest.raises(ValidationError) as caught:
        decode_named(document if isinstance(document, str | bytes) else json.dumps(document))
    return caught.value


@pytest.mark.parametrize(
    "qty",
    [
        '"NaN"',
        '"sNaN"',
        '"Infinity"',
        "-1",
        '"-0.5"',
        "0",
        "1" + "0" * 400,
        "9" * 5000,
        "1e400",
        "1e18",
        '"1e999999999"',
        "1e999999999",
        '"-1e999999999"',
        '"1e9999999999999999999"',
        '"1e-999999999"',
        '"1e-31"',
        '"abc"',
        '""',
        "true",
        "null",
        "[]",
        "{}",
    ],
    ids=lambda text: text[:16],
)
def test_numbers_that_cannot_be_right(qty: str) -> None:
    """EX-110: a quantity that is none, not finite, not positive or absurd is refused with the path of its field."""
    error = refused(json.dumps(submit()).replace('"qty": "1"', f'"qty": {qty}'))
    assert (error.path, error.code) == ("$.request.qty", "Invalid")


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        (submit(porpoise=1), "$.porpoise", "UnknownField"),
        (submit(request=request(qty2=1)), "$.request.qty2", "UnknownField"),
        ({"type": "SubmitOrder"}, "$.request", "MissingField"),
        (submit(request={}), "$.request.client_order_id", "MissingField"),
        (submit(owner=5), "$.owner", "Invalid"),
        (submit(owner=""), "$.owner", "Invalid"),
        (submit(owner="x" * 257), "$.owner", "Invalid"),
        (submit(purpose="fun"), "$.purpose", "Invalid"),
        (submit(adds_risk="yes"), "$.adds_risk", "Invalid"),
        (submit(attempt=1.5), "$.attempt", "Invalid"),
        (submit(request=[]), "$.request", "Invalid"),
        (submit(request=request(client_order_id="UPPER1")), "$.request.client_order_id", "Invalid"),
        (submit(request=request(price=None)), "$.request.price", "Invalid"),
        (submit(request=request(type="stop")), "$.request.stop_price", "Invalid"),
        (submit(type="SubmitOrdr"), "$.type", "UnknownType"),
        (submit(type="Message"), "$.type", "UnknownType"),
        (submit(type="OrderRequest"), "$.type", "UnknownType"),
        (submit(type=5), "$.type", "Invalid"),
        ({}, "$.type", "MissingField"),
        ([], "$", "Invalid"),
        (None, "$", "Invalid"),
    ],
)
def test_the_path_names_the_field(document: Any, path: str, code: str) -> None:
    """EX-110: unknown, missing, wrong and out of bounds: each refusal names the exact field."""
    error = refused(document)
    assert (error.path, error.code) == (path, code)


@pytest.mark.parametrize(
    "document",
    ["", "x", "{", "{}}", "NaN", b"\xff", b"\x00", '{"type":"\\ud800"}', "\ud800", "[" * 100_000, '{"type":' * 50_000],
    ids=lambda text: ascii(text[:12]),
)
def test_what_is_no_document(document: str | bytes) -> None:
    """EX-110: anything that is not one JSON document is refused, never more than refused."""
    refused(document)


def test_too_long() -> None:
    """EX-110: a message beyond the size limit is not looked at."""
    assert refused(" " * (MAX_MESSAGE_BYTES + 1)).code == "TooLong"
    with pytest.raises(ValidationError, match="at most"):
        decode_msgpack(b"\x00" * (MAX_MESSAGE_BYTES + 1), SubmitOrder)


@pytest.mark.parametrize("name", ["bid", "ask", "last"])
@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e18", "1e999999999", "1e-31"])
def test_messages_from_outside_hold_sane_numbers_only(name: str, value: str) -> None:
    """EX-110: also a type that is built unchecked on the hot path is checked when it comes from outside."""
    tick = {"type": "PriceTick", "symbol": "BTC/USDT", "at": 1, "bid": "1", "ask": "1", "last": "1"}
    assert isinstance(decode_named(json.dumps(tick)), protocol.market.PriceTick)
    error = refused(tick | {name: value})
    assert (error.path, error.code, error.value) == (f"$.{name}", "Invalid", str(Decimal(value)))


def test_wrong_names_suggest_near_ones() -> None:
    """EX-110: a wrong message type or field is answered with what was probably meant."""
    assert "did you mean SubmitOrder" in refused(submit(type="SubmitOrdr")).message
    assert "did you mean purpose" in refused(submit(porpose="entry")).message
    assert "did you mean" not in refused(submit(zzzz=1)).message


@pytest.mark.parametrize(
    ("plain", "path"),
    [
        ({"legs": [request(), request(qty=-1)]}, "$.legs[1].qty"),
        ({"legs": [request(), request(qyt=1)]}, "$.legs[1].qyt"),
        ({"by_name": {"a": request(price="NaN")}}, "$.by_name[...].price"),
    ],
)
def test_paths_inside_lists_and_dicts(plain: Any, path: str) -> None:
    """EX-110: the path leads through lists and dicts, for JSON, MessagePack and plain data alike."""
    encoded = json.dumps(plain)
    for attempt in (
        lambda: decode_json(encoded, Ladder),
        lambda: decode_msgpack(encode_msgpack(plain), Ladder),
        lambda: convert(plain, Ladder),
    ):
        with pytest.raises(ValidationError) as caught:
            attempt()
        assert caught.value.path == path


@pytest.mark.parametrize(
    "value", [{1, 2}, object(), request(qty=10**400), request(qty=10**5000), request(qty=float("nan"))]
)
def test_plain_data_that_cannot_be_right(value: Any) -> None:
    """EX-110: converting plain data refuses what no decoder could produce, too."""
    with pytest.raises(ValidationError):
        convert(value, OrderRequest)


def test_errors_have_one_shape() -> None:
    """EX-110: an error is code, path, message and a value of at most 80 characters, and one of ours."""
    error = ValidationError("$.a", "is wrong", code="Wrong", value="x" * 100)
    assert error.as_dict() == {"code": "Wrong", "path": "$.a", "message": "is wrong", "value": "x" * 80}
    assert isinstance(error, BulkheadError)
    assert str(error) == "$.a: is wrong"


def test_a_message_survives_both_encodings() -> None:
    """EX-105: what is encoded decodes to an equal message, in both encodings, with every digit of its numbers."""
    order = OrderRequest(
        client_order_id="abcdef1",
        symbol="BTC/USDT",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        qty=Decimal("0.123456789012345678901234567891"),
        price=Decimal("2.50"),
    )
    for encode, decode in ((encode_json, decode_json), (encode_msgpack, decode_msgpack)):
        assert decode(encode(order), OrderRequest) == order
        assert str(decode(encode(order), OrderRequest).price) == "2.50"


def test_only_messages_are_registered_and_events_cannot_be_injected() -> None:
    """EX-260: a message type is found by its name; facts of the journal are not for operators to inject."""
    types = message_types()
    assert types["SubmitOrder"] is SubmitOrder
    assert {"Message", "Request", "Event", "OrderRequest"}.isdisjoint(types)
    assert event_types()["SignalRouted"] is SignalRouted
    assert "SignalRouted" not in injectable_types()
    assert "InjectSignal" in injectable_types()


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(sorted(message_types())),
)
def test_no_document_does_more_than_be_refused(document: Any, name: str) -> None:
    """EX-110: whatever arrives, decoding gives a message or a ``ValidationError``."""
    for each in (document, {"type": name, "request": document}, submit(request=document), submit(owner=document)):
        try:
            assert type(decode_named(json.dumps(each))).__name__ in message_types()
        except ValidationError as error:
            assert error.path.startswith("$")  # noqa: PT017 - most documents are refused, which is right


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    """EX-110: the same for MessagePack."""
    try:
        assert isinstance(decode_msgpack(data, SubmitOrder), SubmitOrder)
    except ValidationError as error:
        assert error.code  # noqa: PT017 - nearly all bytes are refused, which is right
