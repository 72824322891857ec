"""What the store of an installation looks like: backend, versions, sizes, how far it is, who holds it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from protocol.errors import BulkheadError
from runtime.journal import JournalError
from service.config import Config
from service.journals import journal_of, place_of, views_of
from store.journals import open_reader
from store.postgres.place import Place
from store.schema import SCHEMA_VERSION as JOURNAL_VERSION
from store.tables.opening import read_tables
from store.transfer.ends import mark_of, open_end
from store.views.tables import SCHEMA_VERSION, SERIES

__all__ = ["PruneRefused", "prune_months", "storage_status"]


class PruneRefused(BulkheadError):
    """There is nothing that could be dropped like that."""


def storage_status(config: Config) -> dict[str, Any]:
    """Return what there is, also while a daemon runs; a part that cannot be read says why in ``error``."""
    where = journal_of(config)
    head, journal = _journal(where)
    found: dict[str, Any] = {
        "backend": "postgresql" if isinstance(where, Place) else "sqlite",
        "where": str(where),
        "journal": journal,
        "read_models": _read_models(views_of(config), head),
    }
    if isinstance(where, Place):
        found |= _server(where)
    else:
        found["moved_to"] = mark_of(where)
    return found


def prune_months(config: Config, before: str, *, preview: bool) -> list[str]:
    """Drop the parts of time series that ended before a day (UTC); return their names, with ``preview`` only those.

    Raises ``PruneRefused`` for a word that is no day, and for files: these keep everything in one piece.
    """
    try:
        day = datetime.combine(date.fromisoformat(before), time(), UTC)
    except ValueError as error:
        raise PruneRefused(f"{before} is no day: write 2026-01-31") from error
    place = place_of(config)
    if place is None:
        raise PruneRefused("read models in a file are kept in one piece: delete it, and the daemon makes it anew")
    from store.tables.postgres import open_server

    at = int(day.timestamp()) * 1_000_000_000
    with closing(open_server(place)) as tables:
        if preview:
            return [part for name in SERIES for month, part in tables.parts(name) if month.end <= at]
        return tables.drop_before(at)


def _journal(where: Path | Place) -> tuple[int | None, dict[str, Any]]:
    try:
        with closing(open_reader(where, check=False)) as reader:
            head = reader.head()
            said = {"records": head, "last_at": reader.last_instant(), "openings": reader.start_number()}
    except JournalError as error:
        return None, {"error": str(error)}
    if isinstance(where, Path):
        parts = (where, where.with_name(f"{where.name}-wal"))
        said |= {"schema": JOURNAL_VERSION, "bytes": sum(each.stat().st_size for each in parts if each.exists())}
    return head, said


def _read_models(where: Path | Place, head: int | None) -> dict[str, Any]:
    try:
        with closing(read_tables(where)) as tables:
            position = int(tables.fetch("SELECT coalesce(max(position), 0) FROM progress")[0][0])
            rows = {name: tables.fetch(f"SELECT count(*) FROM {name}")[0][0] for name in _COUNTED}  # noqa: S608 ours
            found = {"position": position, "schema": SCHEMA_VERSION, "bytes": tables.size_bytes(), "rows": rows}
            if head is not None:
                found["behind"] = max(0, head - position)
            parts = getattr(tables, "parts", None)
            if parts is not None:
                found["partitions"] = {name: [part for _, part in parts(name)] for name in SERIES}
            return found
    except JournalError as error:
        return {"error": str(error)}


_COUNTED = ("signals", "groups", "orders", "fills", "events")


def _server(place: Place) -> dict[str, Any]:
    """Return what only a server can say: its version, its extension for time series, the leases."""
    from store.postgres.leases import LeaseStore
    from store.postgres.link import Link
    from store.postgres.schema import journal_version

    link = Link(place, "status", writes=False)
    try:
        timescale = link.fetch("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
        size = link.fetch(
            """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'""",
            place.schema,
        )
        found: dict[str, Any] = {
            "server": str(link.fetch("SHOW server_version")[0][0]),
            "timescaledb": str(timescale[0][0]) if timescale else "",
            "journal_schema": journal_version(link),
            "journal_bytes": int(size[0][0]),
        }
    except JournalError as error:
        return {"error": str(error)}
    finally:
        link.close()
    if found["journal_schema"]:
        with closing(open_end(place, writes=False, held=False)) as end:
            found["moved_to"] = end.moved_to()
        with closing(LeaseStore(place)) as leases:
            found["leases"] = [
                {"name": each.name, "holder": each.holder, "token": each.token, "left_s": round(each.left_s, 1)}
                for each in leases.leases()
            ]
    return found
