"""What perpetual positions on paper, their fills and the choice of a broker can come to."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["PERPS"]

PERPS: Final = Area(
    "Perpetuals on paper and choice of broker",
    "A signal that is refused changes nothing: no position, no fee.",
    (
        Word(("InvalidContracts",), "give a whole number of contracts above 0"),
        Word(("InvalidPrice",), "give a price and a contract size above 0"),
        Word(("InvalidSide",), "say buy or sell"),
        Word(("InvalidSizingInput",), "give a notional, a price and a contract size above 0"),
        Word(("InvalidEquity",), "give a starting balance above 0"),
        Word(("InvalidCount",), "give a count of 0 or more"),
        Word(
            ("CursorLoop", "CursorMissing"),
            "nothing: what was read is kept, the next cycle reads on; if it lasts, see the venue's status page",
        ),
        Word(("InvalidAsset",), "say forex or crypto"),
        Word(("UnknownBroker",), "choose a broker that the message names for this kind of strategy"),
        Word(
            ("BrokerChangeWithOpenPositions",),
            "close the account's positions, then change its broker; or give the new one an account of another name",
        ),
    ),
)
