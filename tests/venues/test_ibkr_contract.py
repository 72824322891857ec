"""Interactive Brokers keeps the trading contract over ib_async and a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.venues.contract_suite import TradingContract
from tests.venues.ibkr_rig import serving


@pytest.mark.slow
class TestIbkrContract(TradingContract):
    """The contract."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = str(tmp_path)

    def open_rig(self) -> Any:
        return serving(self.path)
