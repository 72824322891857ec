"""What a position group is told of its configuration."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import GridConfig, Level, TpMode
from service.config import Config, parse
from service.config.grid_config import grid_config

SHORTHAND = "[grid_strategy]\ndca_count = 3\ndca_gap_percent = 0.7\ntp_percent = 1.2\n"


def of(text: str, symbol: str = "BTC/USDT") -> GridConfig:
    """Return the settings of a group of ``symbol``."""
    return grid_config(parse(text, {}), venue="binance", symbol=symbol, timeframe="1h")


def test_the_defaults_are_those_of_the_rules() -> None:
    """Nothing configured means the layers of EX-402 and the defaults of the rules."""
    assert grid_config(Config(), venue="binance", symbol="BTC/USDT", timeframe="1h") == GridConfig()


def test_the_shorthand_generates_its_layers() -> None:
    """Number and distance become equal layers with the common target (EX-406)."""
    target = Decimal("1.2")
    weight = Decimal("33.33")
    assert of(SHORTHAND).levels == (
        Level(Decimal(0), weight, target),
        Level(Decimal("-0.7"), weight, target),
        Level(Decimal("-1.4"), Decimal("33.34"), target),
    )


def test_every_section_reaches_the_group() -> None:
    """Ladder, sizing and precision keys arrive in the settings a group freezes (EX-326)."""
    text = """
        [grid_strategy]
        tp_mode = "hybrid"
        max_pyramids_per_group = 3
        pyramid_specific_levels = { 2 = [{ gap_percent = 0, weight_percent = 100, tp_percent = 3 }] }
        [risk_engine]
        required_pyramids_for_timer = 3
        [sizing]
        max_quote_per_pyramid = 1000
        [precision]
        enforce_step_size = false
    """
    found = of(text)
    assert (found.tp_mode, found.max_pyramids_per_group) == (TpMode.HYBRID, 3)
    assert found.levels_of(2) == (Level(Decimal(0), Decimal(100), Decimal(3)),)
    assert (found.max_quote_per_pyramid, found.enforce_step_size) == (Decimal(1000), False)


def test_overrides_hold_for_their_symbol_only() -> None:
    """An override changes the settings of what it matches and nothing else (EX-407)."""
    text = (
        SHORTHAND
        + "[[grid_strategy.overrides]]\nmatch = {symbol = 'ETH/USDT'}\ndca_count = 2\nmax_quote_per_pyramid = 5"
    )
    ours, other = of(text, "ETH/USDT"), of(text)
    assert (len(ours.levels), ours.max_quote_per_pyramid) == (2, Decimal(5))
    assert (len(other.levels), other.max_quote_per_pyramid) == (3, Decimal(0))


def test_slippage_and_funds_reach_the_group() -> None:
    """The tolerance of market orders, what an excess does, and the fee buffer are part of a group's settings (EX-326)."""
    text = """
        [risk_engine]
        max_slippage_percent = 2
        slippage_action = "reject"
        slippage_guard = "capped"
        [sizing]
        fee_buffer_percent = 0.5
    """
    grid = grid_config(parse(text, {}), venue="binance", symbol="BTC/USDT", timeframe="1h")
    assert (grid.max_slippage_percent, grid.slippage_action, grid.slippage_guard, grid.fee_buffer_percent) == (
        Decimal(2),
        "reject",
        "capped",
        Decimal("0.5"),
    )
