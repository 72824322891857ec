"""Option contracts and chains the tests of their rules begin with: one put, 40 days away, quoted 1.00 to 1.10."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from protocol.options import OptionChain, OptionContract, Right

D = Decimal
TODAY = date(2026, 3, 2)
SECOND = 1_000_000_000
NOW = 10_000 * SECOND
NAN = float("nan")
HUNDRED = D(100)


def expiry(dte: int) -> str:
    return (TODAY + timedelta(days=dte)).isoformat()


def option(
    strike: str = "100",
    right: Right = Right.PUT,
    *,
    dte: int = 40,
    bid: str = "1.00",
    ask: str = "1.10",
    delta: float | None = -0.2,
    symbol: str = "",
) -> OptionContract:
    return OptionContract(
        symbol=symbol or f"{right}{strike}-{dte}",
        underlying="SPY",
        strike=D(strike),
        expiration=expiry(dte),
        right=right,
        bid=D(bid),
        ask=D(ask),
        delta=delta,
    )


def chain(
    contracts: list[OptionContract], *, price: Decimal | None = HUNDRED, at: int = NOW, listed: tuple[str, ...] = ()
) -> OptionChain:
    return OptionChain(underlying="SPY", underlying_price=price, expirations=listed, contracts=tuple(contracts), at=at)


quotes = st.decimals(min_value=-1, max_value=3, places=1, allow_nan=False).map(str)
deltas = st.none() | st.floats(-1.5, 1.5) | st.sampled_from([NAN, math.inf])
options = st.builds(
    option,
    st.integers(90, 110).map(str),
    st.sampled_from(Right),
    dte=st.integers(28, 52),
    bid=quotes,
    ask=quotes,
    delta=deltas,
)
