"""Hyperliquid's client ids in 128 bits and its steps of prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.orders import Purpose
from rules.client_ids import derive
from tests.servers.venues.hyperliquid_words import address_of, agree, signer
from venues.crypto.dialects.cloids import cloid_of, id_of
from venues.crypto.dialects.hyperliquid_rules import step_at, tick_for

D = Decimal
SDK_KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
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


@pytest.mark.parametrize(
    ("cloid", "testnet", "r", "s", "v"),
    [
        (None, False, "0xd65369825a9df5d80099e513cce430311d7d26ddf477f5b3a33d2806b100d78e",
         "0x2b54116ff64054968aa237c20ca9ff68000f977c93289157748a3162b6ea940e", 28),
        (None, True, "0x82b2ba28e76b3d761093aaded1b1cdad4960b3af30212b343fb2e6cdfa4e3d54",
         "0x6b53878fc99d26047f4d7e8c90eb98955a109f44209163f52d8dc4278cbbd9f5", 27),
        ("0x00000000000000000000000000000001", False,
         "0x41ae18e8239a56cacbc5dad94d45d0b747e5da11ad564077fcac71277a946e3",
         "0x3c61f667e747404fe7eea8f90ab0e76cc12ce60270438b2058324681a00116da", 27),
    ],
)  # fmt: skip
def test_the_server_recovers_signers_as_the_venue_does(
    cloid: str | None, testnet: bool, r: str, s: str, v: int
) -> None:
    """Signatures that the venue's own library holds for right are recovered to its key, and on no other network."""
    order: dict[str, Any] = {"a": 1, "b": True, "p": "100", "s": "100", "r": False, "t": {"limit": {"tif": "Gtc"}}}
    if cloid:
        order["c"] = cloid
    action = {"type": "order", "orders": [order], "grouping": "na"}
    body = {"action": action, "nonce": 0, "signature": {"r": r, "s": s, "v": v}}
    assert signer(body, testnet=testnet) == address_of(SDK_KEY)
    assert signer(body, testnet=not testnet) != address_of(SDK_KEY)
    assert signer(body | {"nonce": 1}, testnet=testnet) != address_of(SDK_KEY)
    assert signer(body | {"expiresAfter": 5}, testnet=testnet) != address_of(SDK_KEY)


@pytest.mark.parametrize(
    ("text", "decimals", "right"),
    [
        ("60000", 1, True), ("112345", 1, True), ("1122334", 1, True), ("60000.5", 1, False), ("59999.5", 1, False),
        ("9999.5", 1, True), ("0.012345", 6, True), ("0.0123456", 7, False), ("60000.0", 1, False), ("1e5", 1, False),
        ("0.00001", 4, False),
    ],
)  # fmt: skip
def test_the_server_takes_the_prices_that_the_venue_takes(text: str, decimals: int, right: bool) -> None:
    """Plainly written, five figures or whole, no more decimals than allowed."""
    assert agree(text, decimals, price=True) is right
