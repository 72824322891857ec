"""Let waiting entries in when there is a place, take out those whose time is over (EX-915 to EX-919, EX-929 ff.)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protocol.pool import EntryPromoted, Promotion
from protocol.signals import Signal
from protocol.values import Instant
from rules.pool.entering import admit, remove
from rules.pool.ranking import best_two, why
from rules.pool.settings import PoolSettings
from rules.pool.state import PoolState, QueuedEntry
from rules.pool.turn import Turn

__all__ = ["expire", "let_in", "next_expiry", "promote"]

_WORD = {Promotion.FORCED: "force_added"}


def promote(turn: Turn, *, released: str = "") -> None:
    """Repeat: let in the best entry that is not held and may enter; stop when there is none.

    ``released`` is the identity that has just given its slot back: the reversal of it takes that slot over, before any
    ranking.
    """
    expire(turn)
    if turn.world.barred is not None or turn.world.settings.dry_run or not turn.state.queue:
        return
    heirs = [entry for entry in turn.state.queue.values() if entry.inherits]
    # Whose slot it is goes first: an heir that was held when its own slot came free has no claim to this one.
    for heir in sorted(heirs, key=lambda entry: not _reverses(entry.key, released)):
        took_over = turn.state.queued_of(heir.key) is heir and _reverses(heir.key, released)
        if (took_over or turn.may_enter(heir.key)) and turn.hold_of(heir.key, heir.signal) is None:
            let_in(turn, heir, Promotion.INHERITED, ("it reverses the group that closed and takes its slot over",))
    while (found := _best(turn)) is not None:
        entry, reasons = found
        let_in(turn, entry, Promotion.RANKED, reasons)


def _reverses(key: str, released: str) -> bool:
    """Whether this is the other side of what was released; nothing is when nothing was."""
    return key != released and key.rpartition("|")[0] == released.rpartition("|")[0]


def _best(turn: Turn) -> tuple[QueuedEntry, tuple[str, ...]] | None:
    """Return the entry whose turn it is, and why."""
    settings, state = turn.world.settings, turn.state
    free = turn.free
    if free <= 0 and not settings.same_pair_timeframe:
        return None
    able = [
        entry
        for entry in state.queue.values()
        if (free > 0 or state.continues(entry.key)) and turn.hold_of(entry.key, entry.signal) is None
    ]
    if not able:
        return None
    best = best_two([turn.contender(entry) for entry in able], settings.rules)
    free_now = f"{max(free, 0)} of {settings.max_open_groups} slots free"
    return state.queue[best[0][1].entry_id], (why(best, settings.rules), free_now)


def let_in(turn: Turn, entry: QueuedEntry, how: Promotion, reasons: Sequence[str], *, request_id: str = "") -> None:
    """Admit a queued entry, its rules, ladder and funds computed anew; what fails now takes it out (EX-930, EX-931)."""
    signal, group = _priced(turn, entry.signal), turn.state.live.get(entry.key)
    found = turn.world.rules(signal)
    if found.refusal is not None:
        remove(turn, entry, found.refusal, ("its trading rules forbid it now",), request_id=request_id)
        return
    if group is not None and group.received >= turn.world.most_pyramids(group):
        full = f"group {group.group_id} has all {group.received} pyramids"
        remove(turn, entry, "MaxPyramidsReached", (full,), request_id=request_id)
        return
    plan = turn.world.plan(signal, group.received if group is not None else 0, found, turn.state)
    if plan.refusal is not None:
        code, because = plan.refusal
        remove(turn, entry, code, because, request_id=request_id)
        return
    turn.emit(
        EntryPromoted(
            queue_id=entry.queue_id,
            group_key=entry.key,
            signal_id=entry.signal.signal_id,
            how=how,
            reasons=tuple(reasons),
            queued_at=entry.queued_at,
            replacements=entry.replacements,
            request_id=request_id,
            waiting=len(turn.state.queue) - 1,
            at=turn.world.now,
        )
    )
    outcome = admit(turn, plan, entry.signal.signal_id)
    turn.outcomes.append(f"{_WORD.get(how, 'promoted')}:{entry.queue_id}:{outcome}")


def _priced(turn: Turn, signal: Signal) -> Signal:
    """Return the signal at the price its ladder is built from (EX-918); without a market price, its own."""
    if not turn.world.settings.market_price:
        return signal
    price = turn.world.market_price(signal)
    return signal if price is None else replace(signal, entry_price=price)


def expire(turn: Turn) -> None:
    """Take out what was not refreshed for too long (EX-915)."""
    age, now = turn.world.settings.queue_age_ns, turn.world.now
    if not age:
        return
    for entry in list(turn.state.queue.values()):
        if now - entry.updated_at > age:
            minutes = turn.world.settings.max_queue_minutes
            remove(turn, entry, "expired", (f"not refreshed for more than {minutes} minutes",))


def next_expiry(state: PoolState, settings: PoolSettings) -> Instant | None:
    """Return the first instant at which an entry is too old, None for never."""
    if not settings.queue_age_ns or not state.queue:
        return None
    return min(entry.updated_at for entry in state.queue.values()) + settings.queue_age_ns + 1
