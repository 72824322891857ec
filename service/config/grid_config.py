"""What a position group is told of its configuration: the frozen ``GridConfig`` of its venue, symbol and timeframe."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.groups import GridConfig, Level, SlippageAction, SlippageGuard
from protocol.groups.tolerance import Tolerance
from rules.ladder import generate_levels
from service.config.document import Config
from service.config.grid import GridStrategy, Layer
from service.config.overrides import effective

__all__ = ["as_levels", "grid_config", "tolerance"]


def grid_config(config: Config, *, venue: str, symbol: str, timeframe: str) -> GridConfig:
    """Return the settings a group freezes when it opens (EX-326), overrides applied (EX-407)."""
    grid, sizing = effective(config, venue=venue, symbol=symbol, timeframe=timeframe)
    precision = config.precision
    specific = {pyramid: as_levels(layers) for pyramid, layers in grid.pyramid_specific_levels.items()}
    slip = tolerance(config)
    return GridConfig(
        levels=_levels(grid),
        pyramid_specific_levels=specific,
        max_pyramids_per_group=grid.max_pyramids_per_group,
        max_dca_per_pyramid=grid.max_dca_per_pyramid,
        tp_mode=grid.tp_mode,
        tp_aggregate_percent=grid.tp_aggregate_percent,
        pyramid_tp_percents=grid.pyramid_tp_percents,
        pyramid_scope=grid.pyramid_scope,
        entry_order_type=grid.entry_order_type,
        price_rounding=grid.price_rounding,
        tp_trigger_price=grid.tp_trigger_price,
        when_flat_with_pending=grid.when_flat_with_pending,
        max_quote_per_pyramid=sizing.max_quote_per_pyramid,
        fee_buffer_percent=sizing.fee_buffer_percent,
        max_slippage_percent=slip.max_slippage_percent,
        slippage_action=slip.action,
        slippage_guard=slip.guard,
        enforce_tick_size=precision.enforce_tick_size,
        enforce_step_size=precision.enforce_step_size,
        enforce_min_notional=precision.enforce_min_notional,
        blocked_leg_policy=precision.blocked_leg_policy,
        on_recovery=grid.on_recovery,
        recovery_max_gap_s=grid.recovery_max_gap_s,
    )


def as_levels(layers: Iterable[Layer]) -> tuple[Level, ...]:
    """Return configured layers as the rules know them."""
    return tuple(Level(layer.gap_percent, layer.weight_percent, layer.tp_percent) for layer in layers)


def _levels(grid: GridStrategy) -> tuple[Level, ...]:
    if grid.levels is not None:
        return as_levels(grid.levels)
    if grid.dca_count is not None and grid.dca_gap_percent is not None:
        return generate_levels(grid.dca_count, grid.dca_gap_percent, grid.tp_percent)
    return GridConfig().levels


def tolerance(config: Config) -> Tolerance:
    """Return how far market orders may slip; running groups follow it (EX-1302)."""
    risk = config.risk_engine
    action, guard = SlippageAction(risk.slippage_action.value), SlippageGuard(risk.slippage_guard.value)
    return Tolerance(risk.max_slippage_percent, action, guard)
