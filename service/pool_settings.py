"""What a pool is told of the configuration."""

from __future__ import annotations

from protocol.instruments import PrecisionRules
from rules.pool import PoolSettings, ranking_rules
from service.config import Config
from service.config.daemon import Mode
from service.config.market import Account
from service.config.queue import PromotionPrice
from service.config.trading import FallbackRules, ForcedRules, OppositePolicy

__all__ = ["pool_settings"]


def pool_settings(config: Config, account: Account) -> PoolSettings:
    """Return the settings of one account's pool, as they stand in a configuration."""
    pool, waiting = config.execution_pool, config.waiting_rule
    enabled = config.priority_rules.priority_rules_enabled
    switches = {name: getattr(enabled, name) for name in enabled.__struct_fields__}
    precision = config.precision
    return PoolSettings(
        max_open_groups=pool.max_open_groups,
        count_pyramids=pool.count_pyramids_toward_pool,
        count_dca=pool.count_dca_toward_pool,
        queue_limit=pool.queue_limit,
        same_pair_timeframe=enabled.same_pair_timeframe,
        rules=ranking_rules(waiting.selection_priority, switches),
        replace=waiting.queue_replace_same_symbol,
        drop_on_exit=waiting.drop_on_exit,
        cancel_opposite=waiting.cancel_opposite_queued,
        max_queue_minutes=waiting.max_queue_minutes,
        market_price=waiting.promotion_price is PromotionPrice.MARKET,
        reverse_policy=config.signal.opposite_signal_policy is OppositePolicy.REVERSE,
        fee_buffer_percent=config.sizing.fee_buffer_percent,
        leverage=account.leverage,
        refresh_seconds=precision.refresh_seconds,
        block_on_missing=precision.block_on_missing_metadata,
        fallback_rules=_rules(precision.fallback_rules),
        dry_run=config.app.mode is Mode.DRY_RUN,
        forced_rules={symbol: _rules(rules) for symbol, rules in precision.forced_rules.items()},
    )


def _rules(section: FallbackRules | ForcedRules) -> PrecisionRules:
    return PrecisionRules(section.tick_size, section.step_size, section.min_qty, section.min_notional)
