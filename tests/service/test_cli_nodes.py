"""A daemon on a real Redis server beside another node, as an operator sees it; and one alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.nodes import NodePresence, Quote
from protocol.risk import EngineStatus
from runtime.clock import WallClock
from service.cli.views import standing
from service.config import parse
from service.nodes import node_name
from store.cache.keys import NODES, node_key, quote_key
from store.cache.opening import Shared, open_shared
from tests.actors.nodes import presence
from tests.house.sources import ROOT
from tests.servers.redis import RedisServer, redis_server, server_of_module
from tests.service.test_cli_daemon import CONFIG, Operator
from tests.system.running import eventually

__all__ = ["redis_server", "server_of_module"]

NODE = '[redis]\nnode = "left"\nprefix = "test:"\n'


@pytest.fixture(scope="module")
def operator(server_of_module: RedisServer) -> Iterator[Operator]:
    """Start the daemon ``left``; the server's address comes from the environment."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG + NODE)
        ready = Operator(Path(name))
        env = {**os.environ, "BULKHEAD_REDIS_URL": server_of_module.url}
        _, err = (started := ready.process("up", "--detach", "--json", env=env)).communicate(timeout=60)
        assert started.returncode == 0, err
        yield ready
        assert ready("down").exit_code == 0


def on_the_server(server: RedisServer, work: Any) -> Any:
    """Do something as another node."""

    async def run() -> Any:
        shared: Shared = open_shared(server.url, now=WallClock().now, node="right", epoch=1, prefix="test:")
        try:
            return await work(shared)
        finally:
            assert shared.link is not None
            await shared.link.close()

    return asyncio.run(run())


@pytest.mark.slow
def test_nodes_are_listed_and_the_link_is_shown(operator: Operator, server_of_module: RedisServer) -> None:
    """DS-713: who is alive, with engine and groups, and how the link stands, in `nodes`, `status` and `ps`."""

    async def announce(shared: Shared) -> None:
        other = msgspec.structs.replace(presence("right", open_groups=3), engine=EngineStatus.PAUSED, reason="news")
        await shared.cache.set(node_key("right"), other, 30)
        await shared.cache.set_in_map(NODES, {"right": 1})

    asyncio.run(eventually(lambda: operator.json("nodes")["cache"]["state"] == "healthy", "the link stands"))
    on_the_server(server_of_module, announce)
    found = operator.json("nodes")
    assert [(each["node"], each["this"], each["engine"]) for each in found["nodes"]] == [
        ("left", True, "running"),
        ("right", False, "paused"),
    ]
    assert found["fresh"]
    text = operator("nodes").stdout
    assert "left (this)" in text
    assert "paused news" in text
    assert f"cache: healthy at {server_of_module.socket}" in text
    assert "cache     healthy at" in operator("status").stdout
    assert "healthy, ping" in operator("ps", "/nodes/link").stdout


@pytest.mark.slow
def test_what_a_daemon_shares_can_be_read_by_others(operator: Operator, server_of_module: RedisServer) -> None:
    """DK-251: newest quotes and the node itself stand under their keys, with the prefix; they end by themselves."""

    async def read(shared: Shared) -> tuple[Quote | None, NodePresence | None]:
        quote = await shared.cache.get(quote_key("paper", "BTC/USDT"), Quote)
        return quote, await shared.cache.get(node_key("left"), NodePresence)

    asyncio.run(eventually(lambda: on_the_server_now(server_of_module, read)[0], "a quote is written"))
    quote, node = on_the_server_now(server_of_module, read)
    assert quote is not None
    assert quote.source == "SYNTHETIC"
    assert quote.bid < quote.ask
    assert node is not None
    assert node.accounts == ("paper",)
    assert int(server_of_module.ask("PTTL", "test:node:left").strip(b":\r\n")) > 0
    assert int(server_of_module.ask("PTTL", "test:quotes:paper:BTC/USDT").strip(b":\r\n")) > 0


def on_the_server_now(server: RedisServer, work: Any) -> Any:
    """Do something as another node, from inside another loop's turn."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(on_the_server, server, work).result()


def test_the_link_in_one_line() -> None:
    """What stands in the line: state, address, ping, and why it is away."""
    alone = {"state": "in_process", "address": "", "ping_ms": None, "reason": ""}
    assert standing(alone) == "cache: inside this process, no Redis server is configured"
    away = {"state": "reconnecting", "address": "box:6379", "ping_ms": 1.25, "reason": "no answer within 2 s"}
    assert standing(away) == "cache: reconnecting at box:6379, ping 1.2 ms: no answer within 2 s"


def test_a_node_has_a_name() -> None:
    """Without one in the configuration a node is called after its machine."""
    assert node_name(parse('[redis]\nnode = "box-1"\n', {})) == "box-1"
    assert node_name(parse("", {}))


def test_a_daemon_without_a_server_needs_no_library() -> None:
    """DS-849: the client library is imported where a server is named, and nowhere else."""
    code = (
        "import sys, service.daemon, service.nodes, service.cli.commands, store.cache.opening as opening;"
        "opening.open_shared('', now=int, node='a', epoch=1);"
        "sys.exit('redis' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
