"""Sections of the pool: how many groups may be open, who waits, and who comes first (EX-901 to EX-924)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from service.config.keys import Key, Section

__all__ = ["RANKING", "ExecutionPool", "PriorityRules", "PromotionPrice", "RulesEnabled", "WaitingRule"]

RANKING: Final = (
    "pyramid_continuation",
    "highest_loss_percent",
    "highest_replacement_count",
    "highest_expected_profit",
    "fifo",
)
"""The rules of the queue in their default order (EX-920)."""


class PromotionPrice(StrEnum):
    """Entry price of a promoted signal."""

    SIGNAL = "signal"
    MARKET = "market"


class ExecutionPool(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many position groups may be open at once."""

    max_open_groups: Annotated[
        int, Key(doc="Slots per user.", unit="groups", applies="now", at_least=1, at_most=1000)
    ] = 10
    count_pyramids_toward_pool: Annotated[
        bool, Key(doc="Continuation pyramids occupy slots (EX-902).", applies="now")
    ] = False
    count_dca_toward_pool: Annotated[bool, Key(doc="DCA legs after leg 0 occupy slots (EX-902).", applies="now")] = (
        False
    )
    queue_limit: Annotated[
        int,
        Key(
            doc="Entries that may wait; 0 = no queue (EX-914).",
            unit="entries",
            applies="now",
            at_least=0,
            at_most=10_000,
        ),
    ] = 100


class RulesEnabled(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which ranking rules count (EX-920)."""

    same_pair_timeframe: Annotated[
        bool, Key(doc="Pyramids of a live group pass the limit and rank first.", applies="now")
    ] = True
    deepest_loss_percent: Annotated[bool, Key(doc="Rank by discount.", applies="now")] = True
    highest_replacement: Annotated[bool, Key(doc="Rank by replacement count.", applies="now")] = True
    highest_expected_profit: Annotated[bool, Key(doc="Rank by expected profit.", applies="now")] = True
    fifo_fallback: Annotated[bool, Key(doc="Oldest first as the last rule.", applies="now")] = True


class PriorityRules(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who comes first."""

    priority_rules_enabled: Annotated[RulesEnabled, Key(doc="Which ranking rules count (EX-920).")] = RulesEnabled()


class WaitingRule(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The waiting queue (EX-910 to EX-919)."""

    selection_priority: Annotated[
        tuple[str, ...],
        Key(doc=f"Order of the ranking rules, any of {', '.join(RANKING)}, each once.", applies="now"),
    ] = RANKING
    queue_replace_same_symbol: Annotated[
        bool, Key(doc="A newer signal of the same identity replaces the queued one (EX-911).", applies="now")
    ] = True
    drop_on_exit: Annotated[bool, Key(doc="An exit deletes the queued entry (EX-912).", applies="now")] = True
    cancel_opposite_queued: Annotated[
        bool, Key(doc="A newer opposite entry deletes the queued one (EX-913).", applies="now")
    ] = True
    max_queue_minutes: Annotated[
        int,
        Key(
            doc="Queued entries expire after this; 0 = never (EX-915).",
            unit="min",
            applies="now",
            at_least=0,
            at_most=43_200,
        ),
    ] = 1440
    promotion_price: Annotated[PromotionPrice, Key(doc="Entry price of a promoted entry (EX-918).", applies="now")] = (
        PromotionPrice.SIGNAL
    )
