"""Crash isolation: a bug raises inside one part of a loaded house; the others go on, the part is back with its state."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from actors.desk import OrderDesk
from actors.gateway import Gateway
from actors.group import PositionGroup
from actors.paper_exchange import PaperExchange
from actors.pool import Pool
from actors.projector import Committed
from actors.session import VenueSession
from protocol.groups import SlotReleased
from protocol.market import PriceTick, SubscribeMarket
from protocol.orders import FillReport, FillReported, OrderReport, OrderUpdate, SubmitOrder
from protocol.signals import EntryRequest, SignalOutcome
from protocol.webhook import WebhookRequest
from runtime.actor import handles
from tests.system.running import PATHS, eventually, free_port
from tests.system.sabotage import GATEWAY, LOAD, Recovered, Sabotage, Ship, frozen, sail
from tests.system.wholeness import open_targets
from venues.paper.messages import PaperPlace

pytestmark = pytest.mark.slow

PROJECTOR = "/store/projector"
WEBHOOK = "/operators/webhook"


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> Recovered:
    """Return the encoded state with which each life of each durable actor began."""
    found: Recovered = {}
    for kind in (PaperExchange, OrderDesk, PositionGroup, Pool, Gateway):

        def started(self: Any, begin: Any = kind.started) -> Any:
            found.setdefault(self.context.path, []).append(frozen(self))
            return begin(self)

        monkeypatch.setattr(kind, "started", started)
    return found


# --- one part after the other ------------------------------------------------------------------------------------------


def test_desk_crash(tmp_path: Path, recovered: Recovered) -> None:
    """A desk that raises is back with every order it knew; its session, feed and reconciler follow, the rest goes on."""

    async def scenario(ship: Ship) -> None:
        for kind in (SubmitOrder, OrderReport):
            outage = await ship.crash(PATHS.desk, lambda kind=kind: ship.trip(PATHS.desk, kind))
            outage.check(
                GATEWAY, PATHS.pool, LOAD, along=(PATHS.session, PATHS.feed, PATHS.reconciler, PATHS.precision)
            )
            assert recovered[PATHS.desk][-1] == ship.at_strike

    sail(tmp_path, scenario)


def test_exchange_crash(tmp_path: Path, recovered: Recovered) -> None:
    """The paper exchange is back with its orders, balances and fills after a bug in a price or in an order."""

    async def scenario(ship: Ship) -> None:
        for kind in (PriceTick, PaperPlace):
            outage = await ship.crash(PATHS.exchange, lambda kind=kind: ship.trip(PATHS.exchange, kind))
            along = (PATHS.desk, PATHS.session, PATHS.feed, PATHS.reconciler, PATHS.precision)
            outage.check(GATEWAY, PATHS.pool, LOAD, along=along)
            assert recovered[PATHS.exchange][-1] == ship.at_strike

    sail(tmp_path, scenario)


def test_session_crash_in_a_call(tmp_path: Path) -> None:
    """A bug inside the adapter's own call ends the session, whose next life reconciles; the order it hit is not doubled."""

    async def scenario(ship: Ship) -> None:
        def plant() -> None:
            async def place(request: Any) -> None:
                raise Sabotage("in the adapter")

            ship.house.actor(PATHS.session)._link.venue.place = place

        before = ship.house.actor(PATHS.reconciler)
        outage = await ship.crash(PATHS.session, plant)
        outage.check(GATEWAY, PATHS.pool, LOAD, along=(PATHS.feed, PATHS.reconciler, PATHS.precision))
        await eventually(lambda: ship.house.actor(PATHS.reconciler) is not before, "the reconciler is new")
        await eventually(lambda: ship.house.actor(PATHS.reconciler)._done > 0, "it has reconciled")

    sail(tmp_path, scenario)


def test_session_crash_on_what_the_venue_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in how the session takes a fill ends the session, not the exchange that called it; the fill is not lost."""
    bugs: list[type] = []
    take = VenueSession._take

    def faulty(self: VenueSession, number: int, fact: Any) -> None:
        if type(fact) in bugs:
            bugs.clear()
            raise Sabotage("in _take")
        take(self, number, fact)

    monkeypatch.setattr(VenueSession, "_take", faulty)

    async def scenario(ship: Ship) -> None:
        outage = await ship.crash(PATHS.session, lambda: bugs.append(FillReport))
        outage.check(GATEWAY, PATHS.pool, LOAD, along=(PATHS.feed, PATHS.reconciler, PATHS.precision))

    sail(tmp_path, scenario)


def test_feed_crash(tmp_path: Path) -> None:
    """A source that raises, and a bug in the feed itself, cost some prices and nothing else; later prices arrive."""

    async def scenario(ship: Ship) -> None:
        plants = (ship.house.faults.append, lambda _: ship.trip(PATHS.feed, SubscribeMarket))
        for plant in plants:
            outage = await ship.crash(PATHS.feed, lambda plant=plant: plant(Sabotage("in the source")))
            outage.check(PATHS.desk, GATEWAY, PATHS.pool, LOAD, along=(PATHS.reconciler, PATHS.precision))
            before = ship.house.actor(PATHS.feed).delivered
            await eventually(lambda before=before: ship.house.actor(PATHS.feed).delivered > before + 20, "prices flow")

    sail(tmp_path, scenario)


def test_group_crash(tmp_path: Path, recovered: Recovered) -> None:
    """A group that raises is back as it was, with its targets working at the venue all the while; no other notices."""

    async def scenario(ship: Ship) -> None:
        for kind in (OrderUpdate, FillReported):
            path = next(iter(open_targets(ship.house))).rpartition(":")[0]
            others = [each for each in ship.house.groups() if each != path]
            outage = await ship.crash(path, lambda path=path, kind=kind: ship.trip(path, kind))
            outage.check(PATHS.exchange, PATHS.desk, GATEWAY, PATHS.pool, LOAD)
            assert sum(outage.handled(each) for each in others if each in outage.struck) > 0
            assert recovered[path][-1] == ship.at_strike

    sail(tmp_path, scenario)


def test_gateway_crash(tmp_path: Path, recovered: Recovered) -> None:
    """A gateway that raises costs its sender an honest 503; it is back with its duplicate memory and what is under way."""

    async def scenario(ship: Ship) -> None:
        house = ship.house
        for kind in (WebhookRequest, SignalOutcome):
            outage = await ship.crash(GATEWAY, lambda kind=kind: ship.trip(GATEWAY, kind))
            outage.check(PATHS.exchange, LOAD)
            assert recovered[GATEWAY][-1] == ship.at_strike
        answered = dict(house.actor(LOAD).answers)
        await eventually(lambda: house.actor(LOAD).answers[200] > answered[200] + 5, "alerts are taken again")
        assert set(house.actor(LOAD).answers) == {200, 503}

    sail(tmp_path, scenario)


def test_pool_crash(tmp_path: Path, recovered: Recovered) -> None:
    """A pool that raises is back with every slot it had given; it hears how groups stand, signals wait, none is lost."""

    async def scenario(ship: Ship) -> None:
        for kind in (EntryRequest, SlotReleased):
            outage = await ship.crash(PATHS.pool, lambda kind=kind: ship.trip(PATHS.pool, kind))
            outage.check(PATHS.exchange, GATEWAY, LOAD)
            assert recovered[PATHS.pool][-1] == ship.at_strike

    sail(tmp_path, scenario)


def test_projector_crash(tmp_path: Path) -> None:
    """A projector that raises, or whose process is killed, holds up nobody; its next life catches up with everything."""

    async def scenario(ship: Ship) -> None:
        house = ship.house
        outage = await ship.crash(PROJECTOR, lambda: ship.trip(PROJECTOR, Committed))
        outage.check(PATHS.exchange, PATHS.desk, GATEWAY, PATHS.pool, LOAD)
        process = house.actor(PROJECTOR)._process
        await ship.crash(PROJECTOR, process.kill)
        assert process.returncode == -signal.SIGKILL
        head = house.journal.head()
        await eventually(lambda: house.actor(PROJECTOR)._position >= head, "the read models are up to date")

    sail(tmp_path, scenario)


def test_webhook_crash(tmp_path: Path) -> None:
    """A listener that falls lets go of its port: its next life listens on the same one and alerts are taken again."""

    async def scenario(ship: Ship) -> None:
        house = ship.house
        port = house.actor(WEBHOOK).port
        outage = await ship.crash(WEBHOOK, lambda: house.actor(WEBHOOK).context.escalate(Sabotage("in the listener")))
        outage.check(PATHS.exchange, LOAD)
        assert house.actor(WEBHOOK).port == port
        assert house.cell(WEBHOOK).lives == 2
        answered = house.actor(LOAD).answers[200]
        await eventually(lambda: house.actor(LOAD).answers[200] > answered + 5, "alerts are taken again")

    sail(tmp_path, scenario, port=free_port())


def test_poison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that crashes the desk twice is parked where an operator sees it, and the desk goes on with the next."""
    poisoned: list[str] = []
    submit = OrderDesk.submit

    @handles
    def faulty(self: OrderDesk, msg: SubmitOrder) -> Any:
        if not poisoned:
            poisoned.append(msg.request.client_order_id)
        if msg.request.client_order_id == poisoned[0] and len(poisoned) < 3:
            poisoned.append(poisoned[0])
            raise Sabotage("poison")
        return submit(self, msg)

    async def scenario(ship: Ship) -> None:
        house = ship.house
        monkeypatch.setattr(OrderDesk, "submit", faulty)
        house.cell(PATHS.desk).handlers[SubmitOrder] = faulty.__get__(house.actor(PATHS.desk))
        await eventually(lambda: [each for each in house.system.dead_letters.all() if each.poison], "it is parked")
        letter = next(each for each in house.system.dead_letters.all() if each.poison)
        assert letter.path == PATHS.desk
        assert letter.envelope.message.request.client_order_id == poisoned[0]
        assert "Sabotage" in letter.error
        await eventually(lambda: house.up(PATHS.desk) and house.up(PATHS.reconciler), "the desk is back")
        house.system.replay_dead_letter(letter.id)
        await eventually(lambda: house.actor(PATHS.desk)._book.get(poisoned[0]), "the operator had it handled")

    sail(tmp_path, scenario)
