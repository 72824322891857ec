"""The bugs that can be planted, each with the rules that should break because of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from simulation.defects import journal, orders, signals
from simulation.defects.defect import Defect

__all__ = ["DEFECTS", "planted"]

_ALL: Final = (
    Defect("dedupe-off", "a signal that was seen before is taken for a new one", signals.dedupe_off, frozenset(), "all"),
    Defect("blind-retry", "an order without an answer is sent again under a new id, unasked", orders.blind_retry,
           frozenset(), "network"),
    Defect("act-before-persist", "orders leave before the decision is durable", journal.act_before_persist,
           frozenset(), "disk"),
    Defect("fill-matched-by-price", "a fill is tied to an order by its price", orders.fill_matched_by_price,
           frozenset(), "network"),
    Defect("lost-timer-on-restart", "a group that comes back does not set its timers", journal.lost_timer_on_restart,
           frozenset(), "all"),
    Defect("slot-leaked", "a group that never held anything keeps its slot", signals.slot_leaked, frozenset(), "network"),
    Defect("projector-skips-one-event", "a read model misses a record after a pause", journal.projector_skips_one_event,
           frozenset(), "none"),
    Defect("breaker-read-stale", "the desk keeps the first risk permit for ever", signals.breaker_read_stale,
           frozenset(), "all"),
    Defect("partial-treated-as-full", "the first fill of an entry counts as all of it", orders.partial_treated_as_full,
           frozenset(), "network"),
    Defect("cancel-assumed-successful", "an order counts as cancelled without an answer",
           orders.cancel_assumed_successful, frozenset(), "network"),
    Defect("snapshot-one-behind", "a snapshot lacks the newest event it is numbered by", journal.snapshot_one_behind,
           frozenset(), "crash"),
    Defect("double-exit", "a close is sent again while it is on its way", orders.double_exit, frozenset(), "network"),
    Defect("fill-counted-twice", "a fill counts as often as it is told", orders.fill_counted_twice, frozenset(), "network"),
    Defect("missed-fills-left", "a reconciliation leaves out the fills", orders.missed_fills_left, frozenset(), "network"),
    Defect("failed-commit-kept", "actors go on with events that were not kept",
           journal.failed_commit_kept, frozenset(), "disk"),
    Defect("answer-before-persist", "a sender is answered before its signal is durable", signals.answer_before_persist,
           frozenset(), "disk"),
    Defect("pool-limit-off-by-one", "one group too many is let in", signals.pool_limit_off_by_one, frozenset(), "none"),
)  # fmt: skip

DEFECTS: Final[Mapping[str, Defect]] = MappingProxyType({defect.name: defect for defect in _ALL})
"""Bug by name."""


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug by name, in this process, for as long as the block lasts; the empty name plants none.

    Raises KeyError for a name there is none of, NothingToPatch when production has no such place any more.
    """
    if not name:
        yield
        return
    with DEFECTS[name].plant():
        yield
