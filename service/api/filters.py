"""Which items a follower wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from service.api.answers import Refused
from store.event_search import squashed

__all__ = ["SEVERITIES", "ItemFilter", "filter_of"]

SEVERITIES: Final = {"debug": 0, "info": 1, "warning": 2, "error": 3}
"""Least severe that may be asked for: debug is what only machines read; orders and risk decisions count as info."""


class ItemFilter(NamedTuple):
    """What is wanted; what is left empty does not narrow. ``severity`` is the least severe."""

    types: frozenset[str] = frozenset()
    group: str = ""
    symbol: str = ""
    severity: str = "info"

    def wants(self, item: Mapping[str, Any]) -> bool:
        """Tell whether an item is wanted."""
        return (
            (not self.types or item["type"] in self.types)
            and (not self.group or self.group == item["group_id"])
            and (not self.symbol or _same_symbol(self.symbol, item["symbol"]))
            and SEVERITIES.get(item["severity"], SEVERITIES["info"]) >= SEVERITIES[self.severity]
        )


def _same_symbol(wanted: str, found: str) -> bool:
    whole, found_whole = squashed(wanted), squashed(found)
    return whole in (found_whole, found_whole.partition(":")[0])


def filter_of(query: Mapping[str, str]) -> ItemFilter:
    """Return the filter that a query string asks for; raise ``Refused`` for a severity there is not."""
    severity = query.get("severity", "info")
    if severity not in SEVERITIES:
        words = ", ".join(SEVERITIES)
        raise Refused(422, "InvalidEnum", f"severity is one of {words}", path="severity", value=severity)
    types = frozenset(name for name in query.get("type", "").split(",") if name)
    return ItemFilter(types, query.get("group", ""), query.get("symbol", ""), severity)
