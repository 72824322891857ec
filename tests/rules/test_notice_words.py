"""What notices say: a trader's sentences, over every event there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest

from protocol.groups import CloseReason, GroupAlert, GroupClosed, GroupOpened
from protocol.messages import Event
from protocol.notifications import GroupNamed, Notice
from protocol.orders import FillRecorded, OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.values import OrderSide, Side
from protocol.venue import VenueStatus, VenueStatusChanged
from rules.client_ids import derive, group_hash
from rules.money import amount_of, result_of
from rules.notices.of_events import draft_of, group_of
from rules.notices.of_house import OF_HOUSE
from rules.notices.of_trades import OF_TRADES
from rules.notices.shelf import GROUPS_KNOWN, Shelf, fold, keep
from tests.examples import event_names, example, examples

GROUP_ID = "g12"
BTC = GroupNamed(group_hash(GROUP_ID), "BTC/USDT", "1h", Side.LONG)


def order(purpose: Purpose) -> str:
    return derive("abcd", GROUP_ID, pyramid=0, layer=1, purpose=purpose, attempt=1)


_PROGRAMMING = re.compile(r"\b[A-Z][a-z0-9]+[A-Z]\w*|[a-z]_[a-z]|\bp\d+\.l\d+|\bbh[a-z0-9]{20,}|[{}<>]|None")


def told(event: Event, groups: tuple[GroupNamed, ...] = (BTC,)) -> Notice | None:
    """Return an event's notice as the shelf keeps it."""
    draft = draft_of(event, 1, 1)
    return None if draft is None else keep(Shelf(), [draft], through=1, now=1, groups=groups).notices[0]


def variants(name: str) -> Iterator[Event]:
    """Yield events of a type with every member of its enums, with codes and ids where they may stand."""
    given = {
        "client_order_id": order(Purpose.TP),
        "code": "BelowMinimum",
        "group_id": GROUP_ID,
        "leg_id": "p0.l1",
        "outcome": "rolled_back",
        "reason": "pool_full",
        "text": f"order {order(Purpose.CLOSE)} slipped",
    }
    for event in examples(name):
        fields = {field: value for field in event.__struct_fields__ if isinstance(value := getattr(event, field), str)}
        words = {field: given[field] for field, value in fields.items() if field in given and type(value) is str}
        whole = msgspec.structs.replace(event, **words)
        yield whole
        for field, value in fields.items():
            if isinstance(value, Enum):
                yield from (msgspec.structs.replace(whole, **{field: member}) for member in type(value))


@pytest.mark.parametrize("name", event_names())
def test_every_notice_is_a_sentence_without_words_of_programs(name: str) -> None:
    """DS-720, EX-1603: whatever happens, title and body are words: no codes, ids of orders or names of the protocol."""
    if name == "DaySummaryKept":
        return  # its text is made of figures alone (service.notices)
    for event in variants(name):
        notice = told(event)
        if notice is None:
            continue
        assert name in OF_TRADES or name in OF_HOUSE, "say it in rules/notices/of_trades.py or of_house.py"
        assert notice.title[:1].isupper() or notice.title.startswith(("bulkhead ", "abc123 ")), notice.title
        for text in (notice.title, notice.body):
            assert not _PROGRAMMING.search(text), text
            assert text == " ".join(text.split()), text
            assert not text.endswith((":", ",")), text


def filled(purpose: Purpose, side: OrderSide) -> FillRecorded:
    fill: FillRecorded = example(FillRecorded)
    return msgspec.structs.replace(
        fill,
        client_order_id=order(purpose),
        symbol="BTC/USDT",
        side=side,
        qty=Decimal("0.0120"),
        price=Decimal("60150.50"),
        fee=Decimal("0.72"),
        fee_currency="USDT",
    )


def closed(reason: CloseReason, realized: str, fees: dict[str, Decimal]) -> GroupClosed:
    key = "trader|binance|BTC/USDT|1h|long"
    event: GroupClosed = example(GroupClosed)
    return msgspec.structs.replace(event, key=key, reason=reason, realized_quote=Decimal(realized), fees=fees)


def state(to: OrderState, reason: str = "") -> OrderStateChanged:
    event: OrderStateChanged = example(OrderStateChanged)
    return msgspec.structs.replace(event, client_order_id=order(Purpose.ENTRY), state=to, reason=reason)


_SAID: list[tuple[Any, str, str]] = [
    (
        filled(Purpose.ENTRY, OrderSide.BUY),
        "Bought 0.012 BTC/USDT at 60150.5 (entry)",
        "BTC/USDT 1h long, P0 DCA1, fee 0.72 USDT",
    ),
    (
        filled(Purpose.CLOSE, OrderSide.SELL),
        "Sold 0.012 BTC/USDT at 60150.5 (close)",
        "BTC/USDT 1h long, fee 0.72 USDT",
    ),
    (
        closed(CloseReason.STOP, "-12.5", {"USDT": Decimal("0.5")}),
        "BTC/USDT 1h long closed at its stop: -13.00 USDT",
        "fees 0.5 USDT",
    ),
    (
        closed(CloseReason.OPERATOR, "1200.456", {"BNB": Decimal("0.01")}),
        "BTC/USDT 1h long closed by an operator: +1,200.46 USDT",
        "fees 0.01 BNB",
    ),
    (
        closed(CloseReason.UNFILLED_CANCELLED, "0", {}),
        "BTC/USDT 1h long closed before anything was filled: nothing was traded",
        "",
    ),
    (
        state(OrderState.REJECTED, "insufficient balance"),
        "BTC/USDT 1h long: its entry order was rejected by the venue: insufficient balance",
        "P0 DCA1",
    ),
    (
        state(OrderState.UNKNOWN),
        "BTC/USDT 1h long: its entry order is in doubt: the venue is being asked whether it has it",
        "P0 DCA1",
    ),
    (
        msgspec.structs.replace(
            example(GroupAlert), group_id=GROUP_ID, code="CloseFailing", text="3 attempts failed: no margin"
        ),
        "BTC/USDT 1h long: cannot be closed: 3 attempts failed: no margin",
        "",
    ),
    (
        EngineStatusChanged(1, EngineStatus.PAUSED, "by the phone", 1),
        "The engine is paused: no new entries, exits go on (by the phone)",
        "",
    ),
    (
        VenueStatusChanged(account="main", status=VenueStatus.DOWN, code="VenueTimeout", at=1),
        "Account main has lost its venue, which is tried again by itself (venue timeout)",
        "",
    ),
]


@pytest.mark.parametrize(("event", "title", "body"), _SAID, ids=[title for _, title, _ in _SAID])
def test_what_a_trader_reads(event: Event, title: str, body: str) -> None:
    """DS-720, ML-1083: pair, side, quantity, price and result stand in the words, and who it is about."""
    notice = told(event)
    assert notice is not None
    assert (notice.title, notice.body) == (title, body)


def test_a_group_is_known_from_its_beginning_on() -> None:
    """DS-720: the shelf knows who a group is once it began, also after a restart; one from before is named by its id."""
    opened = msgspec.structs.replace(
        example(GroupOpened), group_id=GROUP_ID, symbol="ETH/USDT", timeframe="4h", side=Side.SHORT
    )
    alert = msgspec.structs.replace(
        example(GroupAlert), group_id=GROUP_ID, code="LateFill", text="1 filled", pinned=True
    )
    group = group_of(opened)
    assert group is not None
    draft = draft_of(alert, 2, 2)
    assert draft is not None
    shelf = Shelf()
    assert keep(shelf, [draft], through=2, now=2).notices[0].title.startswith("Group g12: ")
    fold(shelf, keep(shelf, [], through=1, now=1, groups=(group,)))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(shelf), type=Shelf)
    assert keep(again, [draft], through=2, now=2).notices[0].title.startswith("ETH/USDT 4h short: ")
    many = tuple(GroupNamed(f"h{number}", "A/B", "1h", Side.LONG) for number in range(GROUPS_KNOWN))
    fold(shelf, keep(shelf, [], through=3, now=3, groups=many))
    assert len(shelf.groups) == GROUPS_KNOWN
    assert group.hash not in shelf.groups


def test_amounts_are_written_as_their_currency_is() -> None:
    """EX-1604: a result has its sign; to the cent where there are cents, else to the last digit."""
    assert result_of(Decimal("1234.567"), "USDT") == "+1,234.57 USDT"
    assert result_of(Decimal("-0.21976002"), "USDC") == "-0.22 USDC"
    assert result_of(Decimal("-0.000120"), "BTC") == "-0.00012 BTC"
    assert result_of(Decimal(0), "EUR") == "+0.00 EUR"
    assert amount_of(Decimal(10_000), "USD") == "10,000.00 USD"


def test_an_order_that_leaves_says_what_it_does() -> None:
    """DS-721: an order's notice has side, quantity, market and what it is for."""
    notice = told(msgspec.structs.replace(example(OrderSent), group_id=GROUP_ID))
    assert notice is not None
    assert notice.title.startswith("Sent to buy 1.5 abc123 at the market (")
    assert notice.body.startswith("BTC/USDT 1h long")
