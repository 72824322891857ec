"""The end of a listening socket: nobody is left between the door and the room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

__all__ = ["Listening", "stop_accepting"]

_TURNS: Final = 3
"""Turns of the loop from an accepted connection to a transport that can be closed: the task, its protocol, its reader."""


class Listening(Protocol):
    """What has a file number: a socket, or what asyncio shows of a server's sockets."""

    def fileno(self) -> int:
        """Return the number, -1 when closed."""


async def stop_accepting(listeners: Iterable[Listening]) -> None:
    """Accept nobody more on these sockets of the running loop; return when everybody accepted has a transport.

    Call it before the server of these sockets is closed. Up to Python 3.12 a server that closes between a connection's
    acceptance and its transport fails on it (``_attach`` asserts, CPython issue 109564): the peer hears nothing until the
    garbage collector comes by, and waits. Whoever is still in the backlog is refused when the sockets close.
    """
    loop = asyncio.get_running_loop()
    for each in listeners:
        if each.fileno() != -1:
            loop.remove_reader(each.fileno())
    for _ in range(_TURNS):
        await asyncio.sleep(0)  # house: no wait, those who were accepted only get their turns
