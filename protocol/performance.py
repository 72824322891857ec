"""What equity is drawn from: the prices of all that is open, noted at each fill and now and then (EX-1705)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

from protocol.errors import ValidationError
from protocol.messages import Event, Request, Value
from protocol.values import Instant, Name, Scope, check_non_negative

__all__ = ["EQUITY", "MOST_NOTE", "EquityMarked", "Mark", "MarkedFor", "RecordFlow"]

EQUITY: Final = "/store/equity"
"""Who notes what equity is drawn from."""

MOST_NOTE: Final = 200
"""Letters of a note."""


class MarkedFor(StrEnum):
    """Why prices were noted."""

    FILL = "fill"
    INTERVAL = "interval"
    FLOW = "flow"


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
    the mark before; ``note`` and ``operator`` say of a flow what it was and who recorded it. What was realized and what is
    open stands in the journal already.
    """

    account: Name
    scope: Scope
    reason: MarkedFor
    starting: Decimal
    flow: Decimal = Decimal(0)
    marks: tuple[Mark, ...]
    at: Instant
    note: str = ""
    operator: str = ""


class RecordFlow(Request[EquityMarked], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Note that USD were deposited (above zero) or withdrawn (below): equity moves, and it is neither profit nor loss."""

    account: Name
    amount: Decimal
    note: str = ""
    operator: str = ""

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount == 0:
            raise ValidationError(
                "amount", "is a number of USD that is not zero", code="OutOfRange", value=str(self.amount)
            )
        if len(self.note) > MOST_NOTE:
            raise ValidationError("note", f"has at most {MOST_NOTE} letters", code="OutOfRange", value=self.note[:80])
