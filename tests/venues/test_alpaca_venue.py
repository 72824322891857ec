"""Alpaca keeps the trading contract, through alpaca-py, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.venues.alpaca_rig import alpaca
from tests.venues.contract_suite import TradingContract

pytestmark = pytest.mark.slow


class TestAlpacaVenue(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return alpaca()
