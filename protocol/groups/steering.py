"""What a group journals of those who steer it from outside: the steps it took for a risk plan."""

from __future__ import annotations

from decimal import Decimal

from protocol.messages import Event
from protocol.values import Instant, Name

__all__ = ["RiskStepEnded"]


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
