"""Hyperliquid's client ids in 128 bits and its steps of prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.orders import Purpose
from rules.client_ids import derive
from venues.crypto.dialects.cloids import cloid_of, id_of
from venues.crypto.dialects.hyperliquid_rules import step_at, tick_for

D = Decimal
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
TAGS = st.text(LETTERS, min_size=4, max_size=4)


def parts(pyramids: int, layers: int, attempts: int) -> Any:
    """Return what an id of ours is made of, each part below a limit."""
    return st.fixed_dictionaries({
        "pyramid": st.integers(0, pyramids - 1), "layer": st.integers(0, layers - 1),
        "purpose": st.sampled_from(Purpose), "attempt": st.integers(0, attempts - 1),
    })  # fmt: skip


@given(TAGS, st.text(min_size=1, max_size=12), parts(64, 128, 4096))
@example("zzzz", "g", {"pyramid": 63, "layer": 127, "purpose": Purpose.CLOSE, "attempt": 4095})
@example("0000", "g", {"pyramid": 0, "layer": 0, "purpose": Purpose.ENTRY, "attempt": 0})
def test_ids_of_ours_come_back(tag: str, group: str, said: dict[str, Any]) -> None:
    """The 128 bits of an id of ours are read back with nothing remembered."""
    ours = derive(tag, group, **said)
    cloid = cloid_of(ours)
    assert len(cloid) == 34
    assert int(cloid, 16) < 2**128
    assert id_of(cloid) == ours


@given(st.text(LETTERS, min_size=6, max_size=21))
def test_short_ids_come_back(ours: str) -> None:
    """So are other ids of up to 21 characters."""
    assert id_of(cloid_of(ours)) == ours


@given(TAGS, parts(1296, 1296, 36**4).filter(lambda said: said["pyramid"] > 63 or said["attempt"] > 4095))
def test_what_does_not_fit_is_a_hash(tag: str, said: dict[str, Any]) -> None:
    """An id beyond the ranges has 128 bits too, always the same, and nobody reads an id out of them."""
    ours = derive(tag, "group", **said)
    assert cloid_of(ours) == cloid_of(ours)
    assert id_of(cloid_of(ours)) is None


@given(st.lists(st.text(LETTERS, min_size=6, max_size=28), min_size=2, max_size=20, unique=True))
def test_no_two_ids_share_their_bits(ids: list[str]) -> None:
    """Different orders are different at the venue."""
    assert len({cloid_of(each) for each in ids}) == len(ids)


def test_bits_of_somebody_else_are_not_read() -> None:
    """What another program draws by chance passes for one of ours less than once in a thousand."""
    drawn = [cloid_of(f"{number:022d}") for number in range(3000)]  # 22 characters: a hash
    shifted = [f"0x{int(each, 16) ^ 1 << 60:032x}" for each in drawn]
    assert sum(id_of(each) is not None for each in shifted) <= 3
    for broken in ("", "0x", "0x" + "g" * 32, "abc", "0x" + "0" * 31):
        assert id_of(broken) is None


@pytest.mark.parametrize(
    ("price", "size", "perp", "step"),
    [
        ("60000", "0.00001", True, "1"),
        ("112345", "0.00001", True, "1"),
        ("9999.9", "0.0001", True, "0.1"),
        ("2000", "0.0001", True, "0.1"),
        ("0.07482", "0.1", True, "0.00001"),
        ("0.035057", "1", True, "0.000001"),
        ("0.0000123", "1", True, "0.000001"),
        ("0.0000123", "1", False, "0.00000001"),
        ("15.322", "0.01", False, "0.001"),
    ],
)
def test_steps_of_prices(price: str, size: str, perp: bool, step: str) -> None:
    """Five figures, a limit of decimals by the size step, and whole prices always."""
    assert step_at(D(price), D(size), perp=perp) == D(step)


@given(st.decimals("0.0001", "200000", places=6), st.sampled_from(["1", "0.1", "0.001", "0.00001"]), st.booleans())
def test_a_tick_holds_half_again_as_high(price: Decimal, size: str, perp: bool) -> None:
    """The tick told of a market is valid for every price up to half again its own: targets above a power of ten too."""
    tick = tick_for(price, D(size), perp=perp)
    for factor in ("0.2", "0.99", "1", "1.3", "1.5"):
        near = price * D(factor)
        assert tick % step_at(near, D(size), perp=perp) == 0


def test_a_market_without_a_price() -> None:
    """Where the venue tells no price the finest step is told."""
    assert tick_for(None, D("0.01"), perp=True) == D("0.0001")
