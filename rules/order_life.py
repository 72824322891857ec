"""The life of an order as a table (``protocol.orders.OrderState``).

``advance`` is the only way to a new state. A report that arrives late or twice is recognised and changes nothing; a move
that no order can make raises and changes nothing.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import BulkheadError
from protocol.orders import OrderState

__all__ = ["MOVES", "STALE", "IllegalOrderMove", "advance"]

_S = OrderState


class IllegalOrderMove(BulkheadError):
    """An order cannot go from ``old`` to ``new``."""

    def __init__(self, old: OrderState, new: OrderState) -> None:
        super().__init__(f"an order cannot go from {old} to {new}")
        self.old = old
        self.new = new


_ENDS: Final = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED})
_WORKS: Final = frozenset({_S.OPEN, _S.PARTIALLY_FILLED})

MOVES: Final[dict[OrderState, frozenset[OrderState]]] = {
    # Intended may end at once: the desk refused it, or its cancel overtook it.
    _S.INTENDED: frozenset({_S.SENT, _S.CANCELLED, _S.REJECTED, _S.EXPIRED}),
    _S.SENT: _WORKS | _ENDS | {_S.UNKNOWN},
    _S.OPEN: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.UNKNOWN}),
    _S.PARTIALLY_FILLED: frozenset({_S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN}),
    # Only the venue's own word leads out of unknown, and it may be any.
    _S.UNKNOWN: _WORKS | _ENDS,
    # A cancel may cross with the last fill: the venue's "cancelled" can be followed by "filled", never the reverse.
    _S.CANCELLED: frozenset({_S.FILLED}),
    _S.EXPIRED: frozenset({_S.FILLED}),
    _S.REJECTED: frozenset(),
    _S.FILLED: frozenset(),
}
"""Every move that changes an order's state."""

STALE: Final[dict[OrderState, frozenset[OrderState]]] = {
    _S.INTENDED: frozenset(),
    _S.SENT: frozenset({_S.INTENDED}),
    _S.OPEN: frozenset({_S.INTENDED, _S.SENT}),
    _S.PARTIALLY_FILLED: frozenset({_S.INTENDED, _S.SENT, _S.OPEN}),
    # Our own "sent" after a time-out says nothing new.
    _S.UNKNOWN: frozenset({_S.INTENDED, _S.SENT}),
    _S.FILLED: frozenset(_S) - {_S.FILLED},
    _S.CANCELLED: frozenset(_S) - {_S.CANCELLED, _S.FILLED},
    _S.EXPIRED: frozenset(_S) - {_S.EXPIRED, _S.FILLED},
    _S.REJECTED: frozenset({_S.INTENDED, _S.SENT, _S.UNKNOWN, _S.CANCELLED, _S.EXPIRED}),
}
"""Reports that arrive after a newer one: known to be old, ignored."""


def advance(old: OrderState, reported: OrderState) -> OrderState:
    """Return the state after a report; the old one when the report is stale or a repeat.

    Raises ``IllegalOrderMove`` for what no order can do: open, partly filled or filled after the venue refused it,
    unknown or working before it was sent.
    """
    if reported is old or reported in STALE[old]:
        return old
    if reported in MOVES[old]:
        return reported
    raise IllegalOrderMove(old, reported)
