"""The market-data contract against the ccxt adapter and the local Binance server."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tests.venues.binance_rig import BinanceRig, open_binance
from tests.venues.contract_suite import MarketDataContract


class TestBinancePublic(MarketDataContract):
    """BinancePublic keeps the market-data contract."""

    def open_rig(self) -> AbstractAsyncContextManager[BinanceRig]:
        return open_binance()
