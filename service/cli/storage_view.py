"""How the store stands, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rules.notation import iso_ms
from service.cli.output import table

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["storage_view"]


def storage_view(found: Mapping[str, Any]) -> RenderableType:
    """Return what `bulkhead db status` shows."""
    return table(("", ""), list(_lines(found)))


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    server = f" {found['server']}" if "server" in found else ""
    yield "store", f"{found['backend']}{server}: {found['where']}"
    if found.get("moved_to"):
        yield "left behind", f"this installation was moved to {found['moved_to']}"
    if "error" in found:
        yield "server", found["error"]
    yield from _journal(found["journal"], found)
    yield from _read_models(found["read_models"])
    if "server" in found:
        yield "TimescaleDB", found["timescaledb"] or "not installed: time series are partitioned by month"
    for lease in found.get("leases", ()):
        state = f"{lease['left_s']} s left" if lease["left_s"] > 0 else "run out"
        yield f"lease {lease['name']}", f"{lease['holder']}, token {lease['token']}, {state}"


def _journal(journal: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "error" in journal:
        yield "journal", journal["error"]
        return
    size = _size(journal.get("bytes", found.get("journal_bytes", 0)))
    last = iso_ms(journal["last_at"]) if journal["last_at"] else "never"
    yield "journal", f"{journal['records']} records, {size}, newest {last}"
    yield "opened", f"{journal['openings']} times for writing"
    yield "journal schema", str(journal.get("schema", found.get("journal_schema", "")))


def _read_models(views: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "error" in views:
        yield "read models", views["error"]
        return
    behind = f", {views['behind']} behind" if views.get("behind") else ""
    yield "read models", f"at {views['position']}{behind}, {_size(views['bytes'])}, schema {views['schema']}"
    yield "rows", ", ".join(f"{count} {name}" for name, count in views["rows"].items())
    for name, parts in views.get("partitions", {}).items():
        if parts:
            yield f"parts of {name}", f"{parts[0]} to {parts[-1]} ({len(parts)})"


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
