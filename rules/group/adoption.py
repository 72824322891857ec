"""Begin a group with a position that was opened by hand: no order, the given price as its cost, targets as for any."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from protocol.groups import OpenGroup, PlannedLeg, PyramidAdded
from protocol.groups.adoption import Adopted, AdoptPosition, PositionAdopted
from protocol.market import PriceTick
from protocol.signals import SizeType
from rules.group.opening import begin
from rules.group.turn import Turn
from rules.ladder import leg_id

__all__ = ["ADOPTED_LEG", "adopt_group", "opening_of"]

ADOPTED_LEG: Final = leg_id(0, 0)
"""The leg that an adopted position is."""


def opening_of(opening: OpenGroup, wanted: AdoptPosition) -> OpenGroup:
    """Return what opens the group of an adopted position: the configured opening with what the operator wants instead."""
    given = {
        "tp_mode": wanted.tp_mode,
        "tp_aggregate_percent": wanted.tp_aggregate_percent,
        "on_recovery": wanted.on_recovery,
    }
    config = replace(opening.config, **{name: value for name, value in given.items() if value is not None})
    adopted = Adopted(
        qty=wanted.qty,
        avg_price=wanted.avg_price,
        tp_percent=wanted.tp_percent or config.levels_of(0)[0].tp_percent,
        operator=wanted.operator,
        reason=wanted.reason,
    )
    return replace(
        opening,
        config=config,
        size=wanted.qty,
        size_type=SizeType.BASE,
        strategy=wanted.strategy,
        stop_price=wanted.stop_price,
        target_price=wanted.target_price,
        adopted=adopted,
    )


def adopt_group(message: OpenGroup, adopted: Adopted, at: int, tick: PriceTick | None) -> Turn:
    """Open a group whose first leg is filled already; what follows from it is the same as after a fill."""
    turn = begin(message, at, tick)
    turn.emit(
        PyramidAdded(
            group_id=message.group_id,
            pyramid=0,
            signal_id=message.signal_id,
            entry_price=adopted.avg_price,
            size=adopted.qty,
            size_type=SizeType.BASE,
            levels_source="adopted",
            legs=(_leg(adopted),),
            anchored=True,
            config=message.config,
            instrument=message.instrument,
            stop_price=message.stop_price,
            target_price=message.target_price,
            max_slippage_percent=message.max_slippage_percent,
            at=at,
        )
    )
    turn.emit(
        PositionAdopted(
            group_id=message.group_id,
            leg_id=ADOPTED_LEG,
            qty=adopted.qty,
            avg_price=adopted.avg_price,
            operator=adopted.operator,
            reason=adopted.reason,
            at=at,
        )
    )
    return turn


def _leg(adopted: Adopted) -> PlannedLeg:
    return PlannedLeg(
        leg_id=ADOPTED_LEG,
        pyramid=0,
        layer=0,
        price=adopted.avg_price,
        qty=adopted.qty,
        gap_percent=Decimal(0),
        weight_percent=Decimal(100),
        tp_percent=adopted.tp_percent,
    )
