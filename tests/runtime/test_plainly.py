"""Anything becomes small plain data, nothing secret is shown, nothing raises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runtime.plainly import ITEMS, TEXT, plainly

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=60,
)


class _Awkward:
    def __init__(self) -> None:
        self.itself = self
        self.api_key = "do not show"
        self.price = Decimal("1.10")

    def __repr__(self) -> str:
        raise RuntimeError("no")


class _Refuses(dict[str, Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("no")


@given(value=VALUES)
def test_whatever_comes_becomes_json(value: Any) -> None:
    """The result can be encoded, and its size is bounded by the limits alone."""
    assert len(msgspec.json.encode(plainly(value))) < 6 * TEXT * 200


def test_an_object_that_holds_itself_ends() -> None:
    """Depth is bounded, an object's own ``__repr__`` is never called, secrets are hidden by the names of their fields."""
    shown = plainly(_Awkward(), 2)
    assert shown == {
        "type": "_Awkward",
        "itself": {"type": "_Awkward", "itself": "<_Awkward ...>", "api_key": "***", "price": "1.10"},
        "api_key": "***",
        "price": "1.10",
    }


def test_what_cannot_be_looked_at_is_said_to_be_so() -> None:
    """A container that raises does not keep the rest from being shown."""
    assert plainly({"good": 1, "bad": _Refuses()}) in (
        {"good": 1, "bad": "<_Refuses that cannot be shown: RuntimeError>"},
        "<dict that cannot be shown: RuntimeError>",
    )


def test_the_newest_of_many_are_shown() -> None:
    """Of a long list the end is shown, with the number of what is left out."""
    shown = plainly(list(range(100)))
    assert shown == [f"({100 - ITEMS} older items)", *range(100 - ITEMS, 100)]
    assert plainly({"password": "", "token": "x" * 20}) == {"password": "", "token": "***"}
