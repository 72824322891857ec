"""Paths of the actors that operators restart and faults aim at; a path with ``*`` is whoever lives below it."""

from __future__ import annotations

from typing import Final

from simulation.world.config import ACCOUNT

__all__ = ["ACTORS", "DURABLE", "RESTARTABLE"]

_VENUE: Final = f"/venues/{ACCOUNT}"

RESTARTABLE: Final = (
    f"{_VENUE}/desk",
    f"{_VENUE}/session",
    f"{_VENUE}/feed",
    f"{_VENUE}/reconciler",
    f"{_VENUE}/precision",
    "/trading/gateway",
    "/risk/coordinator",
    f"/risk/pool-{ACCOUNT}",
    f"/risk/offset-{ACCOUNT}",
    f"/risk/adopter-{ACCOUNT}",
)
"""Actors that are always there."""

_GROUPS: Final = f"/trading/groups/{ACCOUNT}/*"
ACTORS: Final = (*RESTARTABLE, _GROUPS, _GROUPS, _GROUPS, f"{_VENUE}/desk", f"{_VENUE}/session", "*")
"""Whose handlers raise, hang and are slow: what holds money more often; ``*`` is whoever gets the next message."""

DURABLE: Final = (
    f"{_VENUE}/desk",
    "/trading/gateway",
    "/risk/coordinator",
    f"/risk/pool-{ACCOUNT}",
    f"/risk/offset-{ACCOUNT}",
    _GROUPS,
    _GROUPS,
)
"""Who keeps snapshots."""
