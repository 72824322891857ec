"""A server that closes at the very moment somebody comes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from runtime.listening import stop_accepting

pytestmark = pytest.mark.anyio


class Room(asyncio.Protocol):
    """Who came in, and who was seen out."""

    def __init__(self, came: list[asyncio.Transport]) -> None:
        self.came = came

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.came.append(transport)


@pytest.mark.parametrize("turns", range(6))
async def test_nobody_is_left_at_the_door(turns: int) -> None:
    """At whatever turn of the loop a server closes, who came is in and can be shown out, or is refused at once."""
    came: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    faults: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    server = await loop.create_server(lambda: Room(came), "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as guest:
        for _ in range(turns):
            await asyncio.sleep(0)  # house: a turn of the loop, not a wait
        await stop_accepting(server.sockets)
        server.close()
        for each in came:
            each.abort()
        await server.wait_closed()
        guest.settimeout(5)
        assert await asyncio.to_thread(_heard, guest) == b""
    assert not faults


async def test_sockets_that_are_closed_are_passed_over() -> None:
    """A server that closed by itself is no reason to fail at the end."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    listeners = list(server.sockets)
    server.close()
    await stop_accepting(listeners)


def _heard(guest: socket.socket) -> bytes:
    """Return what the guest hears last: the end, or a refusal."""
    try:
        return guest.recv(1)
    except ConnectionResetError:
        return b""
