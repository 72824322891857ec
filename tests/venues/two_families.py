"""Both accounts of a venue that trades spot and perpetuals, and what is asked of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.faults import Fault
from tests.servers.venues.http import HttpVenue
from tests.venues.bad_days import ASK, BID
from tests.venues.clocked_rig import ClockedRig, running
from venues.access import Access

__all__ = ["PERP", "SPOT", "Families", "ImpossiblePrices", "check_funding", "connected", "market_of", "reach"]

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def market_of(venue: str, symbol: str, name: str, rules: PrecisionRules, contract: Decimal = Decimal(1)) -> Instrument:
    """Return the pair or the perpetual, by the venue's name of it; ``contract``: base units of one."""
    family = MarketType.PERP if symbol == PERP else MarketType.SPOT
    return Instrument(
        venue=venue, symbol=symbol, venue_symbol=name, base="BTC", quote="USDT", rules=rules, market_type=family,
        contract_size=contract,
    )  # fmt: skip


def reach(server: HttpVenue, venue: str, market: MarketType, *, key: str, secret: str, **fields: Any) -> Access:
    """Return how to reach the account of a server; ``fields`` are more of the access."""
    return Access(
        account="acc", venue=venue, market=market, url=server.url, stream_url=server.stream_url,
        key=Secret(key), secret=Secret(secret), conservative=None, **fields,
    )  # fmt: skip


class Families:
    """The accounts of a venue: ``server(now)`` makes it, ``access(server, market)`` says how it is reached.

    ``perp_server``: perpetuals have an interface of their own. ``quote``: what both families are quoted in.
    """

    def __init__(
        self,
        server: Callable[[Callable[[], int]], HttpVenue],
        access: Callable[[HttpVenue, MarketType], Access],
        *,
        perp_server: Callable[[Callable[[], int]], HttpVenue] | None = None,
        quote: str = "USDT",
    ) -> None:
        self._server = server
        self._perp_server = perp_server or server
        self._access = access
        self._pair = f"BTC/{quote}"
        self._perpetual = f"{self._pair}:{quote}"

    def spot(self) -> AbstractAsyncContextManager[ClockedRig]:
        """Run a spot account."""
        return running(self._server, partial(self._access, market=MarketType.SPOT), self._pair)

    def perp(self) -> AbstractAsyncContextManager[ClockedRig]:
        """Run an account of perpetuals."""
        return running(self._perp_server, partial(self._access, market=MarketType.PERP), self._perpetual)


@asynccontextmanager
async def connected(rig_of: Callable[[], AbstractAsyncContextManager[ClockedRig]]) -> AsyncIterator[Any]:
    """Run a connected account with a price."""
    async with rig_of() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        yield rig


class ImpossiblePrices:
    """Prices that no market has, in both families of ``accounts``; for a venue that says of each price when it was."""

    accounts: Families

    @pytest.mark.parametrize("family", ["spot", "perp"])
    @pytest.mark.parametrize("fault", [Fault.STALE_PRICE, Fault.ZERO_PRICE, Fault.CROSSED_BOOK])
    async def test_prices_that_cannot_be(self, family: str, fault: Fault) -> None:
        """Prices of an hour ago, of zero, or whose bid is above their ask are not told; the next good one is."""
        async with connected(getattr(self.accounts, family)) as rig:
            await rig.venue.subscribe([rig.symbol])
            await rig.heard.until(lambda: rig.venue.line.prices.live.is_set())
            rig.hall.faults.arm(fault)
            rig.hall.price(rig.symbol, BID + 1, ASK + 1)
            rig.hall.price(rig.symbol, BID + 2, ASK + 2)
            tick = await rig.heard.one(PriceTick, bid=BID + 2, ask=ASK + 2, last=BID + 2)
            assert tick.symbol == rig.symbol
            assert all(BID <= each.bid < each.ask <= ASK + 2 for each in rig.heard.of(PriceTick))


async def check_funding(rig: ClockedRig, held: Decimal) -> None:
    """Check what holding a perpetual costs, and the open interest, in base units."""
    funding = await rig.venue.funding_rate(PERP)
    assert (funding.rate, funding.interval_hours) == (Decimal("0.0001"), 8)
    assert funding.next_at > rig.clocks.venue()
    assert (await rig.venue.open_interest(PERP)).qty == held
