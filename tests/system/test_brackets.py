"""Entries with stop and target through the house and the real library: the broker loses or refuses the stop (PF-234)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.event_log import EventLog
from protocol.brackets import BracketStepTaken
from protocol.incidents import IncidentRaised, Severity
from protocol.values import MarketType
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.api.control import send
from service.config import parse
from service.house import Plan, build_house
from supervision.child import ChildSpec
from tests.actors.cast import Broken
from tests.servers.venues.tws import TwsVenue
from tests.system.running import SECRETS, eventually
from tests.venues.ibkr_rig import EURO, gateway
from venues.access import Access, Tools
from venues.known import make_venue

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NOW = WallClock().now
GUARD = "/venues/ib/brackets"
PAIR = "EUR/USD:USD"
CONFIG = """
[app]
data_dir = "{folder}"
[webhook]
port = 0
[[accounts]]
name = "ib"
venue = "ibkr"
market_type = "futures"
"""
WISH = {
    "type": "PlaceBracket", "client_id": "first", "symbol": PAIR, "side": "buy", "qty": "20000", "stop": "1.08251",
    "target": "1.09002", "reference": "1.08503",
}  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Rig:
    """A house with one account at a gateway."""

    def __init__(self, system: ActorSystem, tws: TwsVenue) -> None:
        self.system = system
        self.tws = tws

    async def send(self, **message: Any) -> dict[str, Any]:
        """Send the guard a message as ``bulkhead send`` does; return the answer."""
        answer: dict[str, Any] = (await send(self.system, GUARD, msgspec.json.encode(message)))["answer"]
        return answer

    async def place(self, **changes: Any) -> dict[str, Any]:
        """Ask for the bracket."""
        return await self.send(**(WISH | changes))

    def ready(self) -> bool:
        """Whether the guard lives and hears the venue."""
        cell = self.system.cell_of(GUARD)
        return (
            cell is not None
            and cell.actor is not None
            and "not heard" not in getattr(cell.actor, "detail", "not heard")
        )

    def events(self, kind: type) -> list[Any]:
        """Return what the guard journalled of a kind."""
        assert self.system.journal is not None
        return [each.event for each in self.system.journal.read(GUARD) if isinstance(each.event, kind)]

    def steps(self) -> list[str]:
        """Return what the guard decided."""
        return [each.step.value for each in self.events(BracketStepTaken)]

    def ended(self) -> bool:
        """Whether the bracket is over."""
        return "ended" in self.steps()

    def tickets(self) -> list[str]:
        """Return the kinds of the orders that came to the broker, and how they stand."""
        return [f"{live.ticket.kind} {live.status}" for live in self.tws.orders.live.values()]

    def held(self) -> Decimal:
        """Return what the account holds at the broker."""
        return sum((each.qty for each in self.tws.hall.positions() if each.symbol == PAIR), D(0))


@asynccontextmanager
async def trading(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Run everything on real sockets; a second stands for five, and for two."""
    monkeypatch.setattr("rules.broker.protection.PROTECT_WITHIN_S", 1)
    monkeypatch.setattr("rules.broker.protection.CANCELS_WAIT_S", 1)
    with tempfile.TemporaryDirectory(prefix="bh") as folder:
        config = parse(CONFIG.format(folder=folder), {})
        async with gateway((EURO,)) as tws:
            tws.hall.price(PAIR, D("1.08500"), D("1.08505"))
            reach = Access(
                account="ib", venue="ibkr", market=MarketType.PERP, port=tws.port, symbols=("EUR_USD",), folder=folder
            )
            tools = Tools(NOW, asyncio.sleep, lambda: 0.5)  # house: an adapter waits on the wall clock
            system = ActorSystem(clock=WallClock(), journal=MemoryJournal())
            plan = Plan(
                active=ActiveConfig(config),
                system=system,
                tag="brac",
                secrets=SECRETS,
                markets={},
                reconcile_every_s=3_600.0,
                store=[ChildSpec("events", EventLog)],
                venues={"ib": lambda: make_venue(reach, tools)},
            )
            async with system:
                system.start_root(build_house(plan))
                rig = Rig(system, tws)
                await eventually(rig.ready, "the guard lives")
                yield rig


async def test_a_bracket_to_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent as an operator would; stop and target are rounded toward the reference, the target's fill is the end (PF-232)."""
    async with trading(monkeypatch) as rig:
        answer = await rig.place()
        assert (answer["code"], answer["standing"]["stop"], answer["standing"]["target"]) == ("", "1.08255", "1.09000")
        await eventually(lambda: rig.tickets()[0] == "MKT Filled" if rig.tickets() else False, "the entry is filled")
        assert rig.held() == 20_000
        rig.tws.hall.price(PAIR, D("1.09010"), D("1.09015"))
        await eventually(rig.ended, "the bracket has ended")
        assert rig.held() == 0
        assert sorted(rig.tickets()) == ["LMT Filled", "MKT Filled", "STP Cancelled"]
        assert (await rig.send(type="ListBrackets", ended=True))["brackets"][0]["end"] == "target"


async def test_a_stop_that_the_broker_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused once it is sent again, and works; guard, desk and session crash meanwhile and nothing comes twice."""
    async with trading(monkeypatch) as rig:
        rig.tws.orders.refused_stops = 1
        await rig.place()
        await eventually(lambda: "STP Inactive" in rig.tickets(), "the stop was refused")
        for name in ("brackets", "desk"):
            cell = rig.system.cell_of(f"/venues/ib/{name}")
            assert cell is not None
            cell.crash(Broken("by the test"), None)
        await eventually(lambda: "STP Submitted" in rig.tickets(), "the second stop works")
        await eventually(rig.ready, "the guard lives again")
        assert rig.steps() == ["stop_sent_again"]
        assert sorted(rig.tickets()) == ["LMT Submitted", "MKT Filled", "STP Inactive", "STP Submitted"]
        assert rig.held() == 20_000


@pytest.mark.parametrize(("refused", "lost"), [(2, 0), (0, 1)])
async def test_a_position_without_a_stop_is_closed(monkeypatch: pytest.MonkeyPatch, refused: int, lost: int) -> None:
    """Refused twice, or lost with nobody saying what became of it: closed at the market, with a critical alarm (PF-234)."""
    async with trading(monkeypatch) as rig:
        rig.tws.orders.refused_stops, rig.tws.orders.lost_stops = refused, lost
        await rig.place()
        await eventually(lambda: rig.events(IncidentRaised), "the alarm")
        (alarm,) = rig.events(IncidentRaised)
        assert (alarm.kind, alarm.severity) == ("UNPROTECTED_POSITION", Severity.CRITICAL)
        await eventually(lambda: "close_sent" in rig.steps() and rig.held() == 0, "the position is closed")
        assert ("stop_sent_again" in rig.steps()) == bool(refused)
        assert [each.split()[0] for each in rig.tickets()].count("MKT") == 2
        await eventually(lambda: "LMT Cancelled" in rig.tickets(), "the target is cancelled")
