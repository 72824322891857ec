"""How a group closes things, as it journals it: who owns what, what became of each closing order, what was left over."""

from __future__ import annotations

from decimal import Decimal

from msgspec import field

from protocol.groups.values import CloseReason
from protocol.messages import Event
from protocol.orders import ClientOrderId, OrderState
from protocol.values import Instant, Name, Text

__all__ = [
    "CloseEnded",
    "CloseFinished",
    "CloseSkipped",
    "CloseStarted",
    "DustRecorded",
    "TriggerSuperseded",
]


class CloseStarted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A trigger took ownership of a scope (EX-701). ``allocation`` is the quantity of each leg for a partial close.

    ``plan_id`` and ``reply_to`` belong to a step of a risk plan: whom the group tells how it ended.
    """

    group_id: Name
    number: int
    scope: Name
    reason: CloseReason
    signal_id: str = ""
    plan_id: str = ""
    reply_to: str = ""
    allocation: dict[str, Decimal] = field(default_factory=dict)
    at: Instant


class CloseEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A closing order is at its end. Unless filled it is tried again ``retry_after_s`` seconds later (EX-712, EX-724).

    With ``awaits_rules`` it is tried again with new rules, or without them after a short wait (EX-516).

    ``rest`` is what of its allocation was not traded; ``failures`` and ``caps`` count failed and capped orders so far.
    ``code`` names the error that ``reason`` says in a sentence; ``told`` that operators are told of this failure.
    """

    group_id: Name
    client_order_id: ClientOrderId
    number: int
    state: OrderState
    filled_qty: Decimal
    rest: dict[str, Decimal]
    failures: int
    caps: int
    retry_after_s: int
    reason: Text
    code: str = ""
    told: bool = False
    awaits_rules: bool = False
    at: Instant


class CloseFinished(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A close is over; ``given_up`` when slippage held it back (EX-724)."""

    group_id: Name
    number: int
    scope: Name
    reason: CloseReason
    given_up: bool = False
    at: Instant


class CloseSkipped(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A partial close was too small to be made (EX-709)."""

    group_id: Name
    trigger: CloseReason
    qty: Decimal
    code: Name
    signal_id: str = ""
    at: Instant


class TriggerSuperseded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A trigger came when its scope already had an owner, and changed nothing (EX-706)."""

    group_id: Name
    trigger: CloseReason
    scope: Name
    signal_id: str = ""
    at: Instant


class DustRecorded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Quantity that cannot be sold was written off: the total, and by leg (EX-708)."""

    group_id: Name
    qty: Decimal
    legs: dict[str, Decimal]
    at: Instant
