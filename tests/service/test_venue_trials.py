"""Tests of accounts against Binance's protocol on loopback: what they find, what they warn of, what they never do."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.api.client import DaemonRefused
from service.config.load import parse
from tests.servers.venues.binance import KEY, SECRET, BinanceServer
from tests.servers.venues.threaded import Threaded, on_a_thread
from tests.service.api_rig import Host, Rig
from tests.service.venue_tree import venue_tree
from tests.venues.test_binance_venue import SPOT, server_of
from venues.access import Access
from venues.crypto.dialects import dialect_of
from venues.facets import KeyRights

MINE = {"api_key": KEY, "api_secret": SECRET}


@pytest.fixture(scope="module")
def venue() -> Iterator[Threaded]:
    """Run one Binance for all tests of this module."""
    with on_a_thread(lambda: server_of(perp=False)) as running:
        yield running


def server(venue: Threaded) -> BinanceServer:
    """Return the server itself."""
    found = venue.server
    assert isinstance(found, BinanceServer)
    return found


def run(venue: Threaded, work: Callable[[Rig], Awaitable[None]], key: str = KEY) -> None:
    """Run a test's work against a daemon with an account there, and one on paper."""
    text = f"""
[[accounts]]
name = "main"
venue = "binance"
testnet = false
scope = "live"
url = "{venue.server.url}"
stream_url = "{venue.server.stream_url}"
[[accounts]]
name = "paper"
exchange = "okx"
scope = "paper"
"""
    secrets = {"BULKHEAD_ACCOUNTS__MAIN__API_KEY": key, "BULKHEAD_ACCOUNTS__MAIN__API_SECRET": SECRET}

    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="bh") as folder:
            place = {"BULKHEAD_APP__DATA_DIR": str(Path(folder)), "BULKHEAD_APP__MODE": "live"}
            config = parse(text, {**place, **secrets})
            async with ActorSystem(journal=MemoryJournal()) as system:
                host = Host(config, system, started_at=WallClock().now())
                system.start_root(venue_tree(host))
                await system.ready()
                await work(Rig(host))

    asyncio.run(main())


def found(said: Any) -> dict[str, dict[str, Any]]:
    """Return the steps by name."""
    return {each["name"]: each for each in said["steps"]}


async def outcome(rig: Rig) -> Any:
    """Test the account with what is kept."""
    return await rig.post("/v1/venues/test", {"account": "main"})


def test_an_account_that_is_fine(venue: Threaded) -> None:
    """EX-1620: reachable, let in, may trade and not withdraw, the clock, what it holds; each step with its time."""

    async def work(rig: Rig) -> None:
        said = await outcome(rig)
        steps = found(said)
        assert said["ok"], steps
        assert not any(each["warns"] or each["code"] for each in said["steps"])
        assert steps["rights"]["text"] == "the key may trade; it may not withdraw"
        assert "ours" in steps["clock"]["text"]
        assert "100000 USDT" in steps["balances"]["text"]
        assert all(each["ms"] >= 0 for each in said["steps"])
        assert server(venue).hall.by_number == {}

    venue.do(server(venue).hall.price, SPOT, *(Decimal(each) for each in (60_000, 60_001)))
    run(venue, work)


def test_what_should_be_changed_is_warned_of(venue: Threaded) -> None:
    """A key that may withdraw, a clock far away: warnings; a key that may not trade: refused, with what to do."""

    async def work(rig: Rig) -> None:
        rights = server(venue).rights
        rights["enableWithdrawals"] = True
        steps = found(await outcome(rig))
        assert steps["rights"]["warns"]
        assert "WITHDRAW" in steps["rights"]["text"]
        rights["enableSpotAndMarginTrading"] = False
        server(venue).skew_ms = 60_000
        said = await outcome(rig)
        assert (said["ok"], found(said)["rights"]["code"]) == (False, "PermissionDenied")
        assert "allow the key to trade" in said["advice"]
        rights.update(enableWithdrawals=False, enableSpotAndMarginTrading=True)
        assert found(await outcome(rig))["clock"]["warns"]
        server(venue).skew_ms = 0

    run(venue, work)


def test_credentials_are_tried_before_they_are_kept(venue: Threaded) -> None:
    """Wrong ones are refused in the venue's words; right ones are accepted; neither is kept or journalled (EX-1508)."""

    async def work(rig: Rig) -> None:
        said = await outcome(rig)
        assert (said["ok"], found(said)["connect"]["code"]) == (False, "AuthFailed")
        assert "correct key" in said["advice"]
        given = {"account": "main", "credentials": MINE}
        said = await rig.post("/v1/venues/test-credentials", given)
        assert "login accepted" in found(said)["connect"]["text"]
        assert SECRET not in json.dumps(said)
        files = [path for path in rig.host.config.app.data_dir.rglob("*") if path.is_file()]
        assert not any(SECRET.encode() in path.read_bytes() for path in files)
        for wrong, code in (({"api_key": "x" * 300}, "OutOfRange"), ({"colour": "x"}, "UnknownSecret")):
            refused = await refusal(rig.post("/v1/venues/test-credentials", {**given, "credentials": wrong}))
            assert refused.code == code

    run(venue, work, key="another")


def test_what_cannot_be_tested_is_said(venue: Threaded) -> None:
    """No such account, one on paper, one that is being tested already."""

    async def work(rig: Rig) -> None:
        assert (await refusal(rig.post("/v1/venues/test", {"account": "mian"}))).code == "NotFound"
        assert (await refusal(rig.post("/v1/venues/test", {"account": "paper"}))).code == "NothingToTest"
        codes: list[str] = []

        async def one() -> None:
            try:
                await outcome(rig)
                codes.append("")
            except DaemonRefused as error:
                codes.append(error.code)

        async with anyio.create_task_group() as both:
            both.start_soon(one)
            both.start_soon(one)
        assert sorted(codes) == ["", "TestUnderWay"]

    run(venue, work)


async def refusal(work: Awaitable[Any]) -> DaemonRefused:
    """Return the error that a request is answered with."""
    with pytest.raises(DaemonRefused) as caught:
        await work
    return caught.value


@pytest.mark.parametrize(
    ("name", "method", "said", "rights"),
    [
        ("bybit", "privateGetV5UserQueryApi", {"result": {"readOnly": 1}}, KeyRights(trade=False, withdraw=False)),
        (
            "bybit",
            "privateGetV5UserQueryApi",
            {"result": {"readOnly": 0, "permissions": {"Spot": ["SpotTrade"], "Wallet": ["Withdraw"]}}},
            KeyRights(trade=True, withdraw=True),
        ),
        ("bybit", "privateGetV5UserQueryApi", {"result": {"readOnly": 0}}, KeyRights()),
        ("okx", "privateGetAccountConfig", {"data": [{"perm": "read_only,trade"}]}, KeyRights(True, False)),
        ("okx", "privateGetAccountConfig", {"data": [{}]}, KeyRights()),
        ("kucoin", "privateGetUserApiKey", {"data": {"permission": "General,Futures"}}, KeyRights(False, False)),
        ("kucoin", "privateGetUserApiKey", {"data": {"permission": "General,Spot,Transfer"}}, KeyRights(True, True)),
        ("gate", "nothing", {}, KeyRights()),
    ],
)
def test_the_rights_of_a_key_in_each_venues_words(name: str, method: str, said: Any, rights: KeyRights) -> None:
    """What a venue says is read as it is meant; what it does not say stays unknown."""

    async def told() -> Any:
        return said

    access = Access(account="main", venue=name, market=MarketType.SPOT, key=Secret("k"), secret=Secret("s"))
    assert asyncio.run(dialect_of(access).key_rights(SimpleNamespace(**{method: told}))) == rights
