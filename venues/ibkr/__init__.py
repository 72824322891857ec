"""Interactive Brokers: ``IbkrVenue`` through ib_async and a running Gateway or TWS; and what both of its transports share.

Shared with ``venues.ibkr_web``: symbols, contracts and their cache, order ids, notes of what was sent, the ledger of orders,
message codes, errors, pace and heartbeats. What must not live here: rules of brackets, session ages and message pace
(``rules.broker``), decisions about what to trade. Only asking for ``IbkrVenue`` imports ib_async.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venues.ibkr.venue import IbkrVenue

__all__ = ["IbkrVenue"]


def __getattr__(name: str) -> object:
    """Import the adapter when it is asked for: the other transport needs no ib_async."""
    if name != "IbkrVenue":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = importlib.import_module("venues.ibkr.venue").IbkrVenue
    return found
