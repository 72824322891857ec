"""Where the capital is: exposure by pair, locked in waiting entries, free (EX-1715, EX-1717)."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.messages import Value

__all__ = ["Allocation", "Exposure", "OpenPosition", "PendingEntry", "allocation"]


class OpenPosition(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """An open quantity (negative for short) at its mark price."""

    symbol: str
    qty: float
    mark: float
    quote_usd: float = 1.0


class PendingEntry(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A working entry order, of which ``filled`` has traded."""

    symbol: str
    qty: float
    price: float
    filled: float = 0.0
    quote_usd: float = 1.0


class Exposure(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is open in one pair, in USD and in percent of total equity."""

    usd: float
    percent: float | None


class Allocation(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Capital in use. Percentages of an equity of zero or less, or of a pool without slots, are None."""

    exposure: dict[str, Exposure]
    deployed_usd: float
    locked_usd: float
    pool_used_percent: float | None
    locked_dca_percent: float | None
    gauge_committed_usd: float
    gauge_free_usd: float
    gauge_percent: float | None


def allocation(
    positions: Iterable[OpenPosition],
    pending: Iterable[PendingEntry],
    *,
    total_equity: float,
    occupied: int,
    max_open_groups: int,
) -> Allocation:
    """Return what is deployed, locked and free; the gauge's percent may exceed 100."""
    sums: dict[str, float] = {}
    for each in positions:
        sums[each.symbol] = sums.get(each.symbol, 0.0) + abs(each.qty) * each.mark * each.quote_usd
    locked = sum((max(each.qty - each.filled, 0.0) * each.price * each.quote_usd for each in pending), 0.0)
    deployed = sum(sums.values(), 0.0)
    committed = deployed + locked

    def percent(usd: float) -> float | None:
        return 100 * usd / total_equity if total_equity > 0 else None

    return Allocation(
        exposure={symbol: Exposure(usd, percent(usd)) for symbol, usd in sorted(sums.items())},
        deployed_usd=deployed,
        locked_usd=locked,
        pool_used_percent=100 * occupied / max_open_groups if max_open_groups > 0 else None,
        locked_dca_percent=percent(locked),
        gauge_committed_usd=committed,
        gauge_free_usd=max(total_equity - committed, 0.0),
        gauge_percent=percent(committed),
    )
