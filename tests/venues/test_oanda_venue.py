"""OANDA keeps the trading contract, through oandapyV20 in threads, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.venues.contract_suite import TradingContract
from tests.venues.oanda_rig import coins, trading

pytestmark = pytest.mark.slow


class TestOandaVenue(TradingContract):
    """The contract, with a coin as a CFD: positions and margin, no coins."""

    def open_rig(self) -> Any:
        return trading(coins())
