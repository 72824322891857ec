"""Keys that depend on each other, and which settings hold for a group."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.config import parse
from service.config.overrides import effective
from tests.service.test_config_reading import mistakes

LAYER = "{{gap_percent = {}, weight_percent = 50, tp_percent = 1}}"
TWO_LAYERS = f"{LAYER.format(0)}, {LAYER.format(-1)}"


def layers(*rows: tuple[str, str, str]) -> str:
    """Return the levels key with these gaps, weights and targets."""
    entries = (f"{{gap_percent = {gap}, weight_percent = {weight}, tp_percent = {tp}}}" for gap, weight, tp in rows)
    return f"[grid_strategy]\nlevels = [{', '.join(entries)}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (layers(), [("grid_strategy.levels", "EmptyLevels")]),
        (layers(("0", "60", "1"), ("-1", "60", "1")), [("grid_strategy.levels", "WeightSum")]),
        (layers(("0", "33.33", "1"), ("-1", "33.33", "1"), ("-2", "33.33", "1")), []),
        (layers(("0", "99.89", "1")), [("grid_strategy.levels", "WeightSum")]),
        (layers(("0", "50", "1"), ("0.5", "50", "1")), [("grid_strategy.levels[1].gap_percent", "InvalidGapSign")]),
        (layers(("0", "50", "1"), ("0", "50", "1")), [("grid_strategy.levels[1].gap_percent", "GapsNotDescending")]),
        (layers(("0", "50", "1"), ("-100", "50", "1")), [("grid_strategy.levels[1].gap_percent", "OutOfRange")]),
        (
            layers(("0", "0", "1"), ("-1", "100", "0")),
            [
                ("grid_strategy.levels[0].weight_percent", "OutOfRange"),
                ("grid_strategy.levels[1].tp_percent", "OutOfRange"),
            ],
        ),
        (
            layers(*((str(-i), "12.5", "1") for i in range(8))),
            [("grid_strategy.levels", "TooManyLayers")],
        ),
    ],
)
def test_layers(text: str, expected: list[tuple[str, str]]) -> None:
    """Layers obey the layer rules (EX-404, EX-405), and all mistakes are reported."""
    assert mistakes(text) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("dca_count = 5\ndca_gap_percent = 0.5", []),
        ("dca_count = 5", [("grid_strategy.dca_gap_percent", "IncompleteShorthand")]),
        ("dca_gap_percent = 0.5", [("grid_strategy.dca_count", "IncompleteShorthand")]),
        ("dca_count = 8\ndca_gap_percent = 0.5", [("grid_strategy.dca_count", "OutOfRange")]),
        ("dca_count = 5\ndca_gap_percent = 25", [("grid_strategy.dca_gap_percent", "OutOfRange")]),
        ("dca_count = 5\ndca_gap_percent = 24.9", []),
        (
            f"dca_count = 2\ndca_gap_percent = 1\nlevels = [{TWO_LAYERS}]",
            [("grid_strategy.dca_count", "ShorthandConflictsWithLevels")],
        ),
    ],
)
def test_shorthand(keys: str, expected: list[tuple[str, str]]) -> None:
    """The shorthand needs both keys, excludes explicit levels and stays within 100 % (EX-406)."""
    assert mistakes(f"[grid_strategy]\n{keys}") == expected


def test_pyramid_indices_fit_the_number_of_pyramids() -> None:
    """Specific layers go from 1, targets from 0, both up to the last pyramid (EX-1304)."""
    keys = (
        f"pyramid_specific_levels = {{0 = [{TWO_LAYERS}], 4 = [{TWO_LAYERS}]}}\npyramid_tp_percents = {{0 = 1, 5 = 1}}"
    )
    assert mistakes(f"[grid_strategy]\n{keys}") == [
        ("grid_strategy.pyramid_specific_levels[0]", "PyramidIndexOutOfRange"),
        ("grid_strategy.pyramid_tp_percents[5]", "PyramidIndexOutOfRange"),
    ]


def test_a_key_that_is_wrong_already_is_not_reported_twice() -> None:
    """One mistake a key: the cross-key rules add nothing to it (EX-1303)."""
    assert mistakes("[supervision]\nbackoff_base_ms = 70_000\nbackoff_cap_ms = 10") == [
        ("supervision.backoff_base_ms", "OutOfRange")
    ]


def test_accounts_do_not_compete() -> None:
    """Two accounts share neither a name nor an exchange: an alert has one place to go."""
    text = "[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'b'\nexchange = 'okx'"
    assert mistakes(text) == [("accounts[1].name", "Duplicate"), ("accounts[1].exchange", "Duplicate")]


def test_a_replay_needs_files() -> None:
    """Replay without files is refused where it is asked for."""
    text = "[market]\nsource = 'replay'\nsymbols = ['A/B', 'A/B']\n[[accounts]]\nname = 'a'\nmarket = 'replay'"
    assert mistakes(text) == [
        ("market.symbols[1]", "Duplicate"),
        ("market.source", "MissingValue"),
        ("accounts[0].market", "MissingValue"),
    ]


OVERRIDES = """
[[grid_strategy.overrides]]
match = {symbol = "BTC/USDT"}
tp_percent = 2
[[grid_strategy.overrides]]
match = {venue = "binance", timeframe = "1h"}
tp_percent = 3
fixed_quote = 50
[[grid_strategy.overrides]]
match = {venue = "binance", symbol = "ETH/USDT"}
tp_percent = 4
"""


@pytest.mark.parametrize(
    ("venue", "symbol", "timeframe", "tp_percent", "fixed_quote"),
    [
        ("okx", "SOL/USDT", "1h", 1, 100),
        ("okx", "BTC/USDT", "1h", 2, 100),
        ("binance", "BTC/USDT", "1h", 3, 50),
        ("binance", "ETH/USDT", "1h", 4, 100),
        ("binance", "ETH/USDT", "5m", 4, 100),
    ],
)
def test_the_most_specific_override_wins(
    venue: str, symbol: str, timeframe: str, tp_percent: int, fixed_quote: int
) -> None:
    """The entry that names most parts wins, the later one on a tie (EX-407)."""
    grid, sizing = effective(parse(OVERRIDES, {}), venue=venue, symbol=symbol, timeframe=timeframe)
    assert (grid.tp_percent, sizing.fixed_quote) == (Decimal(tp_percent), Decimal(fixed_quote))


def test_an_override_is_checked_with_the_settings_it_leads_to() -> None:
    """An override that makes the whole impossible is refused with its own path."""
    text = "[[grid_strategy.overrides]]\nmatch = {symbol = 'A/B'}\nmax_pyramids_per_group = 1\npyramid_tp_percents = {1 = 1}"
    assert mistakes(text) == [("grid_strategy.overrides[0].pyramid_tp_percents[1]", "PyramidIndexOutOfRange")]


def test_an_override_may_replace_the_shorthand_by_levels() -> None:
    """Levels of an override stand in for a general shorthand, and the other way round."""
    shorthand = "dca_count = 2\ndca_gap_percent = 1"
    override = "[[grid_strategy.overrides]]\nmatch = {symbol = 'A/B'}"
    assert mistakes(f"[grid_strategy]\n{shorthand}\n{override}\nlevels = [{TWO_LAYERS}]") == []
    assert mistakes(f"[grid_strategy]\nlevels = [{TWO_LAYERS}]\n{override}\n{shorthand}") == []
