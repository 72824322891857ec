"""What a run came to: counted from its journal alone, so that it can be checked against anything else that reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from protocol.groups import GroupClosed, GroupOpened
from protocol.orders import FillRecorded, OrderSent
from protocol.signals import SignalReceived, SignalRouted
from runtime.journal import Record
from service.mechanisms import mechanism_of

__all__ = ["GroupResult", "RunSummary", "summarise"]

_ZERO = Decimal(0)
_QUEUE_ID = re.compile(r":q[0-9]+")


@dataclass(slots=True)
class GroupResult:
    """One group: what it earned in quote currency before fees, its fees by currency, why and when it closed."""

    group_id: str
    key: str
    opened_at: int
    closed_at: int | None = None
    reason: str = ""
    realized_quote: Decimal = _ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)
    fills: int = 0

    @property
    def closed(self) -> bool:
        """Whether the group has ended."""
        return self.closed_at is not None


@dataclass(slots=True)
class RunSummary:
    """Counts and sums of a run. ``outcomes`` are those of signals without the ids of queue entries."""

    outcomes: Counter[str] = field(default_factory=Counter)
    mechanisms: Counter[str] = field(default_factory=Counter)
    signals: int = 0
    orders: int = 0
    fills: int = 0
    fees: dict[str, Decimal] = field(default_factory=dict)
    groups: dict[str, GroupResult] = field(default_factory=dict)
    max_drawdown_quote: Decimal = _ZERO

    @property
    def closed(self) -> list[GroupResult]:
        """The groups that ended, in the order they opened."""
        return [group for group in self.groups.values() if group.closed]

    @property
    def realized_quote(self) -> Decimal:
        """What all closed groups earned together, before fees."""
        return sum((group.realized_quote for group in self.closed), _ZERO)


def summarise(records: Iterable[Record]) -> RunSummary:
    """Fold a journal into its summary. The drawdown is of realized profit, group by group as they closed."""
    run = RunSummary()
    order_groups: dict[str, str] = {}
    peak = equity = _ZERO
    for record in records:
        event = record.event
        if (used := mechanism_of(event)) is not None:
            run.mechanisms[used] += 1
        match event:
            case SignalReceived():
                run.signals += 1
                if event.outcome not in ("accepted", "replacement"):
                    run.outcomes[event.outcome] += 1
            case SignalRouted():
                run.outcomes[_QUEUE_ID.sub("", event.outcome)] += 1
            case GroupOpened():
                run.groups[event.group_id] = GroupResult(event.group_id, event.key, event.at)
            case OrderSent():
                run.orders += 1
                order_groups[event.request.client_order_id] = event.group_id
            case FillRecorded():
                run.fills += 1
                run.fees[event.fee_currency] = run.fees.get(event.fee_currency, _ZERO) + event.fee
                group = run.groups.get(order_groups.get(event.client_order_id, ""))
                if group is not None:
                    group.fills += 1
            case GroupClosed():
                _close(run.groups[event.group_id], event)
                equity += event.realized_quote
                peak = max(peak, equity)
                run.max_drawdown_quote = max(run.max_drawdown_quote, peak - equity)
    return run


def _close(group: GroupResult, event: GroupClosed) -> None:
    group.closed_at = event.at
    group.reason = event.reason.value
    group.realized_quote = event.realized_quote
    group.fees = dict(event.fees)
