"""Binance keeps the trading contract through ccxt over its own protocol, spot and perpetuals."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance
from protocol.secret import Secret
from protocol.values import MarketType, OrderType
from runtime.clock import WallClock
from tests.servers.venues.binance import KEY, SECRET, BinanceServer
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.venues.bad_days import BID, BadDays, order
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from venues.access import Access
from venues.errors import NetworkTimeout, VenueCapabilityMissing, VenueDown

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NOW = WallClock().now
SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def market(base: str, *, perp: bool, tick: str = "0.01", step: str = "0.00001") -> Instrument:
    """Return a market as Binance lists it."""
    return Instrument(
        venue="binance",
        symbol=f"{base}/USDT:USDT" if perp else f"{base}/USDT",
        venue_symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        market_type=MarketType.PERP if perp else MarketType.SPOT,
        rules=PrecisionRules(D(tick), D(step), D(step), D(5)),
    )


def server_of(*, perp: bool, now: Callable[[], int] = NOW) -> BinanceServer:
    """Return a server of an account with 100 000 USDT; the hall trades both families, the server tells one."""
    markets = [market("BTC", perp=True, tick="0.10"), market("ETH", perp=True), market("BTC", perp=False)]
    hall = Hall("binance", markets, (Balance("USDT", D(100_000)),), fee_in_base=True, now=now)
    return BinanceServer(hall, perp=perp)


def access_to(server: HttpVenue, **changes: Any) -> Access:
    """Return how to reach a server's account."""
    assert isinstance(server, BinanceServer)
    fields = {
        "account": "acc", "venue": "binance", "market": MarketType.PERP if server.perp else MarketType.SPOT,
        "url": server.url, "stream_url": server.stream_url, "key": Secret(KEY), "secret": Secret(SECRET),
        "conservative": None, "symbols": (PERP if server.perp else SPOT,),
    } | changes  # fmt: skip
    return Access(**fields)


def rigged(*, perp: bool) -> AbstractAsyncContextManager[ClockedRig]:
    """Run a server with an adapter that is not connected."""
    return running(lambda now: server_of(perp=perp, now=now), access_to, PERP if perp else SPOT)


class TestBinanceSpot(TradingContract):
    """The contract on spot."""

    def open_rig(self) -> Any:
        return rigged(perp=False)


class TestBinancePerp(PerpContract):
    """The contract on perpetuals."""

    def open_rig(self) -> Any:
        return rigged(perp=True)


class TestBinancePerpBadDays(BadDays):
    """Bad days of perpetuals."""

    open_rig = staticmethod(partial(rigged, perp=True))
    too_many = "Too many requests"

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.MAINTENANCE])
    async def test_a_venue_that_fails(self, rig: ClockedRig, fault: Fault) -> None:
        """A failure inside the venue leaves an order open; "Service Unavailable" is documented as failed for certain."""
        rig.hall.faults.arm(fault, on="reads")
        with pytest.raises(VenueDown):
            await rig.venue.open_orders()
        rig.hall.faults.arm(fault, on="orders")
        with pytest.raises(NetworkTimeout if fault is Fault.SERVER_ERROR else VenueDown):
            await rig.venue.place(order("bhdown000001", symbol=rig.symbol))


class TestBinanceBadDays(TestBinancePerpBadDays):
    """Bad days of spot, where an order cannot be changed in place."""

    open_rig = staticmethod(partial(rigged, perp=False))

    async def test_amending(self, rig: ClockedRig) -> None:
        """What the venue would do by cancelling and placing anew under another id is not offered."""
        await rig.venue.place(order("bhamend00001", symbol=rig.symbol))
        with pytest.raises(VenueCapabilityMissing):
            await rig.venue.amend("bhamend00001", rig.symbol, price=BID - 200)
        assert len(rig.hall.open_orders()) == 1

    async def test_amending_what_has_ended(self, rig: ClockedRig) -> None:
        """Nor is it for an order that has ended."""
        await rig.venue.place(order("bhamend00002", OrderType.MARKET, symbol=rig.symbol))
        with pytest.raises(VenueCapabilityMissing):
            await rig.venue.amend("bhamend00002", rig.symbol, price=BID - 200)
        assert rig.hall.open_orders() == []
