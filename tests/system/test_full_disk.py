"""A journal that cannot be written: nothing is routed, everybody says so, and all goes on once it can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.orders import OrderSent
from protocol.pool import SlotTaken
from protocol.signals import SignalReceived
from runtime.clock import WallClock
from supervision.child import ChildSpec
from tests.system.load import LoadTrader, Pace
from tests.system.running import House, alert, eventually, house_config, running_house
from tests.system.wholeness import all_up, check_whole, open_targets

GATEWAY = "/trading/gateway"
LOAD = "/operators/load"


def entry(trade_id: str, *, enter: bool = True) -> bytes:
    """Return an alert whose first order fills at once."""
    return alert("BTC/USDT", price=Decimal(90_000), trade_id=trade_id, at=WallClock().now(), enter=enter)


@asynccontextmanager
async def house_of(data_dir: Path) -> AsyncIterator[House]:
    """Run a house with the restart budget that is the default."""
    async with running_house(house_config(data_dir, max_restarts=5), step_ns=50_000_000) as house:
        yield house


def test_alerts_are_refused_and_not_routed_until_there_is_space(tmp_path: Path) -> None:
    """EX-252: 503 JournalUnavailable for as long as it lasts, nothing at the venue; then the same alert is taken."""

    async def main() -> None:
        async with house_of(tmp_path) as house:
            assert (await house.post(entry("before")))[0] == 200
            await eventually(lambda: house.groups(), "the first group is open")
            house.journal.full = True
            for number in range(20):
                status, answer = await house.post(entry(f"full{number}"))
                assert (status, answer["outcome"]) == (503, "JournalUnavailable")
            assert house.system.durability.error is not None
            house.journal.full = False
            await eventually(lambda: all_up(house), "everybody is back")
            known = {each.signal.trade_id for each in received(house) if each.signal}
            assert known == {"before"}
            status, answer = await house.post(entry("full3"))
            assert (status, answer["outcome"]) == (200, "accepted")
            await check_whole(house)

    asyncio.run(main())


def received(house: House) -> list[SignalReceived]:
    """Return every signal in the journal."""
    return [record.event for record in house.journal.read_all() if isinstance(record.event, SignalReceived)]


@pytest.mark.slow
def test_a_disk_that_fills_up_under_load(tmp_path: Path) -> None:
    """A disk that is full again and again costs the house nothing but time: no restart budget, no order, no group."""
    houses: list[House] = []
    load = ChildSpec("load", lambda: LoadTrader(lambda: houses[0].url))

    async def main() -> None:
        config = house_config(tmp_path, max_restarts=5)
        async with running_house(config, step_ns=20_000_000, operators=(load,)) as house:
            houses.append(house)
            house.system.tell(LOAD, Pace(30))
            for _ in range(3):
                await eventually(lambda: len(open_targets(house)) >= 3, "groups hold something")
                refused = house.journal.refused
                house.journal.full = True
                await eventually(lambda refused=refused: house.journal.refused > refused + 8, "the disk refuses much")
                house.journal.full = False
                taken = house.actor(LOAD).answers[200]
                await eventually(lambda taken=taken: house.actor(LOAD).answers[200] > taken + 5, "alerts are taken")
            house.system.tell(LOAD, Pace(0))
            await check_whole(house)
            answers = house.actor(LOAD).answers
            assert set(answers) == {200, 503}
            check_all_admitted(house)

    asyncio.run(main())


def check_all_admitted(house: House) -> None:
    """Fail when an order was sent for a group without a slot, or a slot given to a signal that is not in the journal."""
    signals, admitted = set(), set()
    for record in house.journal.read_all():
        event = record.event
        if isinstance(event, SignalReceived):
            signals.add(event.signal_id)
        elif isinstance(event, SlotTaken):
            assert event.signal_id in signals
            admitted.add(event.group_id)
        elif isinstance(event, OrderSent):
            assert event.group_id in admitted
