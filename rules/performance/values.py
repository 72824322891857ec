"""What performance figures are made of."""

from __future__ import annotations

from protocol.messages import Value
from protocol.values import Instant, Side

__all__ = ["FillLine", "Point", "Realization", "Snapshot", "Trade"]


class Trade(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One closed group that had a fill (EX-1701); ``entry_cost`` and ``net_pnl`` in USD, fees taken off.

    ``fees`` in USD are what was taken off; ``account`` and ``venue`` are empty where only the figures matter.
    """

    id: str
    symbol: str
    timeframe: str
    strategy: str
    side: Side
    opened_at: Instant
    closed_at: Instant
    entry_cost: float
    net_pnl: float
    fees: float = 0.0
    account: str = ""
    venue: str = ""

    @property
    def return_percent(self) -> float | None:
        """Net result in percent of the entry cost; None where nothing was paid."""
        return 100 * self.net_pnl / self.entry_cost if self.entry_cost > 0 else None


class Realization(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What one closing fill earned, in USD, fees taken off (EX-1701).

    ``trade`` is the group it belongs to; the last four fields are empty where only the figures matter.
    """

    at: Instant
    symbol: str
    timeframe: str
    strategy: str
    pnl: float
    side: Side | None = None
    account: str = ""
    venue: str = ""
    trade: str = ""


class Snapshot(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Total equity at an instant, in USD; ``flow`` is what was deposited less withdrawn since the snapshot before."""

    at: Instant
    total_equity: float
    flow: float = 0.0


class FillLine(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One fill; ``quote_usd`` is what a unit of the quote currency is worth (EX-109)."""

    at: Instant
    symbol: str
    qty: float
    price: float
    quote_usd: float = 1.0


class Point(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One point of a curve."""

    at: Instant
    value: float
