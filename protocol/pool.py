"""The pool's conversation: who may open a group, who holds a slot, who waits and why.

The pool hears ``EntryRequest``, ``ExitRequest`` and ``ReduceRequest`` (``protocol.signals``) and ``SlotReleased``
(``protocol.groups``), and journals what it admitted, queued and let go. Every event is an outcome: folding it needs no
rule and no configuration. Operators ask ``PromoteQueued``, ``ForceAdd``, ``RemoveQueued`` and ``QueueSnapshot``.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.groups import AddPyramid, CloseGroup, OpenGroup, ReduceGroup, RiskClose
from protocol.messages import Event, Message, Request, Value
from protocol.orders import FillReported
from protocol.signals import Reason, Signal
from protocol.values import Instant, Name, Side, Text

__all__ = [
    "AdmitAdopted",
    "ContinuationReplaced",
    "DryRun",
    "DryRunReport",
    "DryStep",
    "EntryPromoted",
    "ForceAdd",
    "GroupCloseAsked",
    "GroupMail",
    "GroupsUp",
    "HoldReason",
    "PoolIdentities",
    "PromoteQueued",
    "Promotion",
    "PyramidAdmitted",
    "QueueAnswer",
    "QueueLine",
    "QueueRemoved",
    "QueueReport",
    "QueueSnapshot",
    "QueuedReplaced",
    "RankKey",
    "RemoveQueued",
    "RequestId",
    "SignalActedOn",
    "SignalQueued",
    "SlotFreed",
    "SlotTaken",
    "StartGroup",
]

RequestId = Annotated[str, Meta(max_length=128)]


class HoldReason(StrEnum):
    """Why an entry waits (EX-910); all but ``pool_full`` are holds, which nobody can overrule (EX-916)."""

    POOL_FULL = "pool_full"
    OPPOSITE_SIDE = "opposite_side"
    CLOSING = "closing"
    PRECISION_MISSING = "precision_missing"


class Promotion(StrEnum):
    """How a queued entry got in: by its rank, with an inherited slot (EX-919), out of turn, or over the limit."""

    RANKED = "ranked"
    INHERITED = "inherited"
    PROMOTED = "promoted"
    FORCED = "forced"


# --- journal events ---------------------------------------------------------------------------------------------------


class SlotTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group may open; ``occupied`` counts the slots with this one, of ``maximum`` (EX-901).

    ``dca_legs`` are its placed layers after layer 0 (EX-903), ``funds`` the quote currency its orders bind (EX-414).
    """

    VERSION: ClassVar[int] = 2

    group_key: Name
    group_id: Name
    signal_id: Name
    opening: OpenGroup
    occupied: int
    maximum: int
    dca_legs: int = 0
    funds: Decimal = Decimal(0)
    at: Instant


class PyramidAdmitted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A live group may add a pyramid; told to the group until it shows that it has heard (EX-904)."""

    group_key: Name
    group_id: Name
    signal_id: Name
    pyramid: int
    add: AddPyramid
    occupied: int
    maximum: int
    dca_legs: int = 0
    funds: Decimal = Decimal(0)
    at: Instant


class GroupCloseAsked(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A live group was told to close by a signal; from now on its identity counts as closing (EX-327)."""

    group_key: Name
    group_id: Name
    signal_id: Name
    reversal: bool = False
    at: Instant


class SignalQueued(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An entry waits (EX-910). ``group_id`` is the live group it continues, empty when there is none.

    ``expected_profit`` is in USD, None when it cannot be known yet; ``waiting`` counts the entries with this one.
    """

    queue_id: Name
    group_key: Name
    signal_id: Name
    signal: Signal
    reason: HoldReason
    reverse: bool = False
    group_id: str = ""
    expected_profit: Decimal | None = None
    waiting: int
    reasons: tuple[Reason, ...] = ()
    at: Instant


class QueuedReplaced(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A newer signal of the same identity took the place of a queued one and keeps its ``queued_at`` (EX-911)."""

    queue_id: Name
    group_key: Name
    signal_id: Name
    replaced_signal_id: Name
    signal: Signal
    reverse: bool = False
    group_id: str = ""
    expected_profit: Decimal | None = None
    replacements: int
    at: Instant


class QueueRemoved(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An entry left the queue without entering.

    ``reason`` is one of exit_signal, superseded_by_opposite, expired, operator, or the code that refused it when its turn
    came; ``by_signal`` the signal that caused it, if any.
    """

    queue_id: Name
    group_key: Name
    signal_id: Name
    reason: Name
    reasons: tuple[Reason, ...] = ()
    by_signal: str = ""
    request_id: RequestId = ""
    waiting: int
    at: Instant


class EntryPromoted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An entry left the queue to enter; what it became follows as ``SlotTaken`` or ``PyramidAdmitted`` (EX-917).

    ``reasons`` say why it and not the next one: the keys compared and the rule that decided.
    """

    queue_id: Name
    group_key: Name
    signal_id: Name
    how: Promotion
    reasons: tuple[Reason, ...] = ()
    queued_at: Instant
    replacements: int
    request_id: RequestId = ""
    waiting: int
    at: Instant


class SignalActedOn(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group dealt with a signal; told the same signal again it only repeats the outcome."""

    group_id: Name
    signal_id: Name
    outcome: Name
    reasons: tuple[str, ...]
    at: Instant


class SlotFreed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group closed for good and gave its slot back (EX-905)."""

    group_key: Name
    group_id: Name
    occupied: int
    maximum: int
    at: Instant


# --- pool and groups --------------------------------------------------------------------------------------------------


class GroupsUp(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The groups' supervisor to the pool: start the group of every slot that is taken."""

    OVERFLOW: ClassVar[str] = "keep"

    path: Name


class StartGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Pool to the groups' supervisor: this group must live. Telling it again changes nothing."""

    OVERFLOW: ClassVar[str] = "keep"

    opening: OpenGroup


class GroupMail(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """For a group that does not live at present: it is brought back to deal with it (EX-705)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_path: Name
    message: AddPyramid | CloseGroup | FillReported | ReduceGroup | RiskClose


# --- what the pool says on ``pool:<account>`` ----------------------------------------------------------------------------


class PoolIdentities(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The identities that are live and those that wait, in the order they came; kept on ``pool:<account>`` (EX-241)."""

    OVERFLOW: ClassVar[str] = "keep"
    CONFLATE_BY: ClassVar[str] = "account"

    account: Name
    live: tuple[Name, ...]
    queued: tuple[Name, ...]
    replaces: bool
    """Whether a newer entry takes the place of a queued one."""


class ContinuationReplaced(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A queued pyramid of this live group was replaced: its timer may start anew (EX-1007)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name


# --- operators --------------------------------------------------------------------------------------------------------


class QueueAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What an operator's command came to.

    ``code`` is empty when it was done, else NotQueued, HeldEntry, NoFreeSlot, EnginePaused, AccountPaused, AccountStopped,
    or what refused the entry when it was tried; ``reason`` is the hold of a held entry.
    """

    queue_id: Name
    outcome: Name
    code: str = ""
    reason: str = ""
    message: Text = ""


class AdmitAdopted(Request[QueueAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Give a position that was opened by hand a slot; ``force``: beyond the limit if need be. Asked twice it has one."""

    LANE: ClassVar[str] = "control"

    opening: OpenGroup
    force: bool = False


class PromoteQueued(Request[QueueAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Let this entry in out of turn, if a slot is free (EX-925). A request id that was served is only answered again."""

    LANE: ClassVar[str] = "control"

    queue_id: Name
    request_id: RequestId = ""


class ForceAdd(Request[QueueAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Let this entry in over the limit (EX-926); holds, precision, funds, the pyramid maximum and a pause still count."""

    LANE: ClassVar[str] = "control"

    queue_id: Name
    request_id: RequestId = ""


class RemoveQueued(Request[QueueAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Delete this entry (EX-927)."""

    LANE: ClassVar[str] = "control"

    queue_id: Name
    request_id: RequestId = ""


class RankKey(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One ranking rule applied to one entry, the value as an operator reads it."""

    rule: Name
    value: str


class QueueLine(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One waiting entry as it stands now. ``why`` says which rule put it before the next one.

    ``hold`` is what keeps it from entering even with a free slot, empty for none; ``expires_at`` None for never.
    """

    rank: int
    queue_id: Name
    group_key: Name
    signal_id: Name
    venue: Name
    symbol: Name
    timeframe: Name
    side: Side
    reason: HoldReason
    hold: str
    reverse: bool
    continuation: bool
    replacements: int
    expected_profit: Decimal | None
    loss_percent: Decimal | None
    entry_price: Decimal
    current_price: Decimal | None
    queued_at: Instant
    updated_at: Instant
    expires_at: Instant | None
    keys: tuple[RankKey, ...]
    why: Text


class QueueReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The queue in ranked order, with what decides over it."""

    account: Name
    entries: tuple[QueueLine, ...]
    rules: tuple[Name, ...]
    occupied: int
    maximum: int
    free: int
    queue_limit: int
    paused: str
    at: Instant


class QueueSnapshot(Request[QueueReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Read the queue; changes nothing."""

    LANE: ClassVar[str] = "control"


class DryStep(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One step of what would happen: its name, how it ends, and the figures behind it."""

    step: Name
    result: Name
    details: tuple[Reason, ...] = ()


class DryRunReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """What would become of a signal now; nothing was changed."""

    signal_id: Name
    outcome: Name
    steps: tuple[DryStep, ...]


class DryRun(Request[DryRunReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Say step by step what would become of this signal now, and change nothing (EX-262)."""

    LANE: ClassVar[str] = "control"

    signal: Signal
