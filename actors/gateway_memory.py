"""What the gateway remembers, and how its events change that. Folding needs no configuration."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from protocol.incidents import IncidentCleared, IncidentRaised
from protocol.messages import Event
from protocol.signals import (
    EntryRequest,
    ExitRequest,
    MarketPosition,
    ReduceRequest,
    Signal,
    SignalKind,
    SignalReceived,
    SignalRouted,
)
from rules.signals import DuplicateMemory, DuplicateWindows, Verdict, sighting_of
from runtime.clock import NANOS

__all__ = [
    "GatewayState",
    "Pending",
    "SaidPosition",
    "delivered_id",
    "fold",
    "incident_key",
    "request_of",
    "undated_key",
]

T = TypeVar("T")

_PRUNE_EVERY: Final = 256
_MOST_INCIDENTS: Final = 1_000
_MOST_SOURCES: Final = 10_000
"""Sources that are remembered, those heard last: names of alerts are the sender's, who may use a new one each time."""


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A signal that was handed to an account and has no outcome yet. ``account`` is empty in old journals."""

    signal: Signal
    account: str
    origin: str
    """The id of the signal that arrived; an account beside the first is handed a copy with an id of its own."""


class SaidPosition(msgspec.Struct, frozen=True, gc=False):
    """The position a source says that its newest alert left it in; ``size`` None when it did not say."""

    position: MarketPosition
    size: Decimal | None = None


class GatewayState(msgspec.Struct):
    """Everything that outlives a restart.

    ``first_ids`` names the signal that first had a fingerprint. ``undated`` holds when and as which signal a text without a
    time was first seen, ``bars`` the bar of each source's newest entry, ``heard`` when each source last spoke,
    ``said`` the position it then said to be in.
    """

    memory: DuplicateMemory = msgspec.field(default_factory=DuplicateMemory)
    pending: dict[str, Pending] = msgspec.field(default_factory=dict)
    received: int = 0
    first_ids: dict[str, str] = msgspec.field(default_factory=dict)
    undated: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    bars: dict[str, int] = msgspec.field(default_factory=dict)
    heard: dict[str, int] = msgspec.field(default_factory=dict)
    incidents: dict[str, IncidentRaised] = msgspec.field(default_factory=dict)
    said: dict[str, SaidPosition] = msgspec.field(default_factory=dict)


def incident_key(kind: str, subject: str) -> str:
    """Return what an incident is known by."""
    return f"{kind}|{subject}"


def delivered_id(signal_id: str, account: str, place: int) -> str:
    """Return the id under which an account gets a signal: the first one its own, others with their name.

    Groups and orders are named after it, so that two accounts that trade one signal never share a name.
    """
    return signal_id if place == 0 else f"{signal_id}-{account}"


def request_of(signal: Signal) -> EntryRequest | ExitRequest | ReduceRequest:
    """Return what a pool is asked for by a signal."""
    match signal.kind:
        case SignalKind.EXIT:
            return ExitRequest(signal, signal.group_key)
        case SignalKind.REDUCE:
            return ReduceRequest(signal, signal.group_key, signal.fraction, signal.amount)
    return EntryRequest(signal)


def undated_key(signal: Signal) -> str:
    """Return what two texts without a time have in common when they are one."""
    return f"{signal.group_key}|{signal.kind.value}|{signal.trade_id}"


def fold(state: GatewayState, event: Event, windows: DuplicateWindows) -> None:
    """Change the state by one event; ``windows`` say what may be forgotten by now, and nothing else."""
    match event:
        case SignalReceived():
            _received(state, event, windows)
        case SignalRouted():
            for name in (event.signal_id, f"{event.signal_id}-{event.account}"):
                if (pending := state.pending.get(name)) is not None and _meant(pending, event):
                    del state.pending[name]
        case IncidentRaised():
            if len(state.incidents) < _MOST_INCIDENTS:
                state.incidents.setdefault(incident_key(event.kind, event.subject), event)
        case IncidentCleared():
            state.incidents.pop(incident_key(event.kind, event.subject), None)


def _meant(pending: Pending, routed: SignalRouted) -> bool:
    return pending.origin == routed.signal_id and pending.account in ("", routed.account)


def _received(state: GatewayState, event: SignalReceived, windows: DuplicateWindows) -> None:
    state.received += 1
    signal = event.signal
    if signal is None:
        return
    if event.outcome in ("accepted", "replacement"):
        for place, account in enumerate(event.accounts or ("",)):
            name = delivered_id(event.signal_id, account, place)
            handed = msgspec.structs.replace(signal, signal_id=name) if place else signal
            state.pending[name] = Pending(handed, account, event.signal_id)
        if signal.bar_at is not None and signal.kind.opens:
            _remember(state.bars, signal.source_key, signal.bar_at)
        if event.undated:
            state.undated[undated_key(signal)] = (event.received_at, event.signal_id)
    if event.source_address != "operator" and signal.replay_of is None and not event.outcome.startswith("rejected"):
        _remember(state.heard, signal.source_key, event.received_at)
        if signal.market_position is not None:
            _remember(state.said, signal.source_key, SaidPosition(signal.market_position, signal.market_position_size))
    if event.fingerprint:
        # By what was decided then, not by the windows of today: they may have been set anew since.
        repeats = event.outcome == Verdict.DUPLICATE.value and event.fingerprint in state.memory.first_seen
        if not repeats:
            state.memory.note(sighting_of(signal))
        state.first_ids.setdefault(event.fingerprint, event.signal_id)
    if state.received % _PRUNE_EVERY == 0:
        _prune(state, event.received_at, windows)


def _remember(of: dict[str, T], source: str, what: T) -> None:
    of.pop(source, None)
    of[source] = what
    if len(of) > _MOST_SOURCES:
        del of[next(iter(of))]


def _prune(state: GatewayState, now: int, windows: DuplicateWindows) -> None:
    state.memory.prune(now, windows)
    for mark in [mark for mark in state.first_ids if mark not in state.memory.first_seen]:
        del state.first_ids[mark]
    for text in [text for text, (at, _) in state.undated.items() if now - at > 3_600 * NANOS]:
        del state.undated[text]
