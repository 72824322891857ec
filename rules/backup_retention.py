"""Which full backups are to go once there are more than are kept (EX-1208)."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.messages import Value

__all__ = ["Archive", "backups_to_go"]


class Archive(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One archive: ``size`` in bytes, ``written_at`` nanoseconds UTC; ``kept``: marked, never to be removed."""

    name: str
    size: int
    written_at: int
    kept: bool = False


def backups_to_go(archives: Iterable[Archive], keep_newest: int, made: str = "") -> list[Archive]:
    """Return the archives to remove, oldest first; 0 keeps all of them.

    The newest ``keep_newest`` stay, marked ones besides; ``made`` is the one that was just made and counts as the newest,
    whatever a clock that was put back says of it.
    """
    if keep_newest <= 0:
        return []
    newest_first = sorted(archives, key=lambda each: (each.name == made, each.written_at, each.name), reverse=True)
    return [each for each in reversed(newest_first[keep_newest:]) if not each.kept]
