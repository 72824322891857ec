"""Orders that ended long ago: enough to answer for each of them for ever, in little room.

What makes a paper venue's "no such order" a proof is that it forgets no id. The newest ended orders are kept whole; of the
others there remain their state and what traded, under a hash of 64 bits: two ids that share one are not told apart, which
can only turn a proof of absence into a known order, never the other way round.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from protocol.orders import OrderReport, OrderState
from venues.paper.numbers import hashed

__all__ = ["KEPT_WHOLE", "MOVED_AT_ONCE", "EndedOrders"]

KEPT_WHOLE: Final = 2_000
"""Newest ended orders kept whole."""

MOVED_AT_ONCE: Final = 200
"""Orders that leave memory together, so that the cost of it is seldom paid."""

_SMALLEST: Final = 64
_KEY: Final = 8
_PLACE: Final = 4


class EndedOrders(msgspec.Struct):
    """A hash table with open addressing in two plain runs of bytes: 16 to 32 bytes an order, and no object of its own.

    A dictionary of numbers costs a hundred, and a paper exchange has one entry for every order it ever saw. A place holds a
    hash (``keys``, 64 bits) and which of the ``texts`` says how it ended (``outcomes``, 32 bits, 0: the place is free). The
    layout depends only on what was added in which order, so that a restored exchange equals one that lived through it.
    """

    keys: bytearray = msgspec.field(default_factory=bytearray)
    outcomes: bytearray = msgspec.field(default_factory=bytearray)
    texts: dict[str, int] = msgspec.field(default_factory=dict)
    """How orders ended (``filled 0.5``), each with its number from 1."""
    count: int = 0

    def __contains__(self, client_order_id: str) -> bool:
        """Whether an order of this id ended long ago."""
        return self.outcome(hashed(client_order_id)) != 0

    def remember(self, client_order_id: str, state: OrderState, filled: Decimal) -> None:
        """Keep of an order only how it ended."""
        self.add(hashed(client_order_id), f"{state.value} {filled}")

    def add(self, key: int, text: str) -> None:
        """Note how the order of a hash ended."""
        if 2 * self.count >= len(self.keys) // _KEY:
            self._grow()
        self._put(key, self.texts.setdefault(text, len(self.texts) + 1))

    def report(self, client_order_id: str, symbol: str, at: int) -> OrderReport | None:
        """Say how an order ended that left memory long ago; None when no such order ever was."""
        number = self.outcome(hashed(client_order_id))
        if not number:
            return None
        state, _, filled = list(self.texts)[number - 1].partition(" ")
        return OrderReport(
            client_order_id=client_order_id,
            symbol=symbol,
            state=OrderState(state),
            filled_qty=Decimal(filled),
            reason="ended long ago",
            at=at,
        )

    def outcome(self, key: int) -> int:
        """Return the number of the text that says how the order of a hash ended, 0 when there was none."""
        return memoryview(self.outcomes).cast("I")[self._place(key)] if self.count else 0

    def _place(self, key: int) -> int:
        """Return where a hash stands, or the free place where it belongs; the hash itself is spread well enough."""
        keys, outcomes = memoryview(self.keys).cast("Q"), memoryview(self.outcomes).cast("I")
        last = len(keys) - 1
        place = key & last
        while outcomes[place] and keys[place] != key:
            place = (place + 1) & last
        return place

    def _put(self, key: int, outcome: int) -> None:
        place = self._place(key)
        outcomes = memoryview(self.outcomes).cast("I")
        self.count += outcomes[place] == 0
        memoryview(self.keys).cast("Q")[place] = key
        outcomes[place] = outcome

    def _grow(self) -> None:
        before = list(zip(memoryview(self.keys).cast("Q"), memoryview(self.outcomes).cast("I"), strict=True))
        size = max(_SMALLEST, 2 * len(before))
        self.keys, self.outcomes, self.count = bytearray(_KEY * size), bytearray(_PLACE * size), 0
        for key, outcome in before:
            if outcome:
                self._put(key, outcome)
