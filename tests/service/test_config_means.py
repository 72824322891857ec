"""What an installation has the means for: whose orders it executes, and that an account keeps its scope (EX-113)."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.configuration import GetConfig
from protocol.values import Scope
from service.account_paths import AccountPaths
from service.config import ConfigError, parse
from service.config.means import scope_changes
from service.config.validate import validate_config
from service.intake import gateway_settings
from service.performance_settings import equity_settings
from tests.service.store_rig import Rig, life
from tests.service.test_config_reading import mistakes

TWO = """
[[accounts]]
name = "desk"
scope = "paper"
[[accounts]]
name = "lab"
scope = "simulation"
"""
CREDENTIALS = "[exchange.binance]\nenabled = false\n"


def test_an_account_has_its_own_scope_or_that_of_the_mode() -> None:
    """EX-113: a named scope stands whatever the mode; without one the mode decides, and dry_run is paper."""
    config = parse('[app]\nmode = "dry_run"\n' + TWO, {})
    assert [config.scope_of(account) for account in config.accounts] == [Scope.PAPER, Scope.SIMULATION]
    assert [parse(f'[app]\nmode = "{mode}"', {}).scope_of(config.accounts[1]) for mode in ("paper", "dry_run")] == [
        Scope.SIMULATION,
        Scope.SIMULATION,
    ]
    default = parse("", {})
    assert default.scope_of(default.accounts[0]) is Scope.PAPER


def test_two_scopes_share_an_exchange_and_two_accounts_of_one_do_not() -> None:
    """EX-113: an alert goes to one account of each scope; two of one scope would be two places to go."""
    assert mistakes(TWO) == []
    assert mistakes(TWO.replace("simulation", "paper")) == [("accounts[1].exchange", "Duplicate")]
    assert mistakes(TWO.replace('scope = "simulation"', "")) == [("accounts[1].exchange", "Duplicate")]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[[accounts]]\nname = "real"\nscope = "live"', "accounts[0].scope"),
        (f'[app]\nmode = "live"\n{CREDENTIALS}', "app.mode"),
        (f'[app]\nmode = "live"\n{CREDENTIALS}{TWO}[[accounts]]\nname = "real"\nexchange = "okx"', "app.mode"),
    ],
    ids=["named", "by the mode", "one of several"],
)
def test_live_is_refused_where_the_venue_executes_nothing_real(text: str, path: str) -> None:
    """EX-113: an account for real money is refused with what is missing and what to do; the document itself is valid."""
    with pytest.raises(ConfigError) as caught:
        parse(text, {})
    assert [(each.path, each.code) for each in caught.value.problems] == [(path, "LiveVenueMissing")]
    assert "executes no real orders" in caught.value.problems[0].message
    assert "paper or simulation" in caught.value.problems[0].message


def test_an_account_for_real_money_is_live_whatever_the_mode() -> None:
    """EX-1304, EX-113: audit log and credentials are asked for as soon as one account has scope live."""
    changes = {
        "accounts": [{"name": "real", "scope": "live"}],
        "logging.audit_log_enabled": False,
        "exchange.binance.enabled": True,
        "exchange.binance.api_key": "k",
    }
    found = [(each.path, each.code) for each in validate_config(changes)[0]]
    assert found == [
        ("logging.audit_log_enabled", "AuditRequiredInLive"),
        ("exchange.binance.api_secret", "MissingCredential"),
    ]


def test_a_live_document_is_judged_for_itself() -> None:
    """EX-1304: validate_config knows nothing of what is connected: live is a mode like any other there."""
    assert validate_config({"app.mode": "live", "exchange.binance.enabled": False})[0] == ()


def test_every_reader_of_the_scope_gets_the_same() -> None:
    """EX-113, EX-302: equity is marked by scope, and an account without real money takes delayed data."""
    config = parse(TWO, {})
    assert equity_settings(config).scopes == {"desk": Scope.PAPER, "lab": Scope.SIMULATION}
    routes = gateway_settings(config, None, AccountPaths).routes["binance"]
    assert [(route.account, route.paper) for route in routes] == [("desk", True), ("lab", True)]


def test_only_the_exchange_inside_begins_with_the_balances_of_the_configuration() -> None:
    """EX-1705: a venue outside holds what it holds, with or without real money; what is set counts for all."""
    config = parse(
        TWO
        + """balances = { USDT = 7_000, BTC = 1 }
        [[accounts]]
        name = "away"
        exchange = "okx"
        venue = "practice"
        url = "http://127.0.0.1:9001"
        [[accounts]]
        name = "testing"
        exchange = "bybit"
        venue = "bybit"
        """,
        {},
    )
    assert equity_settings(config).starting == {"desk": 10_000, "lab": 7_000, "away": None, "testing": None}
    given = parse("[performance]\nstarting_equity = 500\n" + TWO, {})
    assert equity_settings(given).starting == {"desk": 500, "lab": 500}


def test_an_account_keeps_its_scope() -> None:
    """EX-113: what an account holds never becomes another scope's: that is refused; a new name is fine."""
    before = parse(TWO, {})
    after = parse(TWO.replace('"lab"', '"?"').replace('"desk"', '"lab"').replace('"?"', '"desk"'), {})
    assert [(each.path, each.code) for each in scope_changes(before, after)] == [
        ("accounts[0].scope", "ScopeChanged"),
        ("accounts[1].scope", "ScopeChanged"),
    ]
    assert scope_changes(before, before) == ()
    assert scope_changes(before, parse(TWO.replace('"lab"', '"new"'), {})) == ()


def test_a_scope_is_changed_neither_at_a_start_nor_by_an_apply(tmp_path: Path) -> None:
    """EX-113: an edited file with another scope leaves the version in force, and the same draft cannot be applied."""
    file = tmp_path / "config.toml"
    file.write_text('[[accounts]]\nname = "desk"\nscope = "simulation"\n')

    async def first(rig: Rig) -> None:
        await rig.set(accounts=[{"name": "desk", "scope": "paper"}])
        answer = await rig.apply(1)
        assert [(each.path, each.code) for each in answer.mistakes] == [("accounts[0].scope", "ScopeChanged")]
        assert "another name" in answer.mistakes[0].message

    journal = life(first, file)
    file.write_text('[[accounts]]\nname = "desk"\n')

    async def second(rig: Rig) -> None:
        assert "ScopeChanged" in rig.active.trouble
        assert rig.config.scope_of(rig.config.accounts[0]) is Scope.SIMULATION
        assert (await rig.stage.ask("config", GetConfig())).version == 1

    life(second, file, journal=journal)
