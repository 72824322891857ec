"""Find the ids that an event names, whatever its type, so that any of them can be traced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

__all__ = ["KINDS", "mentions"]

KINDS: Final = {
    "signal_id": "signal",
    "replay_of": "signal",
    "replaced_signal_id": "signal",
    "by_signal": "signal",
    "group_id": "group",
    "client_order_id": "order",
    "venue_order_id": "venue_order",
    "target_order": "order",
    "trade_id": "trade",
    "plan_id": "plan",
}
"""Field name -> what the id in it is of."""


def mentions(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (kind, id) of every id in an event and in the values inside it; the same may come twice."""
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if isinstance(field, msgspec.Struct):
            yield from mentions(field)
        elif field and name in KINDS:
            yield KINDS[name], field
