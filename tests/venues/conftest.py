"""A stand-in for Binance with the adapter on it: not yet connected, or heard already."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.venues.binance_rig import BinanceRig, live_binance, open_binance


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture
async def rig() -> AsyncIterator[BinanceRig]:
    """Return a server and an adapter that is not yet connected."""
    async with open_binance() as rig:
        yield rig


@pytest.fixture
async def live() -> AsyncIterator[BinanceRig]:
    """Return the same once BTC/USDT is heard."""
    async with live_binance() as rig:
        yield rig
