"""Closes: nothing rests and nothing is held after a full close, and the first trigger owns what it closes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from protocol.groups import (
    CloseEnded,
    CloseFilled,
    CloseFinished,
    CloseReason,
    CloseStarted,
    GroupClosed,
    GroupOpened,
    GroupState,
    GroupStateChanged,
    LegClosed,
    LegFilled,
    TargetFilled,
)
from protocol.groups.adoption import PositionAdopted
from protocol.orders import OrderSent, OrderStateChanged
from runtime.clock import NANOS
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import ZERO, Truth

__all__ = ["ClosedIsClosed", "ClosesGetThrough", "FirstTriggerWins"]

_FAILS_MOST: Final = 15
_SINCE_HALT_S: Final = 1_800
"""So many failures take ten minutes, as each wait is at most a minute."""


class ClosedIsClosed(Invariant):
    """When a group says that it is closed, none of its orders can trade any more and it holds its dust, no more, no less."""

    NAME = "closed-is-closed"
    WANTS = (GroupClosed, GroupStateChanged, GroupOpened, PositionAdopted, OrderSent, OrderStateChanged)

    def __init__(self) -> None:
        self._truth = Truth()
        self._closed: dict[str, GroupClosed] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Look at the exchange the moment a group is closed."""
        self._truth.note(entry)
        event = entry.event
        if isinstance(event, GroupClosed):
            self._closed[event.group_id] = event
            self._truth.catch_up(scene)
            yield from self._look(event, scene)
        elif isinstance(event, GroupStateChanged) and event.old is GroupState.CLOSED:
            self._closed.pop(event.group_id, None)

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at every closed group, and for orders of ours that no group answers for."""
        self._truth.catch_up(scene)
        for event in self._closed.values():
            yield from self._look(event, scene)
        for account, exchange in scene.exchanges.items():
            for report in exchange.open_orders():
                name = report.client_order_id
                if self._truth.is_ours(name) and name not in self._truth.sent:
                    yield f"{name} rests at {account} and is in nobody's books"

    def _look(self, event: GroupClosed, scene: Scene) -> Iterator[str]:
        for exits in (False, True):
            for name, rest in self._truth.working(scene, event.group_id, exits=exits):
                yield f"{event.group_id} is closed and its order {name} can still trade {rest}"
        held = abs(self._truth.held.get(event.group_id, ZERO))
        if held != event.dust:
            yield f"{event.group_id} is closed with a dust of {event.dust} and holds {held} at its exchange"


class FirstTriggerWins(Invariant):
    """A scope has one owner until it lets go, a group one reason to close, a leg one end for what was filled of it."""

    NAME = "first-trigger-wins"
    WANTS = (
        CloseStarted,
        CloseFinished,
        GroupStateChanged,
        GroupClosed,
        LegClosed,
        LegFilled,
        TargetFilled,
        CloseFilled,
        PositionAdopted,
    )

    def __init__(self) -> None:
        self._owners: dict[str, dict[int, str]] = {}
        self._numbers: dict[str, int] = {}
        self._why: dict[str, CloseReason | None] = {}
        self._released: set[str] = set()
        self._ended: set[tuple[str, str]] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow who owns what."""
        match entry.event:
            case CloseStarted() as event:
                yield from self._started(event)
            case CloseFinished() as event:
                self._owners.get(event.group_id, {}).pop(event.number, None)
            case GroupStateChanged() as event:
                yield from self._moved(event)
            case GroupClosed() as event:
                yield from self._closed(event)
            case LegFilled() | PositionAdopted() as event:
                self._ended.discard((event.group_id, event.leg_id))
            case TargetFilled() | CloseFilled() as event:
                # A leg ends with less than a step; a later slice may still sell that together with others'.
                self._ended -= {(event.group_id, lot.leg_id) for lot in event.lots}
            case LegClosed() as event:
                if (event.group_id, event.leg_id) in self._ended:
                    yield f"{event.group_id}: leg {event.leg_id} closed again ({event.reason.value})"
                self._ended.add((event.group_id, event.leg_id))

    def _started(self, event: CloseStarted) -> Iterator[str]:
        owners = self._owners.setdefault(event.group_id, {})
        for number, scope in owners.items():
            if _covers(scope, event.scope):
                yield f"{event.group_id}: close {event.number} of {event.scope} while {number} owns {scope}"
        if event.number <= self._numbers.get(event.group_id, 0):
            yield f"{event.group_id}: close {event.number} was begun before"
        self._numbers[event.group_id] = event.number
        owners[event.number] = event.scope

    def _moved(self, event: GroupStateChanged) -> Iterator[str]:
        if event.new is GroupState.CLOSING:
            if event.reason is None:
                yield f"{event.group_id} closes for no reason"
            self._why[event.group_id] = event.reason
        elif event.new is GroupState.CLOSED:
            if event.old is GroupState.CLOSING and event.reason != self._why.get(event.group_id):
                yield f"{event.group_id} began to close for {self._why.get(event.group_id)} and ends for {event.reason}"
            self._why[event.group_id] = event.reason
        else:
            self._why.pop(event.group_id, None)

    def _closed(self, event: GroupClosed) -> Iterator[str]:
        if event.reason != self._why.get(event.group_id):
            yield f"{event.group_id} closed for {event.reason}, its state for {self._why.get(event.group_id)}"
        if event.releases_slot and event.group_id in self._released:
            yield f"{event.group_id} gives its slot back twice"
        self._released.add(event.group_id)
        self._owners.pop(event.group_id, None)


class ClosesGetThrough(Invariant):
    """A close that the exchange could carry out is not refused for ever: whatever refuses it, our side asks it wrongly."""

    NAME = "closes-get-through"
    WANTS = (CloseEnded,)

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Look at how often it has failed; faults refuse one or two orders in a row, a halt all of them."""
        event = entry.event
        assert isinstance(event, CloseEnded)
        halted = max((exchange.halted_until for exchange in scene.exchanges.values()), default=0)
        long_ago = scene.now - halted > _SINCE_HALT_S * NANOS
        if event.failures == _FAILS_MOST and long_ago:
            yield f"{event.group_id}: close {event.number} has failed {event.failures} times: {event.reason}"


def _covers(owner: str, scope: str) -> bool:
    """Whether an owner's scope keeps another trigger from this one; slices may share a group with others."""
    if owner == "group":
        return True
    if owner == scope:
        return scope != "partial"
    kind, _, number = owner.partition(":")
    return kind == "pyramid" and scope.startswith(f"leg:p{number}.")
