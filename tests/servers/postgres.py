"""A real PostgreSQL for tests: one server a test process, one database a test, gone at the end.

``postgres_url`` (fixture) is the address of a fresh, empty database. ``Server`` is a server of a test's own, which it may
stop and start. Both skip where the server's wheel is missing.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["Server", "postgres_url", "server", "shared_server", "sql", "until"]

_numbers: Final = itertools.count(1)

# Tests are not about power cuts: a commit need not reach the disk, so that a database a test costs milliseconds.
_SETTINGS: Final = "fsync = off\nfull_page_writes = off\nautovacuum = off\n"


def sql(url: str, statement: str, *arguments: Any) -> list[Any]:
    """Run one statement on a connection of its own; return its rows."""
    import asyncpg  # type: ignore[import-untyped]

    async def run() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=60)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    return asyncio.run(run())


class Server:
    """One server in a folder of its own, reached by its socket there; ``settings`` are lines of ``postgresql.conf``."""

    def __init__(self, settings: str = _SETTINGS) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        pytest.importorskip("asyncpg", reason="asyncpg is not installed: pip install 'bulkhead[postgres]'")
        pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL for tests: the wheel pgserver is missing")
        self._commands = pgserver._commands
        # Not the test's folder: the name of a socket has at most 107 bytes.
        self.folder = folder = Path(tempfile.mkdtemp(prefix="bulkhead-pg-"))
        self._handle = pgserver.get_server(folder, cleanup_mode="delete")
        with (folder / "postgresql.conf").open("a") as conf:
            conf.write(settings)
        self._control("reload")

    @property
    def url(self) -> str:
        """The address of the server's own database."""
        return self.url_of("postgres")

    @property
    def socket(self) -> str:
        """The path of its unix socket."""
        return str(self.folder / ".s.PGSQL.5432")

    def url_of(self, database: str) -> str:
        """Return the address of one database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def database(self) -> str:
        """Make an empty database; return its address."""
        name = f"t{os.getpid()}_{next(_numbers)}"
        sql(self.url, f'CREATE DATABASE "{name}" STRATEGY file_copy')
        return self.url_of(name)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is as good as a crash."""
        self._control("-m", mode, "-w", "stop")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._control("-w", "-o", f'-h "" -k {self.folder}', "-l", str(self.folder / "log"), "start")

    def restart(self, mode: str = "fast") -> None:
        """Stop and start it."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """End it and delete its files."""
        # The handle knows only the process that it started itself.
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        self._handle._postmaster_info = None
        self._handle.cleanup()

    def _control(self, *arguments: str) -> None:
        self._commands.pg_ctl(list(arguments), pgdata=self.folder, user=self._handle.system_user, timeout=30)


@cache
def shared_server() -> Server:
    """Return this process's server, started when first asked for."""
    made = Server()
    atexit.register(made.close)
    return made


@pytest.fixture
def postgres_url() -> str:
    """The address of a fresh, empty database on this process's server."""
    return shared_server().database()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that the test may stop, start and kill."""
    own = Server()
    yield own
    own.close()


def until(condition: Callable[[], bool], deadline_s: float = 60.0) -> None:
    """Wait for a condition; fail the test when it does not come true in time."""
    end, idle = time.monotonic() + deadline_s, threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s"
        idle.wait(0.01)
