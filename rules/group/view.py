"""The state of a position group: immutable, rebuilt from its events alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import field

from protocol.groups import (
    CloseGroup,
    CloseReason,
    EntryState,
    GridConfig,
    GroupState,
    LegState,
    ReduceGroup,
    RiskStepEnded,
    Superseded,
    TriggerPrice,
    Watch,
)
from protocol.groups.tolerance import Tolerance
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Value
from protocol.orders import OrderRequest, OrderState, Purpose
from protocol.signals import SizeType
from protocol.values import Instant, Scope, Side
from rules.precision import floor_to, quotient

__all__ = ["CloseView", "GroupView", "LegView", "OrderView", "PyramidView"]

_ZERO = Decimal(0)


class LegView(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One leg. ``filled`` is net of fees in base currency, ``cost`` what the open part has cost in quote currency.

    An edit has another entry order sent for ``replaces``, which was attempt ``entry_base``, or cancels what is unfilled
    (``dropped``).

    ``entry_order`` and ``target_order`` are client ids of the newest orders, empty when none was ever wanted. An entry
    that works without an order is sent again ``entry_retry_s`` seconds after the last one ended. ``target_losses``
    counts targets in a row that the venue refused or dropped. ``fee_quote`` is what the entry of the open part
    has cost in fees, in quote currency. ``awaits_rules``: its entry or target was refused for its format (EX-516);
    ``entry_rebuilds`` and ``target_rebuilds`` count how often.
    """

    leg_id: str
    pyramid: int
    layer: int
    price: Decimal
    qty: Decimal
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    state: LegState
    entry: EntryState
    reason: str = ""
    entry_order: str = ""
    entry_attempt: int = 0
    entry_retry_s: int = 0
    entry_base: int = 0
    replaces: str = ""
    dropped: bool = False
    target_order: str = ""
    target_attempt: int = 0
    target_losses: int = 0
    entry_rebuilds: int = 0
    target_rebuilds: int = 0
    awaits_rules: bool = False
    deferred_qty: Decimal = _ZERO
    deferred_price: Decimal = _ZERO
    filled: Decimal = _ZERO
    closed: Decimal = _ZERO
    dust: Decimal = _ZERO
    cost: Decimal = _ZERO
    fee_quote: Decimal = _ZERO
    realized: Decimal = _ZERO

    @property
    def moved(self) -> bool:
        """Whether an edit gave it another price or size, and its working order is still the old one."""
        return bool(self.replaces) and self.replaces == self.entry_order

    @property
    def open_qty(self) -> Decimal:
        """Base units held."""
        return self.filled - self.closed - self.dust

    @property
    def avg_fill(self) -> Decimal:
        """Average price of what is open; only asked while something is."""
        return quotient(self.cost, self.open_qty)


class OrderView(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One order the group wanted. ``filled`` sums the fills told, ``value`` their quote value.

    ``absent``: the venue has proven that it never had the order, so that it may be sent again under the next id.
    ``reported`` is what the venue says has traded; ``ended`` that its end is known and every fill of it was told.
    ``allocation`` is what of a closing order is still to be booked on each leg. ``wanted_at``: when it was decided on.
    """

    request: OrderRequest
    purpose: Purpose
    scope: str
    leg_id: str
    attempt: int
    adds_risk: bool
    expected_price: Decimal | None
    reason: CloseReason | None
    close: int
    allocation: dict[str, Decimal]
    state: OrderState = OrderState.INTENDED
    filled: Decimal = _ZERO
    value: Decimal = _ZERO
    reported: Decimal = _ZERO
    was_unknown: bool = False
    absent: bool = False
    cancel_wanted: bool = False
    ended: bool = False
    wanted_at: Instant = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more is awaited of it (a late fill may come all the same)."""
        return self.ended or self.filled >= self.request.qty

    @property
    def rest(self) -> Decimal:
        """Base units not traded yet."""
        return self.request.qty - self.filled


class PyramidView(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One pyramid with the configuration it was created with; not ``anchored`` while its market entry runs."""

    index: int
    signal_id: str
    entry_price: Decimal
    size: Decimal
    size_type: SizeType
    config: GridConfig
    anchored: bool
    closed: bool = False


class CloseView(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One close in progress, owner of its scope. ``allocation`` is what of a partial close is not ordered yet.

    ``plan_id`` and ``reply_to`` are those of the risk plan's step it is made for; ``booked`` is then what its fills have
    brought in quote currency, their fees and those of their entries taken off. ``forced``: an operator had it go on
    although the group is frozen. ``code`` is the error its last order ended with, ``told`` are the reasons of the failures
    that operators were told of.
    """

    number: int
    scope: str
    reason: CloseReason
    signal_id: str
    allocation: dict[str, Decimal]
    plan_id: str = ""
    reply_to: str = ""
    booked: Decimal = _ZERO
    orders: tuple[str, ...] = ()
    failures: int = 0
    caps: int = 0
    retry_after_s: int = 0
    rebuilds: int = 0
    awaits_rules: bool = False
    forced: bool = False
    code: str = ""
    told: tuple[str, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether it waits for ``RetryClose``."""
        return self.retry_after_s > 0

    @property
    def by_operator(self) -> bool:
        """Whether it goes on although the group is frozen."""
        return self.forced or self.reason is CloseReason.OPERATOR


class GroupView(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Everything a group knows. ``legs`` are in (pyramid, layer) order; ``trades`` maps venue trade id to order.

    ``watch_low`` and ``watch_high`` bound the prices between which no watched target can trigger (None: no bound).
    ``version`` counts edits from 1, ``edits`` maps the newest of their request ids to the versions they made.
    ``absence_id`` names the newest unclean end that was dealt with, ``flatten_due`` that it has the group close itself.
    ``frozen`` says why nothing automatic happens until an operator resolves it, empty when all is well (EX-1204); ``held``
    are the triggers that wait for that. ``rules_wanted`` while something refused for its format awaits new rules (EX-516).
    ``tolerance`` are the slippage settings it was told last, None for those it opened with; ``own_limit`` that an operator
    gave it a limit of its own. ``risk_steps`` keeps by plan how each step of a risk plan ended, so that the answer can be
    repeated.
    """

    group_id: str
    key: str
    user: str
    scope: Scope
    venue: str
    account: str
    symbol: str
    timeframe: str
    side: Side
    tag: str
    strategy: str
    base_entry_price: Decimal
    config: GridConfig
    instrument: Instrument
    state: GroupState
    reason: CloseReason | None = None
    pyramids: tuple[PyramidView, ...] = ()
    legs: dict[str, LegView] = field(default_factory=dict)
    orders: dict[str, OrderView] = field(default_factory=dict)
    closes: tuple[CloseView, ...] = ()
    close_count: int = 0
    close_orders: int = 0
    superseded: tuple[Superseded, ...] = ()
    trades: dict[str, str] = field(default_factory=dict)
    fees: dict[str, Decimal] = field(default_factory=dict)
    watches: tuple[Watch, ...] = ()
    watch_low: Decimal | None = None
    watch_high: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    last_fill_price: Decimal | None = None
    last_fill_at: Instant = 0
    first_fill_at: Instant | None = None
    opened_at: Instant = 0
    opened_with: PrecisionRules | None = None
    rules_wanted: bool = False
    tolerance: Tolerance | None = None
    own_limit: bool = False
    frozen: str = ""
    held: tuple[CloseGroup | ReduceGroup, ...] = ()
    risk_steps: dict[str, RiskStepEnded] = field(default_factory=dict)
    released: bool = False
    version: int = 1
    edits: dict[str, int] = field(default_factory=dict)
    absence_id: str = ""
    flatten_due: bool = False

    @property
    def closing(self) -> bool:
        """Whether the whole group is being closed."""
        return self.state is GroupState.CLOSING

    @property
    def open_qty(self) -> Decimal:
        """Base units held by all legs."""
        return sum((leg.open_qty for leg in self.legs.values()), _ZERO)

    @property
    def avg_entry(self) -> Decimal | None:
        """Average price of all open lots, None when nothing is open."""
        qty = self.open_qty
        cost = sum((leg.cost for leg in self.legs.values() if leg.open_qty > 0), _ZERO)
        return quotient(cost, qty) if qty > 0 else None

    @property
    def realized_quote(self) -> Decimal:
        """Realized profit in quote currency, before fees."""
        return sum((leg.realized for leg in self.legs.values()), _ZERO)

    @property
    def dust(self) -> Decimal:
        """Base units written off."""
        return sum((leg.dust for leg in self.legs.values()), _ZERO)

    @property
    def works(self) -> bool:
        """Whether an entry is pending or open."""
        return any(leg.entry is EntryState.WORKING for leg in self.legs.values())

    @property
    def flat(self) -> bool:
        """Whether no leg holds a whole step (EX-615): what is left of each is dust."""
        step = self.instrument.rules.step_size
        return all(leg.open_qty < step for leg in self.legs.values())

    @property
    def group_close(self) -> CloseView | None:
        """The close of the whole group in progress, if any."""
        return next((close for close in self.closes if close.scope == "group"), None)

    def watched_price(self, tick: PriceTick) -> Decimal:
        """Return the price of a tick that watched targets compare with (EX-610)."""
        if self.config.tp_trigger_price is TriggerPrice.LAST:
            return tick.last
        return tick.bid if self.side is Side.LONG else tick.ask

    def working_order(self, client_order_id: str) -> OrderView | None:
        """Return an order of which something is still awaited, else None."""
        order = self.orders.get(client_order_id)
        return order if order is not None and not order.settled else None

    def entry_filled(self, leg: LegView) -> Decimal:
        """Return what all entry orders of a leg have traded, before fees in base currency."""
        orders = self.orders.values()
        traded = (order.filled for order in orders if order.purpose is Purpose.ENTRY and order.leg_id == leg.leg_id)
        return sum(traded, _ZERO)

    def legs_in(self, scope: str) -> Iterator[LegView]:
        """Yield the legs of ``group``, ``pyramid:<n>`` or ``leg:<id>``, in order."""
        kind, _, name = scope.partition(":")
        for leg in self.legs.values():
            if kind == "group" or (kind == "pyramid" and leg.pyramid == int(name)) or leg.leg_id == name:
                yield leg

    def orders_of(self, close: CloseView) -> list[OrderView]:
        """Return the orders of a close of which something is still awaited."""
        return [order for name in close.orders if (order := self.working_order(name)) is not None]

    def owned(self, leg: LegView) -> bool:
        """Whether a running close owns this leg (a partial close owns only a share of it)."""
        owners = ("group", f"pyramid:{leg.pyramid}", f"leg:{leg.leg_id}")
        return any(close.scope in owners for close in self.closes)

    def reserved(self, *, besides: int = 0) -> dict[str, Decimal]:
        """Return by leg what closes in progress have laid claim to, ``besides`` that close's unordered part."""
        claimed: dict[str, Decimal] = {}
        for close in self.closes:
            parts = [order.allocation for order in self.orders_of(close)]
            if close.number != besides:
                parts.append(close.allocation)
            for part in parts:
                for leg_id, qty in part.items():
                    if qty > 0:
                        claimed[leg_id] = claimed.get(leg_id, _ZERO) + qty
        return claimed

    def floor(self, qty: Decimal) -> Decimal:
        """Round a quantity to close down to the step; never below zero."""
        return floor_to(qty, self.instrument.rules.step_size) if qty > 0 else _ZERO
