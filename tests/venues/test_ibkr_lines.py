"""Market data lines: never too many, never one contract twice at a time; chains and quotes beside each other stay whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from protocol.options import Right
from tests.actors.cast import D
from tests.venues.ibkr_rig import OPTIONS, IbkrRig, assert_in_pace, gateway, noting_turns
from venues.errors import NetworkTimeout
from venues.ibkr.errors import UnknownContract
from venues.ibkr.lines import MOST_LINES, Lines

pytestmark = pytest.mark.anyio
CALLS = [each.market for each in OPTIONS if each.right == "C"]
EXPIRY = "2025-12-19"


@pytest.fixture
async def rig() -> AsyncIterator[IbkrRig]:
    """Return an adapter that is connected."""
    async with gateway() as server:
        server.hall.price("AAPL/USD", D("199.99"), D("200.01"))
        rig = IbkrRig(server, symbols=("AAPL/USD",))
        await rig.venue.connect(rig.heard)
        yield rig
        await rig.venue.close()


async def test_who_wants_too_many_waits() -> None:
    """No more than the most lines are held together; whoever waited goes on when some are free."""
    lines, began = Lines(), []

    async def hold(name: str, first: int, count: int, until: asyncio.Event) -> None:
        async with lines.held(range(first, first + count)):
            began.append(name)
            await until.wait()

    ends = [asyncio.Event() for _ in range(3)]
    size = MOST_LINES // 2
    tasks = [asyncio.create_task(hold(str(each), each * 100, size, ends[each])) for each in range(3)]
    await asyncio.sleep(0)  # house: a turn of the loop takes no time
    assert began == ["0", "1"]
    ends[1].set()
    await tasks[1]
    await asyncio.sleep(0)  # house: a turn of the loop takes no time
    assert began == ["0", "1", "2"]
    ends[0].set()
    ends[2].set()
    await asyncio.gather(*tasks)


async def test_a_contract_is_held_once_at_a_time() -> None:
    """A line that is in use is waited for, also by one who is cancelled meanwhile, and freed by an error."""
    lines = Lines()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lines.held([1, 2]))
        late = asyncio.create_task(stack.enter_async_context(lines.held([2, 3])))
        lost = asyncio.create_task(lines.held([1]).__aenter__())
        async with lines.held([4]):
            await asyncio.sleep(0)  # house: a turn of the loop takes no time
        assert not late.done()
        lost.cancel()
        late.cancel()
        await asyncio.gather(lost, late, return_exceptions=True)
    with pytest.raises(ZeroDivisionError):
        async with lines.held([1, 2, 3]):
            raise ZeroDivisionError
    async with lines.held([1, 2, 3]):
        pass


async def test_chains_and_quotes_of_the_same_contracts(rig: IbkrRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranges of strikes and quotes of legs among them at one time: all whole, each request ended, in pace (DK-67)."""
    let_go = noting_turns(monkeypatch)
    first = len(rig.server.requests)
    narrow, wide, legs = await asyncio.gather(
        rig.venue.chain("AAPL/USD", EXPIRY, strikes=3, right=Right.CALL),
        rig.venue.chain("AAPL/USD", EXPIRY, strikes=5, right=Right.CALL),
        rig.venue.option_quotes(CALLS[4:6]),
    )
    assert (len(narrow.contracts), narrow.complete, narrow.underlying_price) == (3, True, D("199.99"))
    assert (len(wide.contracts), wide.complete, wide.underlying_price) == (5, True, D("199.99"))
    assert [each.symbol for each in legs] == CALLS[4:6]
    assert (legs[0].delta, legs[0].mid, legs[0].underlying) == (0.5, D("1.925"), "AAPL/USD")
    await rig.settled()
    came = list(rig.server.requests)[first:]
    assert came.count(1) == came.count(2)
    assert len(let_go) == len(came)
    assert_in_pace(let_go)


async def test_quotes_of_legs(rig: IbkrRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leg that is not quoted is told without; none at all is an error, and so is what is no option."""
    monkeypatch.setattr("venues.ibkr.chains.QUOTE_S", 0.1)
    rig.server.answers.mute_options.add(next(each.con_id for each in OPTIONS if each.market == CALLS[0]))
    told = await rig.venue.option_quotes(CALLS[:2])
    assert [(each.mid is None, each.delta) for each in told] == [(True, None), (False, 0.5)]
    with pytest.raises(NetworkTimeout):
        await rig.venue.option_quotes(CALLS[:1])
    with pytest.raises(UnknownContract, match="no option"):
        await rig.venue.option_quotes(["AAPL/USD"])
