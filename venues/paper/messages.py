"""What the paper exchange's actor is asked. In-process only: ``Attach`` carries a callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.messages import Message, Request
from protocol.orders import Balance, ClientOrderId, FillReport, OrderReport, OrderRequest, Position
from protocol.values import Name

__all__ = ["Attach", "BarInProgress", "PaperAnswer", "PaperCancel", "PaperPlace", "PaperQuery", "PaperView"]


@dataclass(frozen=True, slots=True)
class Attach:
    """Tell every report from now on to ``sink``; None detaches."""

    LANE: ClassVar[str] = "data"
    OVERFLOW: ClassVar[str] = "keep"

    sink: Callable[[Message], None] | None


class PaperPlace(Request[OrderReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Place an order; answered with what became of it."""

    request: OrderRequest


class PaperCancel(Request[OrderReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Cancel an order; answered with its state."""

    client_order_id: ClientOrderId
    symbol: Name


class PaperQuery(Request[OrderReport], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask where an order stands."""

    client_order_id: ClientOrderId
    symbol: Name


class PaperAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The account as the exchange sees it."""

    instruments: tuple[Instrument, ...]
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    open_orders: tuple[OrderReport, ...]
    fills: tuple[FillReport, ...]


class PaperView(Request[PaperAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask for the whole account; fills from ``fills_since`` on."""

    fills_since: int = 0


class BarInProgress(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A bar that began before the restart: what lies before now has been walked already.

    ``index`` is how many nanoseconds after its start the bar was delivered.
    """

    OVERFLOW: ClassVar[str] = "keep"

    bar: Bar
    index: int
