"""Read the queue without acting: every entry in its place, and why there (EX-916, EX-920)."""

from __future__ import annotations

from protocol.pool import HoldReason, QueueLine, QueueReport
from rules.pool.ranking import Ranked, rank_queue
from rules.pool.state import PoolState, QueuedEntry
from rules.pool.turn import Surroundings, Turn

__all__ = ["queue_report"]


def queue_report(state: PoolState, account: str, world: Surroundings) -> QueueReport:
    """Return the queue in ranked order; held entries are ranked too."""
    turn = Turn(state, world)
    settings = world.settings
    ranked = rank_queue((turn.contender(entry) for entry in state.queue.values()), settings.rules)
    return QueueReport(
        account=account,
        entries=tuple(_line(turn, state.queue[each.entry_id], each) for each in ranked),
        rules=tuple(rule.value for rule in settings.rules),
        occupied=turn.occupied,
        maximum=settings.max_open_groups,
        free=max(turn.free, 0),
        queue_limit=settings.queue_limit,
        paused=world.barred.why if world.barred is not None else "",
        at=world.now,
    )


def _line(turn: Turn, entry: QueuedEntry, ranked: Ranked) -> QueueLine:
    signal, age = entry.signal, turn.world.settings.queue_age_ns
    hold = turn.hold_of(entry.key, signal)
    return QueueLine(
        rank=ranked.rank,
        queue_id=entry.queue_id,
        group_key=entry.key,
        signal_id=signal.signal_id,
        venue=signal.venue,
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=signal.side,
        reason=hold or HoldReason.POOL_FULL,
        hold=hold.value if hold is not None else "",
        reverse=entry.reverse,
        continuation=turn.state.continues(entry.key),
        replacements=entry.replacements,
        expected_profit=entry.expected_profit,
        loss_percent=ranked.loss_percent,
        entry_price=entry.entry_price,
        current_price=turn.world.price(signal.symbol),
        queued_at=entry.queued_at,
        updated_at=entry.updated_at,
        expires_at=entry.updated_at + age if age else None,
        keys=ranked.keys,
        why=ranked.why,
    )
