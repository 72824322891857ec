"""The names of files that are taken away: ``<what>_<from>_<to>_<mode>.<ext>`` (EX-1718)."""

from __future__ import annotations

from datetime import tzinfo

from protocol.values import Instant
from rules.performance import day_of
from store.performance import Wanted

__all__ = ["file_name"]


def file_name(what: str, wanted: Wanted, now: Instant, zone: tzinfo, ending: str) -> str:
    """Return the name of a file; a range without a beginning is named ``start``."""
    first = "start" if wanted.since is None else str(day_of(wanted.since, zone))
    last = day_of(now if wanted.until is None else min(wanted.until - 1, now), zone)
    return f"{what}_{first}_{last}_{wanted.scope.value}.{ending}"
