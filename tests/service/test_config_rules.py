"""Rules between keys, one by one at their edges and all at once in the order of EX-1304."""

from __future__ import annotations

from typing import Any

import pytest

from service.config.exchange import VENUES
from service.config.validate import validate_config

GRID = "grid_strategy"


def found(changes: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (path, code) of every mistake."""
    return [(error.path, error.code) for error in validate_config(changes)[0]]


def layers(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    """Return layers as JSON holds them."""
    return [dict(zip(("gap_percent", "weight_percent", "tp_percent"), row, strict=True)) for row in rows]


FAULTY = layers(*((str(1 - number), "20", "0" if number == 3 else "1") for number in range(8)))
FAULTS = [
    ("", "TooManyLayers"),
    ("[0].gap_percent", "InvalidGapSign"),
    ("[3].tp_percent", "OutOfRange"),
    ("", "WeightSum"),
]
EVERYTHING: dict[str, Any] = {
    "exchange.gate.enabled": True,
    "exchange.okx.enabled": True,
    "exchange.okx.api_secret": "s",
    "exchange.mexc.testnet": True,
    "exchange.kucoin.testnet": True,
    "logging.audit_log_enabled": False,
    "security.webhook_signature_validation": False,
    "security.store_secrets_encrypted": False,
    "app.mode": "live",
    "waiting_rule.selection_priority": ["fifo", "fifo"],
    f"{GRID}.dca_count": 7,
    f"{GRID}.dca_gap_percent": 20,
    f"{GRID}.pyramid_tp_percents": {"3": 1, "2": 1, "-1": 1},
    f"{GRID}.pyramid_specific_levels": {"2": FAULTY, "0": layers(("0", "100", "1")), "1": []},
    f"{GRID}.levels": FAULTY,
    f"{GRID}.max_pyramids_per_group": 3,
}


def test_every_rule_at_once() -> None:
    """EX-1304: broken rules are told in the order of the list, whatever the order of the keys; of layers all faults."""
    expected = [
        ("risk_engine.required_pyramids_for_timer", "ExceedsMaxPyramids"),
        *((f"{GRID}.levels{path}", code) for path, code in FAULTS),
        *((f"{GRID}.pyramid_specific_levels[2]{path}", code) for path, code in FAULTS),
        (f"{GRID}.pyramid_specific_levels[1]", "EmptyLevels"),
        (f"{GRID}.pyramid_specific_levels[0]", "PyramidIndexOutOfRange"),
        (f"{GRID}.pyramid_tp_percents[3]", "PyramidIndexOutOfRange"),
        (f"{GRID}.pyramid_tp_percents[-1]", "PyramidIndexOutOfRange"),
        (f"{GRID}.dca_count", "ShorthandConflictsWithLevels"),
        (f"{GRID}.dca_gap_percent", "OutOfRange"),
        ("waiting_rule.selection_priority", "InvalidPriorityList"),
        ("security.store_secrets_encrypted", "EncryptionRequired"),
        ("security.webhook_signature_validation", "AuthenticationRequired"),
        ("logging.audit_log_enabled", "AuditRequiredInLive"),
        ("exchange.kucoin.testnet", "TestnetUnsupported"),
        ("exchange.mexc.testnet", "TestnetUnsupported"),
        ("exchange.okx.api_key", "MissingCredential"),
        ("exchange.okx.passphrase", "MissingCredential"),
        ("exchange.gate.api_key", "MissingCredential"),
        ("exchange.gate.api_secret", "MissingCredential"),
    ]
    assert found(EVERYTHING) == expected
    assert found(dict(reversed(EVERYTHING.items())))[:5] == expected[:5]


def test_a_key_in_error_breaks_no_rule() -> None:
    """EX-1303: what is wrong by itself is not told again by a rule, and the default stands in for it elsewhere."""
    assert found({**EVERYTHING, f"{GRID}.levels": "all", "app.mode": 1, "exchange.mexc.testnet": "yes"})[:3] == [
        ("exchange.mexc.testnet", "WrongType"),
        ("app.mode", "WrongType"),
        (f"{GRID}.levels", "WrongType"),
    ]
    assert found({f"{GRID}.dca_count": 0, f"{GRID}.dca_gap_percent": 1}) == [(f"{GRID}.dca_count", "OutOfRange")]
    wrong_key = {"app.mode": "live", "exchange.mexc.enabled": True, "exchange.mexc.api_secret": "s"}
    assert found({**wrong_key, "exchange.mexc.api_key": 5}) == [("exchange.mexc.api_key", "WrongType")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"risk_engine.required_pyramids_for_timer": 5, f"{GRID}.max_pyramids_per_group": 5}, []),
        ({"risk_engine.required_pyramids_for_timer": 3, f"{GRID}.max_pyramids_per_group": 3}, []),
        ({f"{GRID}.levels": layers(("0", "99.9", "1"))}, []),
        ({f"{GRID}.levels": layers(("0", "99.89", "1"))}, [(f"{GRID}.levels", "WeightSum")]),
        ({f"{GRID}.levels": layers(("0", "50", "1"), ("-1", "50.01", "1"))}, [(f"{GRID}.levels", "WeightSum")]),
        ({f"{GRID}.levels": layers(("-99.99", "100", "1000"))}, []),
        ({f"{GRID}.levels": layers(("-100", "100", "1"))}, [(f"{GRID}.levels[0].gap_percent", "OutOfRange")]),
        ({f"{GRID}.levels": []}, [(f"{GRID}.levels", "EmptyLevels")]),
        ({f"{GRID}.pyramid_specific_levels": {"1": layers(("0", "100", "1")), "4": layers(("0", "100", "1"))}}, []),
        (
            {f"{GRID}.pyramid_specific_levels": {"5": layers(("0", "100", "1"))}},
            [(f"{GRID}.pyramid_specific_levels[5]", "PyramidIndexOutOfRange")],
        ),
        ({f"{GRID}.pyramid_tp_percents": {"0": "1", "4": 2}}, []),
        (
            {f"{GRID}.pyramid_tp_percents": {"12345": 2}},
            [(f"{GRID}.pyramid_tp_percents[12345]", "PyramidIndexOutOfRange")],
        ),
        ({f"{GRID}.pyramid_tp_percents": {"x": 2}}, [(f"{GRID}.pyramid_tp_percents[x]", "PyramidIndexOutOfRange")]),
        ({f"{GRID}.pyramid_tp_percents": {"0": 0}}, [(f"{GRID}.pyramid_tp_percents[0]", "OutOfRange")]),
        ({f"{GRID}.dca_count": 3}, [(f"{GRID}.dca_gap_percent", "IncompleteShorthand")]),
        ({f"{GRID}.dca_gap_percent": 1}, [(f"{GRID}.dca_count", "IncompleteShorthand")]),
        ({f"{GRID}.dca_count": None, f"{GRID}.dca_gap_percent": None}, []),
        ({f"{GRID}.dca_count": 5, f"{GRID}.dca_gap_percent": "24.999"}, []),
        ({f"{GRID}.dca_count": 5, f"{GRID}.dca_gap_percent": 25}, [(f"{GRID}.dca_gap_percent", "OutOfRange")]),
        ({f"{GRID}.dca_count": 1, f"{GRID}.dca_gap_percent": 500}, []),
        ({f"{GRID}.dca_count": 8}, [(f"{GRID}.dca_count", "OutOfRange")]),
        (
            {f"{GRID}.dca_count": 8, f"{GRID}.dca_gap_percent": 50, f"{GRID}.levels": FAULTY[1:2]},
            [(f"{GRID}.levels", "WeightSum"), (f"{GRID}.dca_count", "OutOfRange")],
        ),
        ({f"{GRID}.dca_count": 8, f"{GRID}.dca_gap_percent": 1}, [(f"{GRID}.dca_count", "OutOfRange")]),
        (
            {f"{GRID}.dca_count": 8, f"{GRID}.dca_gap_percent": 1, f"{GRID}.max_dca_per_pyramid": 8},
            [],
        ),
        (
            {f"{GRID}.max_dca_per_pyramid": 4, f"{GRID}.levels": FAULTY[1:6]},
            [
                (f"{GRID}.levels", "TooManyLayers"),
                (f"{GRID}.levels[2].tp_percent", "OutOfRange"),
            ],
        ),
        ({"waiting_rule.selection_priority": ["fifo"]}, []),
        ({"waiting_rule.selection_priority": []}, [("waiting_rule.selection_priority", "InvalidPriorityList")]),
        ({"waiting_rule.selection_priority": ["luck"]}, [("waiting_rule.selection_priority", "InvalidPriorityList")]),
        ({"logging.audit_log_enabled": False}, []),
        ({"logging.audit_log_enabled": False, "app.mode": "dry_run"}, []),
        ({"security.webhook_signature_validation": False, "app.mode": "dry_run"}, []),
        (
            {"security.store_secrets_encrypted": False, "app.mode": "dry_run"},
            [("security.store_secrets_encrypted", "EncryptionRequired")],
        ),
    ],
)
def test_the_edges_of_each_rule(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """EX-1304, EX-405, EX-406: the last value that passes and the first that does not, of every rule."""
    assert found(changes) == expected


@pytest.mark.parametrize("venue", VENUES)
def test_each_venue(venue: str) -> None:
    """EX-1102, EX-1304: test networks of Binance and Bybit only; passphrases for OKX and KuCoin; nothing unless live."""
    path = f"exchange.{venue}"
    unsupported = [] if venue in ("binance", "bybit") else [(f"{path}.testnet", "TestnetUnsupported")]
    assert found({f"{path}.testnet": True}) == unsupported
    assert found({f"{path}.testnet": False}) == []
    needed = ["api_key", "api_secret", *(["passphrase"] if venue in ("okx", "kucoin") else [])]
    live = {"app.mode": "live", f"{path}.enabled": True}
    assert found(live) == [(f"{path}.{name}", "MissingCredential") for name in needed]
    for left_out in needed:
        given = {f"{path}.{name}": "x" for name in needed if name != left_out}
        assert found({**live, **given}) == [(f"{path}.{left_out}", "MissingCredential")]
        assert found({**live, **given, f"{path}.{left_out}": None}) == [(f"{path}.{left_out}", "MissingCredential")]
    assert found({**live, **{f"{path}.{name}": "x" for name in needed}}) == []
    for mode in ("paper", "dry_run"):
        assert found({**live, "app.mode": mode}) == []
    assert found({**live, f"{path}.enabled": False}) == []
