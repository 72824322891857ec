"""The typed rows of the read models, as CLI, API and cockpit get them.

The fields of a row are the columns that are read, by name. Instants are nanoseconds UTC; ``*_quote`` is in the quote
currency of the symbol; ``position`` is the record of the journal that made the row.
"""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import GroupState
from protocol.incidents import Severity
from protocol.messages import Value
from protocol.orders import OrderState, Purpose
from protocol.pool import HoldReason
from protocol.risk import EngineStatus
from protocol.signals import Problem
from protocol.values import OrderSide, OrderType, Scope, Side
from rules.event_log.line import Tag
from store.views.lines import LineSeverity, Source

__all__ = [
    "EngineRow",
    "EquityRow",
    "EventRow",
    "FillRow",
    "GroupRow",
    "IncidentRow",
    "LegRow",
    "OrderRow",
    "PnlRow",
    "PoolRow",
    "PositionRow",
    "PyramidRow",
    "QueueRow",
    "RealizationRow",
    "SignalRow",
]


class IncidentRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One incident; ``cleared_at`` is None while it stands."""

    kind: str
    subject: str
    position: int
    severity: Severity
    text: str
    proposal: str
    signal_id: str
    stream: str
    at: int
    cleared_at: int | None
    cleared: str


class SignalRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One received request; what could not be understood of it is None. ``routed`` is None until it was routed.

    ``mapping`` names what read it, ``resend_of`` the signal it only repeats, ``accounts`` who got it; with several of
    them ``routed`` names each.
    """

    signal_id: str
    position: int
    correlation_id: int
    user: str
    received_at: int
    source_address: str
    body: str
    outcome: str
    problems: tuple[Problem, ...]
    source: str | None
    venue: str | None
    symbol: str | None
    timeframe: str | None
    kind: str | None
    side: Side | None
    trade_id: str | None
    label: str | None
    entry_price: Decimal | None
    replay_of: str | None
    routed: str | None
    reasons: tuple[str, ...]
    routed_at: int | None
    mapping: str = ""
    resend_of: str = ""
    accounts: tuple[str, ...] = ()
    operator: str = ""


class GroupRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One position group. ``state`` is None before its first; ``fees_quote`` leaves out fees in third currencies.

    ``superseded`` counts triggers that came too late; ``worst_percent`` and ``best_percent`` are of its unrealized result
    while it was open, as far as equity was noted. ``blocked``, ``skip_once`` and ``risk_timer_expires`` are the loss
    offset's (EX-1005, EX-1022, EX-1023), ``frozen`` says why it sends nothing of its own accord.
    """

    group_id: str
    position: int
    key: str
    user: str
    scope: Scope
    venue: str
    account: str
    symbol: str
    base: str
    quote: str
    timeframe: str
    side: Side
    signal_id: str
    strategy: str
    tp_mode: str
    base_entry_price: Decimal
    pyramids: int
    max_pyramids: int
    state: GroupState | None
    reason: str | None
    stop_price: Decimal | None
    target_price: Decimal | None
    open_qty: Decimal
    open_cost_quote: Decimal
    realized_quote: Decimal
    fees_quote: Decimal
    dust: Decimal
    max_slippage_percent: Decimal | None
    superseded: int
    worst_percent: Decimal | None
    best_percent: Decimal | None
    risk_timer_expires: int | None
    blocked: bool
    skip_once: bool
    frozen: str | None
    opened_at: int
    first_fill_at: int | None
    closed_at: int | None
    updated_at: int

    @property
    def avg_entry(self) -> Decimal | None:
        """Average fill price of what is open, fees excluded (EX-1002); None when nothing is."""
        return self.open_cost_quote / self.open_qty if self.open_qty else None


class PyramidRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One pyramid of a group."""

    group_id: str
    pyramid: int
    signal_id: str
    entry_price: Decimal
    size: Decimal
    size_type: str
    levels_source: str
    anchored: bool
    closed_reason: str | None
    at: int


class LegRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One layer of a pyramid: planned ``price`` and ``qty``, then what became of it."""

    group_id: str
    leg_id: str
    pyramid: int
    layer: int
    price: Decimal
    qty: Decimal
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    state: str
    reason: str
    filled_qty: Decimal
    filled_quote: Decimal
    open_qty: Decimal
    open_cost_quote: Decimal
    closed_qty: Decimal
    realized_quote: Decimal
    fees_quote: Decimal
    target_price: Decimal | None
    target_order: str | None


class OrderRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One order. ``desk`` is None while the group wants it and the desk has not said anything yet."""

    client_order_id: str
    position: int
    desk: str | None
    owner: str | None
    group_id: str
    leg_id: str
    purpose: Purpose
    attempt: int
    symbol: str
    side: OrderSide
    type: OrderType
    qty: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    reduce_only: bool
    expected_price: Decimal | None
    state: OrderState
    reason: str
    error: str
    slippage_percent: Decimal | None
    venue_order_id: str
    filled_qty: Decimal
    filled_quote: Decimal
    permit: int | None
    wanted_at: int
    sent_at: int | None
    cancel_requested_at: int | None
    updated_at: int

    @property
    def avg_fill(self) -> Decimal | None:
        """Average price of its fills; None without any."""
        return self.filled_quote / self.filled_qty if self.filled_qty else None


class FillRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One fill; ``qty`` in base units, ``fee`` in ``fee_currency``."""

    position: int
    desk: str
    client_order_id: str
    trade_id: str
    symbol: str
    side: OrderSide
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    at: int


class PositionRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What our fills add up to at one desk: ``qty`` is net of fees taken in the base currency, negative for short."""

    desk: str
    symbol: str
    qty: Decimal
    bought_qty: Decimal
    bought_quote: Decimal
    sold_qty: Decimal
    sold_quote: Decimal
    updated_at: int


class RealizationRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What one closing fill earned of one leg (EX-1701): ``net_quote`` is ``realized_quote`` less ``fees_quote``."""

    position: int
    lot: int
    group_id: str
    leg_id: str
    client_order_id: str
    trade_id: str
    reason: str
    qty: Decimal
    price: Decimal
    cost_quote: Decimal
    realized_quote: Decimal
    fees_quote: Decimal
    net_quote: Decimal
    at: int


class PnlRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Realizations added up by ``key``, one quote currency and one scope a row: these never mix."""

    key: str
    quote: str
    scope: Scope
    realizations: int
    realized_quote: Decimal
    fees_quote: Decimal
    net_quote: Decimal


class EquityRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What an account was worth at an instant, in USD; ``total_equity`` is None when a price or rate was missing."""

    position: int
    account: str
    scope: Scope
    realized_equity: Decimal
    total_equity: Decimal | None
    flow: Decimal
    deployed: Decimal
    locked: Decimal
    at: int


class EventRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One line of the event log; ``stream`` is the actor that journalled it. ``acknowledged_at``: a pinned one was seen."""

    position: int
    at: int
    source: Source
    severity: LineSeverity
    code: str
    identity: str
    symbol: str
    timeframe: str
    group_id: str
    client_order_id: str
    signal_id: str
    text: str
    tags: tuple[Tag, ...]
    pinned: bool
    acknowledged_at: int | None
    acknowledged_by: str
    correlation_id: int
    stream: str


class EngineRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The engine's status as it was last journalled."""

    number: int
    status: EngineStatus
    reason: str
    at: int


class PoolRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How full one pool is; ``pool`` is its path."""

    pool: str
    occupied: int
    maximum: int
    at: int


class QueueRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One entry of a waiting queue; ``status`` is waiting, entered or removed, ``closed_reason`` how or why it left.

    ``expected_profit`` is in USD, None where it was unknown.
    """

    pool: str
    queue_id: str
    position: int
    group_key: str
    signal_id: str
    user: str
    venue: str
    symbol: str
    timeframe: str
    side: Side
    entry_price: Decimal
    reason: HoldReason
    reverse: bool
    replacement_count: int
    expected_profit: Decimal | None
    queued_at: int
    updated_at: int
    status: str
    closed_reason: str
    closed_detail: str
    closed_at: int | None
