"""Whose prices count, and who may execute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import ValidationError
from rules.broker.data_venue import (
    FEED_STALE,
    STALE_AFTER_NS,
    AssetClass,
    asset_class,
    broker_for,
    changed_broker,
    entry_block,
)

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "portfolio" / "broker_ops.json"


def cases(function: str) -> list[Any]:
    if not FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {FILE}"))]
    return [
        pytest.param(each, id=each["id"]) for each in json.loads(FILE.read_text())["cases"] if each["fn"] == function
    ]


def test_the_data_venue_does_not_follow_the_broker() -> None:
    """Fresh quotes of the executing broker open nothing while the data venue is mute (PF-231)."""
    now = 100 * STALE_AFTER_NS
    for asset, source in ((AssetClass.FOREX, "oanda"), (AssetClass.CRYPTO, "coinbase")):
        quotes = {"oanda": now, "ibkr": now, "coinbase": now}
        assert entry_block(asset, quotes, now, in_market_hours=True) is None
        assert entry_block(asset, {source: now}, now, in_market_hours=True) is None
        del quotes[source]
        assert entry_block(asset, quotes, now, in_market_hours=True) == FEED_STALE


@pytest.mark.parametrize(
    ("age", "hours", "wanted"),
    [
        (STALE_AFTER_NS - 1, True, None),
        (STALE_AFTER_NS, True, FEED_STALE),
        (STALE_AFTER_NS, False, None),
        (0, True, None),
        (-1, True, None),  # the feed's clock is a little ahead
    ],
)
def test_a_feed_is_stale_after_thirty_seconds_of_market_hours(age: int, hours: bool, wanted: str | None) -> None:
    """No quote for 30 s in market hours blocks new entries (PF-231)."""
    now = 10 * STALE_AFTER_NS
    assert entry_block(AssetClass.FOREX, {"oanda": now - age}, now, in_market_hours=hours) == wanted


def test_brokers_by_kind_of_strategy() -> None:
    """OANDA or IBKR for forex, Coinbase for crypto; the first is the default (PF-230)."""
    assert (broker_for(AssetClass.FOREX), broker_for(AssetClass.FOREX, "ibkr")) == ("oanda", "ibkr")
    assert broker_for(asset_class("crypto")) == "coinbase"
    assert changed_broker(AssetClass.FOREX, "oanda", "ibkr", open_positions=0) == "ibkr"
    assert changed_broker(AssetClass.FOREX, "ibkr", "ibkr", open_positions=3) == "ibkr"


@pytest.mark.parametrize(
    ("wanted", "positions", "code"),
    [
        ("ibkr", 1, "BrokerChangeWithOpenPositions"),
        ("coinbase", 0, "UnknownBroker"),
        ("coinbase", 1, "UnknownBroker"),
        ("ibkr", -1, "InvalidCount"),
    ],
)
def test_broker_changes_that_are_refused(wanted: str, positions: int, code: str) -> None:
    """A broker is not changed under open positions, nor to one of another kind (PF-230)."""
    with pytest.raises(ValidationError) as caught:
        changed_broker(AssetClass.FOREX, "oanda", wanted, open_positions=positions)
    assert caught.value.code == code


@pytest.mark.parametrize("case", cases("asset_filter"))
def test_names_of_asset_classes(case: dict[str, Any]) -> None:
    """Forex where none is named, forex or crypto, anything else is refused (PF-10, PF-240)."""
    name, wanted = case["input"]["value"], case["expected"]
    if isinstance(wanted, dict):
        with pytest.raises(ValidationError) as caught:
            asset_class(name)
        assert caught.value.code == wanted["error"] == "InvalidAsset"
    else:
        assert asset_class(name) == wanted
