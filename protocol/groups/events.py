"""What a group decided: every event is an outcome, so that a journal replays the same after any change of a rule."""

from __future__ import annotations

from decimal import Decimal

from msgspec import field

from protocol.groups.values import (
    ClosedLot,
    CloseReason,
    EntryState,
    GridConfig,
    GroupState,
    LegState,
    PlannedLeg,
    Severity,
    Watch,
)
from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.orders import ClientOrderId, OrderRequest, OrderState, Purpose
from protocol.signals import SizeType
from protocol.values import Instant, Name, Scope, Side, Text

__all__ = [
    "CancelWanted",
    "CloseFilled",
    "EntryEnded",
    "GroupAlert",
    "GroupClosed",
    "GroupOpened",
    "GroupStateChanged",
    "LegClosed",
    "LegFilled",
    "OrderStateNoted",
    "OrderWanted",
    "PyramidAdded",
    "PyramidAnchored",
    "PyramidClosed",
    "PyramidRefused",
    "TargetDeferred",
    "TargetEnded",
    "TargetFilled",
    "TargetsWatched",
]


class GroupOpened(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group began; its take-profit settings are frozen with ``config``."""

    group_id: Name
    key: Name
    user: Name
    scope: Scope
    venue: Name
    account: Name
    symbol: Name
    timeframe: Name
    side: Side
    tag: Name
    signal_id: Name
    strategy: str
    base_entry_price: Decimal
    config: GridConfig
    instrument: Instrument
    at: Instant


class PyramidAdded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A pyramid was planned. ``legs`` holds only layer 0 while a market entry has yet to set the anchor (EX-421).

    ``stop_price`` and ``target_price`` are the references that hold for the group from now on; ``max_slippage_percent``
    likewise.
    """

    group_id: Name
    pyramid: int
    signal_id: Name
    entry_price: Decimal
    size: Decimal
    size_type: SizeType
    levels_source: str
    legs: tuple[PlannedLeg, ...]
    anchored: bool
    config: GridConfig
    instrument: Instrument
    stop_price: Decimal | None
    target_price: Decimal | None
    max_slippage_percent: Decimal | None
    at: Instant


class PyramidAnchored(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The market entry of a pyramid set its entry price; these are the other layers."""

    group_id: Name
    pyramid: int
    entry_price: Decimal
    legs: tuple[PlannedLeg, ...]
    at: Instant


class PyramidRefused(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An entry brought no pyramid; ``code`` says why (``MaxPyramidsReached``, ``NoOrderableLeg`` ...)."""

    group_id: Name
    signal_id: Name
    code: Name
    text: Text
    at: Instant


class OrderWanted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The group wants this order working; it is told to the desk until an outcome is known.

    ``scope`` is ``leg:<id>``, ``pyramid:<n>``, ``group`` or ``partial``; ``leg_id`` is empty unless one leg is meant.
    ``close`` numbers the close it belongs to (0 for entries and targets); ``allocation`` is what of it is each leg's.
    """

    group_id: Name
    request: OrderRequest
    purpose: Purpose
    scope: Name
    leg_id: str = ""
    attempt: int
    adds_risk: bool
    expected_price: Decimal | None = None
    reason: CloseReason | None = None
    close: int = 0
    allocation: dict[str, Decimal] = field(default_factory=dict)
    at: Instant


class CancelWanted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The group wants this order gone; it may still fill."""

    group_id: Name
    client_order_id: ClientOrderId
    purpose: Purpose
    leg_id: Name
    at: Instant


class OrderStateNoted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The desk's word on an order that goes on (open, unknown), or that is filled while fills are still to be told.

    ``filled_qty`` is what the venue says has traded so far. ``absent_proven``: the venue never had the order.
    """

    group_id: Name
    client_order_id: ClientOrderId
    state: OrderState
    filled_qty: Decimal
    leg_state: LegState | None
    absent_proven: bool = False
    at: Instant


class LegFilled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Part of a layer was bought (sold for shorts). ``net_qty`` is what can be closed, after a fee in base currency.

    ``fee_quote`` is the fee in quote currency, 0 when it was paid in a third one.
    """

    group_id: Name
    leg_id: Name
    client_order_id: ClientOrderId
    trade_id: Name
    qty: Decimal
    net_qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    fee_quote: Decimal = Decimal(0)
    entry: EntryState
    leg_state: LegState
    at: Instant


class TargetFilled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A resting target traded; ``lots`` says what that closed, ``spent`` what a fee in base currency took besides."""

    group_id: Name
    leg_id: Name
    client_order_id: ClientOrderId
    trade_id: Name
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    lots: tuple[ClosedLot, ...]
    spent: tuple[ClosedLot, ...] = ()
    at: Instant


class CloseFilled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A closing order traded; ``lots`` and ``spent`` as in ``TargetFilled``, ``scope`` and ``reason`` the order's own.

    ``fee_quote`` as in ``LegFilled``.
    """

    group_id: Name
    client_order_id: ClientOrderId
    trade_id: Name
    scope: Name
    reason: CloseReason
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    fee_quote: Decimal = Decimal(0)
    lots: tuple[ClosedLot, ...]
    spent: tuple[ClosedLot, ...] = ()
    at: Instant


class EntryEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """No more will come of a layer's entry order, but fills that were already made.

    ``client_order_id`` is empty for a layer that was never sent. ``entry`` stays working when the order is to be sent
    again: at once, or after ``retry_after_s`` seconds, or with new rules if it ``awaits_rules``.
    """

    group_id: Name
    leg_id: Name
    client_order_id: str
    state: OrderState
    filled_qty: Decimal
    entry: EntryState
    leg_state: LegState
    reason: Text
    retry_after_s: int = 0
    awaits_rules: bool = False
    at: Instant


class TargetEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A resting target is gone. ``losses`` counts in a row the targets that the venue refused or dropped by itself.

    ``awaits_rules``: the venue refused its format; it is watched until there are new rules.
    """

    group_id: Name
    leg_id: Name
    client_order_id: ClientOrderId
    state: OrderState
    filled_qty: Decimal
    losses: int
    reason: Text
    awaits_rules: bool = False
    at: Instant


class TargetDeferred(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A leg's target cannot rest at the venue and is watched instead (EX-605)."""

    group_id: Name
    leg_id: Name
    qty: Decimal
    price: Decimal
    code: Name
    at: Instant


class TargetsWatched(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The watched prices are now these; nothing can happen strictly between ``low`` and ``high`` (None: no bound)."""

    group_id: Name
    watches: tuple[Watch, ...]
    low: Decimal | None
    high: Decimal | None
    at: Instant


class LegClosed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Nothing of a leg is open any more, by its target or by a partial close."""

    group_id: Name
    leg_id: Name
    reason: CloseReason
    leg_state: LegState
    at: Instant


class PyramidClosed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A pyramid closed alone (EX-609)."""

    group_id: Name
    pyramid: int
    reason: CloseReason
    at: Instant


class GroupAlert(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Something an operator should know; ``pinned`` alerts stay until acknowledged."""

    group_id: Name
    code: Name
    severity: Severity
    text: Text
    leg_id: str = ""
    pinned: bool = False
    at: Instant


class GroupStateChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group moved to a new state; ``old`` is None for its first (EX-806). ``cause`` names the row of EX-803."""

    group_id: Name
    old: GroupState | None
    new: GroupState
    cause: Name
    reason: CloseReason | None
    at: Instant


class GroupClosed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group is closed. ``realized_quote`` is before ``fees`` (by currency); ``dust`` in base units.

    ``releases_slot`` is false when a late fill had to be flattened after the slot was already released (EX-705).
    """

    group_id: Name
    key: Name
    reason: CloseReason
    realized_quote: Decimal
    fees: dict[str, Decimal]
    dust: Decimal
    releases_slot: bool
    at: Instant
