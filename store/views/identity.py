"""Who is meant by an id: pair, timeframe and side of a group."""

from __future__ import annotations

from typing import Final, NamedTuple

from store.views.registry import Writer

__all__ = ["NOBODY", "Identity", "group_identity"]


class Identity(NamedTuple):
    """Pair, timeframe and side of what something is about; all empty when it is about none."""

    symbol: str = ""
    timeframe: str = ""
    side: str = ""

    def __str__(self) -> str:
        return " ".join(each for each in self if each)


NOBODY: Final = Identity()


def group_identity(writer: Writer, group_id: str) -> Identity:
    """Return who a group is, ``NOBODY`` while it is not known."""
    sql = "SELECT symbol, timeframe, side FROM groups WHERE group_id = ?"
    found = writer.known(sql, group_id) if group_id else None
    return NOBODY if found is None else Identity(*found)
