"""What a taker meets around a bar's price."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from protocol.values import OrderSide
from tests.venues.paper_helpers import SPOT, engine
from venues.paper.prices import quoted_around, spread_around

prices = st.decimals(min_value="0.00000001", max_value="1000000", places=8)
spreads = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal("2.5"), Decimal(9_999)])


@given(prices, spreads)
def test_both_sides_at_once_are_the_sides_one_by_one(price, spread):
    """EX-1107: the quote that is published is, digit for digit, what a seller and a buyer meet."""
    made = engine(half_spread_bps=spread)
    book = made.state.books[SPOT]
    bid = spread_around(made.config, book, price, OrderSide.SELL)
    ask = spread_around(made.config, book, price, OrderSide.BUY)
    assert list(map(str, quoted_around(made.config, book, price))) == [str(bid), str(ask)]
