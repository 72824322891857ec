"""The venues that are known and what each of them has, as the table of the specification says it."""

from __future__ import annotations

import pytest

from rules.identity import canonical_venue
from service.config import ConfigError, parse
from service.config.exchange import NEEDS_PASSPHRASE, VENUES, WITH_TESTNET
from service.config.validate import validate_config
from tests.house.requirements import SPEC

SPOKEN = {"Binance": "binance", "Bybit": "bybit", "OKX": "okx", "KuCoin": "kucoin", "MEXC": "mexc", "Gate.io": "gate"}


def test_the_table_of_venues() -> None:
    """EX-1101: exactly these venues, all of them spot; which have a test network and which need a passphrase."""
    if not SPEC.is_file():
        pytest.skip(f"the specification is not at {SPEC}")
    table = SPEC.read_text(encoding="utf-8").partition("**EX-1101**")[2].partition("**EX-1102**")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]
    venues = {SPOKEN[name]: (spot, testnet, passphrase) for name, spot, testnet, passphrase, _ in rows[1:]}
    assert tuple(venues) == VENUES
    assert {venue for venue, (_, testnet, _) in venues.items() if testnet == "yes"} == WITH_TESTNET
    assert {venue for venue, (_, _, passphrase) in venues.items() if passphrase == "yes"} == NEEDS_PASSPHRASE
    assert {spot for spot, _, _ in venues.values()} == {"yes"}


@pytest.mark.parametrize("venue", VENUES)
def test_each_venue_is_configured_and_traded_by_name(venue: str) -> None:
    """EX-1101, EX-302: each has its access in the configuration, and alerts that name it find an account of it."""
    config = parse(f'[[accounts]]\nname = "a"\nexchange = "{venue}"\n', {})
    assert config.accounts[0].exchange == canonical_venue(venue.upper()) == venue
    assert config.exchange.access(venue).testnet is (venue in WITH_TESTNET)


@pytest.mark.parametrize("venue", VENUES)
def test_a_test_network_only_where_there_is_one(venue: str) -> None:
    """EX-1102: ``testnet = true`` is refused with TestnetUnsupported on every venue without a test network."""
    expected = [] if venue in WITH_TESTNET else [(f"exchange.{venue}.testnet", "TestnetUnsupported")]
    found = validate_config({f"exchange.{venue}.testnet": True})[0]
    assert [(each.path, each.code) for each in found] == expected
    assert all("set it to false" in each.message for each in found)


def test_a_start_is_refused_as_well() -> None:
    """EX-1102: the file with such a key is refused, the key named."""
    with pytest.raises(ConfigError, match=r"exchange\.okx\.testnet"):
        parse("[exchange.okx]\ntestnet = true\n", {})
    assert parse("[exchange.bybit]\ntestnet = true\n", {}).exchange.access("bybit").testnet


@pytest.mark.parametrize("venue", VENUES)
def test_futures_are_chosen_by_venue(venue: str) -> None:
    """EX-1102: spot unless futures are asked for, for each venue by itself."""
    config = parse(f'[exchange.{venue}]\nmarket_type = "futures"\n', {})
    assert {each: config.exchange.access(each).market_type.value for each in VENUES} == {
        each: "futures" if each == venue else "spot" for each in VENUES
    }
