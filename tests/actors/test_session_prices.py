"""A session that brings its account's prices: subscriptions through all connections, the first price, impossible ones."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.session import VenueSession, market_topic
from protocol.market import PriceTick, SubscribeMarket
from protocol.orders import OrderReport, OrderState
from protocol.venue import SessionDown
from protocol.webhook import NewestPrice
from tests.actors.cast import D, Stage, of, play
from tests.actors.orders import SYMBOL
from tests.actors.test_session_venue import Rig
from venues.errors import VenueDown


def tick(stage: Stage, **changes: Any) -> PriceTick:
    """Return a price of now."""
    made = PriceTick(SYMBOL, stage.now, D("99.9"), D("100.1"), D(100))
    return msgspec.structs.replace(made, **changes)


def subscribed(rig: Rig) -> list[str]:
    """Return what each subscription asked for."""
    return [call for call in rig.calls if call.startswith("subscribe")]


def test_what_was_subscribed_is_subscribed_again() -> None:
    """EX-1104: once a symbol, and again on every later connection."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.told("session", SubscribeMarket(SYMBOL), SubscribeMarket(SYMBOL))
        assert len(subscribed(rig)) == 1
        rig.venues[0].sink(SessionDown("acc", "reset", stage.now))  # type: ignore[misc]
        await stage.passes(5)
        assert len(rig.venues) == 2
        assert len(subscribed(rig)) == 2

    play(script)


def test_a_connection_that_cannot_subscribe_is_given_up() -> None:
    """Connected and mute is worse than not connected."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, subscribe=[VenueDown("stub", "no stream"), None])
        await stage.told("session", SubscribeMarket(SYMBOL))
        assert rig.standing()[-1] == "down VenueDown"
        await stage.passes(5)
        assert rig.standing()[-1] == "up"

    play(script)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bid": D(0), "ask": D(0), "last": D(0)},
        {"bid": D(101), "ask": D(100)},
        {"bid": D(-1)},
        {"last": D(0)},
        {"at": 1},
        {"at": 2**62},
    ],
    ids=["zero", "crossed", "negative", "no last", "stale", "of the future"],
)
def test_a_price_that_cannot_be_is_not_believed(wrong: dict[str, Any]) -> None:
    """A venue that lies costs us a price: nobody sees it, the good one stands."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        seen = stage.probe("seen", topics=(market_topic("acc", SYMBOL),))
        await stage.settle()
        good = tick(stage)
        for each in (good, tick(stage, **wrong)):
            rig.venues[0].sink(each)  # type: ignore[misc]
        await stage.settle()
        assert of(seen, PriceTick) == [good]

    play(script)


def test_the_first_price_is_waited_for_a_moment() -> None:
    """Asked for a market nobody follows, the session follows it and answers with its first price, or with none."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        assert (await stage.ask("session", NewestPrice(SYMBOL))).tick is None
        assert len(subscribed(rig)) == 1
        rig.venues[0].sink(tick(stage))  # type: ignore[misc]
        assert (await stage.ask("session", NewestPrice(SYMBOL))).tick.last == 100

    play(script)


def test_nothing_is_sent_after_its_time() -> None:
    """Architecture 8: a process whose lease has run out talks to its venue no more; an order is known not to have left."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        cell = stage.system.cell_of("/house/session")
        assert cell is not None and isinstance(cell.actor, VenueSession)  # noqa: PT018 - told apart by the traceback
        cell.actor._calls._send_by = lambda: stage.now - 1
        await stage.told("session", rig.place())
        (said,) = of(rig.desk, OrderReport)
        assert (said.state, said.absent_proven) == (OrderState.REJECTED, True)
        assert rig.placed() == []

    play(script)
