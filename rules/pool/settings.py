"""What an operator decides about pool and queue, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from protocol.instruments import PrecisionRules
from rules.precision import FALLBACK_RULES

__all__ = ["PoolSettings", "RankRule", "ranking_rules"]


class RankRule(StrEnum):
    """The rules of the queue, in their default order (EX-920)."""

    CONTINUATION = "pyramid_continuation"
    LOSS = "highest_loss_percent"
    REPLACEMENTS = "highest_replacement_count"
    PROFIT = "highest_expected_profit"
    FIFO = "fifo"


_SWITCH: Final = {
    RankRule.CONTINUATION: "same_pair_timeframe",
    RankRule.LOSS: "deepest_loss_percent",
    RankRule.REPLACEMENTS: "highest_replacement",
    RankRule.PROFIT: "highest_expected_profit",
    RankRule.FIFO: "fifo_fallback",
}


def ranking_rules(priority: tuple[str, ...], enabled: Mapping[str, bool]) -> tuple[RankRule, ...]:
    """Return the rules that apply, in order: those of ``priority`` whose switch is not off (EX-923)."""
    wanted = (RankRule(name) for name in priority)
    return tuple(rule for rule in wanted if enabled.get(_SWITCH[rule], True))


class PoolSettings(NamedTuple):
    """All settings of one pool. ``rules`` are those that apply, in order; ``max_queue_minutes`` 0 = never.

    ``same_pair_timeframe`` lets pyramids pass the limit (EX-904), ``reverse_policy`` makes every entry for the other side
    of a live group a reversal (EX-919), ``market_price`` reprices entries at promotion (EX-918). ``leverage`` is that of
    the account's perpetuals: what they bind of the free margin. With ``dry_run`` nothing enters: see ``rules.pool.dry_run``.
    """

    max_open_groups: int = 10
    count_pyramids: bool = False
    count_dca: bool = False
    queue_limit: int = 100
    same_pair_timeframe: bool = True
    rules: tuple[RankRule, ...] = tuple(RankRule)
    replace: bool = True
    drop_on_exit: bool = True
    cancel_opposite: bool = True
    max_queue_minutes: int = 1440
    market_price: bool = False
    reverse_policy: bool = False
    fee_buffer_percent: Decimal = Decimal("0.2")
    leverage: Decimal = Decimal(1)
    refresh_seconds: int = 172_800
    block_on_missing: bool = True
    fallback_rules: PrecisionRules = FALLBACK_RULES
    forced_rules: Mapping[str, PrecisionRules] = MappingProxyType({})
    dry_run: bool = False

    @property
    def queue_age_ns(self) -> int:
        """Longest wait without a refresh; 0 = for ever."""
        return self.max_queue_minutes * 60 * 10**9
