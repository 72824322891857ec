"""The arithmetic and the audit of the soak: a leak is seen, noise is not, and each kind of loss is named."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soak.audit import Books, checked
from benchmarks.soak.page import picture
from benchmarks.soak.sampling import Sample
from benchmarks.soak.trend import judged, slope_of, steady, windows
from protocol.orders import FillRecorded, OrderRequest, OrderSent, OrderState, OrderStateChanged, OrderType, Purpose
from protocol.paper import PaperOrderAccepted, PaperOrderFilled
from protocol.values import MarketType, OrderSide
from runtime.journal import Record

ONE = Decimal(1)


def samples(rss: Iterable[float], pid: int = 1, first_s: float = 0.0, **more: Any) -> list[Sample]:
    """Return samples, ten seconds apart, that differ in memory only."""
    zero = dict.fromkeys(Sample._fields, 0.0)
    return [
        Sample(**{**zero, "at_s": first_s + 10 * number, "pid": pid, "rss_mb": each, **more})  # type: ignore[arg-type]
        for number, each in enumerate(rss)
    ]


@given(slope=st.floats(-500, 500), start=st.floats(0, 1_000), count=st.integers(4, 200))
def test_a_line_has_its_slope(slope: float, start: float, count: int) -> None:
    """Without noise the slope is exact and certain."""
    at_s = [10.0 * number for number in range(count)]
    found = slope_of(at_s, [start + slope * each / 3_600 for each in at_s])
    assert found.per_hour == pytest.approx(slope, abs=1e-3)
    assert found.half_width < 1e-2


def test_neighbours_that_go_together_make_a_slope_less_certain() -> None:
    """A random walk drifts by chance: its interval is wider than that of the same steps as independent noise."""
    draw = random.Random(1)
    steps = [draw.gauss(0, 1) for _ in range(300)]
    walk = [sum(steps[:number]) for number in range(300)]
    scattered = draw.sample(walk, len(walk))
    at_s = [10.0 * number for number in range(300)]
    assert slope_of(at_s, walk).half_width > 3 * slope_of(at_s, scattered).half_width


def test_too_little_says_nothing() -> None:
    """Neither a slope nor two windows are made up from a few samples."""
    with pytest.raises(ValueError, match="three samples"):
        slope_of([1, 2], [1, 2])
    with pytest.raises(ValueError, match="one moment"):
        slope_of([1, 1, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="six samples"):
        windows([1, 2, 3, 4, 5])


def test_only_the_last_process_after_its_warm_up_counts() -> None:
    """A kill begins anew: what the process before it held is no growth."""
    before, after = samples([500.0] * 10, pid=1), samples([80.0] * 30, pid=2, first_s=100)
    assert steady(before + after, 50) == after[5:]
    assert all(verdict.passed for verdict in judged(before + after, 50))


def test_a_leak_is_seen_and_a_bump_is_not() -> None:
    """Medians of thirds: steady growth fails, one spike or a drop does not."""
    by_field = {each.flat.field: each for each in judged(samples(80 + number for number in range(60)), 0)}
    assert not by_field["rss_mb"].passed
    assert by_field["fds"].passed
    bump = [80.0] * 30 + [400.0] * 5 + [80.0] * 25
    assert all(verdict.passed for verdict in judged(samples(bump), 0))
    assert all(verdict.passed for verdict in judged(samples([300.0] * 30 + [80.0] * 30), 0))


def test_files_that_are_never_closed_are_seen() -> None:
    """One descriptor every five looks is a leak."""
    leaking = [each._replace(fds=20 + number // 5) for number, each in enumerate(samples([80.0] * 120))]
    assert [each.flat.field for each in judged(leaking, 0) if not each.passed] == ["fds"]


def test_the_picture_holds_every_process() -> None:
    """Each life is a line of its own."""
    drawn = picture(samples([80.0] * 5, pid=1) + samples([90.0] * 5, pid=2, first_s=60))
    assert drawn.count("<polyline") == 14
    assert drawn.startswith("<svg")


# --- the audit ---------------------------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """Makes the events of one order."""

    key: str = "order-1"

    def request(self) -> OrderRequest:
        """Return the order."""
        return OrderRequest(
            client_order_id=self.key, symbol="BTC/USDT", side=OrderSide.BUY, type=OrderType.LIMIT, qty=ONE, price=ONE
        )

    def sent(self) -> OrderSent:
        """Return that the desk decided on it."""
        return OrderSent(
            request=self.request(),
            owner="/g",
            group_id="g1",
            leg_id="p0.l0",
            purpose=Purpose.ENTRY,
            attempt=0,
            expected_price=None,
            permit=1,
            correlation_id=1,
            at=1,
        )

    def accepted(self) -> PaperOrderAccepted:
        """Return that the venue took it."""
        return PaperOrderAccepted(
            request=self.request(), venue_order_id="1", base="BTC", quote="USDT", market_type=MarketType.SPOT,
            lock_currency="USDT", locked=ONE, active_at=1, at=1,
        )  # fmt: skip

    def filled(self) -> PaperOrderFilled:
        """Return that the venue filled it."""
        return PaperOrderFilled(
            client_order_id=self.key, trade_id="t1", symbol="BTC/USDT", side=OrderSide.BUY, qty=ONE, price=ONE,
            fee=Decimal(0), fee_currency="USDT", maker=True, still_locked=Decimal(0), at=1,
        )  # fmt: skip

    def recorded(self) -> FillRecorded:
        """Return that the desk knows of the fill."""
        return FillRecorded(
            client_order_id=self.key, trade_id="t1", symbol="BTC/USDT", side=OrderSide.BUY, qty=ONE, price=ONE,
            fee=Decimal(0), fee_currency="USDT", maker=True, at=1,
        )  # fmt: skip

    def done(self) -> OrderStateChanged:
        """Return that the desk knows it is done."""
        return OrderStateChanged(client_order_id=self.key, state=OrderState.FILLED, filled_qty=ONE, at=1)


def wrong(*events: Any) -> list[str]:
    """Return what the audit finds wrong with these events."""
    books = Books()
    for number, event in enumerate(events, 1):
        books.take(Record(number, "s", number, event, 1, number, number, 0))
    return [each for check in checked(books) for each in check.wrong]


def test_a_whole_order_is_right() -> None:
    """Sent, accepted, filled, recorded, done: nothing is wrong."""
    order = Ledger()
    assert wrong(order.sent(), order.accepted(), order.filled(), order.recorded(), order.done()) == []


def test_every_kind_of_loss_is_named() -> None:
    """Sent twice, unknown to the journal, fill lost, fill doubled, open on one side only."""
    order = Ledger()
    sent, accepted, filled, recorded, done = (
        order.sent(), order.accepted(), order.filled(), order.recorded(), order.done(),
    )  # fmt: skip
    assert "order-1 was sent twice" in wrong(sent, sent, accepted, filled, recorded, done)
    assert "order-1 reached the venue before the journal" in wrong(accepted, sent, filled, recorded, done)
    assert "order-1: the venue filled 1, the desk knows 0" in wrong(sent, accepted, filled, done)
    assert "fill t1 was recorded 2 times" in wrong(sent, accepted, filled, recorded, recorded, done)
    assert "order-1 works for the venue only" in wrong(sent, accepted, done)
    assert "order-1 works for the desk only" in wrong(sent, accepted, filled, recorded)
