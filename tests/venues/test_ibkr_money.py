"""Paper and live accounts at Interactive Brokers differ by a port: a mistyped one must not trade with money."""

from __future__ import annotations

import asyncio

import pytest

from tests.servers.venues.tws import TwsVenue
from tests.venues.ibkr_rig import gateway
from venues.access import Access, Tools
from venues.errors import PermissionDenied
from venues.ibkr import IbkrVenue

pytestmark = pytest.mark.anyio


def adapter(server: TwsVenue, *, testnet: bool, account_id: str = "") -> IbkrVenue:
    """Return the adapter of an account behind a gateway."""
    tools = Tools(server.hall.now, asyncio.sleep, lambda: 0.5)  # house: an adapter waits on the wall clock
    return IbkrVenue(Access(account="a", venue="ibkr", testnet=testnet, port=server.port, account_id=account_id), tools)


@pytest.mark.parametrize("account_id", ["", "U7654321"])
async def test_a_paper_account_never_trades_with_money(account_id: str) -> None:
    """Told to trade on paper, a login of a live account is refused for good, whatever the port."""
    server = gateway()
    server.account = "U7654321"
    async with server:
        venue = adapter(server, testnet=True, account_id=account_id)
        with pytest.raises(PermissionDenied, match="U7654321 is for real money"):
            await venue.connect(lambda _: None)
        await venue.close()
        live = adapter(server, testnet=False, account_id=account_id)
        await live.connect(lambda _: None)
        await live.close()


async def test_a_paper_account_is_taken() -> None:
    """Paper accounts begin with D."""
    async with gateway() as server:
        venue = adapter(server, testnet=True)
        await venue.connect(lambda _: None)
        await venue.close()
