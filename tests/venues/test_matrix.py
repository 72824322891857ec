"""Venues come through their faults, and the matrix that shows it would show one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderRequest
from tests.servers.venues.faults import Fault
from tests.venues.matrix import cell
from tests.venues.matrix.cell import Cell, run_cell
from tests.venues.matrix.page import page_of, table_of
from tests.venues.rigs import RIGS, Rig, Standing
from venues.contract import Venue
from venues.errors import NetworkTimeout, OrderRejected

pytestmark = [pytest.mark.anyio, pytest.mark.slow(seconds=40)]

QUICK = (Fault.ANSWER_LOST, Fault.REORDERED, Fault.PARTIAL_FILL)


@pytest.mark.parametrize("name", sorted(RIGS))
async def test_comes_through(name: str) -> None:
    """A lost answer, messages out of order and a partial fill: both sides agree afterwards, and trading goes on."""
    cells = await asyncio.gather(*[run_cell(RIGS[name], fault) for fault in QUICK])
    assert [each for each in cells if not each.good] == []
    assert all(each.happened for each in cells)


# --- the matrix itself -----------------------------------------------------------------------------------------------------


class Sabotaged(Rig):
    """Alpaca with an adapter that the spoiler of its name has changed."""

    @asynccontextmanager
    async def standing(self, **changes: Any) -> AsyncIterator[Standing]:
        async with super().standing(**changes) as venue:

            def make() -> Venue:
                adapter = venue.make()
                SPOILERS[self.name](adapter)
                return adapter

            yield replace(venue, make=make)


def _says_it_never_got_there(adapter: Any) -> None:
    """Take an order whose answer was lost for one that was refused, and hear nothing of orders."""
    place, connect = adapter.place, adapter.connect

    async def deaf(sink: Callable[[Message], None]) -> None:
        await connect(lambda fact: None if isinstance(fact, OrderReport | FillReport) else sink(fact))

    async def lying(request: OrderRequest) -> OrderReport:
        try:
            return await place(request)  # type: ignore[no-any-return] # it is one
        except NetworkTimeout as error:
            raise OrderRejected(error.venue, "refused, it seems") from error

    adapter.place, adapter.connect = lying, deaf


def _sends_again(adapter: Any) -> None:
    """Send an order once more under another name when its answer was lost."""
    place = adapter.place

    async def doubling(request: OrderRequest) -> OrderReport:
        try:
            return await place(request)  # type: ignore[no-any-return] # it is one
        except NetworkTimeout:
            await place(
                OrderRequest(
                    client_order_id="again" + request.client_order_id[-20:], symbol=request.symbol, side=request.side,
                    type=request.type, qty=request.qty, price=request.price,
                )
            )  # fmt: skip
            raise

    adapter.place = doubling


def _swallows_fills(adapter: Any) -> None:
    """Tell no fill of a stream, and none of the history."""
    connect = adapter.connect

    async def deaf(sink: Callable[[Message], None]) -> None:
        await connect(lambda fact: None if isinstance(fact, FillReport) else sink(fact))

    async def none(at: int) -> tuple[FillReport, ...]:
        return ()

    adapter.connect, adapter.fills_since = deaf, none


SPOILERS = {"lies": _says_it_never_got_there, "doubles": _sends_again, "swallows": _swallows_fills}


@pytest.mark.parametrize(
    ("spoiler", "shown"),
    [("lies", "told rejected, there"), ("doubles", "is nobody's"), ("swallows", "filled 0, there")],
)
async def test_shows_what_goes_wrong(spoiler: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that loses orders, doubles them or swallows fills does not come through."""
    monkeypatch.setattr(cell, "AGREE_S", 1.0)
    alpaca = RIGS["alpaca"]
    rig = Sabotaged(spoiler, alpaca.way, alpaca.symbol, price=alpaca.price)
    found = await run_cell(rig, Fault.ANSWER_LOST)
    assert shown in found.trouble


def test_the_table() -> None:
    """Each venue has a column, each fault a row; what did not come through is marked and explained."""
    cells = [
        Cell("one", "429", 3, 0.04, 0.0, 5, ""),
        Cell("two", "429", 3, 0.0, 0.0, 5, "an order is gone"),
    ]
    table = table_of(cells)
    assert "| 429 | 0.0 | **!** |" in table
    assert "- two, 429: an order is gone" in table
    assert table in page_of(cells, 1.0)
