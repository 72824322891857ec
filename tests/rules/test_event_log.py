"""What the event log says of each event: category, severity, code, tags, and whether it is pinned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from protocol.event_log import EventLogged, EventsAcknowledged, OperatorActed
from protocol.groups import CloseEnded, CloseFilled, CloseReason, LegFilled
from protocol.messages import Event
from protocol.orders import OrderState, OrderStateChanged, Purpose
from protocol.precision import RulesFetchFailed
from protocol.venue import DifferenceFound, Reconciled
from protocol.webhook import RequestRefused
from rules import client_ids
from rules.event_log.classify import LINES, line_of
from rules.event_log.line import Category, Line, LineSeverity, Source, Tag
from rules.event_log.silent import SILENT
from rules.event_log.tags import tags_of
from tests.examples import event_names, examples


def test_every_event_has_a_line_or_a_reason() -> None:
    """EX-1401, EX-1404: every journal event is in the log, or ``silent.py`` says which other event says the same."""
    known = set(event_names())
    missing = known - LINES.keys() - SILENT.keys()
    assert missing == set(), "add a line to rules/event_log/of_*.py (or a reason to silent.py) and tags to tags.py"
    assert LINES.keys() - known == set(), "a line for an event there is not"
    assert SILENT.keys() - known == set(), "a reason for an event there is not"
    assert LINES.keys() & SILENT.keys() == set()


@pytest.mark.parametrize("name", event_names())
def test_every_event_can_be_shown(name: str) -> None:
    """EX-1401, EX-1404: whatever an event says and leaves out, its line can be made, and speaks no Python."""
    for event in examples(name):
        line = line_of(event)
        if line is None:
            assert name in SILENT
            continue
        assert line.text
        assert "None" not in line.text
        assert "<" not in line.text


def test_a_new_event_shows_by_its_name() -> None:
    """EX-1401: an event that nobody has written a line for yet is in the log all the same, with its ids."""

    class TideTurned(Event, frozen=True, tag=True):
        group_id: str
        at: int

    TideTurned.__module__ = "protocol.tides"
    line = line_of(TideTurned("g1", 1))
    assert line == Line(Source.SYSTEM, LineSeverity.INFO, "TideTurned", "tide turned", "g1")


def logged(**fields: Any) -> EventLogged:
    return EventLogged(**{"source": "system", "severity": "info", "code": "X", "text": "said", "at": 1, **fields})


def order(state: OrderState) -> OrderStateChanged:
    return OrderStateChanged(client_order_id="abcdef1", state=state, reason="min notional", at=1)


@pytest.mark.parametrize(
    "event",
    [
        order(OrderState.REJECTED),
        DifferenceFound("paper", "PositionMismatch", "", "short of 1 BTC", "frozen", 1),
        RulesFetchFailed(account="paper", error="timeout", retry_after_s=60, at=1),
        RequestRefused(user="u", address="a", code="RateLimited", size=1, refused=3, at=1),
        logged(severity="error", code="JournalUnavailable", pinned=True),
    ],
)
def test_critical_events_are_pinned(event: Event) -> None:
    """EX-1406: rejected orders, missing precision, mismatches, rate limits and journal failures are pinned."""
    line = line_of(event)
    assert line is not None
    assert line.pinned


def close_ended(failures: int, told: bool = False) -> CloseEnded:
    return CloseEnded(
        group_id="g",
        client_order_id="abcdef1",
        number=1,
        state=OrderState.REJECTED,
        filled_qty=Decimal(0),
        rest={},
        failures=failures,
        caps=0,
        retry_after_s=60,
        reason="MarketHalted",
        told=told,
        at=1,
    )


def test_a_close_that_keeps_failing_does_not_fill_the_log() -> None:
    """EX-712, EX-1406: the first rejection is pinned by itself, the rest by the group's alert; later ones have no line."""
    lines = [line_of(close_ended(failures)) for failures in (1, 2, 3, 4, 1_428)]
    assert [line.pinned if line is not None else None for line in lines] == [True, False, False, None, None]
    assert line_of(close_ended(1_000, told=True)) is not None


def test_a_rejected_close_is_pinned_by_its_group() -> None:
    """EX-1406: rejected entries and targets are pinned; a close is tried again, and its group pins what keeps failing."""
    pinned = {}
    for purpose in Purpose:
        name = client_ids.derive("test", "g1", pyramid=0, layer=0, purpose=purpose, attempt=1)
        line = line_of(OrderStateChanged(client_order_id=name, state=OrderState.REJECTED, at=1))
        assert line is not None
        assert line.severity is LineSeverity.ERROR
        pinned[purpose] = line.pinned
    assert [purpose for purpose, each in pinned.items() if not each] == [Purpose.CLOSE]


def test_what_goes_well_is_not_pinned() -> None:
    """EX-1406: the alert strip is for what is critical."""
    fine = [
        order(OrderState.FILLED),
        Reconciled(account="a", open_orders=0, fills_seen=0, fills_missed=0, differences=0, at=1),
    ]
    assert not any(line.pinned for event in fine if (line := line_of(event)) is not None)


def leg_filled(leg: str) -> LegFilled:
    kinds = get_type_hints(LegFilled)
    one = Decimal(1)
    return LegFilled(
        group_id="g",
        leg_id=leg,
        client_order_id="abcdef1",
        trade_id="t",
        qty=one,
        net_qty=one,
        price=one,
        fee=one,
        fee_currency="USDT",
        entry=next(iter(kinds["entry"])),
        leg_state=next(iter(kinds["leg_state"])),
        at=1,
    )


def closed(reason: CloseReason) -> CloseFilled:
    one = Decimal(1)
    return CloseFilled(
        group_id="g",
        client_order_id="abcdef1",
        trade_id="t",
        scope="group",
        reason=reason,
        qty=one,
        price=one,
        fee=one,
        fee_currency="USDT",
        lots=(),
        at=1,
    )


@pytest.mark.parametrize(
    ("event", "tags"),
    [
        (leg_filled("p0.l0"), {Tag.ENTRY}),
        (leg_filled("p0.l2"), {Tag.ENTRY, Tag.DCA}),
        (closed(CloseReason.EXIT_SIGNAL), {Tag.EXIT}),
        (closed(CloseReason.RISK_PARTIAL), {Tag.EXIT, Tag.RISK_CLOSE}),
        (closed(CloseReason.REDUCE), {Tag.REDUCE}),
        (closed(CloseReason.AGGREGATE_TP), {Tag.TP}),
        (order(OrderState.REJECTED), {Tag.API_REJECT}),
        (RequestRefused(user="u", address="a", code="RateLimited", size=1, refused=3, at=1), {Tag.RATE_LIMIT}),
        (DifferenceFound("paper", "OrphanOrder", "", "x", "", 1), {Tag.RECOVERY}),
        (EventsAcknowledged(operator="ann", at=1), {Tag.OPERATOR}),
        (OperatorActed(operator="a", origin="b", command="c", arguments={}, outcome="done", at=1), {Tag.OPERATOR}),
        (logged(tags=("queue", "config")), {Tag.QUEUE, Tag.CONFIG}),
    ],
)
def test_tags_say_what_a_line_is_about(event: Event, tags: set[Tag]) -> None:
    """EX-1403: the tags of an event, from what it is, why it was done and who did it."""
    line = line_of(event)
    assert line is not None
    assert set(tags_of(event, line)) == tags


def test_categories_go_by_severity_or_by_source() -> None:
    """EX-1403: Error, Warning and Info filter by severity, the other five by source."""
    assert [each.severity for each in Category][:3] == [LineSeverity.ERROR, LineSeverity.WARNING, LineSeverity.INFO]
    assert [each.source for each in Category][3:] == list(Source)


def test_what_was_left_out_is_counted() -> None:
    """A thinned-out line says how many like it were not written, and whom it is about."""
    line = line_of(logged(about="/risk/pool", left_out=7))
    assert line is not None
    assert line.text == "/risk/pool: said (7 more like it)"
