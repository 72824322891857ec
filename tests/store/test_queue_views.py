"""What the read models say of the waiting queues (EX-1202)."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

from protocol.pool import EntryPromoted, HoldReason, Promotion, QueuedReplaced, QueueRemoved, SignalQueued
from protocol.values import Side
from store.projector import Projector
from store.queries import records_about
from store.sqlite_journal import MEMORY, open_journal
from store.tables.opening import Where
from tests.actors.groups import signal
from tests.store.trading import Script

POOL = "/risk/pool-paper"
KEY = signal().group_key


def _queued(number: int) -> SignalQueued:
    found = signal(f"s{number}")
    return SignalQueued(
        queue_id=f"q{number}",
        group_key=KEY,
        signal_id=found.signal_id,
        signal=found,
        reason=HoldReason.POOL_FULL,
        expected_profit=Decimal("1.5"),
        waiting=1,
        at=number * 10,
    )


def test_an_entry_from_queue_to_end(tables_at: Where) -> None:
    """EX-1202: identity, signal, price, reason, replacements and profit; then how and when it ended, and why."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        script.add(POOL, _queued(1))
        script.add(POOL, _queued(2))
        newer = signal("s9", entry_price=Decimal(90))
        replaced = QueuedReplaced(
            queue_id="q1",
            group_key=KEY,
            signal_id="s9",
            replaced_signal_id="s1",
            signal=newer,
            expected_profit=None,
            replacements=1,
            at=50,
        )
        script.add(POOL, replaced)
        projector.catch_up(journal)
        second, first = projector.views().queue_entries(waiting=True)
        assert (first.queue_id, first.signal_id, first.entry_price, first.side) == ("q1", "s9", Decimal(90), Side.LONG)
        assert (first.replacement_count, first.expected_profit, first.queued_at, first.updated_at) == (1, None, 10, 50)
        assert (second.reason, second.expected_profit, second.status) == (
            HoldReason.POOL_FULL,
            Decimal("1.5"),
            "waiting",
        )
        common = {"group_key": KEY, "waiting": 0, "reasons": ("because",)}
        promoted = EntryPromoted(
            queue_id="q1", signal_id="s9", how=Promotion.RANKED, queued_at=10, replacements=1, at=60, **common
        )
        script.add(POOL, promoted)
        script.add(POOL, QueueRemoved(queue_id="q2", signal_id="s2", reason="expired", at=70, **common))
        projector.catch_up(journal)
        views = projector.views()
        assert views.queue_entries(waiting=True) == []
        ended = {
            row.queue_id: (row.status, row.closed_reason, row.closed_detail, row.closed_at)
            for row in views.queue_entries()
        }
        assert ended == {"q1": ("entered", "ranked", "because", 60), "q2": ("removed", "expired", "because", 70)}
        assert views.queue_entries(symbol="ETH/USDT") == []


def test_a_replaced_signal_leads_to_what_replaced_it(tables_at: Where) -> None:
    """EX-911: the story of the older signal names the newer one."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        script.add(POOL, _queued(1))
        newer = signal("s9")
        script.add(
            POOL,
            QueuedReplaced(
                queue_id="q1",
                group_key=KEY,
                signal_id="s9",
                replaced_signal_id="s1",
                signal=newer,
                replacements=1,
                at=50,
            ),
        )
        projector.catch_up(journal)
        found = records_about(projector.views(), journal, "s1")
        assert [type(record.event).__name__ for record in found] == ["SignalQueued", "QueuedReplaced"]
