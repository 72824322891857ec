"""Changes as forms and backups hold them: dotted keys, JSON values, older names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.catalogue import catalogue
from service.config.text import HIDDEN, document_of
from service.config.validate import check_changes, validate_config

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "execution" / "configuration.json"
NEW = "grid_strategy."


def found(changes: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (path, code) of every mistake."""
    return [(error.path, error.code) for error in validate_config(changes)[0]]


def golden() -> list[Any]:
    """Return the golden cases, none when they are not beside the repository."""
    return json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []


@pytest.mark.skipif(not VECTORS.exists(), reason="the golden vectors are not beside the repository")
@pytest.mark.parametrize("case", golden(), ids=lambda case: case["id"])
def test_golden_cases(case: Any) -> None:
    """The golden configurations give the same mistakes and the same new names (EX-1303, EX-1304, EX-1305)."""
    errors, renamed = validate_config(case["input"]["changes"])
    assert [{"path": error.path, "code": error.code} for error in errors] == case["expected"]["errors"]
    assert [{"from": each.old, "to": each.new} for each in renamed] == case["expected"]["renamed"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("execution_pool.queue_limit", "100", "WrongType"),
        ("execution_pool.queue_limit", True, "WrongType"),
        ("execution_pool.queue_limit", 10.0, "WrongType"),
        ("execution_pool.queue_limit", 10_001, "OutOfRange"),
        ("execution_pool.queue_limit", None, "MissingValue"),
        ("app.read_only", 1, "WrongType"),
        ("app.timezone", "Mars/Olympus", "UnknownTimezone"),
        ("app.timezone", "../etc/passwd", "UnknownTimezone"),
        ("app.timezone", "", "UnknownTimezone"),
        ("app.mode", "simulation", "InvalidEnum"),
        ("exchange.name", "kraken", "InvalidEnum"),
        ("exchange.kraken.enabled", True, "UnknownKey"),
        ("exchange.binance.api_key", "", "OutOfRange"),
        ("exchange.binance.api_key", "k" * 257, "OutOfRange"),
        ("exchange.binance.api_key", 7, "WrongType"),
        ("exchange.binance.api_secret", "s" * 513, "OutOfRange"),
        ("security.webhook_secret", "s" * 15, "OutOfRange"),
        ("security.webhook_hmac_key", "s" * 31, "OutOfRange"),
        ("security.binding_id", "", "OutOfRange"),
        ("security.key_vault_path", "../vault", "OutOfRange"),
        ("security.key_vault_path", "a/../../vault", "OutOfRange"),
        ("security.key_vault_path", "", "OutOfRange"),
        ("security.store_secrets_encrypted", False, "EncryptionRequired"),
        ("security.webhook_signature_validation", False, "AuthenticationRequired"),
        ("signal.ip_allowlist", ["10.0.0.0/8", "nowhere"], "OutOfRange"),
        ("signal.ip_allowlist", "10.0.0.0/8", "WrongType"),
        ("risk_engine.loss_threshold_percent", 0, "OutOfRange"),
        ("risk_engine.loss_threshold_percent", -100, "OutOfRange"),
        ("risk_engine.loss_threshold_percent", "much", "WrongType"),
        ("risk_engine.required_pyramids_for_timer", 6, "ExceedsMaxPyramids"),
        ("waiting_rule.selection_priority", [], "InvalidPriorityList"),
        ("waiting_rule.selection_priority", ["fifo", "fifo"], "InvalidPriorityList"),
        ("waiting_rule.selection_priority", ["fifo", "luck"], "InvalidPriorityList"),
        ("waiting_rule.selection_priority", ["fifo", 3], "WrongType"),
        ("precision.fallback_rules.min_qty", 0, "OutOfRange"),
        ("ui.column_visibility", [], "WrongType"),
        ("grid_strategy.levels", None, "MissingValue"),
        ("grid_strategy.dca_count", 3, "IncompleteShorthand"),
        ("performance.starting_equity", 0, "OutOfRange"),
        ("exchange.gate.testnet", True, "TestnetUnsupported"),
        ("nope.nope", 1, "UnknownKey"),
    ],
)
def test_one_key(key: str, value: Any, code: str) -> None:
    """Every key has a type, bounds and rules; text is no number and no truth value (EX-1303, EX-1304)."""
    assert code in [each for _, each in found({key: value})]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizing.fixed_quote", "12.5"),
        ("sizing.fixed_quote", 12.5),
        ("grid_strategy.dca_count", None),
        ("exchange.okx.passphrase", None),
        ("performance.starting_equity", None),
        ("security.binding_id", None),
        ("security.key_vault_path", "/srv/vault"),
        ("security.key_vault_path", "a/../vault"),
        ("waiting_rule.selection_priority", ["fifo"]),
        (
            "precision.forced_rules",
            {"BTC/USDT": dict.fromkeys(("tick_size", "step_size", "min_qty"), "1") | {"min_notional": 0}},
        ),
        ("ui.column_visibility", {"positions": ["symbol", "pnl"]}),
        ("app.timezone", "Europe/Berlin"),
    ],
)
def test_good_values(key: str, value: Any) -> None:
    """Decimals may be text, and null stands for a key without a default (EX-1303)."""
    assert found({key: value}) == []


def test_errors_of_keys_come_first_and_then_those_between_keys() -> None:
    """Errors come in the order of the keys, cross-key errors after them in the order of EX-1304."""
    changes = {
        "exchange.okx.testnet": True,
        "logging.audit_log_enabled": False,
        "app.mode": "live",
        "ui.theme": "blue",
        "security.webhook_signature_validation": False,
        "waiting_rule.selection_priority": [],
        "grid_strategy.pyramid_tp_percents": {"5": 1},
        "grid_strategy.max_pyramids_per_group": 4,
        "exchange.okx.enabled": True,
        "exchange.okx.api_key": "k",
    }
    assert found(changes) == [
        ("ui.theme", "InvalidEnum"),
        ("risk_engine.required_pyramids_for_timer", "ExceedsMaxPyramids"),
        ("grid_strategy.pyramid_tp_percents[5]", "PyramidIndexOutOfRange"),
        ("waiting_rule.selection_priority", "InvalidPriorityList"),
        ("security.webhook_signature_validation", "AuthenticationRequired"),
        ("logging.audit_log_enabled", "AuditRequiredInLive"),
        ("exchange.okx.testnet", "TestnetUnsupported"),
        ("exchange.okx.api_secret", "MissingCredential"),
        ("exchange.okx.passphrase", "MissingCredential"),
    ]


def test_authentication_may_be_off_when_nothing_is_ordered() -> None:
    """Alerts need no proof in mode dry_run (EX-1304)."""
    assert found({"security.webhook_signature_validation": False, "app.mode": "dry_run"}) == []


def test_old_and_new_name_must_agree() -> None:
    """The same key under two names is fine with one value and ConflictingAlias with two (EX-1305)."""
    both = {"risk.loss_percent_trigger": "-7", "risk_engine.loss_threshold_percent": -7}
    assert found(both) == []
    assert found({**both, "risk_engine.loss_threshold_percent": -8}) == [
        ("risk_engine.loss_threshold_percent", "ConflictingAlias")
    ]


def test_older_words() -> None:
    """Older words of values are read as the present ones (EX-1305)."""
    config = check_changes({"risk.timer_start_condition": "after_5_pyramids", "grid_strategy.tp_mode": "leg"}).config
    assert (config.risk_engine.timer_start_condition, config.grid_strategy.tp_mode) == (
        "after_pyramids_received",
        "per_leg",
    )


def test_a_secret_is_never_part_of_an_error() -> None:
    """What is wrong with a secret is said without the secret (EX-110)."""
    errors, _ = validate_config({"security.webhook_secret": "short-secret"})
    assert "short-secret" not in json.dumps([error.as_dict() for error in errors])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(catalogue())) | st.text(max_size=12), ANYTHING, max_size=4))
def test_whatever_is_given_is_read_or_refused(changes: dict[str, Any]) -> None:
    """No value is able to raise anything: the answer is a configuration and a list of mistakes (EX-1303)."""
    checked = check_changes(changes)
    assert all(error.code and error.message for error in checked.errors)


def test_secrets_are_shown_as_a_mask() -> None:
    """Whoever shows every key shows that a secret is set, never which (EX-1312, EX-1301)."""
    config = check_changes({"exchange.binance.api_key": "k7Qw9ZxLr2m0PpA4B19Kyyy"}).config
    shown = document_of(config, everything=True)
    assert (shown["exchange.binance.api_key"], shown["exchange.binance.api_secret"]) == (HIDDEN, None)
    assert "exchange.binance.api_key" not in document_of(config)
