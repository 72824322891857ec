"""Decide on an entry and on an exit as they arrive (EX-904, EX-910 to EX-914, EX-919, EX-928)."""

from __future__ import annotations

from protocol.pool import GroupCloseAsked, HoldReason, QueuedReplaced, SignalQueued
from protocol.signals import Signal, SignalKind
from rules.identity import opposite_key
from rules.pool.admission import EntryPlan
from rules.pool.entering import admit, remove, supersede
from rules.pool.state import LiveGroup, QueuedEntry
from rules.pool.turn import TO_GO_ON, Turn
from rules.signals.arrival import came_before

__all__ = ["enter", "leave"]


def enter(turn: Turn, signal: Signal) -> None:
    """Open a group, add a pyramid, queue the entry or reject it.

    The exit half of a reversal is carried out whatever becomes of its entry half: what forbids entering never keeps a
    position open (EX-111).
    """
    key, world = signal.group_key, turn.world
    other = turn.state.opposite_of(key)
    reverse = signal.kind is SignalKind.REVERSE or (world.settings.reverse_policy and other is not None)
    if reverse and other is not None and not other.closing:
        _close(turn, other, signal.signal_id, reversal=True)
    if world.barred is not None:
        turn.refuse(*world.barred, f"{TO_GO_ON[world.barred.code]}, then send the signal again")
        return
    waiting, group = turn.state.queued_of(key), turn.state.live.get(key)
    if waiting is not None and not world.settings.replace:
        turn.refuse(
            "DuplicateQueued", f"{waiting.queue_id} waits for this identity, and a newer one may not replace it"
        )
        return
    if waiting is None and group is not None and _is_full(turn, group):
        turn.refuse("MaxPyramidsReached", f"group {group.group_id} has all {group.received} pyramids")
        return
    plan = _plan(turn, signal, group)
    if turn.said is not None:
        return
    if waiting is not None:
        _replace(turn, waiting, signal, plan, reverse=reverse and other is not None)
    else:
        _admit_or_queue(turn, signal, plan, reverse=reverse and other is not None)


def _is_full(turn: Turn, group: LiveGroup) -> bool:
    return not group.closing and group.received >= turn.world.most_pyramids(group)


def _plan(turn: Turn, signal: Signal, group: LiveGroup | None) -> EntryPlan | None:
    """Return what the entry would place; None when its rules are not known yet or, having been refused, it is over."""
    found = turn.world.rules(signal)
    if found.refusal is not None:
        turn.refuse(found.refusal, *_RULES_SAID.get(found.refusal, ()))
        return None
    if found.held:
        return None
    pyramid = group.received if group is not None and not group.closing else 0
    plan = turn.world.plan(signal, pyramid, found, turn.state)
    if plan.code:
        turn.refuse(plan.code, *plan.reasons)
    return plan


_RULES_SAID = {
    "PrecisionMissing": ("the venue lists no such market; check the symbol, or fetch the rules and send it again",),
    "ForcedPrecisionMissing": ("precision_mode is force: set precision.forced_rules for this symbol",),
    "ForcedPrecisionIncompatible": ("precision.forced_rules must be multiples of the venue's tick and step",),
}


def _admit_or_queue(turn: Turn, signal: Signal, plan: EntryPlan | None, *, reverse: bool) -> None:
    key = signal.group_key
    hold = turn.hold_of(key, signal)
    if plan is None or hold is not None or not turn.may_enter(key):
        _queue(turn, signal, plan, hold or HoldReason.POOL_FULL, reverse=reverse)
        return
    refusal = plan.refusal
    if refusal is not None:
        turn.refuse(refusal[0], *refusal[1])
        return
    supersede(turn, key, signal.signal_id)
    outcome = admit(turn, plan, signal.signal_id)
    turn.outcomes.append(outcome)
    turn.said = (outcome, ())


def _queue(turn: Turn, signal: Signal, plan: EntryPlan | None, reason: HoldReason, *, reverse: bool) -> None:
    key, settings = signal.group_key, turn.world.settings
    if not _has_place(turn, key):
        waiting = f"{len(turn.state.queue)} of {settings.queue_limit} entries wait"
        turn.refuse(
            "QueueFull", waiting, _because(turn, key, reason), "raise execution_pool.queue_limit, or remove one"
        )
        return
    supersede(turn, key, signal.signal_id)
    queue_id, because = f"q{turn.state.next_queue}", _because(turn, key, reason)
    group = turn.state.live.get(key)
    queued = SignalQueued(
        queue_id=queue_id,
        group_key=key,
        signal_id=signal.signal_id,
        signal=signal,
        reason=reason,
        reverse=reverse,
        group_id=group.group_id if group is not None and not group.closing else "",
        expected_profit=plan.profit if plan is not None else None,
        waiting=len(turn.state.queue) + 1,
        reasons=(because,),
        at=turn.world.now,
    )
    outcome = f"queued:{queue_id}:{reason.value}"
    turn.emit(queued, outcome)
    turn.said = (outcome, (because,))


def _has_place(turn: Turn, key: str) -> bool:
    """Whether the queue takes one more; what this entry supersedes makes room (EX-914)."""
    settings, state = turn.world.settings, turn.state
    leaves = sum(1 for entry in state.queue.values() if settings.cancel_opposite and _is_opposite(entry.key, key))
    return len(state.queue) - leaves < settings.queue_limit


def _is_opposite(one: str, other: str) -> bool:
    return one != other and one.rpartition("|")[0] == other.rpartition("|")[0]


def _because(turn: Turn, key: str, reason: HoldReason) -> str:
    match reason:
        case HoldReason.OPPOSITE_SIDE:
            other = turn.state.barred_by(key)
            assert other is not None, "held by the other side"
            state = "is closing" if other.closing else "is live"
            if opposite_key(key) == other.key:
                return f"the other side {state} as {other.group_id}"
            return f"the other side {state} as {other.group_id} ({other.opening.timeframe}): a venue nets both sides"
        case HoldReason.CLOSING:
            return f"group {turn.state.live[key].group_id} of this identity is closing"
        case HoldReason.PRECISION_MISSING:
            return "the trading rules of this market could not be fetched yet"
    return f"{turn.occupied} of {turn.world.settings.max_open_groups} slots are taken"


def _replace(turn: Turn, waiting: QueuedEntry, signal: Signal, plan: EntryPlan | None, *, reverse: bool) -> None:
    supersede(turn, waiting.key, signal.signal_id)
    group = turn.state.live.get(waiting.key)
    newer = QueuedReplaced(
        queue_id=waiting.queue_id,
        group_key=waiting.key,
        signal_id=signal.signal_id,
        replaced_signal_id=waiting.signal.signal_id,
        signal=signal,
        reverse=waiting.reverse or reverse,
        group_id=group.group_id if group is not None and not group.closing else "",
        expected_profit=plan.profit if plan is not None else None,
        replacements=waiting.replacements + 1,
        at=turn.world.now,
    )
    outcome = f"replaced:{waiting.queue_id}"
    turn.emit(newer, outcome)
    turn.said = (outcome, (f"in place of signal {waiting.signal.signal_id}, replacement {newer.replacements}",))


# --- exits -------------------------------------------------------------------------------------------------------------


def leave(turn: Turn, key: str, signal_id: str) -> None:
    """Delete what waits under this identity and close its live group (EX-912, EX-714).

    A live group answers for the signal itself.
    """
    waiting, group = turn.state.queued_of(key), turn.state.live.get(key)
    # Told again after a crash, an exit is about what was there when it came, not about what has come since.
    if waiting is not None and came_before(signal_id, waiting.signal.signal_id):
        waiting = None
    if group is not None and came_before(signal_id, group.opening.signal_id):
        group = None
    if waiting is not None and turn.world.settings.drop_on_exit:
        remove(turn, waiting, "exit_signal", (f"signal {signal_id} left this side",), by_signal=signal_id)
        turn.said = (turn.outcomes[-1], ())
    if group is not None:
        turn.said = None
        if group.closing:
            turn.outcomes.append("already_closing")
        else:
            _close(turn, group, signal_id, reversal=False)
    elif not turn.outcomes:
        turn.outcomes.append("nothing_to_exit")
        turn.said = ("nothing_to_exit", (f"no group of {key} is live or waits",) if waiting is None else ())


def _close(turn: Turn, group: LiveGroup, signal_id: str, *, reversal: bool) -> None:
    asked = GroupCloseAsked(
        group_key=group.key, group_id=group.group_id, signal_id=signal_id, reversal=reversal, at=turn.world.now
    )
    turn.emit(asked, f"closing:{group.key}")
