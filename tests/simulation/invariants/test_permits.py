"""Invariants about entries find what they are for, and nothing in clean runs."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from protocol.messages import Event
from protocol.orders import OrderRequest, OrderSent, Purpose
from protocol.risk import (
    AccountArmed,
    AccountPaused,
    AccountResumed,
    AccountStopped,
    EngineStatus,
    EngineStatusChanged,
)
from protocol.values import OrderSide
from protocol.venue import EntriesAllowed, EntriesStopped, Reconciled, VenueStatus, VenueStatusChanged
from simulation.invariant import Invariant
from simulation.invariants.permits import EntriesPermitted, OrdersFit, StoppedMeansStopped
from tests.simulation.invariants.recording import DESK, Replayed, Stage, name_of, order


@pytest.mark.parametrize("kind", [EntriesPermitted, StoppedMeansStopped, OrdersFit])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def engine(stage: Stage, number: int, status: EngineStatus) -> None:
    """Journal a status of the engine."""
    stage.tell("/risk/coordinator", EngineStatusChanged(number, status, "", stage.now))


@dataclass
class Sender:
    """Sends entries under a permit."""

    stage: Stage
    leg: int = 0

    def entry(
        self, permit: int = 0, purpose: Purpose = Purpose.ENTRY, request: OrderRequest | None = None
    ) -> OrderRequest:
        """Journal the decision to send an order; return it."""
        self.leg += 1
        sent = OrderSent(
            request=request or order(name_of(self.leg, purpose)),
            owner="g",
            group_id="g1",
            leg_id="p0.l0",
            purpose=purpose,
            attempt=1,
            expected_price=None,
            permit=permit,
            correlation_id=1,
            at=self.stage.now,
        )
        self.stage.tell(DESK, sent)
        return sent.request


def test_an_entry_under_a_paused_engine_is_found() -> None:
    """EX-111: no entry leaves while the engine is paused; exits do."""
    stage = Stage(EntriesPermitted())
    sender = Sender(stage)
    engine(stage, 1, EngineStatus.PAUSED)
    sender.entry(permit=1, purpose=Purpose.CLOSE)
    assert stage.found == []
    sender.entry(permit=1)
    assert "says paused" in stage.found[0]


def test_an_entry_under_an_old_permit_is_found() -> None:
    """A desk that goes by a permit of before the pause has not heard of it."""
    stage = Stage(EntriesPermitted())
    sender = Sender(stage)
    engine(stage, 1, EngineStatus.PAUSED)
    sender.entry(permit=0)
    assert stage.found == []
    stage.wait()
    sender.entry(permit=0)
    assert "left with permit 0 (running) when 1 (paused) was in force" in stage.found[0]


def test_an_invented_permit_is_found() -> None:
    """Every permit is one that the coordinator gave."""
    stage = Stage(EntriesPermitted())
    Sender(stage).entry(permit=7)
    assert "which nobody gave" in stage.found[0]


def test_entries_after_a_pause_are_found_on_both_sides() -> None:
    """What is decided after the stop, and what arrives long after it, both broke it."""
    stage = Stage(StoppedMeansStopped())
    sender = Sender(stage)
    early = sender.entry()
    engine(stage, 1, EngineStatus.ERROR)
    stage.wait(20)
    stage.exchange.place(early)
    assert "arrived 20 s after entries were stopped (the engine)" in stage.rest()[0]
    sender.entry()
    assert "was decided on 20 s after" in stage.found[1]
    engine(stage, 2, EngineStatus.RUNNING)
    stage.wait()
    sender.entry()
    assert len(stage.found) == 2


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (AccountPaused("paper", "news", 1), AccountResumed("paper", 1)),
        (AccountStopped("paper", "odd fills", "ann", 1), AccountArmed("paper", "ann", 1)),
    ],
)
def test_entries_of_an_account_that_is_held_are_found(begins: Event, ends: Event) -> None:
    """ML-1080: only its own end ends it, and another account's entries leave meanwhile."""
    stage = Stage(StoppedMeansStopped())
    sender = Sender(stage)
    stage.tell("/risk/coordinator", msgspec.structs.replace(begins, account="other"))
    stage.wait()
    sender.entry()
    assert stage.found == []
    stage.tell("/risk/coordinator", begins)
    stage.tell(DESK, EntriesAllowed("paper", 1))
    engine(stage, 1, EngineStatus.RUNNING)
    stage.wait()
    sender.entry()
    assert len(stage.found) == 1
    stage.tell("/risk/coordinator", ends)
    sender.entry()
    assert len(stage.found) == 1


def test_entries_to_a_venue_that_is_down_are_found() -> None:
    """EX-106: after a connection comes back nothing that adds risk leaves before the books were compared."""
    stage = Stage(StoppedMeansStopped())
    sender = Sender(stage)
    for status in (VenueStatus.DOWN, VenueStatus.UP):
        stage.tell("/venues/paper/reconciler", VenueStatusChanged(account="paper", status=status, at=1))
        stage.wait()
    sender.entry()
    assert len(stage.found) == 1
    compared = Reconciled(account="paper", open_orders=0, fills_seen=0, fills_missed=0, differences=0, at=1)
    stage.tell(DESK, compared)
    sender.entry()
    assert len(stage.found) == 1


def test_entries_beside_another_engine_are_found() -> None:
    """EX-1108: stopped until an operator allows them."""
    stage = Stage(StoppedMeansStopped())
    sender = Sender(stage)
    stage.tell(DESK, EntriesStopped("paper", "ForeignEngine", "", 1))
    stage.wait()
    sender.entry()
    stage.tell(DESK, EntriesAllowed("paper", 1))
    sender.entry()
    assert len(stage.found) == 1


@pytest.mark.parametrize(
    ("qty", "price", "said"),
    [
        ("1", "100", ""),
        ("1.0001", "100", "no multiple of the step"),
        ("1", "100.001", "no multiple of the tick"),
        ("0.04", "100", "below the minimum of 5"),
        ("0.000", None, "must be above 0"),
    ],
)
def test_an_order_outside_its_market_is_found(qty: str, price: str | None, said: str) -> None:
    """EX-501 to EX-504: tick, step, smallest quantity and smallest value."""
    stage = Stage(OrdersFit())
    stage.opened()
    if price is None:
        with pytest.raises(ValueError, match=said):
            order(name_of(), qty, price)
        return
    Sender(stage).entry(request=order(name_of(), qty, price))
    assert len(stage.found) == bool(said)
    assert all(said in text for text in stage.found)


def test_a_quantity_below_the_smallest_is_found() -> None:
    """A market order is measured as well."""
    stage = Stage(OrdersFit())
    stage.opened()
    small = msgspec.structs.replace(order(name_of(), "0.001", None, OrderSide.SELL))
    Sender(stage).entry(purpose=Purpose.CLOSE, request=small)
    assert stage.found == []
    assert stage.exchange.place(small).code
