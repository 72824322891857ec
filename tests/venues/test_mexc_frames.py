"""MEXC's frames are read as ccxt would read them with the compiled library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.venues.protobuf import Field, encoded
from venues.crypto.dialects.mexc_frames import read_frame

ORDER: list[Field] = [
    (1, "spot@private.orders.v3.api.pb"),
    (3, "BTCUSDT"),
    (5, 1736417034280),
    (
        304,
        [(1, "C02__5"), (2, "bhsomething"), (4, "0.5"), (8, 2), (9, True), (15, 3), (16, 1736417034280), (99, "new")],
    ),
]


def test_fields_have_the_names_and_types_that_ccxt_expects() -> None:
    """Text as text, 32-bit numbers as numbers, 64-bit numbers as text; a field that nobody knows yet is skipped."""
    assert read_frame(encoded(ORDER)) == {
        "channel": "spot@private.orders.v3.api.pb",
        "symbol": "BTCUSDT",
        "createTime": "1736417034280",
        "privateOrders": {
            "id": "C02__5",
            "clientId": "bhsomething",
            "quantity": "0.5",
            "tradeType": 2,
            "isMaker": True,
            "status": 3,
            "createTime": "1736417034280",
        },
    }


def test_several_messages_in_one() -> None:
    """Trades of a market come as a list."""
    frame = encoded([(1, "c"), (314, [(1, [(1, "60000")]), (1, [(1, "60001"), (4, 7)])])])
    assert read_frame(frame)["publicAggreDeals"] == {"deals": [{"price": "60000"}, {"price": "60001", "time": "7"}]}


@pytest.mark.parametrize("data", [b"\x0a\x05abc", b"\x80", b"\x03", b"\xff" * 12, b"\x0a\x02\xff\xfe"])
def test_what_is_no_frame(data: bytes) -> None:
    """Bytes that cannot be a frame are an error of values, which connects anew."""
    with pytest.raises(ValueError, match=r"frame|codec"):
        read_frame(data)


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Whatever comes: a dictionary, or that error."""
    try:
        assert isinstance(read_frame(data), dict)
    except ValueError:
        return


@given(st.integers(1, len(encoded(ORDER)) - 1))
def test_a_frame_that_is_broken_off(length: int) -> None:
    """Half a frame never tells an order."""
    try:
        found = read_frame(encoded(ORDER)[:length])
    except ValueError:
        return
    assert "privateOrders" not in found
