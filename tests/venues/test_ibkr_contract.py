"""Interactive Brokers keeps the trading contract over ib_async and a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.venues.contract_suite import TradingContract
from tests.venues.ibkr_rig import IbkrRig, serving
from venues.ibkr.line import Line


@pytest.mark.slow
class TestIbkrContract(TradingContract):
    """The contract."""

    @pytest.fixture(autouse=True)
    def surroundings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = str(tmp_path)
        monkeypatch.setattr(Line, "answer_s", 0.3)

    @asynccontextmanager
    async def open_rig(self) -> AsyncIterator[IbkrRig]:
        async with serving(self.path) as rig:
            rig.keep()
            yield rig
