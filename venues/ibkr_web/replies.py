"""The broker's questions about an order: which are confirmed, and which are the operator's own limits and are not.

Notices say how the broker will handle the order. Precautions (a percentage off the market, a size, a value) are limits that
the operator has set in the account's presets: an order that meets one is given up, and the operator reads which. What is
not listed here is not confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["MOST", "NOTICES", "confirmed"]

MOST: Final = 10
"""Questions about one order, one after the other."""

NOTICES: Final = frozenset(
    {
        "o354",  # an order without market data of one's own
        "o403",  # it will most likely trade at once
        "o2137",  # an order of the other side is open
        "o2165",  # no fractions outside regular hours
        "o10151",  # risks of market orders
        "o10152",  # risks of stop orders once they are active
        "o10153",  # the broker may cap the price
        "o10288",  # risks of market orders in coins
        "o10331",  # a stop order is submitted
    }
)


def confirmed(message_ids: Sequence[str]) -> bool:
    """Whether every part of a question is a notice."""
    return bool(message_ids) and all(each in NOTICES for each in message_ids)
