"""What somebody may try with addresses, sizes and slowness."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from actors import http_door
from service.access.roles import Scope
from service.api import gate as gate_module
from service.api import routes as routes_module
from service.api import stream as stream_module
from service.api.items import change_item
from tests.service.access.network_rig import Network, network
from tests.service.access.test_door import certificate

UPGRADE: Final = (
    "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {'a' * 22}==\r\n\r\n"
)
MANY: Final = {"BULKHEAD_API__REQUESTS_PER_MINUTE": "100000"}


# --- paths, sizes, time ------------------------------------------------------------------------------------------------

TRAVERSALS: Final = (
    "/v1/incidents/..%2f..%2faccess.db",
    "/v1/incidents/%2e%2e%2faccess.db",
    "/v1/incidents/....//access.db",
    "/v1/backups/..%2f..%2faccess.db",
    "/v1/backups/..%2faccess.db.bulkhead",
    "/v1/group/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/performance/export/..%2f..%2faccess.db",
    "/v1/config/versions/..%2f1",
    "/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/v1/../../../../etc/passwd",
    "/v1/trace/..%2f..%2faccess.db",
    "/v1/explain/%00%2fetc%2fpasswd",
)


def test_no_path_leads_to_a_file() -> None:
    """Whatever stands in an address is an id: nothing outside of what it is an id in is found."""

    async def work(net: Network) -> None:
        admin = await net.token(Scope.ADMIN)
        kept = net.rig.host.config.access_path.read_bytes()[:16]
        for path in TRAVERSALS:
            status, text = await raw(net, f"GET {path} HTTP/1.1\r\nAuthorization: Bearer {admin}\r\n", b"")
            assert 400 <= status < 500, (path, status)
            assert kept not in text
            assert b"root:" not in text
        for name in ("../access.db", "/etc/passwd", "..\\access.db"):
            said = await net.ask("POST", "/v1/log/keep", admin, json={"segment": name})
            assert said.status == 404, said

    network(work, **MANY)


async def raw(net: Network, head: str, body: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; return status and everything that is answered."""
    reader, writer = await connected(net)
    writer.write(f"{head}Host: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return int(said.split(b" ", 2)[1]), said


async def connected(net: Network) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    assert net.shared.door is not None
    return await asyncio.open_connection("127.0.0.1", net.shared.door.port)


BROKEN: Final = (
    b"\x00\xff\x1b[2J garbage\r\n\r\n",
    b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabc",
    b"GET /v1/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"A" * 70_000 + b" / HTTP/1.1\r\n\r\n",
)
"""What is no HTTP, or means one thing to a proxy and another to us."""


def test_what_is_no_request_is_neither_repeated_nor_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal in a line, without what was sent, and no page in the log: a stranger could fill it (EX-1504)."""

    async def work(net: Network) -> None:
        for broken in BROKEN:
            reader, writer = await connected(net)
            writer.write(broken)
            async with asyncio.timeout(10):
                said = await reader.read()
            assert said.startswith(b"HTTP/1.0 400 "), (broken[:40], said[:40])
            assert len(said) < 400
            writer.close()
        reader, writer = await connected(net)
        writer.write(
            b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: __Host-bulkhead_session=\xff\xfe\r\n\r\n"
        )
        async with asyncio.timeout(10):
            assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
        writer.close()

    network(work)
    assert [each for each in caplog.records if each.levelname in ("ERROR", "WARNING")] == []


def test_an_oversized_request_is_refused() -> None:
    """A body above a megabyte, a login above four kilobytes, an endless header: refused, and not kept in memory."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        large = await net.ask("POST", "/v1/signal", token, data=io.BytesIO(b"x" * (2 << 20)))
        assert large.status == 413
        login = await net.ask("POST", "/v1/login", data=json.dumps({"name": "x" * 5_000, "password": "y"}))
        assert (login.status, login.code) == (413, "BodyTooLarge")
        header = await net.ask("GET", "/v1/me", headers={"X-Large": "x" * 20_000})
        assert header.status == 400

    network(work)


def test_deep_or_broken_json_is_refused_and_no_failure() -> None:
    """Ten thousand brackets, half a document, bytes that are no text: 422, never 500."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        for body in (
            b"[" * 10_000,
            b'{"reason":',
            b"\xff\xfe",
            b'{"reason": 1}',
            b"null",
            b'{"reason": "a", "reason": "b"',
        ):
            said = await net.ask("POST", "/v1/pause", token, data=body)
            assert 400 <= said.status < 500, (body[:20], said)

    network(work)


def test_a_mistake_of_ours_is_not_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an error holds nobody knows: it is in the log, and the answer says no more than that (EX-1508)."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)

        def broken(*_: object) -> None:
            raise RuntimeError("cannot reach db with hunter2hunter2")

        monkeypatch.setattr(net.shared.reading, "views", broken)
        said = await net.ask("GET", "/v1/groups", token)
        assert (said.status, said.code) == (500, "RuntimeError")
        assert "hunter2" not in str(said.body)

    network(work)


def test_who_leaves_before_the_answer_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that hangs up while it is answered leaves no page of a log behind; a connection of ours that fails does."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        left = asyncio.Event()

        async def cut(listener: Any) -> Any:
            if net.rig.host.source_label == "gone":
                listener._request.transport.abort()
                left.set()
            raise ConnectionResetError("Cannot write to closing transport")

        monkeypatch.setattr(stream_module._Listener, "serve", cut)
        assert (await net.ask("GET", "/v1/stream", token)).code == "ConnectionResetError"
        assert len(caplog.records) == 1
        net.rig.host.source_label = "gone"
        with pytest.raises(aiohttp.ClientError):
            await net.ask("GET", "/v1/stream", token)
        await left.wait()
        assert len(caplog.records) == 1

    with caplog.at_level("ERROR", logger="bulkhead.api"):
        network(work)


def test_who_says_nothing_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends its headers a byte at a time holds a connection for so long and no longer (slow-loris)."""
    monkeypatch.setattr(http_door, "IDLE_S", 0.2)

    async def work(net: Network) -> None:
        for sent in (b"", b"GET /v1/me HT", b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX-A: "):
            reader, writer = await connected(net)
            writer.write(sent)
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            writer.close()

    network(work)


def test_a_line_that_is_never_agreed_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket whose handshake does not end, and one that answers no heartbeat, lose the connection (slow-loris)."""
    monkeypatch.setattr(http_door, "IDLE_S", 0.2)
    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.2)
    asked = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        asked_by = f"GET /v1/stream HTTP/1.1\r\nAuthorization: Bearer {token}\r\n{asked}"
        for rest, first in (
            ("Sec-WebSocket-Key: ", b""),
            (f"Sec-WebSocket-Key: {'a' * 22}==\r\n\r\n", b"HTTP/1.1 101"),
        ):
            reader, writer = await connected(net)
            writer.write((asked_by + rest).encode())
            async with asyncio.timeout(10):
                assert (await reader.read()).startswith(first), "and that is the end of it"
            writer.close()
        await net.rig.until("/v1/status", lambda _: not net.shared.hub.ring.seats)

    network(work)


def test_who_reads_nothing_loses_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener whose connection is full and that answers no heartbeat is cut off: it holds what it was to be sent."""
    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.6)
    monkeypatch.setattr(routes_module, "HEARTBEAT_S", 0.6)
    much = change_item(0, ["g" * 1_000_000], 0)

    async def work(net: Network) -> None:
        token, hub = await net.token(Scope.READ), net.shared.hub
        for path in ("stream", "tail"):
            reader, writer = await connected(net)
            writer.write(
                f"GET /v1/{path}?severity=debug HTTP/1.1\r\nAuthorization: Bearer {token}\r\n{UPGRADE}".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport of asyncio's has it
            async with asyncio.timeout(30):
                while not (hub.ring.seats or hub.followers):  # noqa: ASYNC110 - no round trip: the heart beats already
                    await asyncio.sleep(0)  # house: the daemon of this very loop gets its turn
            for _ in range(20):  # more than the buffers of both ends
                hub.publish(much)
            await net.rig.until("/v1/status", lambda _: not hub.ring.seats and not hub.followers)
            writer.transport.abort()

    network(work)


def test_what_nobody_reads_ends_the_connection() -> None:
    """An answer that does not arrive holds its connection for a minute: the system is told so, where it can be."""
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("only Linux ends connections that nobody reads")

    async def work(net: Network) -> None:
        assert net.shared.door is not None
        _, writer = await connected(net)
        await net.rig.until("/v1/status", lambda _: net.shared.door is not None and net.shared.door.count)
        for each in net.shared.door._crowd.visitors:
            theirs = each.transport.get_extra_info("socket")
            assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == http_door.UNREAD_S * 1_000
        writer.close()

    network(work)


def test_an_encryption_that_is_never_agreed_on_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever begins TLS and does not go on, or speaks none, holds a connection for so long; it counts as one meanwhile."""
    monkeypatch.setattr(http_door, "HANDSHAKE_S", 0.2)
    chain, key = certificate(tmp_path)

    async def work(net: Network) -> None:
        for begun in (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n"):
            reader, writer = await connected(net)
            writer.write(begun)
            async with asyncio.timeout(10):
                assert b"HTTP" not in await reader.read()
            writer.close()

    network(work, BULKHEAD_API__TLS_CERT=str(chain), BULKHEAD_API__TLS_KEY=str(key))


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers at once and then nothing: 408, and the connection is closed."""
    monkeypatch.setattr(gate_module, "BODY_S", 0.1)
    monkeypatch.setattr(http_door, "LINGER_S", 0.1)

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        for auth in (f"Authorization: Bearer {token}\r\n", ""):
            path = "/v1/pause" if auth else "/v1/login"
            reader, writer = await connected(net)
            writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{auth}Content-Length: 10\r\n\r\n{{".encode())
            async with asyncio.timeout(10):
                said = await reader.read()
            assert b" 408 " in said.partition(b"\r\n")[0]
            assert b"BodyLate" in said
            writer.close()

    network(work)


def test_a_crowd_of_connections_leaves_room_for_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many connections from the network and no more; the control socket works beside them."""
    monkeypatch.setattr(http_door, "CONNECTIONS_MOST", 3)

    async def work(net: Network) -> None:
        held = [await connected(net) for _ in range(3)]
        await net.rig.until("/v1/status", lambda _: net.shared.door is not None and net.shared.door.count == 3)
        reader, writer = await connected(net)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        assert (await net.rig.get("/v1/status"))["version"]
        for _, each in [*held, (reader, writer)]:
            each.close()

    network(work)
