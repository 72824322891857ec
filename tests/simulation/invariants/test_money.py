"""Invariants about money find what they are for, and nothing in clean runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import ClosedLot, CloseFilled, CloseReason, EntryState, LegFilled, LegState
from protocol.groups.adoption import PositionAdopted
from protocol.orders import FillRecorded, Purpose
from protocol.values import OrderSide, Side
from simulation.invariant import Invariant
from simulation.invariants.money import CashConserved, HoldingsAgree, ResultsAddUp
from tests.simulation.invariants.recording import PERP, Replayed, Stage, name_of, order

MONEY = [HoldingsAgree, CashConserved]


@pytest.mark.parametrize("kind", [*MONEY, ResultsAddUp])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals, fees in base currency included."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def bought(
    stage: Stage, *, share: str = "1", symbol: str = "BTC/USDT", side: OrderSide = OrderSide.BUY
) -> FillRecorded:
    """Open a position at the exchange and book a share of it."""
    stage.placed(order(name_of(), qty="2", price=None, symbol=symbol, side=side))
    fill = stage.recorded()
    net = fill.qty - (fill.fee if fill.fee_currency == "BTC" else 0)
    stage.tell(
        "group:g1",
        LegFilled(
            group_id="g1",
            leg_id="p0.l0",
            client_order_id=fill.client_order_id,
            trade_id=fill.trade_id,
            qty=fill.qty * Decimal(share),
            net_qty=net * Decimal(share),
            price=fill.price,
            fee=fill.fee * Decimal(share),
            fee_currency=fill.fee_currency,
            entry=EntryState.DONE,
            leg_state=LegState.FILLED,
            at=fill.at,
        ),
    )
    return fill


def sold(stage: Stage, *, cost: str = "100", realized: str = "10", symbol: str = "BTC/USDT", buy: bool = False) -> None:
    """Close half of it ten higher, and book it."""
    stage.price(symbol, "110")
    side = OrderSide.BUY if buy else OrderSide.SELL
    stage.placed(order(name_of(purpose=Purpose.CLOSE), price=None, side=side, symbol=symbol), Purpose.CLOSE)
    fill = stage.recorded()
    stage.tell(
        "group:g1",
        CloseFilled(
            group_id="g1",
            client_order_id=fill.client_order_id,
            trade_id=fill.trade_id,
            scope="partial",
            reason=CloseReason.REDUCE,
            qty=fill.qty,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            lots=(ClosedLot("p0.l0", fill.qty, Decimal(cost), Decimal(realized)),),
            at=fill.at,
        ),
    )


@pytest.mark.parametrize("kind", MONEY)
@pytest.mark.parametrize("fee_in_base", [False, True])
def test_a_spot_group_adds_up(kind: type[Invariant], fee_in_base: bool) -> None:
    """Whatever currency the fee was taken in."""
    stage = Stage(kind(), fee_in_base=fee_in_base)
    stage.opened()
    bought(stage)
    sold(stage)
    assert stage.rest() == []


@pytest.mark.parametrize("kind", MONEY)
def test_a_short_perpetual_adds_up(kind: type[Invariant]) -> None:
    """Money comes in when a short is opened nowhere but in its cost."""
    stage = Stage(kind())
    stage.opened(side=Side.SHORT, instrument=PERP)
    bought(stage, symbol=PERP.symbol, side=OrderSide.SELL)
    sold(stage, symbol=PERP.symbol, buy=True, realized="-10")
    assert stage.rest() == []


@pytest.mark.parametrize("kind", MONEY)
def test_what_was_done_by_hand_stands_aside(kind: type[Invariant]) -> None:
    """An operator's own trade, and a group that adopts it, change nothing about what is ours."""
    stage = Stage(kind())
    stage.exchange.place(order("byhand001", price=None))
    stage.opened()
    adopted = PositionAdopted(
        group_id="g1", leg_id="p0.l0", qty=Decimal(1), avg_price=Decimal(100), operator="me", reason="", at=1
    )
    stage.tell("group:g1", adopted)
    sold(stage)
    assert stage.rest() == []


@pytest.mark.parametrize("kind", MONEY)
def test_a_partial_fill_booked_wrongly_is_found(kind: type[Invariant]) -> None:
    """A group that books half of what was bought has the account hold more than its groups."""
    stage = Stage(kind())
    stage.opened()
    bought(stage, share="0.5")
    assert len(stage.rest()) == 1


def test_a_wrong_result_is_found() -> None:
    """One unit of profit that no fill brought has come from nowhere."""
    stage = Stage(CashConserved())
    stage.opened()
    bought(stage)
    sold(stage, realized="11")
    assert "-1.000" in stage.rest()[0].replace("-1 ", "-1.000 ")


def test_a_fee_that_was_forgotten_is_found() -> None:
    """At the end a group says exactly what its fills earned and paid."""
    stage = Stage(ResultsAddUp())
    stage.opened()
    bought(stage)
    sold(stage)
    stage.closed(dust="1")
    assert [text.partition(",")[0] for text in stage.found] == ["g1 says it realized 0", "g1 says it paid {}"]
