"""A connection to PostgreSQL for callers that cannot await: asyncpg on an event loop of its own, in one daemon thread.

A ``Link`` is one connection that is made anew when it was lost. Whoever calls waits for the answer, for a bounded time. A
server that cannot be reached is not asked again at each call: for a moment every call fails at once, because callers stand
on the event loop that trades.

::

    JournalUnavailable
    ├─ ConnectionLost     no answer came: what was sent may have been done or not
    └─ ServerRefused      the server said no (``sqlstate``): nothing of the statement was kept
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from protocol.errors import FeatureUnavailable
from runtime.journal import JournalUnavailable
from store.postgres.place import Place

__all__ = ["ConnectionLost", "Link", "ServerRefused", "Work"]

T = TypeVar("T")

Work = Callable[[Any], Awaitable[T]]
"""What is done with an asyncpg connection."""

_RETRY_S: Final = 0.1
"""Between two attempts to connect; for so long after one failed, a call that may not wait fails at once."""

_DOWN: Final = ("57P01", "57P02", "57P03", "57P05", "25006")
"""The server stops, has crashed, starts, has ended an idle session, or is a standby that takes no writes."""


_BROKEN: Final = (OSError, TimeoutError, EOFError)


class ConnectionLost(JournalUnavailable):
    """The server did not answer; what was sent to it may have been done or not. ``silent``: it was waited for."""

    def __init__(self, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


class ServerRefused(JournalUnavailable):
    """The server answered that it will not; nothing of the statement was kept. ``sqlstate`` is its five letters."""

    def __init__(self, message: str, *, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class _Failed(NamedTuple):
    """The last attempt to connect, when it failed: at what time of the loop, why, and how long it took."""

    at: float
    why: str
    took_s: float


@lru_cache(maxsize=1)
def _loop_of(pid: int) -> asyncio.AbstractEventLoop:  # noqa: ARG001 - a forked child needs a thread of its own
    """Return the running event loop of this process's database thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="postgres", daemon=True).start()
    return loop


class Link:
    """One connection to a place, for one caller at a time; ``application`` is its name in the server's lists.

    ``prepare`` is done with each new connection before anybody else may use it.
    """

    def __init__(
        self, place: Place, application: str, *, writes: bool = True, prepare: Work[object] | None = None
    ) -> None:
        self.place = place
        self._application = f"bulkhead {application} {os.getpid()}"[:63]
        self._target = "read-write" if writes else "any"
        self._loop = _loop_of(os.getpid())
        self._prepare = prepare
        self._connection: Any = None
        self._in_view = False
        self._failed: _Failed | None = None
        self._trying: asyncio.Task[None] | None = None
        self.connections = 0
        """How many were made so far."""

    def run(self, work: Work[T], *, patience_s: float = 0.0, timeout_s: float | None = None) -> T:
        """Return what comes of some work with the connection; it may hold several statements.

        ``patience_s`` is how long attempts to connect are repeated; one is always made. Raises ConnectionLost,
        ServerRefused and FeatureUnavailable.
        """
        limit = self.place.command_timeout_s if timeout_s is None else timeout_s
        return asyncio.run_coroutine_threadsafe(self._run(work, patience_s, limit), self._loop).result()

    def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of one query."""
        return self.run(lambda connection: connection.fetch(sql, *values))

    def read(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a query that changes nothing; a connection that turns out to be lost is made anew."""
        try:
            return self.fetch(sql, *values)
        except ConnectionLost as lost:
            if lost.silent or self._in_view:
                raise
            return self.fetch(sql, *values)

    def now(self) -> float:
        """Return seconds on a clock that only goes forward."""
        return self._loop.time()

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """See one consistent state inside, read only; a connection that is lost meanwhile is not made anew."""
        self.run(lambda connection: connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        self._in_view = True
        try:
            yield
        finally:
            self._in_view = False
            with suppress(JournalUnavailable):  # then there is no transaction to end
                self.run(lambda connection: connection.execute("ROLLBACK"))

    def drop(self) -> None:
        """Forget the connection; the next call makes a new one."""
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result()

    def close(self) -> None:
        """End the connection in order, without waiting long for a server that is gone."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()

    async def _run(self, work: Work[T], patience_s: float, timeout_s: float) -> T:
        asyncpg = _driver()
        connection = await self._connected(patience_s)
        task = asyncio.ensure_future(work(connection))
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
        if not done:
            # Not cancelled: asyncpg would ask the server to cancel, on a connection that may hang as well.
            await self._drop()
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
            raise ConnectionLost(f"{self.place} has not answered for {timeout_s:g} s", silent=True)
        try:
            return task.result()
        except asyncpg.PostgresError as error:
            sqlstate = error.sqlstate or ""
            if sqlstate.startswith("08") or sqlstate in _DOWN:
                await self._drop()
                raise ConnectionLost(f"{self.place}: {error}") from error
            raise ServerRefused(f"{self.place}: {error} ({sqlstate})", sqlstate=sqlstate) from error
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, *_BROKEN) as error:
            if isinstance(error, asyncpg.DataError):
                raise ServerRefused(f"{self.place}: {error}", sqlstate="22000") from error
            await self._drop()
            raise ConnectionLost(f"{self.place}: {error or type(error).__name__}") from error

    async def _connected(self, patience_s: float) -> Any:
        """Return the open connection, or make one."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._in_view:
            raise ConnectionLost(f"{self.place}: the connection was lost in the middle of reading")
        if patience_s == 0:
            self._may_try_now()
        end = self._loop.time() + patience_s
        while True:
            try:
                return await self._try()
            except ConnectionLost:
                left = end - self._loop.time()
                if left <= 0:
                    raise
                await asyncio.wait({self._loop.create_future()}, timeout=min(_RETRY_S, left))

    def _may_try_now(self) -> None:
        """Raise what the last attempt did while it is too early for another; a long one is made beside its callers."""
        failed = self._failed
        if failed is None:
            return
        if self._loop.time() < failed.at + _RETRY_S:
            raise ConnectionLost(failed.why)
        if failed.took_s > _RETRY_S:
            if self._trying is None or self._trying.done():
                self._trying = self._loop.create_task(self._try_beside())
            raise ConnectionLost(failed.why)

    async def _try(self) -> Any:
        started = self._loop.time()
        try:
            connection = await self._connect()
        except ConnectionLost as error:
            self._failed = _Failed(self._loop.time(), str(error), self._loop.time() - started)
            raise
        if self._connection is not None and not self._connection.is_closed():
            connection.terminate()  # another attempt came first
            return self._connection
        self._connection, self._failed = connection, None
        self.connections += 1
        return connection

    async def _try_beside(self) -> None:
        with suppress(ConnectionLost):
            await self._try()

    async def _connect(self) -> Any:
        asyncpg = _driver()
        try:
            connection = await asyncpg.connect(
                self.place.url,
                timeout=self.place.connect_timeout_s,
                target_session_attrs=self._target,
                server_settings={
                    "application_name": self._application,
                    "client_encoding": "UTF8",
                    "tcp_keepalives_idle": "10",
                    "tcp_keepalives_interval": "5",
                    "tcp_keepalives_count": "3",
                },
            )
            if self._prepare is not None:
                await _prepared(connection, self._prepare, self.place.connect_timeout_s)
            return connection
        except (
            *_BROKEN,
            ValueError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            raise ConnectionLost(f"cannot reach {self.place}: {error or type(error).__name__}") from error

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _close(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return
        try:
            await connection.close(timeout=1.0)
        except Exception:  # noqa: BLE001 - whatever it is, nothing is left to do with it
            connection.terminate()


def _driver() -> Any:
    try:
        import asyncpg  # type: ignore[import-untyped]
    except ImportError as error:
        raise FeatureUnavailable("postgres", "a PostgreSQL server") from error
    return asyncpg


async def _prepared(connection: Any, prepare: Work[object], timeout_s: float) -> None:
    """Prepare a new connection, or give it up."""
    task = asyncio.ensure_future(prepare(connection))
    done, _ = await asyncio.wait({task}, timeout=timeout_s)
    try:
        if not done:
            raise TimeoutError(f"not prepared within {timeout_s:g} s")
        task.result()
    except BaseException:
        connection.terminate()
        task.cancel()
        raise
