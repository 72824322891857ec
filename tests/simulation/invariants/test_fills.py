"""Invariants about fills and exits find what they are for, and nothing in clean runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import EntryState, LegFilled, LegState
from protocol.orders import FillRecorded, OrderState, Purpose
from protocol.values import OrderSide, Side
from simulation.invariant import Invariant
from simulation.invariants.exits import NoOverExit, PositionSign
from simulation.invariants.fills import FillsAgree, FillsBooked
from tests.simulation.invariants.recording import DESK, PERP, Replayed, Stage, name_of, order


@pytest.mark.parametrize("kind", [FillsAgree, FillsBooked, NoOverExit, PositionSign])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def test_a_lost_fill_is_found_at_rest() -> None:
    """EX-1204: at rest the desk knows every fill of the exchange."""
    stage = Stage(FillsAgree())
    stage.placed(order(name_of(), price=None))
    assert stage.rest() == [f"fill t1: {name_of()} traded 1 and the desk does not know"]


def test_a_fill_that_was_never_made_is_found() -> None:
    """The journal never knows more than the exchange."""
    stage = Stage(FillsAgree())
    stage.placed(order(name_of(), price=None))
    stage.tell(DESK, stage.recorded())
    stage.tell(DESK, stage.recorded(trade_id="t2"))
    assert stage.rest() == [f"fill t2 of {name_of()} was recorded and never made"]


@pytest.mark.parametrize("wrong", [{"qty": Decimal(2)}, {"price": Decimal(99)}, {"fee": Decimal(7)}])
def test_a_fill_recorded_wrongly_is_found(wrong: dict[str, Decimal]) -> None:
    """Quantity, price and fee are those of the exchange."""
    stage = Stage(FillsAgree())
    stage.placed(order(name_of(), price=None))
    stage.tell(DESK, stage.recorded(**wrong))
    assert "was recorded as" in stage.found[0]


def test_a_fill_recorded_for_another_order_is_found() -> None:
    """A fill matched by its price belongs to the wrong order."""
    stage = Stage(FillsAgree())
    stage.sent(order(name_of(leg=1)))
    stage.placed(order(name_of(), price=None))
    stage.tell(DESK, stage.recorded(client_order_id=name_of(leg=1)))
    assert "was recorded as" in stage.found[0]


def test_a_fill_recorded_twice_is_found() -> None:
    """EX-423: a fill counts once a trade id."""
    stage = Stage(FillsAgree())
    stage.placed(order(name_of(), price=None))
    stage.tell(DESK, stage.recorded())
    stage.tell(DESK, stage.recorded())
    assert stage.rest() == [f"fill t1 of {name_of()} was recorded twice"]


def booked(fill: FillRecorded, qty: str = "1") -> LegFilled:
    """Return a fill as its group books it."""
    return LegFilled(
        group_id="g1",
        leg_id="p0.l0",
        client_order_id=fill.client_order_id,
        trade_id=fill.trade_id,
        qty=Decimal(qty),
        net_qty=Decimal(qty),
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        entry=EntryState.DONE,
        leg_state=LegState.FILLED,
        at=fill.at,
    )


def test_a_fill_in_no_group_is_found() -> None:
    """Every fill is in the books of the group it was for."""
    stage = Stage(FillsBooked())
    stage.placed(order(name_of(), price=None))
    stage.tell(DESK, stage.recorded())
    assert stage.rest() == [f"fill t1 of {name_of()} is in no group's books"]


def test_a_fill_booked_wrongly_is_found() -> None:
    """A partial fill booked as a full one, or a fill booked twice, shows at once."""
    stage = Stage(FillsBooked())
    stage.placed(order(name_of(), price=None))
    fill = stage.recorded()
    stage.tell(DESK, fill)
    stage.tell("group:g1", booked(fill, qty="2"))
    stage.tell("group:g1", booked(fill))
    assert stage.rest() == [
        "g1 booked fill t1 as 2 at 100, not as it was recorded",
        "g1 booked fill t1 twice",
    ]


def long_of(stage: Stage, qty: str = "1") -> None:
    """Have the group buy something."""
    stage.opened()
    stage.placed(order(name_of(), qty=qty, price=None))
    stage.state(name_of(), OrderState.FILLED)


def test_a_close_beside_a_resting_target_is_found() -> None:
    """EX-704: the target must be gone before the market close leaves, or both may sell."""
    stage = Stage(NoOverExit())
    long_of(stage)
    stage.placed(order(name_of(purpose=Purpose.TP), price="110", side=OrderSide.SELL), Purpose.TP)
    assert stage.found == []
    stage.sent(order(name_of(purpose=Purpose.CLOSE), price=None, side=OrderSide.SELL), Purpose.CLOSE)
    assert "g1 holds 1.000 and its exits could trade 2" in stage.found[0].replace("holds 1 ", "holds 1.000 ")


def test_a_second_close_of_the_same_quantity_is_found() -> None:
    """One market close is on its way: another one would sell what is no longer there."""
    stage = Stage(NoOverExit())
    long_of(stage)
    stage.sent(order(name_of(purpose=Purpose.CLOSE), price=None, side=OrderSide.SELL), Purpose.CLOSE)
    stage.sent(order(name_of(purpose=Purpose.CLOSE, attempt=2), price=None, side=OrderSide.SELL), Purpose.CLOSE)
    assert len(stage.found) == 1


def test_a_long_group_that_sells_too_much_is_found() -> None:
    """A double exit of a perpetual makes a short position: the exchange's own fills show it."""
    stage = Stage(PositionSign())
    stage.opened(instrument=PERP)
    stage.placed(order(name_of(), price=None, symbol=PERP.symbol))
    for attempt in (1, 2):
        sell = order(
            name_of(purpose=Purpose.CLOSE, attempt=attempt), price=None, side=OrderSide.SELL, symbol=PERP.symbol
        )
        stage.placed(sell, Purpose.CLOSE)
    assert stage.rest()[0].startswith("g1 (long) holds -1 after fill t3")


def test_a_short_group_that_buys_too_much_is_found() -> None:
    """The same the other way round."""
    stage = Stage(PositionSign())
    stage.opened(side=Side.SHORT, instrument=PERP)
    stage.placed(order(name_of(), price=None, side=OrderSide.SELL, symbol=PERP.symbol))
    buy = order(name_of(purpose=Purpose.CLOSE), qty="2", price=None, symbol=PERP.symbol)
    stage.placed(buy, Purpose.CLOSE)
    assert stage.rest()[0].startswith("g1 (short) holds 1 after fill t2")
