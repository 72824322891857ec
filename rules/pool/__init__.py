"""Pool and waiting queue: who may enter, who waits, who is next (EX-901 to EX-931).

``decide`` is the reducer: a state, a command and its surroundings give events, which ``evolve`` folds. ``settings`` holds
what an operator decides, ``state`` what is known, ``ranking`` the order of the queue, ``admission`` what an entry would
place, ``markets`` whose trading rules it uses. What must not live here: actors, clocks, and how a group trades.
"""

from rules.pool.admission import EntryPlan, available_funds, plan_entry
from rules.pool.decide import Action, ByOperator, Command, Enter, Leave, LookAgain, Release, decide
from rules.pool.dry_run import Rehearse, carry_out, what_would_happen
from rules.pool.entering import pyramid_of
from rules.pool.evolve import evolve, fold, learn, settle_funds
from rules.pool.markets import KnownMarkets, RulesFound, find_rules
from rules.pool.promotion import next_expiry
from rules.pool.ranking import Contender, Ranked, expected_profit, loss_percent, rank_queue
from rules.pool.report import queue_report
from rules.pool.settings import PoolSettings, RankRule, ranking_rules
from rules.pool.state import LiveGroup, PoolState, QueuedEntry, free_slots, occupancy
from rules.pool.turn import Decision, Surroundings

__all__ = [
    "Action",
    "ByOperator",
    "Command",
    "Contender",
    "Decision",
    "Enter",
    "EntryPlan",
    "KnownMarkets",
    "Leave",
    "LiveGroup",
    "LookAgain",
    "PoolSettings",
    "PoolState",
    "QueuedEntry",
    "RankRule",
    "Ranked",
    "Rehearse",
    "Release",
    "RulesFound",
    "Surroundings",
    "available_funds",
    "carry_out",
    "decide",
    "evolve",
    "expected_profit",
    "find_rules",
    "fold",
    "free_slots",
    "learn",
    "loss_percent",
    "next_expiry",
    "occupancy",
    "plan_entry",
    "pyramid_of",
    "queue_report",
    "rank_queue",
    "ranking_rules",
    "settle_funds",
    "what_would_happen",
]
