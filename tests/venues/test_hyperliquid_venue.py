"""Hyperliquid keeps the trading contract over its own protocol, and signs nothing but what we send."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.hyperliquid import ACCOUNT, AGENT_KEY, HyperliquidServer, hyperliquid_hall
from tests.venues.bad_days import BadDays
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from venues.access import Access
from venues.crypto.dialects.cloids import id_of
from venues.errors import AuthFailed

pytestmark = pytest.mark.anyio

SPOT, PERP = MarketType.SPOT, MarketType.PERP


def access(server: HttpVenue, market: MarketType = SPOT) -> Access:
    """Return how the server's account is reached: an agent signs for it."""
    return Access(
        account="acc", venue="hyperliquid", market=market, url=server.url, stream_url=server.stream_url,
        account_id=ACCOUNT, secret=Secret(AGENT_KEY), conservative=None,
    )  # fmt: skip


def server(now: Callable[[], int], market: MarketType = SPOT) -> HyperliquidServer:
    """Return a venue whose hall knows orders by our ids, not by their 128 bits."""
    return HyperliquidServer(hyperliquid_hall(market, now=now), named=id_of)


def spot() -> AbstractAsyncContextManager[ClockedRig]:
    """Run a spot account."""
    return running(server, access, "BTC/USDC")


def perp() -> AbstractAsyncContextManager[ClockedRig]:
    """Run an account of perpetuals."""
    return running(partial(server, market=PERP), partial(access, market=PERP), "BTC/USDC:USDC")


@pytest.mark.slow
class TestHyperliquidSpot(TradingContract):
    """The contract, on spot markets."""

    def open_rig(self) -> Any:
        return spot()


@pytest.mark.slow
class TestHyperliquidPerp(PerpContract):
    """The contract, for perpetuals."""

    def open_rig(self) -> Any:
        return perp()


@pytest.mark.slow
class TestHyperliquidBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "429"

    async def test_a_wrong_secret(self, rig: ClockedRig) -> None:
        """A key that is no agent of the account stays outside, though every question would be answered without one."""
        rig.server.signers.clear()  # type: ignore[attr-defined]
        rig.restart()
        with pytest.raises(AuthFailed, match="no agent of the account") as refused:
            await rig.venue.connect(rig.heard)
        assert AGENT_KEY.removeprefix("0x") not in str(refused.value)


@pytest.mark.slow
class TestHyperliquidPerpBadDays(TestHyperliquidBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)
