"""What must hold of the whole house, one module a subject; ``ALL`` is what every simulated run is checked by.

An invariant judges by the exchange outside, the journal and the state of the actors. What must not live here: anything that
changes a run, and anything that the house itself decides with.
"""

from simulation.invariant import Invariant
from simulation.invariants.closes import ClosedIsClosed, FirstTriggerWins
from simulation.invariants.exits import NoOverExit, PositionSign
from simulation.invariants.fills import FillsAgree, FillsBooked
from simulation.invariants.folds import SnapshotAndTail, StateIsFold
from simulation.invariants.money import CashConserved, HoldingsAgree, ResultsAddUp
from simulation.invariants.orders import NoOrderTwice, OneAttempt, OrderLife
from simulation.invariants.read_models import RebuildAgrees, ViewsTellTheJournal
from simulation.invariants.signals import ActedOnce, AnsweredIsKept, OneOutcome

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
    HoldingsAgree,
    CashConserved,
    ResultsAddUp,
    OneOutcome,
    ActedOnce,
    AnsweredIsKept,
    StateIsFold,
    SnapshotAndTail,
    RebuildAgrees,
    ViewsTellTheJournal,
)
"""Every invariant, those about money first."""
