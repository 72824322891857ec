"""The order desk where both sides of one perpetual are held (found by the simulator, seeds 15 and 43)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.topics import GROUPS
from protocol.groups import GroupState
from protocol.orders import OrderSent, PlaceAtVenue
from protocol.values import OrderSide, Side
from tests.actors.cast import Stage, of, play
from tests.actors.desk_rig import DeskRig
from tests.actors.groups import group_fact
from tests.actors.orders import submit

PERP = "ETH/USDT:USDT"


def stands(group_id: str, side: Side, qty: str = "1", **more: Any) -> Any:
    """Return what a group of the perpetual says of itself."""
    return group_fact(group_id, **{"account": "acc", "symbol": PERP, "side": side, "open_qty": Decimal(qty), **more})


@pytest.mark.parametrize(
    ("facts", "reduces"),
    [
        ((), True),
        ((stands("g1", Side.LONG),), True),
        ((stands("g2", Side.LONG),), True),
        ((stands("g2", Side.SHORT),), False),
        ((stands("g2", Side.SHORT), stands("g2", Side.SHORT, "0")), True),
        ((stands("g2", Side.SHORT), stands("g2", Side.SHORT, state=GroupState.CLOSED)), True),
        ((stands("g2", Side.SHORT, account="other"),), True),
        ((stands("g2", Side.SHORT, symbol="BTC/USDT:USDT"),), True),
    ],
)
def test_an_exit_reduces_only_unless_the_other_side_is_held(facts: tuple[Any, ...], reduces: bool) -> None:
    """EX-703: a venue that nets both sides refuses a reduce-only exit of either, and neither could ever be closed."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told()
        for fact in facts:
            stage.system.bus.publish(GROUPS, fact)
        await rig.told(submit(1, symbol=PERP, side=OrderSide.SELL, reduce_only=True))
        (sent,) = rig.events(OrderSent)
        (place,) = of(rig.session, PlaceAtVenue)
        assert sent.request == place.request
        assert place.request.reduce_only is reduces

    play(script)


def test_an_exit_that_does_not_reduce_only_stays_as_it_is() -> None:
    """On spot nothing is netted: what is sold is what is there."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told()
        stage.system.bus.publish(GROUPS, stands("g2", Side.SHORT))
        await rig.told(submit(1))
        assert of(rig.session, PlaceAtVenue)[0].request == submit(1).request

    play(script)
