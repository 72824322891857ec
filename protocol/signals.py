"""Signals: what an outside strategy or an operator asks for, and what became of it.

One ``Signal`` type, however it arrived (EX-102, EX-260). The *gateway* authenticates and validates, journals
``SignalReceived``, tells the *pool* one of ``EntryRequest``, ``ExitRequest``, ``ReduceRequest``, hears ``SignalOutcome``
and journals ``SignalRouted``. Operators ask ``InjectSignal``.

``Signal`` holds canonical values only (``rules.identity``, ``rules.signals``); prices are in quote currency per base
unit, percentages are percent points, fractions are parts of one.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.messages import Event, Message, Request, Value
from protocol.values import Instant, Name, Side, Text, check_decimal, check_non_negative, check_positive

__all__ = [
    "CheckSignal",
    "EntryRequest",
    "ExitRequest",
    "InjectSignal",
    "IntentType",
    "MarketPosition",
    "PrecisionMode",
    "Problem",
    "Reason",
    "ReduceRequest",
    "ReplayMode",
    "ReplaySignal",
    "RetellSignals",
    "Signal",
    "SignalAnswer",
    "SignalKind",
    "SignalOutcome",
    "SignalReceived",
    "SignalReport",
    "SignalRouted",
    "SignalSource",
    "SizeType",
    "Step",
]

Reason = Annotated[str, Meta(max_length=512)]


class SignalSource(StrEnum):
    """Where a signal says it comes from. Only the channel it arrived by decides what is checked, never this word."""

    TRADINGVIEW = "tradingview"
    MANUAL = "manual"
    TELEGRAM = "telegram"
    API = "api"
    REPLAY = "replay"


class IntentType(StrEnum):
    """What a payload says it wants (``execution_intent.type``)."""

    SIGNAL = "signal"
    EXIT = "exit"
    REDUCE = "reduce"
    REVERSE = "reverse"


class SignalKind(StrEnum):
    """What a signal was found to be (EX-310)."""

    ENTRY = "entry"
    EXIT = "exit"
    REDUCE = "reduce"
    REVERSE = "reverse"

    @property
    def opens(self) -> bool:
        """Whether it asks for a new position or a further pyramid."""
        return self in (SignalKind.ENTRY, SignalKind.REVERSE)


class MarketPosition(StrEnum):
    """Position of the sending strategy before or after its order."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class SizeType(StrEnum):
    """Unit of an order size (EX-410)."""

    CONTRACTS = "contracts"
    BASE = "base"
    QUOTE = "quote"


class PrecisionMode(StrEnum):
    """Whose precision rules apply: the venue's or the configured forced ones (EX-510)."""

    AUTO = "auto"
    FORCE = "force"


class Problem(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One refusal as a value: the error shape of EX-110. ``value`` is at most 80 characters and never a secret."""

    code: Name
    path: str = ""
    message: Text = ""
    value: Annotated[str, Meta(max_length=80)] = ""


def _check_fraction(value: Decimal | None) -> None:
    if value is None:
        return
    check_decimal("fraction", value)
    if not 0 < value <= 1:
        raise ValueError("`fraction` must be above 0 and at most 1")


class Signal(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One validated and classified signal.

    ``side`` is the side of the position meant: opened by an entry or a reversal, closed by an exit or a reduction.
    ``fraction`` is 1 for exits; a reduction has either ``fraction`` or ``amount`` (in ``size_type`` units).
    ``entry_price`` is the order price, else the close; only an exit or a reduction may lack it. ``replay_of`` is the id
    of the signal this one repeats (EX-261). ``bar_at`` is the bar it fired on, where the alert says so.
    """

    signal_id: Name
    user: Name
    source: SignalSource
    received_at: Instant
    fired_at: Instant
    venue: Name
    symbol: Name
    timeframe: Name
    kind: SignalKind
    side: Side
    flip: bool = False
    fraction: Decimal | None = None
    amount: Decimal | None = None
    entry_price: Decimal | None = None
    order_size: Decimal | None = None
    size_type: SizeType = SizeType.CONTRACTS
    precision_mode: PrecisionMode = PrecisionMode.AUTO
    trade_id: Name
    alert_name: str | None = None
    alert_message: str | None = None
    market_position: MarketPosition | None = None
    market_position_size: Decimal | None = None
    prev_market_position: MarketPosition | None = None
    prev_market_position_size: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    replay_of: Name | None = None
    bar_at: Instant | None = None

    def __post_init__(self) -> None:
        for name in ("amount", "entry_price", "order_size", "stop_loss", "take_profit"):
            check_positive(name, getattr(self, name))
        for name in ("market_position_size", "prev_market_position_size", "max_slippage_percent"):
            check_non_negative(name, getattr(self, name))
        _check_fraction(self.fraction)
        if self.kind.opens and self.entry_price is None:
            raise ValueError("`entry_price` is required for an entry")
        if self.kind is SignalKind.EXIT and self.fraction != 1:
            raise ValueError("`fraction` of an exit must be 1")
        if self.kind is SignalKind.REDUCE and (self.fraction is None) is (self.amount is None):
            raise ValueError("`fraction` or `amount` is required for a reduction, not both")

    @property
    def group_key(self) -> str:
        """Identity of the position group meant (EX-301)."""
        return f"{self.user}|{self.venue}|{self.symbol}|{self.timeframe}|{self.side.value}"

    @property
    def label(self) -> str:
        """Strategy label for statistics (EX-306)."""
        return self.alert_name or "unlabelled"

    @property
    def source_key(self) -> str:
        """The alert that this signal comes from: user, name, symbol and timeframe."""
        return f"{self.user}|{self.label}|{self.symbol}|{self.timeframe}"


# --- journal events ---------------------------------------------------------------------------------------------------


class SignalReceived(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An authenticated request arrived; journalled before it is answered (EX-251, EX-252).

    ``headers`` come without credentials and ``body`` with every secret replaced. ``signal`` is None when ``problems``
    refused it. ``outcome`` is ``accepted``, ``duplicate_ignored``, ``replacement`` or ``rejected:<code>``. ``mapping``
    names what read the body (empty: the payload of EX-202), ``resend_of`` the signal that this request only repeats,
    ``accounts`` who was handed the signal, ``operator`` who replayed it, ``undated`` that it named no time.
    """

    signal_id: Name
    user: Name
    received_at: Instant
    source_address: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    signal: Signal | None = None
    problems: tuple[Problem, ...] = ()
    fingerprint: str = ""
    outcome: Name
    mapping: str = ""
    resend_of: str = ""
    accounts: tuple[Name, ...] = ()
    operator: str = ""
    undated: bool = False


class SignalRouted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What became of an accepted signal (EX-251): ``opened``, ``pyramid_added``, ``queued``, ``rejected:<code>`` ...

    A signal that went to several accounts has one of these for each; ``account`` is empty in journals from before that.
    """

    signal_id: Name
    outcome: Name
    reasons: tuple[Reason, ...] = ()
    account: str = ""
    at: Instant


# --- gateway, router, pool --------------------------------------------------------------------------------------------


class EntryRequest(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Router to pool: open a group, add a pyramid, or queue it."""

    OVERFLOW: ClassVar[str] = "keep"

    signal: Signal


class ExitRequest(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Router to pool: close the whole group, and drop a queued entry of this key."""

    OVERFLOW: ClassVar[str] = "keep"

    signal: Signal
    group_key: Name


class ReduceRequest(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Router to pool: close a part of the group: ``fraction`` of what is open, or ``amount`` in the signal's unit."""

    OVERFLOW: ClassVar[str] = "keep"

    signal: Signal
    group_key: Name
    fraction: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)
        check_positive("amount", self.amount)
        if (self.fraction is None) is (self.amount is None):
            raise ValueError("`fraction` or `amount` is required, not both")


class SignalOutcome(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Pool to router: what became of the signal, and why."""

    OVERFLOW: ClassVar[str] = "keep"

    signal_id: Name
    outcome: Name
    reasons: tuple[Reason, ...] = ()


class RetellSignals(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Pool to gateway: I begin a life; hand over again what was routed to me and has no outcome yet."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    pool: Name


# --- operators --------------------------------------------------------------------------------------------------------


class SignalAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The answer to whoever sent a signal: HTTP status, code or outcome, and all problems found (EX-250)."""

    status: Annotated[int, Meta(ge=100, le=599)]
    outcome: Name
    signal_id: str = ""
    problems: tuple[Problem, ...] = ()


class InjectSignal(Request[SignalAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator's signal (EX-260): the payload's fields, typed. Venue, symbol and timeframe in any accepted spelling.

    ``side`` is the side of the position meant, as in ``Signal``. ``size`` is in ``size_type`` units: the order size of
    an entry, the amount of a reduction; ``fraction`` is for reductions only and goes before ``size``. Without
    ``trade_id`` the signal's own id stands in.
    """

    LANE: ClassVar[str] = "control"

    user: Name
    source: SignalSource = SignalSource.MANUAL
    venue: Name
    symbol: Name
    timeframe: Name
    kind: SignalKind = SignalKind.ENTRY
    side: Side
    price: Decimal | None = None
    size: Decimal | None = None
    size_type: SizeType = SizeType.BASE
    fraction: Decimal | None = None
    precision_mode: PrecisionMode = PrecisionMode.AUTO
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    trade_id: Annotated[str, Meta(max_length=128)] = ""
    alert_name: Annotated[str, Meta(max_length=256)] | None = None
    alert_message: Annotated[str, Meta(max_length=1024)] | None = None

    def __post_init__(self) -> None:
        for name in ("price", "size", "stop_loss", "take_profit"):
            check_positive(name, getattr(self, name))
        check_non_negative("max_slippage_percent", self.max_slippage_percent)
        _check_fraction(self.fraction)
        if self.fraction is not None and self.kind is not SignalKind.REDUCE:
            raise ValueError("`fraction` is for reductions only")


class ReplayMode(StrEnum):
    """What a replay does (EX-262, EX-263)."""

    DRY = "dry"
    LIVE = "live"


class Step(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One step of the way of a signal: what was decided there, and on what."""

    name: Name
    outcome: Text
    details: tuple[str, ...] = ()


class SignalReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What would become (dry) or what is made (live) of a signal, step by step.

    ``signal_id`` is that of the new signal; empty when nothing was routed. ``group_key`` is the identity meant.
    """

    status: Annotated[int, Meta(ge=100, le=599)]
    outcome: Name
    signal_id: str = ""
    group_key: str = ""
    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()


class ReplaySignal(Request[SignalReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Send a stored request again, by the id it got (EX-261).

    ``live`` needs ``confirm``, the symbol as the operator typed it, and journals ``operator``. ``reprice`` sets the
    entry price to the market's newest.
    """

    LANE: ClassVar[str] = "control"

    signal_id: Name
    mode: ReplayMode = ReplayMode.DRY
    reprice: bool = False
    operator: Annotated[str, Meta(max_length=128)] = ""
    confirm: str = ""


class CheckSignal(Request[SignalReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Say what would become of an operator's signal at present; nothing is journalled or routed (EX-260)."""

    LANE: ClassVar[str] = "control"

    signal: InjectSignal
