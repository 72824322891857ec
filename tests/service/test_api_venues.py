"""The accounts' venues over API and command line: standing, rules, fetching and comparing on demand (EX-513, EX-1206)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from actors.session_topics import health_topic
from protocol.paper import ScriptVenue, VenueFault
from protocol.venue import VenueHealth, VenueStatus
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.api.client import DaemonRefused
from service.cli.venues import _age, _standing
from service.config.load import parse
from tests.service.api_rig import Host, Rig
from tests.service.venue_tree import venue_tree


def run(work: Callable[[Rig], Awaitable[None]]) -> None:
    """Run a test's work against a paper account behind the API."""

    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="bh") as folder:
            config = parse("", {"BULKHEAD_APP__DATA_DIR": str(Path(folder))})
            async with ActorSystem(journal=MemoryJournal()) as system:
                host = Host(config, system, started_at=WallClock().now())
                system.start_root(venue_tree(host))
                await system.ready()
                await work(Rig(host))

    asyncio.run(main())


async def refused(work: Awaitable[Any]) -> DaemonRefused:
    """Return the error that a request is answered with."""
    with pytest.raises(DaemonRefused) as caught:
        await work
    return caught.value


def test_how_a_venue_stands() -> None:
    """EX-513, EX-1622: connection, code and reason, rules with their age and number, balances; a venue down says why."""

    async def work(rig: Rig) -> None:
        (venue,) = (await rig.until("/v1/venues", lambda said: said["venues"][0]["rules"]["symbols"] == 1))["venues"]
        assert (venue["account"], venue["status"], venue["code"]) == ("paper", "up", "")
        assert venue["rules"]["fetched_at"] is not None
        assert {each["currency"] for each in venue["balances"]} == {"USDT"}
        assert "1 symbols" in _age(venue["rules"])
        down = VenueHealth(
            account="paper", status=VenueStatus.DOWN, code="VenueDown", reason="502", at=rig.host.system.now()
        )
        rig.host.system.bus.publish(health_topic("paper"), down, keep=True)
        (venue,) = (await rig.get("/v1/venues"))["venues"]
        assert _standing(venue)[:3] == ("paper", "down", "VenueDown: 502")

    run(work)


def test_the_rules_of_a_market() -> None:
    """EX-508, EX-513: rules are found under the unified symbol and the venue's id; an unknown one names the near ones."""

    async def work(rig: Rig) -> None:
        await rig.until("/v1/venues", lambda said: said["venues"][0]["rules"]["symbols"] == 1)
        for name in ("BTC/USDT", "btcusdt", ""):
            found = await rig.get("/v1/venues/rules", symbol=name)
            assert [row["tick_size"] for row in found["rules"]] == ["0.01"]
        error = await refused(rig.get("/v1/venues/rules", symbol="BTC/USD"))
        assert (error.code, "BTC/USDT" in str(error)) == ("NotFound", True)
        assert (await refused(rig.get("/v1/venues/rules", account="nope"))).code == "NotFound"

    run(work)


def test_rules_are_fetched_on_demand() -> None:
    """EX-513: the answer comes when the fetch has ended; a failed one is PrecisionFetchFailed and keeps what was known."""

    async def work(rig: Rig) -> None:
        before = (await rig.until("/v1/venues", lambda said: said["venues"][0]["rules"]["symbols"] == 1))["venues"][0]
        said = await rig.post("/v1/venues/refresh")
        assert (said["symbols"], said["error"]) == (1, "")
        assert said["fetched_at"] > before["rules"]["fetched_at"]
        exchange = rig.host.system.lookup("/venues/paper/exchange")
        assert exchange is not None
        exchange.tell(ScriptVenue(fault=VenueFault.REFUSE_KEY, seconds=3_600))
        error = await refused(rig.post("/v1/venues/refresh"))
        assert error.code == "PrecisionFetchFailed"
        assert "tried again by itself" in str(error)
        assert len((await rig.get("/v1/venues/rules"))["rules"]) == 1

    run(work)


def states_of(said: dict[str, Any], path: str) -> list[str]:
    """Return the state of an actor, none when it is not in the tree."""
    return [each["state"] for each in said["actors"] if each["path"] == path]


def test_books_are_compared_and_entries_allowed_on_demand() -> None:
    """EX-1206, EX-1108: both are commands; an unknown account is refused, and one whose session stands still."""

    async def work(rig: Rig) -> None:
        said = await rig.post("/v1/venues/reconcile", {"account": "paper"})
        assert said["told"] == "/venues/paper/reconciler"
        allowed = await rig.post("/v1/venues/allow-entries", {"account": "paper"})
        assert allowed["account"] == "paper"
        assert (await refused(rig.post("/v1/venues/reconcile", {"account": "nope"}))).code == "NotFound"
        await rig.post("/v1/quarantine", {"path": "/venues/paper/session"})
        await rig.until("/v1/ps", lambda said: "running" not in states_of(said, "/venues/paper/reconciler"))
        for what in ("reconcile", "refresh"):
            assert (await refused(rig.post(f"/v1/venues/{what}", {"account": "paper"}))).code == "ChildQuarantined"

    run(work)
