"""Invariants about orders find what they are for, and nothing in clean runs."""

from __future__ import annotations

import pytest

from protocol.orders import OrderState, Purpose
from simulation.invariant import Invariant
from simulation.invariants.orders import NoOrderTwice, OneAttempt, OrderLife
from tests.simulation.invariants.recording import Replayed, Stage, name_of, order


@pytest.mark.parametrize("kind", [NoOrderTwice, OneAttempt, OrderLife])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def test_an_order_decided_on_twice_is_found() -> None:
    """EX-422: a client id names one order for ever."""
    stage = Stage(NoOrderTwice())
    stage.sent(order(name_of()))
    stage.sent(order(name_of()))
    assert stage.rest() == [f"{name_of()} was decided on twice"]


def test_an_order_sent_before_its_decision_is_found() -> None:
    """Decide, persist, act: what is at the exchange when the decision becomes durable left too early."""
    stage = Stage(NoOrderTwice())
    stage.exchange.place(order(name_of()))
    stage.sent(order(name_of()))
    assert stage.rest() == [f"{name_of()} reached paper before the journal knew of it"]


def test_another_order_under_a_known_id_is_found() -> None:
    """What arrives is what was decided on, to the last digit."""
    stage = Stage(NoOrderTwice())
    stage.sent(order(name_of(), qty="1"))
    stage.exchange.place(order(name_of(), qty="2"))
    assert "is not the order that was decided on" in stage.rest()[0]


def test_orders_of_strangers_are_left_alone() -> None:
    """An order made by hand at the exchange is nobody's business."""
    stage = Stage(NoOrderTwice())
    stage.exchange.place(order("byhand001"))
    assert stage.rest() == []


def test_a_blind_retry_is_found() -> None:
    """EX-426: an order whose outcome nobody knows gets no successor while the exchange may have it."""
    stage = Stage(OneAttempt())
    stage.placed(order(name_of(attempt=1), price="90"))
    stage.state(name_of(attempt=1), OrderState.UNKNOWN)
    stage.sent(order(name_of(attempt=2), price="90"))
    assert "was sent in the place of" in stage.found[0]


def test_a_retry_after_a_proof_is_right() -> None:
    """EX-426: proven absent, the next attempt may leave."""
    stage = Stage(OneAttempt())
    stage.sent(order(name_of(attempt=1), price="90"))
    stage.state(name_of(attempt=1), OrderState.REJECTED)
    stage.sent(order(name_of(attempt=2), price="90"))
    assert stage.found == []


def test_a_cancel_assumed_to_have_worked_is_found() -> None:
    """A target that still rests while its successor leaves would sell twice, whatever the journal believes."""
    stage = Stage(OneAttempt())
    stage.placed(order(name_of(purpose=Purpose.TP), price="90"), Purpose.TP)
    stage.state(name_of(purpose=Purpose.TP), OrderState.CANCELLED)
    stage.sent(order(name_of(purpose=Purpose.TP, attempt=2), price="91"), Purpose.TP)
    assert "the exchange has it open" in stage.found[0]


def test_an_illegal_move_is_found() -> None:
    """Nothing follows a rejection; an order begins once and trades no more than it is for."""
    stage = Stage(OrderLife())
    stage.placed(order(name_of(), price=None))
    stage.state(name_of(), OrderState.REJECTED)
    stage.state(name_of(), OrderState.OPEN)
    assert stage.found == [f"{name_of()} went from rejected to open"]


def test_a_fill_beyond_the_order_is_found() -> None:
    """The fills of an order come to its quantity at most."""
    stage = Stage(OrderLife())
    stage.placed(order(name_of(), price=None))
    stage.tell("/venues/paper/desk", stage.recorded())
    stage.tell("/venues/paper/desk", stage.recorded(trade_id="t99"))
    assert stage.found == [f"{name_of()} traded 2 of 1"]
