"""Secrets are shown masked, and encrypted with a key that is bound to its place."""

from __future__ import annotations

from typing import Any

import pytest

from rules.security import HIDDEN, NOT_SET, derive_data_key, mask_secret
from tests.rules.vectors import cases


@pytest.mark.parametrize("case", cases("security", "mask_secret"))
def test_masks_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1503: the masks of the vectors."""
    assert mask_secret(case["input"]["kind"], case["input"].get("value")) == case["expected"]["masked"]


@pytest.mark.parametrize("case", cases("security", "derive_data_key"))
def test_keys_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1502: HKDF-SHA256 over master key, deployment and binding."""
    given = case["input"]
    key = derive_data_key(bytes.fromhex(given["master_key_hex"]), given["deployment_id"], given["binding"])
    assert key.hex() == case["expected"]["key_hex"]


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        ("api_key", None, NOT_SET),
        ("api_secret", "", NOT_SET),
        ("api_key", "a" * 19, HIDDEN),
        ("api_key", "abcdefghijklmnopqrst", "****lmnopq***"),
        ("passphrase", "a" * 64, HIDDEN),
        ("webhook_secret", "x", HIDDEN),
    ],
)
def test_only_six_characters_of_a_long_api_key_are_shown(kind: str, value: str | None, masked: str) -> None:
    """EX-1503: six characters of an API key of 20 or more, nothing of any other secret, and whether there is one."""
    assert mask_secret(kind, value) == masked


def test_a_key_of_another_length_is_refused() -> None:
    """EX-1502: the master key has 32 bytes; a shorter one would weaken every secret silently."""
    with pytest.raises(ValueError, match="must have 32 bytes, not 31"):
        derive_data_key(bytes(31), "a", "b")


def test_another_machine_has_another_key() -> None:
    """EX-1502: deployment and binding both change the key, also where their joined text is equal."""
    keys = {derive_data_key(bytes(32), *place) for place in (("a", "b"), ("a", "c"), ("b", "b"))}
    assert len(keys) == 3
