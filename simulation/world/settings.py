"""Configurations that a house may run with: sensible ones, from each corner of what can be set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulation.world.draw import Draw, stream

__all__ = ["CHOICES", "LADDERS", "settings_of"]


def _ladder(*layers: tuple[float, float, float]) -> list[dict[str, float]]:
    return [{"gap_percent": gap, "weight_percent": weight, "tp_percent": target} for gap, weight, target in layers]


LADDERS: Final = (
    _ladder((0, 100, 5)),
    _ladder((0, 50, 3), (-0.5, 50, 3)),
    _ladder((0, 40, 1), (-0.6, 30, 1), (-1.2, 30, 1.5)),
    _ladder((0, 20, 1), (-0.5, 20, 0.5), (-1, 20, 1), (-1.5, 20, 1.5), (-2, 20, 2)),
    _ladder((-0.3, 30, 2.5), (-0.9, 30, 2.5), (-2.5, 39.95, 4)),
    _ladder((0, 96, 0.6), (-0.4, 2, 0.6), (-0.8, 2, 0.6)),
)
"""Layers of a ladder. The last has layers that are too small for some markets."""

CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "app.timezone": ("UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"),
    "signal.dedupe_window_seconds": (86_400, 86_400, 60),
    "signal.near_duplicate_window_seconds": (5, 0, 60),
    "signal.max_age_seconds": (60, 60, 300),
    "signal.infer_exit_from_flat": (True, True, False),
    "signal.opposite_signal_policy": ("queue", "reverse"),
    "signal.honor_stop_loss": (False, True, True),
    "signal.honor_take_profit": (False, True),
    "sizing.source": ("signal", "signal", "signal", "fixed_quote"),
    "sizing.fixed_quote": (100, 750),
    "sizing.max_quote_per_pyramid": (0, 0, 2_000),
    "execution_pool.count_pyramids_toward_pool": (False, False, True),
    "execution_pool.count_dca_toward_pool": (False, False, True),
    "execution_pool.queue_limit": (100, 100, 3, 1, 0),
    "priority_rules.priority_rules_enabled.same_pair_timeframe": (True, True, False),
    "priority_rules.priority_rules_enabled.deepest_loss_percent": (True, False),
    "waiting_rule.selection_priority": (
        [
            "pyramid_continuation",
            "highest_loss_percent",
            "highest_replacement_count",
            "highest_expected_profit",
            "fifo",
        ],
        ["fifo"],
        ["highest_expected_profit", "highest_loss_percent", "fifo"],
    ),
    "waiting_rule.queue_replace_same_symbol": (True, True, False),
    "waiting_rule.drop_on_exit": (True, True, False),
    "waiting_rule.cancel_opposite_queued": (True, True, False),
    "waiting_rule.max_queue_minutes": (1_440, 0, 90, 600),
    "waiting_rule.promotion_price": ("signal", "market"),
    "grid_strategy.tp_mode": ("per_leg", "per_leg", "aggregate", "hybrid", "pyramid_aggregate"),
    "grid_strategy.tp_aggregate_percent": (1, 2.5, 6),
    "grid_strategy.pyramid_scope": ("combined", "per_pyramid"),
    "grid_strategy.when_flat_with_pending": ("close", "keep"),
    "grid_strategy.entry_order_type": ("limit", "limit", "market"),
    "grid_strategy.price_rounding": ("down", "passive"),
    "grid_strategy.tp_trigger_price": ("executable", "last"),
    "grid_strategy.on_recovery": ("resume", "resume", "resume", "flatten"),
    "grid_strategy.recovery_max_gap_s": (0, 30, 600),
    "grid_strategy.max_pyramids_per_group": (3, 5, 5, 8),
    "precision.blocked_leg_policy": ("skip_leg", "skip_leg", "reject_pyramid"),
    "risk_engine.enabled": (True, True, True, True, False),
    "risk_engine.loss_threshold_percent": (-0.5, -1, -2),
    "risk_engine.require_full_pyramids": (False, False, True),
    "risk_engine.required_pyramids_for_timer": (1, 1, 1, 2),
    "risk_engine.enable_post_full_wait": (True, False),
    "risk_engine.post_pyramids_wait_minutes": (0, 5, 30),
    "risk_engine.timer_start_condition": (
        "after_pyramids_received",
        "after_pyramids_received",
        "after_all_dca_submitted",
        "after_all_dca_filled",
    ),
    "risk_engine.reset_timer_on_replacement": (False, True),
    "risk_engine.partial_close_enabled": (True, True, False),
    "risk_engine.on_insufficient_winners": ("partial_loser", "wait"),
    "risk_engine.evaluate_interval_sec": (60, 300, 900),
    "risk_engine.max_plans_per_cycle": (5, 1),
    "risk_engine.max_slippage_percent": (1, 0.1),
    "risk_engine.slippage_action": ("warn", "reject"),
    "risk_engine.slippage_guard": ("post", "capped"),
    "account.fee_in_base": (False, False, True),
    "account.half_spread_bps": (0.5, 2, 10),
    "account.slippage_bps": (0, 1, 5),
    "account.latency_ms": (0, 20, 20, 400),
    "account.jitter_ms": (0, 0, 200),
    "account.smallest_share": (1, 1, 1, 0.4),
    "account.participation": (None, None, None, 0.5),
    "account.leverage": (1, 3, 10),
    "account.ohlc_path": ("up_down", "pessimistic"),
    "journal.snapshot_every": (1_000, 200, 50, 7),
    "supervision.max_restarts": (3, 5, 8, 20, 50),
    "supervision.window_s": (60, 60, 300),
    "supervision.backoff_base_ms": (100, 250, 1_000),
    "supervision.backoff_cap_ms": (5_000, 30_000),
}
"""Key to what it may be, the likelier more often; None leaves it unset. ``account.`` are keys of the account."""

_POOL_SIZES: Final = (2, 20)
_THIN: Final = {"account.half_spread_bps": 20, "account.participation": 0.25}
"""The account of a world with a thin market: its spread is wide, and nobody gets more than a share of what trades."""


def settings_of(seed: int, *, thin: bool = False) -> dict[str, Any]:
    """Return the settings of a seed: plain JSON values by dotted key; ``thin`` when a market is."""
    draw = stream(seed, "settings")
    chosen: dict[str, Any] = {key: draw.choice(values) for key, values in CHOICES.items()}
    chosen["execution_pool.max_open_groups"] = draw.randint(*_POOL_SIZES)
    chosen["grid_strategy.levels"] = draw.choice(LADDERS)
    if overrides := _overrides(draw):
        chosen["grid_strategy.overrides"] = overrides
    if draw.random() < 0.3:
        chosen["grid_strategy.pyramid_specific_levels"] = {"1": draw.choice(LADDERS)}
    if thin:
        chosen |= _THIN
    return {key: value for key, value in chosen.items() if value is not None}


def _overrides(draw: Draw) -> list[dict[str, Any]]:
    """Return other ways to take profit for some markets or timeframes."""
    found: list[dict[str, Any]] = []
    if draw.random() < 0.4:
        mode = draw.choice(CHOICES["grid_strategy.tp_mode"])
        found.append({"match": {"symbol": draw.choice(("BTC/USDT", "ETH/USDT", "SOL/USDT"))}, "tp_mode": mode})
    if draw.random() < 0.2:
        found.append({"match": {"timeframe": draw.choice(("5m", "1h"))}, "entry_order_type": "market"})
    return found
