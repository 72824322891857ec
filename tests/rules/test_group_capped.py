"""Capped orders that are worth little: venues value them at their cap (found by the simulator, all, seed 79, 72 h)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.instruments import PrecisionRules
from protocol.orders import OrderRequest
from protocol.values import OrderSide, OrderType
from rules.slippage import worth_enough
from tests.rules.group_bench import filled, grid, instrument


def rules(min_notional: str, tick: str = "0.01") -> PrecisionRules:
    """Return the rules of a market with this smallest value."""
    return PrecisionRules(Decimal(tick), Decimal("0.001"), Decimal("0.001"), Decimal(min_notional))


@pytest.mark.parametrize(
    ("side", "cap", "qty", "least", "tick", "expected"),
    [
        ("sell", "60.75", "1", "5", "0.01", "60.75"),
        ("sell", "60.75", "0.052", "5", "0.01", "96.16"),
        ("sell", "1", "3", "10", "0.5", "3.5"),
        ("sell", "1", "4", "10", "0.5", "2.5"),
        ("buy", "60.75", "0.052", "5", "0.01", "60.75"),
    ],
)
def test_a_cap_is_worth_what_the_venue_asks_for(
    side: str, cap: str, qty: str, least: str, tick: str, expected: str
) -> None:
    """EX-724, EX-504: raised to the lowest price on the tick at which the quantity is worth enough, and no further."""
    found = worth_enough(Decimal(cap), OrderSide(side), Decimal(qty), rules(least, tick))
    assert found == Decimal(expected)


def close_of(min_notional: str, *, enforced: bool = True) -> OrderRequest:
    """Return the close of one unit bought at 100, capped one percent below a bid of 100."""
    config = grid("0", slippage_guard="capped", enforce_min_notional=enforced)
    bench = filled(1, config, tick="100", market=instrument(rules(min_notional)))
    bench.close()
    bench.ack_cancels()
    return bench.view.orders[bench.closing_order()].request


def test_a_close_that_is_worth_enough_at_the_price_is_at_its_cap_too() -> None:
    """EX-704: it would be refused for ever, while its rest is worth more than dust."""
    assert close_of("5").price == 99
    assert (close_of("99.5").type, close_of("99.5").price) == (OrderType.IOC, Decimal("99.5"))
    assert close_of("99.5", enforced=False).price == 99
