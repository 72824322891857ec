"""Whatever the venue, the same signals and prices end in the same groups, fills and profit as on paper."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.system.venue_scenario import at_the_paper_exchange, at_the_venue
from tests.venues.rigs import RIGS

CENT = Decimal("1e-8")
"""The least that a venue says of a fee."""

pytestmark = [pytest.mark.slow(seconds=40), pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("name", sorted(RIGS))
async def test_a_venue_trades_as_paper_does(name: str, tmp_path: Path) -> None:
    """Through each venue's own client library: the same fills, fees and results of eight groups as at the paper exchange."""
    async with RIGS[name].standing() as venue:
        paper = await at_the_paper_exchange(tmp_path / "paper", venue)
        real = await at_the_venue(tmp_path / "venue", venue)
    assert [fill[:-1] for fill in real.fills] == [fill[:-1] for fill in paper.fills]
    assert all(abs(mine[-1] - theirs[-1]) <= CENT for mine, theirs in zip(real.fills, paper.fills, strict=True))
    assert real.closed == paper.closed
    # The scenario is one: layers that filled, targets, exits at a loss and at a profit, and every group has ended.
    assert {why for why, _ in real.closed.values()} == {"exit_signal", "take_profit"}
    assert len(real.closed) == 8
    earned = [quote for _, quote in real.closed.values()]
    assert min(earned) < Decimal(0) < max(earned)
    assert {purpose for _, _, purpose, *_ in real.fills} == {"entry", "tp", "close"}
    assert len({(group, leg, purpose) for group, leg, purpose, *_ in real.fills}) < len(real.fills), "no partial fill"
