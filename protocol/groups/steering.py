"""What a group journals of those who steer it: steps of risk plans, freezing, new rules of its market."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups.commands import CloseGroup, ReduceGroup
from protocol.instruments import Instrument
from protocol.messages import Event, Value
from protocol.orders import ClientOrderId
from protocol.values import Instant, Name, Text

__all__ = [
    "CloseForced",
    "GroupFrozen",
    "GroupUnfrozen",
    "RebuiltLeg",
    "RiskStepEnded",
    "RulesTaken",
    "RulesWanted",
    "TriggerHeld",
]


class RiskStepEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A step of a risk plan is over in this group (EX-1015, EX-1018); the fields are those of ``RiskCloseEnded``.

    ``reply_to`` is the actor that was told, empty for nobody.
    """

    group_id: Name
    plan_id: Name
    reply_to: str = ""
    status: Name
    code: str = ""
    qty: Decimal
    booked_quote: Decimal
    slippage_exceeded: bool = False
    worst_slippage: Decimal | None = None
    at: Instant


# --- freezing ---------------------------------------------------------------------------------------------------------


class GroupFrozen(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """From here on the group sends no order of its own accord (EX-1204)."""

    group_id: Name
    reason: Text
    at: Instant


class GroupUnfrozen(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator resolved the difference; the triggers that were held are acted on now."""

    group_id: Name
    reason: Text
    at: Instant


class TriggerHeld(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A frozen group was told to close or reduce; it does once it is no longer frozen."""

    group_id: Name
    trigger: CloseGroup | ReduceGroup
    at: Instant


class CloseForced(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator had a close go on although the group is frozen; ``number`` names the close."""

    group_id: Name
    number: int
    at: Instant


# --- rules of the market ----------------------------------------------------------------------------------------------


class RulesWanted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The venue refused the format of an order: the group asked for the rules of its market (EX-516)."""

    group_id: Name
    symbol: Name
    client_order_id: ClientOrderId
    at: Instant


class RebuiltLeg(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A layer as it is sent once more, by the new rules."""

    leg_id: Name
    price: Decimal
    qty: Decimal


class RulesTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The group trades by these rules from now on; ``legs`` are those that wait to be sent once more.

    ``fetched`` is false when no answer came in time and the strictest rules known had to do (EX-511).
    """

    group_id: Name
    instrument: Instrument
    fetched: bool
    legs: tuple[RebuiltLeg, ...] = ()
    at: Instant
