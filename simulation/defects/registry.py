"""The bugs that can be planted, each with the rules that should break because of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from simulation.defects import journal, orders, signals
from simulation.defects.defect import Defect
from simulation.scenario import FaultKind
from simulation.world.profiles import PROFILES, Profile

__all__ = ["DEFECTS", "planted"]

_CALM: Final = PROFILES["none"]
_MIXED: Final = PROFILES["all"]
_NETWORK: Final = PROFILES["network"]
_CRASHES: Final = PROFILES["crash"]
_DROPPED: Final = Profile(name="dropped", rates={FaultKind.REQUEST_LOST: 60.0})
_HALTS: Final = Profile(name="halts", rates={FaultKind.KILL: 20.0}, turns=15.0, acts=25.0)
_SILENCE: Final = Profile(name="silence", rates={FaultKind.ANSWER_LOST: 40.0, FaultKind.ANSWER_LATE: 20.0})
_PARTS: Final = Profile(name="parts", rates={FaultKind.PARTIAL_FILL: 30.0, FaultKind.STREAM_DELAYED: 4.0})
_REFUSALS: Final = Profile(name="refusals", rates={FaultKind.REJECT: 30.0})
_BAD_DISK: Final = Profile(name="bad disk", rates={FaultKind.DISK_FULL: 30.0, FaultKind.DISK_IO_ERROR: 30.0})
_PAUSES: Final = Profile(name="pauses", rates={FaultKind.REJECT: 20.0, FaultKind.DISCONNECT: 10.0}, acts=40.0)

_ALL: Final = (
    Defect("dedupe-off", "a signal that was seen before is taken for a new one",
           signals.dedupe_off, frozenset({"signal-acted-once", "answered-is-kept"}), _CALM),
    Defect("blind-retry", "an order without an answer is sent again under a new id, unasked",
           orders.blind_retry, frozenset({"one-attempt-at-a-time", "order-life"}), _SILENCE),
    Defect("act-before-persist", "orders leave before the decision is durable",
           journal.act_before_persist, frozenset({"no-order-twice", "order-life", "closed-is-closed"}), _BAD_DISK),
    Defect("fill-matched-by-price", "a fill is tied to an order by its price",
           orders.fill_matched_by_price, frozenset({"fills-agree", "order-life"}), _NETWORK),
    Defect("lost-timer-on-restart", "what comes back after a restart does not set its timers",
           journal.lost_timer_on_restart, frozenset({"what-is-due-is-armed"}), _HALTS),
    Defect("slot-leaked-on-rejection", "a group that never held anything keeps its slot",
           signals.slot_leaked, frozenset({"slots-are-live-groups", "no-actor-silently-dead"}), _REFUSALS),
    Defect("projector-skips-one-event", "the read models miss a record at each page of the journal",
           journal.projector_skips_one_event,
           frozenset({"read-models-equal-a-rebuild", "read-models-tell-the-journal"}), _CALM),
    Defect("breaker-read-stale", "the desk keeps the first risk permit for ever",
           signals.breaker_read_stale, frozenset({"entries-are-permitted", "no-entry-after-a-stop"}), _PAUSES),
    Defect("partial-treated-as-full", "an order that has traded in part is taken for done",
           orders.partial_treated_as_full,
           frozenset({"order-life", "fills-agree", "closed-is-closed", "one-attempt-at-a-time", "no-double-exit"}), _PARTS),
    Defect("cancel-assumed-successful", "an order counts as cancelled without an answer",
           orders.cancel_assumed_successful, frozenset({"closed-is-closed", "one-attempt-at-a-time"}), _DROPPED),
    Defect("snapshot-one-behind", "a snapshot lacks the newest event it is numbered by",
           journal.snapshot_one_behind, frozenset({"snapshot-and-tail", "state-is-the-fold"}), _CRASHES),
    Defect("double-exit", "a close is sent again while it is on its way",
           orders.double_exit, frozenset({"no-double-exit", "position-keeps-its-sign"}), _NETWORK),
    Defect("fill-counted-twice", "a fill counts as often as it is told",
           orders.fill_counted_twice, frozenset({"fills-agree", "order-life"}), _NETWORK),
    Defect("missed-fills-left", "a reconciliation leaves out the fills",
           orders.missed_fills_left, frozenset({"fills-agree", "holdings-agree"}), _NETWORK),
    Defect("failed-commit-kept", "actors go on with events that were not kept",
           journal.failed_commit_kept, frozenset({"state-is-the-fold", "fills-agree"}), _BAD_DISK),
    Defect("answer-before-persist", "a sender is answered before its signal is durable",
           signals.answer_before_persist, frozenset({"answered-is-kept"}), _BAD_DISK),
    Defect("pool-limit-off-by-one", "one group too many is let in",
           signals.pool_limit_off_by_one, frozenset({"pool-limit-holds"}), _CALM),
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
