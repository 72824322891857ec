"""How much a group's market orders may slip, as settings that follow the configuration while it runs (EX-721, EX-1302)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from protocol.groups.values import SlippageAction, SlippageGuard
from protocol.messages import Event, Message, Value
from protocol.values import Instant, Name, check_non_negative

__all__ = ["TakeTolerance", "Tolerance", "ToleranceTaken"]


class Tolerance(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The three settings of ``risk_engine``: the limit in percent, what an excess does, and whether orders are capped."""

    max_slippage_percent: Decimal
    action: SlippageAction
    guard: SlippageGuard

    def __post_init__(self) -> None:
        check_non_negative("max_slippage_percent", self.max_slippage_percent)


class TakeTolerance(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """These settings are in force: told when they change, and to a group that begins a life. Told again nothing happens."""

    OVERFLOW: ClassVar[str] = "keep"

    tolerance: Tolerance


class ToleranceTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """From here on the group's market orders are measured and capped so.

    ``limit_percent`` is the limit that holds: that of the settings, or the one an operator gave this group.
    """

    group_id: Name
    tolerance: Tolerance
    limit_percent: Decimal
    at: Instant
