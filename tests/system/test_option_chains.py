"""Option chains through the whole house and the real library: judged, fetched again, requoted, and killed half-way."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import anyio
import pytest

from actors.event_log import EventLog
from actors.session import health_topic
from protocol.chains import AskChain, ChainReply, LegsReply, RequoteLegs
from protocol.event_log import EventLogged
from protocol.venue import VenueHealth, VenueStatus
from rules.options.expiry import session_date
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.api import ApiServer
from service.cli import app
from service.config import parse
from service.house import Plan, build_house
from supervision.child import ChildSpec
from tests.actors.cast import Broken
from tests.servers.venues.tws import TwsVenue
from tests.servers.venues.tws_words import Listed
from tests.service.api_rig import Host
from tests.service.command_line import CliRunner
from tests.system.running import SECRETS, eventually
from tests.venues.ibkr_rig import SHARES, gateway
from venues.access import Access, Tools
from venues.facets import HasChains
from venues.ibkr import IbkrVenue
from venues.known import KNOWN, make_venue

pytestmark = pytest.mark.slow

D = Decimal
NOW = WallClock().now
KEEPER = "/venues/ib/chains"
WITHIN_S = 20.0
AAPL = "AAPL/USD"
PAIRS = 6
"""Strikes of the expiration: 12 contracts, of which one may be without Greeks and two may not."""

CONFIG = """
[app]
data_dir = "{folder}"
[webhook]
port = 0
[[accounts]]
name = "ib"
venue = "ibkr"
market_type = "spot"
"""


def options() -> tuple[Listed, ...]:
    """Return the options of an expiration that is 37 days from now."""
    day = session_date(NOW()) + timedelta(37)
    short, whole = f"{day:%y%m%d}", f"{day:%Y%m%d}"
    return tuple(
        Listed(800_000_000 + number, "AAPL", "OPT", "SMART", "USD", f"AAPL/USD:USD-{short}-{strike}-{right}",
               local=f"AAPL  {short}{right}{strike:05d}000", expiry=whole, strike=str(strike), right=right, multiplier="100")
        for number, (strike, right) in enumerate((150 + 10 * each, right) for each in range(PAIRS) for right in "CP")
    )  # fmt: skip


class Rig:
    """A house with one account at a gateway, and the API."""

    def __init__(self, system: ActorSystem, tws: TwsVenue, host: Host) -> None:
        self.system = system
        self.tws = tws
        self.host = host

    def up(self) -> bool:
        """Whether the account is connected and its keeper lives."""
        health: VenueHealth | None = self.system.bus.kept(health_topic("ib"))
        return health is not None and health.status is VenueStatus.UP and self.system.lookup(KEEPER) is not None

    async def ask(self, **more: Any) -> ChainReply:
        """Ask for the chain."""
        return await self._ask(AskChain(underlying=AAPL, least_dte=30, most_dte=45, **more))

    async def requote(self, said: ChainReply, *symbols: str) -> LegsReply:
        """Ask for fresh quotes of some contracts of a chain."""
        assert said.chain is not None
        legs = tuple(each for each in said.chain.contracts if each.symbol in symbols)
        return await self._ask(RequoteLegs(underlying=AAPL, legs=legs))

    async def _ask(self, request: Any) -> Any:
        keeper = self.system.lookup(KEEPER)
        assert keeper is not None
        return await keeper.ask(request, WITHIN_S)

    def asked(self) -> int:
        """Return how many quotes were asked for."""
        return self.tws.requests.count(1)

    def alerts(self) -> list[EventLogged]:
        """Return the alerts of chains that were given up."""
        found = [each.event for each in self.system.journal.read("/store/events")]  # type: ignore[union-attr] # there is one
        return [each for each in found if isinstance(each, EventLogged) and each.code == "ChainIncomplete"]


@asynccontextmanager
async def trading(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Run everything on real sockets; waits for retries and for quotes that never come are short."""
    monkeypatch.setattr("rules.options.retries.WAITS_S", (1, 0, 0))
    monkeypatch.setattr("venues.ibkr.chains.QUOTE_S", 0.3)
    with tempfile.TemporaryDirectory(prefix="bh") as folder:
        config = parse(CONFIG.format(folder=folder), {})
        async with gateway((SHARES, *options())) as tws:
            tws.hall.price(AAPL, D("199.99"), D("200.01"))
            reach = Access(account="ib", venue="ibkr", port=tws.port, symbols=(AAPL,), folder=folder)
            tools = Tools(NOW, asyncio.sleep, lambda: 0.5)  # house: an adapter waits on the wall clock
            system = ActorSystem(clock=WallClock(), journal=MemoryJournal())
            host = Host(config, system, started_at=NOW())
            plan = Plan(
                active=ActiveConfig(config),
                system=system,
                tag="chain",
                secrets=SECRETS,
                markets={},
                reconcile_every_s=3_600.0,
                store=[ChildSpec("events", EventLog)],
                operators=[ChildSpec("api", partial(ApiServer, host))],
                venues={"ib": lambda: make_venue(reach, tools)},
            )
            async with system:
                system.start_root(build_house(plan))
                await system.ready()
                rig = Rig(system, tws, host)
                await eventually(rig.up, "the account is connected")
                yield rig


def test_a_chain_of_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """One contract without Greeks is within bounds: counted, shown by the command; then legs are requoted (DK-64)."""

    async def script() -> None:
        async with trading(monkeypatch) as rig:
            rig.tws.answers.bare_options.add(options()[0].con_id)
            said = await rig.ask()
            assert (said.code, said.fetches) == ("", 1)
            (expiry,) = said.expiries
            assert (expiry.contracts, expiry.missing_greeks, expiry.clean) == (2 * PAIRS, 1, 2 * PAIRS - 1)
            before = rig.asked()
            words = ["venue", "chain", "ib", "aapl", "--socket", str(rig.host.socket_path)]
            shown = await anyio.to_thread.run_sync(lambda: CliRunner().invoke(app, words, env={"COLUMNS": "200"}))
            assert shown.exit_code == 0, shown.output
            (line,) = [each.split() for each in shown.stdout.splitlines() if each.split()[6:7] == ["150"]]
            assert line[:6] == ["1150", "-", "-", "3.3%x", "1.5", "1.55"]
            assert rig.asked() == before, "the chain that is kept was shown"

            call, put = options()[10].market, options()[9].market
            held = await rig.requote(said, call, put)
            assert (held.action, held.diverged, [each.flagged for each in held.legs]) == ("accept", (), [False, False])
            assert rig.asked() == before + 2, "only the legs were asked for"
            rig.tws.answers.delta = 0.45
            moved = await rig.requote(said, call, put)
            assert (moved.action, moved.next_round) == ("re_resolve", 2)
            assert {call, put} == set(moved.diverged)
            fresh = await rig.ask()
            assert not fresh.cached
            assert (await rig.requote(fresh, call, put)).action == "accept"

    asyncio.run(script())


def test_a_chain_that_is_invalid_and_then_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """DK-63: two of 12 contracts without Greeks are too many; fetched again they have them. Else an alert is raised."""

    async def script() -> None:
        async with trading(monkeypatch) as rig:
            bare = rig.tws.answers.bare_options
            bare |= {each.con_id for each in options()[:2]}
            asking = asyncio.ensure_future(rig.ask())
            looked = await rig.ask(look=True)
            assert (looked.code, looked.retry_at is not None) == ("greeks_incomplete", True)
            bare.clear()
            said = await asking
            assert (said.code, said.fetches, rig.alerts()) == ("", 2, [])

            bare |= {each.con_id for each in options()[:2]}
            given_up = await rig.ask(strikes=PAIRS)
            assert (given_up.code, given_up.fault, given_up.fetches) == ("chain_incomplete", "greeks_incomplete", 4)
            await eventually(rig.alerts, "the alert is in the log")
            assert rig.alerts()[0].pinned

    asyncio.run(script())


@pytest.mark.parametrize("how", ["the connection drops", "the session crashes"])
def test_a_chain_that_is_cut_off(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """DK-55: who waits hears VenueUnavailable at once, the session comes back by itself and the next request is answered."""

    async def script() -> None:
        async with trading(monkeypatch) as rig:
            rig.tws.held = held = asyncio.Event()
            rig.tws.holding.clear()
            asking = asyncio.ensure_future(rig.ask())
            async with asyncio.timeout(WITHIN_S):
                await rig.tws.holding.wait()
                if how == "the connection drops":
                    rig.tws.drop()
                else:
                    cell = rig.system.cell_of("/venues/ib/session")
                    assert cell is not None
                    cell.crash(Broken("in a chain request"), None)
                said = await asking
            assert (said.code, said.chain) == ("VenueUnavailable", None)
            held.set()
            rig.tws.held = None

            async def back() -> ChainReply:
                async with asyncio.timeout(WITHIN_S):
                    while True:
                        found = await rig.ask()
                        if found.code != "VenueUnavailable":
                            return found
                        await asyncio.sleep(0.02)  # house: a session connects on the wall clock

            assert (await back()).code == ""

    asyncio.run(script())


def test_who_keeps_chains() -> None:
    """The table of venues says which adapter has option chains; the house makes a keeper for those."""
    assert [name for name, facts in KNOWN.items() if facts.options] == ["ibkr"]
    assert issubclass(IbkrVenue, HasChains)
