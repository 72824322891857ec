"""Option chains over API and command line: the verdict, the strikes, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from actors.chains import ChainKeeper
from actors.session import VenueSession
from protocol.options import OptionChain, OptionContract, Right
from rules.options.expiry import session_date
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.api import ApiServer
from service.cli import app
from service.cli.codes import ExitCode
from service.config.load import parse
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.cast import D
from tests.actors.chains_rig import AAPL, contract
from tests.actors.stub_venue import StubVenue
from tests.service.api_rig import Host
from tests.service.command_line import CliRunner, Result
from venues.errors import NetworkTimeout, VenueDown, VenueError
from venues.ibkr.errors import NotSubscribed, UnknownContract

NOW = WallClock().now
CONFIG = """
[[accounts]]
name = "ib"
[[accounts]]
name = "coins"
exchange = "okx"
"""


def day(days: int) -> str:
    """Return the date so many days from now."""
    return (session_date(NOW()) + timedelta(days)).isoformat()


class Options(StubVenue):
    """Lists two expiries; ``error`` is raised instead, ``changes`` are those of the call 190 of the nearer one."""

    def __init__(self) -> None:
        super().__init__({}, [], NOW)
        self.error: VenueError | None = None
        self.bare = 0
        self.chains = 0

    async def expirations(self, underlying: str) -> tuple[str, ...]:
        if self.error is not None:
            raise self.error
        return (day(38), day(80))

    async def chain(
        self, underlying: str, expiration: str, *, strikes: int = 40, right: Right | None = None
    ) -> OptionChain:
        self.chains += 1
        made = [self._one(expiration, 100 + 10 * each, side) for each in range(strikes) for side in Right]
        made = [contract(1, **self._bare(each, number)) for number, each in enumerate(made)]
        return OptionChain(
            underlying=underlying, underlying_price=D("190.25"), expirations=(), contracts=tuple(made), at=NOW()
        )

    def _bare(self, one: OptionContract, number: int) -> dict[str, Any]:
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        return fields | ({"delta": None, "implied_vol": None} if number < self.bare else {})

    def _one(self, expiration: str, strike: int, right: Right) -> OptionContract:
        sign = 1 if right is Right.CALL else -1
        wide = strike == 110 and right is Right.PUT
        return contract(
            strike,
            expiration,
            symbol=f"AAPL-{expiration}-{strike}-{right.value}",
            right=right,
            delta=0.3 * sign,
            ask=D("1.50") if wide else D("1.10"),
            open_interest=strike,
        )

    async def option_quotes(self, symbols: Sequence[str]) -> tuple[OptionContract, ...]:
        raise NotImplementedError


class Desk:
    """An operator at a daemon with one account that has options."""

    def __init__(self, host: Host, venue: Options) -> None:
        self.host = host
        self.venue = venue

    async def __call__(self, *words: str) -> Result:
        """Run ``bulkhead venue chain``."""
        whole = ["venue", "chain", *words, "--socket", str(self.host.socket_path)]
        return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(app, whole, env={"COLUMNS": "200"}))

    async def told(self, *words: str) -> Any:
        """Run it and return the document it prints."""
        result = await self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def run(work: Callable[[Desk], Awaitable[None]]) -> None:
    """Run a test's work."""

    async def main() -> None:
        venue = Options()
        with tempfile.TemporaryDirectory(prefix="bh") as folder:
            config = parse(CONFIG, {"BULKHEAD_APP__DATA_DIR": str(Path(folder))})
            async with ActorSystem(journal=MemoryJournal()) as system:
                host = Host(config, system, started_at=NOW())
                session = partial(VenueSession, account="ib", venue=lambda: venue, desk="/venues/ib/desk")
                keeper = partial(ChainKeeper, account="ib", session="/venues/ib/session")
                account = supervisor(
                    "ib", ChildSpec("session", session, edge=True), ChildSpec("chains", keeper), strategy="rest_for_one"
                )
                operators = supervisor("operators", ChildSpec("api", partial(ApiServer, host)))
                system.start_root(supervisor("root", supervisor("venues", account), operators))
                await system.ready()
                await work(Desk(host, venue))

    asyncio.run(main())


def test_a_chain_in_a_table() -> None:
    """Verdict, expiries and strikes: calls left, puts right, wide and unusable contracts marked (DK-60, DK-65)."""

    async def work(desk: Desk) -> None:
        result = await desk("ib", "aapl", "--strikes", "12")
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        assert lines[0].startswith("AAPL/USD  190.25")
        assert lines[0].endswith("valid")
        (row,) = [line.split() for line in lines if line.split()[:1] == [day(38)]]
        assert row == [day(38), "38", "target", "24", "24", "0", "0", "0", "good"]
        strikes = {line.split()[6]: line.split() for line in lines if line.split()[1:2] == ["25.0%"]}
        assert list(strikes) == [str(each) for each in range(100, 220, 10)]
        call, put = ["100", "25.0%", "+0.30", "9.5%", "1.00", "1.10"], ["1.10", "1.00", "9.5%", "-0.30", "25.0%", "100"]
        assert strikes["100"] == [*call, "100", *put]
        assert strikes["110"][7:10] == ["1.50", "1.00", "40.0%!"]

    run(work)


def test_a_chain_for_programs() -> None:
    """Raw quotes stand beside the broker's Greeks (DK-66); asked again within two minutes it is the one that is kept."""

    async def work(desk: Desk) -> None:
        first = await desk.told("ib", "AAPL", "--dte", "30-45", "--strikes", "3")
        assert (first["valid"], first["fault"], first["dte"], first["cached"]) == (True, "", [30, 45], False)
        assert first["contracts"][0] == {
            "symbol": f"AAPL-{day(38)}-100-C",
            "expiration": day(38),
            "dte": 38,
            "strike": "100",
            "right": "C",
            "bid": "1.00",
            "ask": "1.10",
            "mid": "1.05",
            "delta": 0.3,
            "gamma": None,
            "theta": None,
            "vega": None,
            "implied_vol": 0.25,
            "open_interest": 100,
            "volume": 0,
            "spread_quality": "0.0952",
            "wide": False,
            "clean": True,
        }
        assert (await desk.told("ib", "AAPL/USD", "--dte", "45-30", "--strikes", "3"))["cached"]
        assert desk.venue.chains == 1

    run(work)


def test_a_chain_that_is_not_good_enough() -> None:
    """It is shown as it is, with what it lacks, after one fetch; a range without expiries names those that are listed."""

    async def work(desk: Desk) -> None:
        desk.venue.bare = 3
        result = await desk("ib", "AAPL", "--strikes", "12")
        assert "NOT VALID: greeks_incomplete" in result.stdout
        assert "of 24 contracts 3 have no Greeks" in result.stdout
        assert "9.5%x" in result.stdout
        result = await desk("ib", "AAPL", "--dte", "3-9")
        assert "NOT VALID: no_expiry_in_range" in result.stdout
        assert f"listed: {day(38)}, {day(80)}" in result.stderr
        assert "--dte MIN-MAX" in result.stderr

    run(work)


def test_errors_say_what_to_do() -> None:
    """Each has a line of what and one of what to do, and its own exit code."""
    met: dict[VenueError, str] = {
        VenueDown("ib", "not connected"): "VenueUnavailable",
        NetworkTimeout("ib", "no quotes"): "NetworkTimeout",
        UnknownContract("ib", "no contract is AAPLE in USD"): "UnknownContract",
        NotSubscribed("ib", "market data is not subscribed"): "NotSubscribed",
    }

    async def work(desk: Desk) -> None:
        for error, code in met.items():
            desk.venue.error = error
            result = await desk("ib", "AAPL")
            assert result.exit_code == ExitCode.FAILED
            assert f"no chain of {AAPL}" in result.stderr
            assert f"[{code}]" in result.stderr
            assert "try:   " in result.stderr
        without = await desk("coins", "AAPL")
        assert "[VenueCapabilityMissing]" in without.stderr
        assert "bulkhead venue list" in without.stderr
        for words, field in ((("--dte", "soon"), "dte"), (("--dte", "30-99999"), "dte")):
            result = await desk("ib", "AAPL", *words)
            assert (result.exit_code, f"{field}: " in result.stderr) == (ExitCode.FAILED, True)
        assert (await desk("nobody", "AAPL")).exit_code == ExitCode.NOT_FOUND
        assert (await desk("ib", " ")).exit_code == ExitCode.FAILED
        assert (await desk("ib", "AAPL", "--strikes", "0")).exit_code == ExitCode.USAGE

    run(work)
