"""Client order ids: derived, unique, readable."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.orders import Purpose
from rules.client_ids import MAX_ATTEMPT, derive, group_hash, is_ours, parse

PARTS = st.tuples(
    st.text(min_size=1, max_size=40),
    st.integers(0, 49),
    st.integers(0, 49),
    st.sampled_from(Purpose),
    st.integers(1, MAX_ATTEMPT),
)


def made(parts: tuple[str, int, int, Purpose, int], tag: str = "ab12") -> str:
    """Return the id of some parts."""
    group, pyramid, layer, purpose, attempt = parts
    return derive(tag, group, pyramid=pyramid, layer=layer, purpose=purpose, attempt=attempt)


@given(PARTS)
def test_an_id_is_short_lower_case_and_tells_its_parts(parts: tuple[str, int, int, Purpose, int]) -> None:
    """At most 28 characters of [a-z0-9], prefix bh and tag; everything but the group reads back (EX-422, EX-1108)."""
    found = made(parts)
    assert re.fullmatch(r"bhab12[a-z0-9]{1,22}", found)
    assert parse(found) == ("ab12", group_hash(parts[0]), *parts[1:])


@given(PARTS, PARTS)
def test_different_orders_have_different_ids(
    one: tuple[str, int, int, Purpose, int], other: tuple[str, int, int, Purpose, int]
) -> None:
    """The same order always has the same id, another order another (EX-422)."""
    assert (made(one) == made(other)) == (one == other)


def test_another_deployments_orders_are_recognised() -> None:
    """An id with another tag is read but is not ours (EX-1108)."""
    parts = ("g", 0, 0, Purpose.ENTRY, 1)
    assert is_ours(made(parts), "ab12")
    assert not is_ours(made(parts, "zz99"), "ab12")
    assert parse(made(parts, "zz99")) is not None


@pytest.mark.parametrize("foreign", ["", "bh", "x-12345", "BHAB12" + "0" * 22, "bhab12" + "0" * 22, "web_" + "a" * 24])
def test_ids_of_others_are_none_of_ours(foreign: str) -> None:
    """What no bulkhead made parses to nothing."""
    assert parse(foreign) is None
    assert not is_ours(foreign, "ab12")


@pytest.mark.parametrize("tag", ["", "abc", "ABCD", "ab-1", "abcde"])
def test_a_bad_tag_is_refused(tag: str) -> None:
    """A deployment tag is four lower-case letters or digits (EX-1108)."""
    with pytest.raises(ValueError, match="deployment tag"):
        made(("g", 0, 0, Purpose.ENTRY, 1), tag)


def test_an_attempt_that_does_not_fit_is_refused() -> None:
    """Attempts never wrap around into an id that was used before (EX-422)."""
    with pytest.raises(ValueError, match="does not fit"):
        made(("g", 0, 0, Purpose.ENTRY, MAX_ATTEMPT + 1))
