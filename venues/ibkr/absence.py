"""When it is proven that the broker does not have an order, and never will.

The gateway reads what we send in order, and lets one connection of a client id in at a time (a second one is refused,
326). So when it has let us in anew, it has read all that it will ever read of the connection before. What it had read then
is in its lists a moment later: open orders, completed orders and executions, the last two of which reach back to the
midnight of its own clock, which it says when it greets us.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["DAY_NS", "SETTLED_NS", "Asked", "absence", "midnight"]

SETTLED_NS: Final = 3_000_000_000
"""How long after a connection the gateway may still be working on what it read from the one before."""

DAY_NS: Final = 86_400_000_000_000
_MARGIN_NS: Final = 60_000_000_000


class Asked(NamedTuple):
    """What is known when a complete set of lists did not show an order; instants of our clock (ns)."""

    sent_at: int | None
    """When we tried to send it, None: there is no note that we did."""
    noted: bool
    """Whether notes outlive the process: only then does the lack of one say anything."""
    connected_at: int
    asked_at: int
    """When the first of the lists was asked for."""
    day_began_at: int | None
    """When the day began that the lists cover, None: the gateway's clock is not known."""
    linked: bool
    """Whether the gateway was connected to the broker all that while."""


def absence(asked: Asked) -> str:
    """Return why it is NOT proven that the broker has no such order; empty when it is proven."""
    if not asked.linked:
        return "the gateway is not connected to the broker"
    if asked.sent_at is None:
        return "" if asked.noted else "nothing was noted of this order, and no notes are kept"
    if asked.connected_at <= asked.sent_at:
        return "it may still be under way on this connection"
    if asked.asked_at < asked.connected_at + SETTLED_NS:
        return "the gateway may still be reading what came before"
    if asked.day_began_at is None or asked.sent_at < asked.day_began_at + _MARGIN_NS:
        return "it was sent before the day that the broker's lists cover"
    return ""


def midnight(now: int, offset_ns: int) -> int:
    """Return when the day of a clock began that is ``offset_ns`` ahead of UTC."""
    local = now + offset_ns
    return local - local % DAY_NS - offset_ns
