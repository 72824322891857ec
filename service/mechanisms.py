"""Which parts of the engine a run made use of: each event of its journal named by the mechanism it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups import (
    CloseFinished,
    CloseStarted,
    DustRecorded,
    GroupAlert,
    GroupClosed,
    PyramidAdded,
    PyramidClosed,
    TargetDeferred,
    TargetFilled,
    TriggerSuperseded,
)
from protocol.incidents import IncidentRaised
from protocol.messages import Event
from protocol.offset import OffsetDecided, OffsetEnded, OffsetStepEnded, RiskTimerCleared, RiskTimerStarted
from protocol.pool import EntryPromoted, QueuedReplaced, QueueRemoved, SignalQueued

__all__ = ["mechanism_of"]

_NAMES: Final[dict[type[Event], Callable[[Any], str]]] = {
    PyramidAdded: lambda event: f"pyramids: {'first' if event.pyramid == 0 else 'further'}",
    TargetFilled: lambda _: "take profit: leg target filled",
    TargetDeferred: lambda _: "take profit: target too small to rest, watched",
    PyramidClosed: lambda _: "take profit: pyramid closed alone",
    CloseStarted: lambda event: f"closes: {event.reason.value} of a {event.scope.partition(':')[0]}",
    CloseFinished: lambda event: "closes: given up for slippage" if event.given_up else "closes: finished",
    TriggerSuperseded: lambda _: "closes: trigger superseded",
    DustRecorded: lambda _: "closes: dust recorded",
    GroupClosed: lambda event: f"groups closed: {event.reason.value}",
    SignalQueued: lambda event: f"queue: {event.reason.value}",
    QueuedReplaced: lambda _: "queue: replaced by a newer signal",
    EntryPromoted: lambda event: f"queue: {event.how.value}",
    QueueRemoved: lambda event: f"queue: removed, {event.reason}",
    RiskTimerStarted: lambda _: "offset: timer started",
    RiskTimerCleared: lambda _: "offset: timer cleared",
    OffsetDecided: lambda event: "offset: plan decided" if event.plan_id else "offset: decided to wait",
    OffsetStepEnded: lambda event: f"offset: {'loser' if event.loser else 'winner'} {event.status}",
    OffsetEnded: lambda event: f"offset: plan {event.outcome}",
    GroupAlert: lambda event: f"alerts: {event.code}",
    IncidentRaised: lambda event: f"incidents: {event.kind}",
}


def mechanism_of(event: Event) -> str | None:
    """Return which mechanism an event is the use of, as ``area: what``; None when it is only a step of one."""
    name = _NAMES.get(type(event))
    return name(event) if name is not None else None
