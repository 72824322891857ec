"""Older names and words as the specification lists them (EX-1305)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.config.catalogue import catalogue
from service.config.validate import check_changes, validate_config
from tests.service.test_config_spec import SPEC

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the specification is not beside the repository")

PREFIXES = {"risk.": "risk_engine.", "queue.": "waiting_rule.", "UI.": "ui."}
TWO_VALUES: dict[str, tuple[Any, Any]] = {
    "int": (161, 162),
    "Decimal": ("-7", "-8"),
    "bool": (True, False),
    "Mode": ("paper", "dry_run"),
    "LogLevel": ("debug", "error"),
    "tuple": (["fifo"], ["highest_expected_profit"]),
}


def listed() -> list[tuple[str, str]]:
    """Return the pairs of an older and its present name."""
    if not SPEC.exists():
        return []
    text = SPEC.read_text().partition("**EX-1305**")[2].partition("**EX-1306**")[0]
    return re.findall(r"`([\w.]+)` → `([\w.]+)`", text)


def spelled() -> list[tuple[str, str]]:
    """Return every older name, also under the older names of its section, and every key of a renamed section."""
    pairs = [(old, new) for old, new in listed()]
    for prefix, section in PREFIXES.items():
        pairs += [(prefix + old.removeprefix(section), new) for old, new in listed() if old.startswith(section)]
        pairs += [(prefix + key.removeprefix(section), key) for key in catalogue() if key.startswith(section)]
    return pairs


def values_of(key: str) -> tuple[Any, Any]:
    """Return two different good values of a key."""
    hint = catalogue()[key].field.hint
    name = getattr(hint, "__name__", "tuple")
    if key == "risk_engine.max_winners_to_combine":
        return 2, 4
    return TWO_VALUES[name]


def told(changes: dict[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the mistakes and the renamed keys."""
    errors, renamed = validate_config(changes)
    return [(each.path, each.code) for each in errors], [(each.old, each.new) for each in renamed]


def test_the_list_was_found() -> None:
    """EX-1305: seventeen keys have an older name."""
    assert len(listed()) == 17


@pytest.mark.parametrize(("old", "new"), spelled())
def test_every_older_name(old: str, new: str) -> None:
    """EX-1305: an older name is read as the present one, reported as renamed, and judged like it."""
    assert new in catalogue()
    errors, renamed = told({old: {"no": "value"}, "app.read_only": True})
    assert renamed == [(old, new)]
    assert [path.startswith(new) for path, _ in errors] == [True] * len(errors)
    if new != "ui.column_visibility":
        assert errors == [(new, "WrongType")]


@pytest.mark.parametrize(("old", "new"), listed())
def test_old_and_new_name_together(old: str, new: str) -> None:
    """EX-1305: both names with one value are fine, with two ConflictingAlias, in whatever order they are given."""
    one, other = (True, True) if new == "security.store_secrets_encrypted" else values_of(new)
    companions = {"risk_engine.required_pyramids_for_timer": 1}
    if new == "grid_strategy.max_pyramids_per_group":
        one, other = 7, 8
    for first, second in ((old, new), (new, old)):
        assert told({first: one, second: one, **companions}) == ([], [(old, new)])
        if other != one:
            assert told({first: one, second: other, **companions}) == ([(new, "ConflictingAlias")], [(old, new)])


def test_equal_values_may_be_written_differently() -> None:
    """EX-1305: -7 and "-7.0" are one value, and so are a word and its older word."""
    both = {"risk.loss_percent_trigger": "-7.0", "risk_engine.loss_threshold_percent": -7}
    assert told(both)[0] == []
    words = {
        "risk.timer_start_condition": "after_5_pyramids",
        "risk_engine.timer_start_condition": "after_pyramids_received",
    }
    assert told(words) == ([], [("risk.timer_start_condition", "risk_engine.timer_start_condition")])


def test_renamed_keys_stand_in_the_order_they_were_given() -> None:
    """EX-1305, EX-1303: renamed keys and errors both keep the order of the changes; errors use the present names."""
    changes = {
        "UI.theme": "blue",
        "queue.max_queue_minutes": -1,
        "risk.combine_winners_max": 11,
        "app.engine_mode": "simulated",
    }
    assert told(changes) == (
        [
            ("ui.theme", "InvalidEnum"),
            ("waiting_rule.max_queue_minutes", "OutOfRange"),
            ("risk_engine.max_winners_to_combine", "OutOfRange"),
            ("app.mode", "InvalidEnum"),
        ],
        [
            ("UI.theme", "ui.theme"),
            ("queue.max_queue_minutes", "waiting_rule.max_queue_minutes"),
            ("risk.combine_winners_max", "risk_engine.max_winners_to_combine"),
            ("app.engine_mode", "app.mode"),
        ],
    )


def test_older_words_are_values_not_keys() -> None:
    """EX-1305: older words are read as the present ones and are not reported as renamed."""
    changes = {"grid_strategy.tp_mode": "leg", "risk_engine.timer_start_condition": "after_5_pyramids"}
    assert told(changes) == ([], [])
    config = check_changes(changes).config
    assert config.grid_strategy.tp_mode.value == "per_leg"
    assert config.risk_engine.timer_start_condition.value == "after_pyramids_received"
