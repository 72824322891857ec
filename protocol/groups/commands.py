"""What a position group is told, and what it tells the pool and the screens."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.groups.adoption import Adopted
from protocol.groups.values import CloseReason, GridConfig, GroupState
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Message
from protocol.signals import SizeType
from protocol.values import Instant, Name, Scope, Side, Text, check_decimal, check_non_negative, check_positive

__all__ = [
    "AddPyramid",
    "Batch",
    "CloseGroup",
    "DeploymentTag",
    "FreezeGroup",
    "GroupChanged",
    "OpenGroup",
    "ReduceGroup",
    "RetryClose",
    "RetryEntry",
    "RiskClose",
    "RiskCloseEnded",
    "RulesOverdue",
    "SlotReleased",
    "TakeRules",
    "UnfreezeGroup",
]

DeploymentTag = Annotated[str, Meta(pattern=r"^[a-z0-9]{4}$")]
"""Four characters that mark this engine's orders at the venue (EX-1108)."""


class OpenGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Open a group with pyramid 0. The pool has taken the slot; precision rules are known.

    ``stop_price`` and ``target_price`` are given only when the configuration honours them (EX-270); ``free_quote`` is
    the free balance in quote currency, None when the funds check was made elsewhere (EX-414).
    ``max_slippage_percent`` is the signal's own limit (EX-271). ``adopted``: the position is there already, opened by
    hand; no order opens it.
    """

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    key: Name
    user: Name
    scope: Scope
    venue: Name
    account: Name
    symbol: Name
    timeframe: Name
    side: Side
    tag: DeploymentTag
    signal_id: Name
    strategy: str = "unlabelled"
    entry_price: Decimal
    size: Decimal
    size_type: SizeType
    config: GridConfig
    instrument: Instrument
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    free_quote: Decimal | None = None
    adopted: Adopted | None = None
    at: Instant

    def __post_init__(self) -> None:
        _check_entry(self)


class AddPyramid(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Add the next pyramid; answered by ``PyramidAdded`` or ``PyramidRefused`` in the journal.

    Layers, sizing and rounding come from this ``config``; the take profit stays as the group opened (EX-326).
    """

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    signal_id: Name
    entry_price: Decimal
    size: Decimal
    size_type: SizeType
    config: GridConfig
    instrument: Instrument
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    free_quote: Decimal | None = None
    at: Instant

    def __post_init__(self) -> None:
        _check_entry(self)


def _check_entry(entry: OpenGroup | AddPyramid) -> None:
    check_positive("entry_price", entry.entry_price)
    check_positive("size", entry.size)
    check_positive("stop_price", entry.stop_price)
    check_positive("target_price", entry.target_price)
    check_non_negative("max_slippage_percent", entry.max_slippage_percent)


class CloseGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Close the whole group, or one leg of it when ``leg_id`` is given (EX-703, EX-716)."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    reason: CloseReason
    leg_id: str = ""
    signal_id: str = ""
    at: Instant


class ReduceGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Close part of what is open: a ``fraction`` of it, or an ``amount`` in ``amount_type`` units (EX-709)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    fraction: Decimal | None = None
    amount: Decimal | None = None
    amount_type: SizeType = SizeType.BASE
    signal_id: str = ""
    at: Instant

    def __post_init__(self) -> None:
        if (self.fraction is None) == (self.amount is None):
            raise ValueError("exactly one of `fraction` and `amount` is required")
        check_positive("amount", self.amount)
        check_positive("fraction", self.fraction)
        if self.fraction is not None and self.fraction > 1:
            raise ValueError("`fraction` must be at most 1")


class RiskClose(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The risk engine closes ``qty`` base units of a group, or all of it when None (EX-1018).

    ``plan_id`` and ``group_id`` name the step: told again it changes nothing, and the answer is repeated. ``reply_to``
    is the actor that is told ``RiskCloseEnded``; empty for nobody.
    """

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    plan_id: Name
    reply_to: str = ""
    qty: Decimal | None = None
    at: Instant

    def __post_init__(self) -> None:
        check_positive("qty", self.qty)


class RiskCloseEnded(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Group to risk engine: a step of a plan is over.

    ``status`` is ``closed`` (``qty`` base units traded), ``superseded`` (another trigger owned the group), ``skipped``
    (``code`` says why nothing could be closed) or ``failed`` (given up, rejected, slippage held it back).
    ``booked_quote`` is the profit of these fills in quote currency, their fees and those of their entries already taken
    off; ``worst_slippage`` the worst slippage percent of a fill, None when none was measured.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    plan_id: Name
    status: Name
    code: str = ""
    qty: Decimal
    booked_quote: Decimal
    slippage_exceeded: bool = False
    worst_slippage: Decimal | None = None
    at: Instant


class FreezeGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The venue holds less than the groups think (``PositionMismatch``): no automatic orders until an operator resolves it.

    Working orders stay as they are; triggers are noted and wait. A repeat with the same reason changes nothing (EX-1204).
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    reason: Text
    at: Instant


class UnfreezeGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator resolved the difference: the group goes on by itself. Harmless on a group that is not frozen."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    at: Instant
    reason: Text = ""


class RetryClose(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The wait after a failed close order is over (EX-712); ``number`` names the close."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    number: int
    at: Instant


class RetryEntry(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The wait after an unfilled capped market entry is over (EX-724)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    leg_id: Name
    at: Instant


class TakeRules(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The rules of the group's market are these: what was refused for its format is rebuilt with them (EX-516)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    instrument: Instrument
    at: Instant


class RulesOverdue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The wait for new rules is over: the strictest known must do (EX-511)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    at: Instant


class Batch(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Triggers that arrived in one turn; handled in the order of EX-702, whatever their order here."""

    OVERFLOW: ClassVar[str] = "keep"

    triggers: tuple[CloseGroup | ReduceGroup | RiskClose | PriceTick, ...]


# --- what a group tells -----------------------------------------------------------------------------------------------


class SlotReleased(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Group to pool: this group is closed and its slot is free (EX-905). Told once a group."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    group_key: Name
    group_id: Name


class GroupChanged(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Where a group stands, for the pool, the risk engine and the screens.

    ``open_qty`` is in base units, ``avg_entry`` None when nothing is open; with a mark price they give the unrealized
    figures of EX-1002. ``fees`` are by currency; ``placed_legs`` counts layers that were not blocked (EX-903).
    ``all_layers_sent`` and ``all_layers_filled`` are the conditions of EX-1006. ``rules`` are those the group trades by at
    present, ``locked_quote`` is what its unfilled entries bind, ``frozen`` that an operator must resolve a difference
    before anything automatic happens (EX-1204), ``nothing_to_reduce`` that the venue refused its close as there is no
    position which it would reduce, ``opened_at`` when pyramid 0 was planned. ``path`` is the group's actor.
    """

    OVERFLOW: ClassVar[str] = "keep"
    CONFLATE_BY: ClassVar[str] = "group_id"

    group_id: Name
    key: Name
    user: Name
    scope: Scope
    venue: Name
    account: Name
    symbol: Name
    timeframe: Name
    side: Side
    state: GroupState
    reason: CloseReason | None
    received: int
    placed_legs: int
    placed_dca_legs: int
    all_layers_sent: bool
    all_layers_filled: bool
    open_qty: Decimal
    avg_entry: Decimal | None
    base_entry_price: Decimal
    realized_quote: Decimal
    fees: dict[str, Decimal]
    first_fill_at: Instant | None
    path: str = ""
    quote: str = ""
    strategy: str = ""
    rules: PrecisionRules | None = None
    max_pyramids: int = 0
    locked_quote: Decimal = Decimal(0)
    frozen: bool = False
    nothing_to_reduce: bool = False
    opened_at: Instant = 0
    at: Instant

    def __post_init__(self) -> None:
        check_decimal("open_qty", self.open_qty)
