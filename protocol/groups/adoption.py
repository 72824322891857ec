"""Adopting a position that was opened by hand: from then on it is a group like any other.

An operator asks the account's adopter (``AdoptPosition``); it looks whether the venue holds that much more than our groups
do, and has the pool give the position a slot.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from protocol.groups.editing import EditEffect, EditProblem
from protocol.groups.values import RecoveryPolicy, TpMode
from protocol.messages import Event, Request, Value
from protocol.values import Instant, Name, Side, Text, check_positive

__all__ = ["AdoptAnswer", "AdoptPosition", "Adopted", "PositionAdopted"]


class Adopted(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What a group begins with when it adopts a position: base units, average price, its target in percent."""

    qty: Decimal
    avg_price: Decimal
    tp_percent: Decimal
    operator: str = ""
    reason: Text = ""

    def __post_init__(self) -> None:
        check_positive("qty", self.qty)
        check_positive("avg_price", self.avg_price)
        check_positive("tp_percent", self.tp_percent)


class AdoptAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What adopting leads to (``adopted`` false: nothing was done). Quantities are base units, signed for shorts.

    ``at_venue`` is what the account holds of it, ``in_groups`` what our groups count on already.
    """

    group_id: str
    group_key: str
    adopted: bool
    at_venue: Decimal
    in_groups: Decimal
    effects: tuple[EditEffect, ...] = ()
    problems: tuple[EditProblem, ...] = ()


class AdoptPosition(Request[AdoptAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Make a group of a position that was opened by hand, or only say what would follow (``preview``).

    No order opens it: ``qty`` base units count as bought (sold for shorts) at ``avg_price``. What is None comes from the
    configuration. ``force`` takes a slot beyond the limit. The same ``request_id`` adopts once.
    """

    LANE: ClassVar[str] = "control"

    account: Name
    symbol: Name
    timeframe: Name
    side: Side
    qty: Decimal
    avg_price: Decimal
    tp_mode: TpMode | None = None
    tp_percent: Decimal | None = None
    tp_aggregate_percent: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    on_recovery: RecoveryPolicy | None = None
    strategy: str = "adopted"
    operator: str = ""
    reason: Text = ""
    force: bool = False
    preview: bool = False
    request_id: Name

    def __post_init__(self) -> None:
        for name in ("qty", "avg_price", "tp_percent", "tp_aggregate_percent", "stop_price", "target_price"):
            check_positive(name, getattr(self, name))


class PositionAdopted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A position that was opened by hand is this leg from now on: ``qty`` base units that cost ``avg_price`` each."""

    group_id: Name
    leg_id: Name
    qty: Decimal
    avg_price: Decimal
    operator: str
    reason: Text
    at: Instant
