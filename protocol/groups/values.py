"""States, reasons and frozen settings of position groups.

Percentages are percent points (1 = 1 %), quantities base units, prices quote currency per base unit.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import field

from protocol.messages import Value
from protocol.values import Instant, Name, check_decimal, check_non_negative, check_positive

__all__ = [
    "DEFAULT_LEVELS",
    "BlockedLegPolicy",
    "CloseReason",
    "ClosedLot",
    "EntryOrderType",
    "EntryState",
    "FlatPolicy",
    "GridConfig",
    "GroupState",
    "LegState",
    "Level",
    "PlannedLeg",
    "PriceRounding",
    "PyramidScope",
    "RecoveryPolicy",
    "Severity",
    "SlippageAction",
    "SlippageGuard",
    "Superseded",
    "TpMode",
    "TriggerPrice",
    "Watch",
]


class GroupState(StrEnum):
    """Life cycle of a position group (EX-801); the table of legal moves is ``rules.group.states``."""

    WAITING = "waiting"
    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"


class LegState(StrEnum):
    """What an operator reads of a leg (EX-427)."""

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    HIT_TP = "hit_tp"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class EntryState(StrEnum):
    """Where the entry of a leg stands; ``working`` is pending or open (EX-802)."""

    WORKING = "working"
    DONE = "done"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    BLOCKED = "blocked"


class CloseReason(StrEnum):
    """Why a group, pyramid, leg or slice is closed: every trigger there is (EX-702, EX-804)."""

    EXIT_SIGNAL = "exit_signal"
    OPERATOR = "operator"
    STOP = "stop"
    RISK_CLOSE = "risk_close"
    RISK_PARTIAL = "risk_partial"
    REDUCE = "reduce"
    AGGREGATE_TP = "aggregate_tp"
    PYRAMID_TP = "pyramid_tp"
    LEG_TP = "leg_tp"
    TAKE_PROFIT = "take_profit"
    ENTRY_FAILED = "entry_failed"
    UNFILLED_CANCELLED = "unfilled_cancelled"
    RECOVERY = "recovery"


class TpMode(StrEnum):
    """What a take-profit target is computed from (EX-601)."""

    PER_LEG = "per_leg"
    AGGREGATE = "aggregate"
    HYBRID = "hybrid"
    PYRAMID_AGGREGATE = "pyramid_aggregate"

    @property
    def rests(self) -> bool:
        """Whether leg targets rest at the venue."""
        return self in (TpMode.PER_LEG, TpMode.HYBRID)


class PyramidScope(StrEnum):
    """Meaning of ``pyramid_aggregate``: one target for all pyramids, or one each (EX-608, EX-609)."""

    COMBINED = "combined"
    PER_PYRAMID = "per_pyramid"


class EntryOrderType(StrEnum):
    """Order type of layer 0 (EX-421)."""

    LIMIT = "limit"
    MARKET = "market"


class PriceRounding(StrEnum):
    """Tick rounding: always down, or never to a worse price than planned (EX-502, EX-515)."""

    DOWN = "down"
    PASSIVE = "passive"


class TriggerPrice(StrEnum):
    """Price that watched targets compare with (EX-610)."""

    EXECUTABLE = "executable"
    LAST = "last"


class FlatPolicy(StrEnum):
    """What becomes of unfilled layers when nothing is open any more (EX-615)."""

    CLOSE = "close"
    KEEP = "keep"


class RecoveryPolicy(StrEnum):
    """What a group does when it comes back after an unclean end: go on, or close itself."""

    RESUME = "resume"
    FLATTEN = "flatten"


class SlippageAction(StrEnum):
    """What too much slippage does (EX-722)."""

    WARN = "warn"
    REJECT = "reject"


class SlippageGuard(StrEnum):
    """Measure slippage afterwards, or prevent it with capped orders (EX-724)."""

    POST = "post"
    CAPPED = "capped"


class BlockedLegPolicy(StrEnum):
    """What one layer below the minimums does to its pyramid (EX-505)."""

    SKIP_LEG = "skip_leg"
    REJECT_PYRAMID = "reject_pyramid"


class Severity(StrEnum):
    """How much an alert matters (EX-1403)."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Level(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One layer of a ladder (EX-401): gap from the entry (0 or negative), share of the size, target from the fill.

    Only finite numbers are enforced here; ``rules.ladder.validate_levels`` reports everything else at once.
    """

    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal

    def __post_init__(self) -> None:
        check_decimal("gap_percent", self.gap_percent)
        check_decimal("weight_percent", self.weight_percent)
        check_decimal("tp_percent", self.tp_percent)


def _level(gap: str, tp: str) -> Level:
    return Level(Decimal(gap), Decimal(20), Decimal(tp))


DEFAULT_LEVELS = (_level("0", "1"), _level("-0.5", "0.5"), _level("-1", "2"), _level("-1.5", "1.5"), _level("-2", "1"))
"""The five layers of EX-402."""


class GridConfig(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Every setting a group freezes when it opens, or a pyramid when it is created (EX-326, EX-1302)."""

    levels: tuple[Level, ...] = DEFAULT_LEVELS
    pyramid_specific_levels: dict[int, tuple[Level, ...]] = field(default_factory=dict)
    max_pyramids_per_group: int = 5
    max_dca_per_pyramid: int = 7
    tp_mode: TpMode = TpMode.PER_LEG
    tp_aggregate_percent: Decimal = Decimal(1)
    pyramid_tp_percents: dict[int, Decimal] = field(default_factory=dict)
    pyramid_scope: PyramidScope = PyramidScope.COMBINED
    entry_order_type: EntryOrderType = EntryOrderType.LIMIT
    price_rounding: PriceRounding = PriceRounding.DOWN
    tp_trigger_price: TriggerPrice = TriggerPrice.EXECUTABLE
    when_flat_with_pending: FlatPolicy = FlatPolicy.CLOSE
    max_quote_per_pyramid: Decimal = Decimal(0)
    fee_buffer_percent: Decimal = Decimal("0.2")
    max_slippage_percent: Decimal = Decimal(1)
    slippage_action: SlippageAction = SlippageAction.WARN
    slippage_guard: SlippageGuard = SlippageGuard.POST
    enforce_tick_size: bool = True
    enforce_step_size: bool = True
    enforce_min_notional: bool = True
    blocked_leg_policy: BlockedLegPolicy = BlockedLegPolicy.SKIP_LEG
    on_recovery: RecoveryPolicy = RecoveryPolicy.RESUME
    recovery_max_gap_s: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.max_pyramids_per_group <= 50:
            raise ValueError("`max_pyramids_per_group` must be from 1 to 50")
        if not 1 <= self.max_dca_per_pyramid <= 50:
            raise ValueError("`max_dca_per_pyramid` must be from 1 to 50")
        check_positive("tp_aggregate_percent", self.tp_aggregate_percent)
        for percent in self.pyramid_tp_percents.values():
            check_positive("pyramid_tp_percents", percent)
        check_non_negative("max_quote_per_pyramid", self.max_quote_per_pyramid)
        check_non_negative("fee_buffer_percent", self.fee_buffer_percent)
        check_non_negative("max_slippage_percent", self.max_slippage_percent)
        if self.recovery_max_gap_s < 0:
            raise ValueError("`recovery_max_gap_s` must not be negative")

    def levels_of(self, pyramid: int) -> tuple[Level, ...]:
        """Return the layers of a pyramid: its own when defined, else the common ones; pyramid 0 always those (EX-325)."""
        return self.pyramid_specific_levels.get(pyramid, self.levels) if pyramid else self.levels


class PlannedLeg(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One layer of a pyramid as it was planned; ``state`` is pending, or blocked with the code as ``reason``."""

    leg_id: Name
    pyramid: int
    layer: int
    price: Decimal
    qty: Decimal
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    state: LegState = LegState.PENDING
    reason: str = ""


class Watch(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A price the group watches itself. ``scope`` is ``group``, ``pyramid:<n>`` or ``leg:<leg id>`` (a deferred target).

    ``above`` true: triggers at ``price`` or higher, else at ``price`` or lower.
    """

    scope: str
    reason: CloseReason
    price: Decimal
    above: bool
    qty: Decimal
    avg_entry: Decimal
    tp_percent: Decimal | None = None


class ClosedLot(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Part of a leg that was closed: quantity, what it had cost, what was realized (quote currency, before fees).

    ``entry_fee`` is its share of what the leg's entry fees came to in quote currency.
    """

    leg_id: Name
    qty: Decimal
    cost: Decimal
    realized: Decimal
    entry_fee: Decimal = Decimal(0)


class Superseded(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A trigger that came too late: its scope already had an owner (EX-701, EX-706)."""

    trigger: CloseReason
    scope: str
    signal_id: str
    at: Instant
