"""The connections themselves: over TCP, kept alive, refused by a password, restored after the machine forgot them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from store.cache.errors import CacheAway
from store.cache.opening import open_shared
from store.cache.redis_link import RedisLink
from tests.servers.redis import RedisServer
from tests.store.cache.conftest import PATIENT_S, close
from tests.system.running import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tcp() -> AsyncIterator[RedisServer]:
    """Return a server on a port, which asks for a password."""
    server = RedisServer(free_port())
    try:
        server.start()
        server.ask("CONFIG", "SET", "requirepass", "very-secret")
        yield server
    finally:
        server.close()


async def test_connections_are_kept_alive(tcp: RedisServer, time: Any) -> None:
    """DS-710: TCP keep-alive is on, and finds a peer that vanished within half a minute."""
    url = f"redis://:very-secret@127.0.0.1:{tcp.port}/3"
    shared = open_shared(url, now=time.now, node="a", epoch=1, answer_s=PATIENT_S)
    assert await shared.cache.set("a", 1)
    link = cast("RedisLink", shared.link)
    connection = await link.redis.connection_pool.get_connection()
    try:
        wire = cast("Any", connection)._writer.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, every, count = (
            wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        )
        assert idle + every * count <= 30
    finally:
        await link.redis.connection_pool.release(connection)
        await close(shared)


async def test_a_wrong_password_is_a_server_that_is_away(tcp: RedisServer, time: Any) -> None:
    """A refused password is said as it is, without the password; reads are nothing, nothing is raised to readers."""
    for who in (":wrong-word@", ""):
        shared = open_shared(f"redis://{who}127.0.0.1:{tcp.port}", now=time.now, node="a", epoch=1, answer_s=PATIENT_S)
        assert shared.link is not None
        with pytest.raises(CacheAway, match=r"(?i)auth|password") as caught:
            await shared.link.ping()
        assert "wrong-word" not in str(caught.value)
        assert await shared.cache.get("a", int) is None
        assert not await shared.cache.set("a", 1)
        await close(shared)
