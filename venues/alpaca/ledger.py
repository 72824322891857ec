"""What this life of the adapter knows of its account's orders and fills: nothing is told twice, nothing moves backwards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from protocol.orders import FillReport, OrderReport
from venues.alpaca.words import client_id_of, instant, report_of, rests, side_of, symbol_of, to_ms

__all__ = ["Ledger", "Whose"]

K = TypeVar("K")
V = TypeVar("V")

_KEPT: Final = 20_000
"""Orders, and fills, that are remembered."""


class _Bounded(OrderedDict[K, V]):
    """A dict that forgets its oldest entry when it is full."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > _KEPT:
            self.popitem(last=False)


class Whose(NamedTuple):
    """What a fill takes from its order."""

    client_id: str
    maker: bool


class Ledger:
    """Keep orders by the venue's id, and fills by the order's id and what had then traded of it.

    That is how both, stream and history, name a fill; the venue's own ids of it differ between the two.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Whose] = _Bounded()
        self.numbers: dict[str, str] = _Bounded()
        """The venue's id by ours."""
        self.refused: dict[str, OrderReport] = _Bounded()
        self.sent: dict[str, int] = _Bounded()
        """When an order was last sent, by our id."""
        self.live: set[str] = set()
        """The venue's ids of orders that can still fill, as far as was heard."""
        self.newest = 0
        """The instant of the newest fill that was told."""
        self._fills: dict[str, FillReport] = _Bounded()
        self._sums: dict[str, Decimal] = _Bounded()
        self._told: dict[str, OrderReport] = _Bounded()

    def meet(self, order: Mapping[str, Any]) -> Whose:
        """Remember whose an order is."""
        number = str(order["id"])
        whose = self.orders[number] = Whose(client_id_of(order), rests(order))
        self.numbers[whose.client_id] = number
        return whose

    def filled(self, number: str) -> Decimal:
        """Return what was told of an order's fills."""
        return self._sums.get(number, Decimal(0))

    def fill(self, number: str, row: Mapping[str, Any], cumulated: Decimal, at: str) -> tuple[FillReport, bool]:
        """Return a fill and whether it is new; ``row`` has its quantity and price, the order must have been met."""
        key = f"{number}:{cumulated.normalize() + 0:f}"
        known = self._fills.get(key)
        if known is not None:
            return known, False
        whose, traded = self.orders[number], row.get("order", row)
        qty = Decimal(row["qty"])
        fill = FillReport(
            client_order_id=whose.client_id,
            trade_id=key,
            symbol=symbol_of(str(traded["symbol"])),
            side=side_of(str(traded["side"])),
            qty=qty,
            price=Decimal(row["price"]),
            fee=Decimal(0),
            fee_currency="USD",
            maker=whose.maker,
            at=to_ms(instant(at)),
        )
        self._fills[key] = fill
        self._sums[number] = self.filled(number) + qty
        self.newest = max(self.newest, fill.at)
        return fill, True

    def told(self, order: Mapping[str, Any]) -> OrderReport | None:
        """Return what is to be told of an order, None when something as new has been told."""
        self.meet(order)
        report, number = report_of(order), str(order["id"])
        before = self._told.get(number)
        if report.state.final:
            self.live.discard(number)
        elif before is None or not before.state.final:
            self.live.add(number)
        if before is not None and (before.state.final or _rank(report) <= _rank(before)):
            return None
        self._told[number] = report
        return report


def _rank(report: OrderReport) -> tuple[bool, Decimal, int]:
    return report.state.final, report.filled_qty, report.at
