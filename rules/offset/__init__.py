"""The loss offset as pure rules: who may be offset, in which order, out of whose profit, and when to look again.

``figures`` what a group stands at, ``timer`` and ``eligibility`` what it waits for, ``ranking`` and ``plan`` who pays
for whom, ``cycle`` and ``run_now`` a whole decision, ``execution`` its carrying out, ``watch`` what could change it.
What must not live here: clocks, prices in motion, orders, or anything remembered between two cycles
(``actors.offset``).
"""

from rules.offset.cycle import Cycle, cycle_status, risk_cycle
from rules.offset.eligibility import failures, pyramids_ok
from rules.offset.execution import (
    STALE_PLAN_S,
    Ask,
    End,
    Flight,
    Move,
    Outcome,
    Step,
    Wait,
    begin,
    fold_step,
    next_move,
)
from rules.offset.figures import LIVE_STATES, Candidate, loss_percent, unit_usd, unrealized_usd
from rules.offset.plan import LoserSlice, loser_slice, plan_offset, plan_with
from rules.offset.ranking import Winner, rank_losers, rank_winners
from rules.offset.run_now import Run, run_now
from rules.offset.settings import OffsetSettings, OnShortfall, TimerStart
from rules.offset.timer import age_ok, remaining_s, start_holds, timer_after, timer_expired
from rules.offset.watch import ANY_PRICE, Band, bands, next_instant

__all__ = [
    "ANY_PRICE",
    "LIVE_STATES",
    "STALE_PLAN_S",
    "Ask",
    "Band",
    "Candidate",
    "Cycle",
    "End",
    "Flight",
    "LoserSlice",
    "Move",
    "OffsetSettings",
    "OnShortfall",
    "Outcome",
    "Run",
    "Step",
    "TimerStart",
    "Wait",
    "Winner",
    "age_ok",
    "bands",
    "begin",
    "cycle_status",
    "failures",
    "fold_step",
    "loser_slice",
    "loss_percent",
    "next_instant",
    "next_move",
    "plan_offset",
    "plan_with",
    "pyramids_ok",
    "rank_losers",
    "rank_winners",
    "remaining_s",
    "risk_cycle",
    "run_now",
    "start_holds",
    "timer_after",
    "timer_expired",
    "unit_usd",
    "unrealized_usd",
]
