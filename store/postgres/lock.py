"""The lock of a writer without leases: it lasts as long as the connection that took it."""

from __future__ import annotations

from typing import Any, Final

from store.errors import JournalLocked
from store.postgres.link import Link

__all__ = ["WriterLock"]

_KEY: Final = 0x62756C6B
_WAIT_MS: Final = 1_000

_WHO: Final = """SELECT a.application_name, host(a.client_addr) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::bigint::oid AND l.objid = (
        SELECT (hashtext($2)::bigint & 4294967295)::oid)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class WriterLock:
    """Keeps a second daemon out that was started by mistake; that no two can append is the head's business."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._taken_on = 0

    def take(self) -> None:
        """Take it; raise ``JournalLocked`` naming who has it.

        Waits for a moment: a server takes one to see that a process that was killed is gone.
        """
        if self._try() or self._link.run(self._wait):
            self._taken_on = self._link.connections
            return
        place = self._link.place
        who = self._link.fetch(_WHO, _KEY, place.schema)
        name, address = who[0] if who else ("", None)
        digits = name.rpartition(" ")[2]
        pid = int(digits) if digits.isdigit() else 0
        process = f"process {pid}" if pid else "another process"
        raise JournalLocked(f"{place} is open for writing in {process}{f' on {address}' if address else ''}", pid=pid)

    def take_again(self) -> None:
        """Take it on a new connection when there is one; the server may hold the lost one's lock for a while yet."""
        if self._taken_on != self._link.connections:
            self._try()

    async def _wait(self, connection: Any) -> bool:
        import asyncpg  # type: ignore[import-untyped]

        before = await connection.fetchval("SHOW lock_timeout")
        await connection.execute(f"SET lock_timeout = {_WAIT_MS}")
        try:
            await connection.execute("SELECT pg_advisory_lock($1, hashtext($2))", _KEY, self._link.place.schema)
        except asyncpg.LockNotAvailableError:
            return False
        finally:
            await connection.execute(f"SET lock_timeout = '{before}'")
        return True

    def _try(self) -> bool:
        sql = "SELECT pg_try_advisory_lock($1, hashtext($2))"
        taken = bool(self._link.fetch(sql, _KEY, self._link.place.schema)[0][0])
        if taken:
            self._taken_on = self._link.connections
        return taken
