"""All invariants, in the order in which they are looked at."""

from __future__ import annotations

from simulation.invariant import Invariant
from simulation.invariants.actors import NobodyMissing, NothingWaits
from simulation.invariants.alerts import AlertsAreShown
from simulation.invariants.closes import ClosedIsClosed, ClosesGetThrough, FirstTriggerWins
from simulation.invariants.exits import NoOverExit, PositionSign
from simulation.invariants.fills import FillsAgree, FillsBooked
from simulation.invariants.folds import SnapshotAndTail, StateIsFold
from simulation.invariants.journal import DeadLettersExplained, JournalWhole
from simulation.invariants.lives import GroupLife
from simulation.invariants.money import CashConserved, HoldingsAgree, ResultsAddUp
from simulation.invariants.orders import NoOrderTwice, OneAttempt, OrderLife
from simulation.invariants.permits import EntriesPermitted, OrdersFit, StoppedMeansStopped
from simulation.invariants.pool import PoolLimit, QueueLeavesOnce, SlotsAreGroups
from simulation.invariants.protection import HeldIsProtected
from simulation.invariants.read_models import RebuildAgrees, ViewsTellTheJournal
from simulation.invariants.signals import ActedOnce, AnsweredIsKept, OneOutcome
from simulation.invariants.timers import DueIsArmed

__all__ = ["ALL"]

ALL: tuple[type[Invariant], ...] = (
    NoOrderTwice,
    OneAttempt,
    OrderLife,
    FillsAgree,
    FillsBooked,
    NoOverExit,
    PositionSign,
    ClosedIsClosed,
    FirstTriggerWins,
    ClosesGetThrough,
    HoldingsAgree,
    CashConserved,
    ResultsAddUp,
    EntriesPermitted,
    StoppedMeansStopped,
    OrdersFit,
    HeldIsProtected,
    PoolLimit,
    SlotsAreGroups,
    QueueLeavesOnce,
    GroupLife,
    OneOutcome,
    ActedOnce,
    AnsweredIsKept,
    StateIsFold,
    SnapshotAndTail,
    RebuildAgrees,
    ViewsTellTheJournal,
    AlertsAreShown,
    NobodyMissing,
    NothingWaits,
    DueIsArmed,
    JournalWhole,
    DeadLettersExplained,
)
"""Every invariant, those about money first."""
