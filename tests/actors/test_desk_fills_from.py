"""From when on the desk asks its venue for fills: a stream that lost one must not hide it for ever."""

from __future__ import annotations

from decimal import Decimal

from actors.desk_book import DeskBook
from protocol.orders import FillRecorded
from protocol.values import OrderSide
from protocol.venue import Reconciled

DAY_NS = 24 * 3_600 * 10**9


def compared(fills_to: int) -> Reconciled:
    """Return a reconciliation that saw fills up to an instant."""
    return Reconciled(
        account="acc", open_orders=0, fills_seen=1, fills_missed=0, differences=0, fills_to=fills_to, at=fills_to + 5
    )


def test_only_a_reconciliation_says_up_to_when_the_books_are_complete() -> None:
    """EX-1204: a fill that the stream told proves nothing of an earlier one that it lost (simulator, all, seed 157)."""
    book = DeskBook(first_sent_at=3 * DAY_NS)
    assert book.fills_from(9 * DAY_NS) == 2 * DAY_NS
    book.apply(compared(4 * DAY_NS))
    assert book.fills_from(9 * DAY_NS) == 4 * DAY_NS
    book.orders["bh1"] = DeskBookOrder()  # type: ignore[assignment]
    told = FillRecorded(
        client_order_id="bh1",
        trade_id="t2",
        symbol="BTC/USDT",
        side=OrderSide.BUY,
        qty=Decimal(1),
        price=Decimal(100),
        fee=Decimal(0),
        fee_currency="USDT",
        maker=True,
        at=5 * DAY_NS,
    )
    book.apply(told)
    assert book.fills_from(9 * DAY_NS) == 4 * DAY_NS
    book.apply(compared(0))
    assert book.fills_from(9 * DAY_NS) == 4 * DAY_NS


class DeskBookOrder:
    """As much of an order as a fill needs."""

    def __init__(self) -> None:
        self.fills: list[FillRecorded] = []


def test_a_desk_that_never_sent_has_nothing_to_ask_for() -> None:
    """A clock that was ahead by up to a day when the first order left hides nothing either."""
    assert DeskBook().fills_from(10 * DAY_NS) == 9 * DAY_NS
