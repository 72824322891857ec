"""Orders on their way to the paper exchange: they arrive when their time is over, at the price that stands."""

from __future__ import annotations

from tests.actors.cast import D, S, Stage, play
from tests.actors.test_paper_exchange import ExchangeRig, buy, flat
from venues.paper.messages import BarInProgress


def test_an_order_reaches_the_book_when_its_way_is_over() -> None:
    """EX-1107: a market order trades at the price that stands when it arrives, also when the next one is far away."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage, latency_ns=20_000_000)
        await rig.told(flat(stage.now))
        await rig.place(buy(1))
        assert rig.fills() == []
        await stage.passes(0.03)
        assert rig.fills() == [("bhbuy001", D(100))]

    play(script)


def test_an_order_on_its_way_arrives_after_a_restart() -> None:
    """EX-1204: the exchange's next life lets what was on its way arrive when its time is over."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage, latency_ns=5 * S)
        bar = flat(stage.now)
        await rig.told(bar)
        await rig.place(buy(1))
        await stage.crash("exchange")
        rig.attach()
        await rig.told(BarInProgress(bar, 0))
        await stage.passes(6)
        assert rig.fills() == [("bhbuy001", D(100))]

    play(script)
