"""Kucoin keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.kucoin import KEY, PASSPHRASE, SECRET, KucoinServer
from tests.venues.bad_days import BadDays
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from venues.access import Access

pytestmark = pytest.mark.anyio

D = Decimal
SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def markets() -> tuple[Instrument, ...]:
    """Return a pair and a contract, by Kucoin's names."""
    pair = PrecisionRules(D("0.1"), D("0.00001"), D("0.00001"), D("0.1"))
    contract = PrecisionRules(D("0.1"), D("0.001"), D("0.001"), D(0))
    common = {"venue": "kucoin", "base": "BTC", "quote": "USDT"}
    return (
        Instrument(symbol=SPOT, venue_symbol="BTC-USDT", rules=pair, **common),
        Instrument(
            symbol=PERP,
            venue_symbol="XBTUSDTM",
            rules=contract,
            market_type=MarketType.PERP,
            contract_size=D("0.001"),
            **common,
        ),
    )


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return Access(
        account="acc", venue="kucoin", market=market, url=server.url, stream_url=server.stream_url,
        symbols=(PERP if market is MarketType.PERP else SPOT,),
        key=Secret(KEY), secret=Secret(SECRET), passphrase=Secret(PASSPHRASE), conservative=None,
    )  # fmt: skip


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families."""
    return KucoinServer(Hall("kucoin", markets(), now=now))


def spot() -> AbstractAsyncContextManager[ClockedRig]:
    """Run a spot account."""
    return running(server, access, SPOT)


def perp() -> AbstractAsyncContextManager[ClockedRig]:
    """Run an account of perpetuals."""
    return running(server, partial(access, market=MarketType.PERP), PERP)


@pytest.mark.slow
class TestKucoinSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return spot()


@pytest.mark.slow
class TestKucoinPerp(PerpContract):
    """The contract, for perpetuals."""

    def open_rig(self) -> Any:
        return perp()


@pytest.mark.slow
class TestKucoinBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too many requests"


@pytest.mark.slow
class TestKucoinPerpBadDays(TestKucoinBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)
