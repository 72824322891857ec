"""What the broker's lists say of an order that they do not show.

The Web API has no latest time for an order: a request that was lost on its way may arrive as long as somebody keeps it.
After two minutes nobody does. Its lists hold the orders of the present brokerage session, and the trades of seven days with
the reference of their order; that ids are refused when they come twice holds for a day, and proves nothing of absence.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from protocol.orders import OrderState

__all__ = ["UNDER_WAY_S", "Asked", "Verdict", "verdict"]

UNDER_WAY_S: Final = 120.0
"""How long a request that left us may still arrive: longer than any proxy keeps one whose sender is gone."""

_NS: Final = 1_000_000_000
_TRADES_NS: Final = 6 * 86_400 * _NS
"""Six days back the trades are complete, wherever the broker's day begins."""


class Asked(NamedTuple):
    """What is known when whole lists did not show an order; instants of our clock (ns)."""

    sent_at: int | None
    """When we tried to send it, None: there is no note that we did."""
    noted: bool
    """Whether notes outlive the process: only then does the lack of one say anything."""
    session_began_at: int
    asked_at: int
    """When the lists were asked for, past the broker's cache."""


class Verdict(NamedTuple):
    """``state`` is UNKNOWN, REJECTED (proven: it never was) or CANCELLED (it is over and has not traded)."""

    state: OrderState
    why: str


def verdict(asked: Asked) -> Verdict:
    """Return what becomes of an order that no list shows."""
    sent, unknown = asked.sent_at, OrderState.UNKNOWN
    if sent is None:
        if asked.noted:
            return Verdict(OrderState.REJECTED, "it was never sent from here")
        return Verdict(unknown, "nothing was noted of this order, and no notes are kept")
    if (left := UNDER_WAY_S - (asked.asked_at - sent) / _NS) > 0:
        return Verdict(unknown, f"it may still arrive for {left:.0f} s")
    if asked.session_began_at <= sent:
        return Verdict(OrderState.REJECTED, "in none of the broker's lists, and it can no longer arrive")
    if asked.asked_at - sent < _TRADES_NS:
        return Verdict(
            OrderState.CANCELLED,
            "not open and never traded; whether the broker had it, its lists of this session do not say",
        )
    return Verdict(unknown, "it was sent before the days that the broker's trades cover")
