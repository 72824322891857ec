"""Entries with stop and target through the house and the real library: the broker loses or refuses the stop (PF-234)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.brackets import BracketStepTaken
from protocol.incidents import IncidentRaised, Severity
from protocol.values import MarketType
from runtime.clock import WallClock
from runtime.system import ActorSystem
from service.api.control import send
from service.config import parse
from tests.actors.cast import Broken
from tests.servers.venues.hall import Hall
from tests.servers.venues.oanda import ACCOUNT, OandaServer
from tests.servers.venues.tws import TwsVenue
from tests.system.running import eventually, house_at_venues
from tests.venues.ibkr_rig import EURO, gateway
from tests.venues.oanda_rig import access_to, pairs, tools
from venues.access import Access, Tools
from venues.contract import Venue
from venues.known import make_venue
from venues.oanda import OandaVenue

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NOW = WallClock().now
GUARD = "/venues/broker/brackets"
TOOLS = Tools(NOW, asyncio.sleep, lambda: 0.5)  # house: an adapter waits on the wall clock
PAIR = "EUR/USD:USD"
CONFIG = """
[app]
data_dir = "{folder}"
[webhook]
port = 0
[[accounts]]
name = "broker"
venue = "{venue}"
account_id = "{number}"
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

    def __init__(self, system: ActorSystem, hall: Hall, tws: TwsVenue | None = None) -> None:
        self.system = system
        self.hall = hall
        self._tws = tws

    @property
    def tws(self) -> TwsVenue:
        """The gateway."""
        assert self._tws is not None
        return self._tws

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
        return sum((each.qty for each in self.hall.positions() if each.symbol == PAIR), D(0))


@asynccontextmanager
async def house_of(
    monkeypatch: pytest.MonkeyPatch, venue: str, make: Callable[[], Venue]
) -> AsyncIterator[ActorSystem]:
    """Run a house with one account; a second stands for five, and for two."""
    monkeypatch.setattr("rules.broker.protection.PROTECT_WITHIN_S", 1)
    monkeypatch.setattr("rules.broker.protection.CANCELS_WAIT_S", 1)
    with tempfile.TemporaryDirectory(prefix="bh") as folder:
        config = parse(CONFIG.format(folder=folder, venue=venue, number=ACCOUNT if venue == "oanda" else ""), {})
        async with house_at_venues(config, {"broker": make}, tag="brac") as house:
            yield house.system


@asynccontextmanager
async def trading(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Rig]:
    """Run everything on real sockets beside a gateway of Interactive Brokers."""
    async with gateway((EURO,)) as tws:
        tws.hall.price(PAIR, D("1.08500"), D("1.08505"))
        fields = {"account": "broker", "venue": "ibkr", "market": MarketType.PERP, "folder": str(folder)}
        reach = Access(port=tws.port, symbols=("EUR_USD",), **fields)  # type: ignore[arg-type] # each its own
        async with house_of(monkeypatch, "ibkr", lambda: make_venue(reach, TOOLS)) as system:
            rig = Rig(system, tws.hall, tws)
            await eventually(rig.ready, "the guard lives")
            yield rig


async def test_a_bracket_to_its_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sent as an operator would; stop and target are rounded toward the reference, the target's fill is the end (PF-232)."""
    async with trading(monkeypatch, tmp_path) as rig:
        answer = await rig.place()
        assert (answer["code"], answer["standing"]["stop"], answer["standing"]["target"]) == ("", "1.08255", "1.09000")
        await eventually(lambda: rig.tickets()[0] == "MKT Filled" if rig.tickets() else False, "the entry is filled")
        assert rig.held() == 20_000
        rig.hall.price(PAIR, D("1.09010"), D("1.09015"))
        await eventually(rig.ended, "the bracket has ended")
        assert rig.held() == 0
        assert sorted(rig.tickets()) == ["LMT Filled", "MKT Filled", "STP Cancelled"]
        assert (await rig.send(type="ListBrackets", ended=True))["brackets"][0]["end"] == "target"


async def test_a_stop_that_the_broker_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refused once it is sent again, and works; guard, desk and session crash meanwhile and nothing comes twice."""
    async with trading(monkeypatch, tmp_path) as rig:
        rig.tws.orders.refused_stops = 1
        await rig.place()
        await eventually(lambda: "STP Inactive" in rig.tickets(), "the stop was refused")
        for name in ("brackets", "desk"):
            cell = rig.system.cell_of(f"/venues/broker/{name}")
            assert cell is not None
            cell.crash(Broken("by the test"), None)
        await eventually(lambda: "STP Submitted" in rig.tickets(), "the second stop works")
        await eventually(rig.ready, "the guard lives again")
        assert rig.steps() == ["stop_sent_again"]
        assert sorted(rig.tickets()) == ["LMT Submitted", "MKT Filled", "STP Inactive", "STP Submitted"]
        assert rig.held() == 20_000


@pytest.mark.parametrize(("refused", "lost"), [(2, 0), (0, 1)])
async def test_a_position_without_a_stop_is_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: int, lost: int
) -> None:
    """Refused twice, or lost with nobody saying what became of it: closed at the market, with a critical alarm (PF-234)."""
    async with trading(monkeypatch, tmp_path) as rig:
        rig.tws.orders.refused_stops, rig.tws.orders.lost_stops = refused, lost
        await rig.place()
        await eventually(lambda: rig.events(IncidentRaised), "the alarm")
        (alarm,) = rig.events(IncidentRaised)
        assert (alarm.kind, alarm.severity) == ("UNPROTECTED_POSITION", Severity.CRITICAL)
        await eventually(lambda: "close_sent" in rig.steps() and rig.held() == 0, "the position is closed")
        assert ("stop_sent_again" in rig.steps()) == bool(refused)
        assert [each.split()[0] for each in rig.tickets()].count("MKT") == 2
        await eventually(lambda: "LMT Cancelled" in rig.tickets(), "the target is cancelled")


async def test_a_stop_that_rides_on_its_entry_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """At OANDA: a stop that somebody cancels is placed anew, as an order that only reduces; its fill is the end (PF-234)."""
    async with OandaServer(pairs()) as oanda:
        oanda.hall.price(PAIR, D("1.08500"), D("1.08505"))
        async with house_of(monkeypatch, "oanda", lambda: make_venue(access_to(oanda), TOOLS)) as system:
            rig = Rig(system, oanda.hall)
            await eventually(rig.ready, "the guard lives")
            (stop, *_) = [key for key in (await rig.place(qty="1000"))["standing"]["orders"] if key.startswith("sl")]
            await eventually(lambda: rig.held() == 1_000, "the entry is filled")
            someone = OandaVenue(access_to(oanda), tools())
            await someone.connect(lambda _: None)
            await someone.cancel(stop, PAIR)
            await someone.close()
            await eventually(lambda: rig.steps() == ["stop_sent_again"], "the stop is sent again")

            def reducing() -> list[str]:
                return [each["positionFill"] for each in oanda.log.entries if each["type"] == "STOP_ORDER"]

            await eventually(reducing, "it has come")
            assert reducing() == ["REDUCE_ONLY"]
            oanda.hall.price(PAIR, D("1.08200"), D("1.08205"))
            await eventually(rig.ended, "the bracket has ended")
            assert rig.held() == 0
            assert (await rig.send(type="ListBrackets", ended=True))["brackets"][0]["end"] == "stopped"
