"""What equity is drawn from: the prices of all that is open, noted at each fill and now and then (EX-1705)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from protocol.messages import Event, Value
from protocol.values import Instant, Name, Scope, check_non_negative

__all__ = ["EquityMarked", "Mark", "MarkedFor"]


class MarkedFor(StrEnum):
    """Why prices were noted."""

    FILL = "fill"
    INTERVAL = "interval"


class Mark(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Best prices of a symbol; ``quote_usd`` is the worth of its quote currency, None where it is not known (EX-109)."""

    symbol: Name
    bid: Decimal
    ask: Decimal
    quote_usd: Decimal | None

    def __post_init__(self) -> None:
        check_non_negative("bid", self.bid)
        check_non_negative("ask", self.ask)


class EquityMarked(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The prices at which what an account has open is worth what it is worth at this instant.

    ``starting`` is the equity in USD that the account's curves begin with, ``flow`` what was deposited less withdrawn since
    the mark before. What was realized and what is open stands in the journal already.
    """

    account: Name
    scope: Scope
    reason: MarkedFor
    starting: Decimal
    flow: Decimal = Decimal(0)
    marks: tuple[Mark, ...]
    at: Instant
