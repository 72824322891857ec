"""The pool's reducer: a command meets a state, and out come events (EX-901 to EX-931).

``decide`` looks at rules and settings; ``evolve`` folds what it decided without either.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from protocol.pool import Promotion, QueueAnswer, SlotFreed
from protocol.signals import Signal
from rules.pool.adopting import Adopt, adopt
from rules.pool.entering import remove
from rules.pool.entries import enter, leave
from rules.pool.promotion import expire, let_in, promote
from rules.pool.state import PoolState, QueuedEntry, occupancy
from rules.pool.turn import TO_GO_ON, Decision, Surroundings, Turn

__all__ = ["Action", "ByOperator", "Command", "Enter", "Leave", "LookAgain", "Release", "decide"]


class Enter(NamedTuple):
    """An entry or a reversal arrived."""

    signal: Signal


class Leave(NamedTuple):
    """An exit arrived."""

    key: str
    signal_id: str


class Release(NamedTuple):
    """A group closed for good."""

    key: str
    group_id: str


class LookAgain(NamedTuple):
    """Something changed that may let an entry in or end its wait: time, rules, limits, a pause."""


class Action(StrEnum):
    """What an operator does to one entry."""

    PROMOTE = "promote"
    FORCE_ADD = "force_add"
    REMOVE = "remove"


class ByOperator(NamedTuple):
    """An operator's command."""

    action: Action
    queue_id: str
    request_id: str = ""


Command: TypeAlias = Enter | Leave | Release | LookAgain | ByOperator | Adopt


def decide(state: PoolState, command: Command, world: Surroundings) -> Decision:
    """Return what follows from a command; the state stays as it is."""
    turn = Turn(state, world)
    match command:
        case Enter(signal):
            enter(turn, signal)
        case Leave(key, signal_id):
            # An exit frees no slot and ends no hold: the group's end does (EX-917).
            leave(turn, key, signal_id)
        case Release(key, group_id):
            _release(turn, key, group_id)
        case LookAgain():
            promote(turn)
        case ByOperator():
            _operate(turn, command)
        case Adopt():
            adopt(turn, command)
    return turn.decision()


def _release(turn: Turn, key: str, group_id: str) -> None:
    """Free a slot, and let the next in at once (EX-905); a repeat changes nothing."""
    group = turn.state.live.get(key)
    if group is None or group.group_id != group_id:
        return
    world = turn.world
    settings = world.settings
    weight = occupancy([group], count_pyramids=settings.count_pyramids, count_dca=settings.count_dca)
    freed = SlotFreed(
        group_key=key,
        group_id=group_id,
        occupied=turn.occupied - weight,
        maximum=settings.max_open_groups,
        at=world.now,
    )
    turn.emit(freed, f"slot_released:{key}")
    promote(turn, released=key)


def _operate(turn: Turn, command: ByOperator) -> None:
    before = turn.state.answered.get(command.request_id) if command.request_id else None
    if before is not None:
        turn.answer = QueueAnswer(queue_id=command.queue_id, outcome=before, message="this request was served before")
        return
    if command.action is not Action.REMOVE:
        expire(turn)
    entry = turn.state.queue.get(command.queue_id)
    if entry is None:
        _deny(turn, command, "NotQueued", f"no entry {command.queue_id} waits; `bulkhead queue` lists those that do")
    elif command.action is Action.REMOVE:
        remove(turn, entry, "operator", request_id=command.request_id)
        turn.answer = QueueAnswer(queue_id=entry.queue_id, outcome=turn.outcomes[-1], message="removed")
    else:
        _let_in_by_hand(turn, command, entry)


def _let_in_by_hand(turn: Turn, command: ByOperator, entry: QueuedEntry) -> None:
    world, forced = turn.world, command.action is Action.FORCE_ADD
    if world.barred is not None:
        code, why = world.barred
        _deny(turn, command, code, f"nothing enters at present ({why}): {TO_GO_ON[code]}")
        return
    hold = turn.hold_of(entry.key, entry.signal)
    if hold is not None:
        text = f"{entry.queue_id} is held ({hold.value}); the hold ends by itself, or remove the entry"
        _deny(turn, command, "HeldEntry", text, hold.value)
        return
    if not forced and not turn.may_enter(entry.key):
        taken = f"{turn.occupied} of {world.settings.max_open_groups} slots are taken"
        _deny(turn, command, "NoFreeSlot", f"{taken}: wait, raise the limit, or force-add it")
        return
    how = Promotion.FORCED if forced else Promotion.PROMOTED
    let_in(
        turn,
        entry,
        how,
        (f"an operator asked to {command.action.value.replace('_', ' ')} it",),
        request_id=command.request_id,
    )
    outcome = turn.outcomes[-1]
    code = outcome.rpartition(":")[2] if outcome.startswith("queue_removed:") else ""
    message = f"refused when it was tried and taken out of the queue: {code}" if code else "it enters"
    turn.answer = QueueAnswer(queue_id=entry.queue_id, outcome=outcome, code=code, message=message)


def _deny(turn: Turn, command: ByOperator, code: str, message: str, reason: str = "") -> None:
    turn.outcomes.append(f"error:{code}")
    turn.answer = QueueAnswer(
        queue_id=command.queue_id, outcome=f"error:{code}", code=code, reason=reason, message=message
    )
