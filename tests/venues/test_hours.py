"""Hours of markets: what a session asks before it takes silence for a fault."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from actors.session_link import Link
from protocol.secret import Secret
from tests.actors.stub_venue import StubVenue
from venues.access import Access, Tools
from venues.facets import HasHours
from venues.known import KNOWN, make_venue

TOOLS = Tools(lambda: 0, asyncio.sleep, lambda: 0.5)  # house: nothing waits here
TUESDAY, SATURDAY = (int(datetime(2026, 3, day, 15, tzinfo=UTC).timestamp()) * 10**9 for day in (3, 7))


@pytest.mark.parametrize("venue", ["oanda", "ibkr", "alpaca"])
def test_a_broker_knows_its_hours(venue: str) -> None:
    """Whoever trades markets that close says when; on a Saturday none of them must be telling prices."""
    access = Access(
        account="a", venue=venue, market=KNOWN[venue].markets[0], testnet=True, account_id="1", key=Secret("k")
    )
    made = make_venue(access, TOOLS)
    assert isinstance(made, HasHours)
    assert not made.is_open("EUR/USD:USD", SATURDAY)
    assert made.is_open("EUR/USD:USD", TUESDAY) is (venue == "oanda")


def test_a_market_without_hours_never_closes() -> None:
    """A venue that says nothing of hours trades round the clock."""
    assert Link(StubVenue({}, []), (), (), 0).trades("BTC/USDT", SATURDAY)
