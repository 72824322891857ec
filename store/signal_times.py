"""How long signals take to become orders: from the read models, for ``/latency`` (ML-1081)."""

from __future__ import annotations

from typing import Final

from store.queries import Views

__all__ = ["SIGNALS", "signal_times"]

SIGNALS: Final = 200
"""Newest entries that are looked at."""

_SQL: Final = """SELECT min(o.sent_at) - s.received_at FROM pyramids p
    JOIN groups g ON g.group_id = p.group_id
    JOIN signals s ON s.signal_id = p.signal_id
    JOIN orders o ON o.group_id = p.group_id
        AND o.purpose = 'entry' AND o.leg_id LIKE 'p' || p.pyramid || ? AND o.sent_at IS NOT NULL
    WHERE g.account = ? AND s.routed NOT LIKE ?
    GROUP BY p.group_id, p.pyramid, p.at, s.received_at ORDER BY p.at DESC LIMIT ?"""


def signal_times(views: Views, *, account: str) -> list[float]:
    """Return ms from a signal's arrival to its first order, of an account's newest entries that had not to queue."""
    found = views.database.fetch(_SQL, [".l%", account, "%queued%", SIGNALS])
    return [max(0, int(row[0])) / 1e6 for row in found if row[0] is not None]
