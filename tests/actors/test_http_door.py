"""The webhook's door: who is let in, for how long, and whose word counts for who they are."""

from __future__ import annotations

import asyncio

import pytest

from actors import http_door, webhook
from tests.actors.webhook_rig import PATIENCE_S, Rig, serve


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [
        ((), "203.0.113.7", "127.0.0.1"),
        (("127.0.0.1/32",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.1/32",), "52.89.214.238, 203.0.113.7", "203.0.113.7"),
        (("127.0.0.1/32", "10.0.0.0/8"), "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (("127.0.0.1/32",), "nobody", "127.0.0.1"),
        (("127.0.0.1/32",), "", "127.0.0.1"),
        (("10.0.0.0/8",), "52.89.214.238", "127.0.0.1"),
    ],
)
def test_only_our_proxies_say_who_posts(proxies: tuple[str, ...], said: str, address: str) -> None:
    """The allow-list and the log see who posts behind a proxy of ours; whoever comes otherwise is who connected (EX-225)."""

    async def script(rig: Rig) -> None:
        assert (await rig.post(headers={"X-Forwarded-For": said}))[0] == 200
        assert rig.requests[0].address == address

    serve(script, proxies=proxies)


def test_who_says_nothing_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to know the address to try: silence, or headers a byte at a time, hold a connection for so long."""
    monkeypatch.setattr(http_door, "IDLE_S", 0.4)  # longer than a loaded machine needs to send an alert

    async def script(rig: Rig) -> None:
        for part in (b"", b"POST /webh", b"POST /webhook/x HTTP/1.1\r\nHost: x\r\nX: "):
            assert await rig.raw(part) == b""
        assert (await rig.post())[0] == 200

    serve(script)


def test_one_address_does_not_keep_all_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one address so many connections are held, of all so many; those beyond are closed, and room comes back."""
    monkeypatch.setattr(webhook, "GUESTS", http_door.Guests(most=4, most_each=2))

    async def script(rig: Rig) -> None:
        async def come(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection("127.0.0.1", rig.port, local_addr=(address, 0))

        async def is_shut(address: str) -> bool:
            reader, writer = await come(address)
            try:
                async with asyncio.timeout(0.2):
                    return await reader.read(1) == b""
            except TimeoutError:
                return False
            finally:
                writer.close()

        held = [await come("127.0.0.2") for _ in range(2)]
        async with asyncio.timeout(PATIENCE_S):
            while not await is_shut("127.0.0.2"):
                await rig.turn()
        assert (await rig.post())[0] == 200, "another address comes in"
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while await is_shut("127.0.0.2"):
                await rig.turn()

    serve(script)
