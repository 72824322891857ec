"""A real redis-server for tests, on a unix socket of its own, that a test may kill, stop, start empty and make refuse.

``redis_server`` (fixture) is one server a test module; each test gets it empty and as it was configured.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, Final

import pytest

__all__ = ["RedisServer", "redis_server", "server_of_module"]

_READY_S: Final = 60.0
_READY: Final = b"eady to accept connections"


class RedisServer:
    """One server in a folder of its own; nothing of it is kept on disk, so that each start is empty.

    It listens on its socket, and on a port of this machine where one is given.
    """

    def __init__(self, port: int = 0) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("no redis-server on this machine")
        pytest.importorskip("redis", reason="the redis library is not installed: pip install 'bulkhead[redis]'")
        self._binary = binary
        self.port = port
        # Not the test's folder: the name of a socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="bulkhead-redis-"))
        self.socket = self.folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it empty, and wait until it takes connections."""
        self.socket.unlink(missing_ok=True)
        command = [
            self._binary,
            "--port",
            str(self.port),
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", "--dir", str(self.folder), "--loglevel", "notice"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        said, end = b"", monotonic() + _READY_S
        while _READY not in said:
            if not select.select([process.stdout], [], [], max(0.0, end - monotonic()))[0]:
                pytest.fail(f"redis-server is not ready after {_READY_S} s: {said.decode()}")
            more = os.read(process.stdout.fileno(), 65_536)
            assert more, f"redis-server ended: {said.decode()}"
            said += more

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it without a word (kill -9)."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def pause(self) -> None:
        """Let it neither answer nor close anything (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on (SIGCONT)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> bytes:
        """Send one command over a connection of its own; return the raw answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_READY_S)
            connection.connect(str(self.socket))
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
            connection.sendall(b"*%d\r\n%s" % (len(words), parts))
            answer = connection.recv(1_048_576)
        assert not answer.startswith(b"-"), answer.decode()
        return answer

    def fresh(self) -> None:
        """Make it empty and as configured; start it when a test has ended it."""
        if not self.running:
            self.start()
            return
        self.go_on()
        for words in (
            ("REPLICAOF", "NO", "ONE"),
            ("CONFIG", "SET", "maxmemory", "0"),
            ("CONFIG", "SET", "maxmemory-policy", "noeviction"),
            ("FLUSHALL",),
        ):
            self.ask(*words)

    def close(self) -> None:
        """End it and remove its folder."""
        with contextlib.suppress(OSError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server_of_module() -> Iterator[RedisServer]:
    """Return the module's server."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis_server(request: Any) -> RedisServer:
    """Return the module's server, empty and running."""
    server: RedisServer = request.getfixturevalue("server_of_module")
    server.fresh()
    return server
