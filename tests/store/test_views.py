"""What the read models say of a history, checked against the history's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal, localcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.groups import CloseReason, GroupAlert, GroupState, LegClosed, LegState, Severity
from protocol.orders import CancelRequested, OrderRefused, OrderRequest, OrderState, OrderStateChanged, Purpose
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.signals import Problem, SignalReceived
from protocol.values import OrderSide, OrderType, Scope
from rules.notation import plain
from store.projector import Projector
from store.queries import EventFilter, Views, records_about
from store.sqlite_journal import MEMORY, SqliteJournal, open_journal
from store.tables.opening import Where
from store.views.exact import share
from store.views.lines import LineSeverity, Source
from tests.store.trading import DESK, ModelGroup, Script, random_trading

D = Decimal


class Desk:
    """A journal in memory, a script that writes it, and its read models."""

    def __init__(self, tables_at: Where = MEMORY) -> None:
        self.journal: SqliteJournal = open_journal(MEMORY)
        self.script = Script(self.journal)
        self._projector = Projector(tables_at)

    @property
    def views(self) -> Views:
        self._projector.catch_up(self.journal)
        return self._projector.views()

    def close(self) -> None:
        self._projector.close()
        self.journal.close()


@pytest.fixture
def desk(tables_at: Where) -> Iterator[Desk]:
    made = Desk(tables_at)
    yield made
    made.close()


def test_a_group_from_signal_to_close(desk: Desk) -> None:
    """Two layers bought, one sold at its target, the rest by an exit: quantities, costs and states at each step."""
    desk.script.signal("s-g1")
    group = ModelGroup(desk.script, "g1")
    assert desk.views.groups(open_only=True)[0].state is GroupState.LIVE
    entry = group.buy("p0.l0", D("1.0"), D("100.00"), D("0.1"))
    group.buy("p0.l1", D(2), D(97), D("0.2"))
    now = desk.views.group("g1")
    assert now is not None
    assert (now.open_qty, now.open_cost_quote, now.avg_entry) == (D(3), D(294), D(98))
    assert (now.symbol, now.quote, now.strategy, now.pyramids, now.stop_price) == (
        "BTC/USDT",
        "USDT",
        "breakout",
        1,
        90,
    )
    target = group.sell({"p0.l0": D(1)}, D(101), D("0.101"), tp=True)
    leg = desk.views.legs("g1")[0]
    assert (leg.leg_id, leg.filled_qty, leg.open_qty, leg.closed_qty, leg.realized_quote) == ("p0.l0", 1, 0, 1, 1)
    assert (leg.target_order, leg.target_price) == (target, D(101))
    group.tell(LegClosed, leg_id="p0.l0", reason=CloseReason.LEG_TP, leg_state=LegState.HIT_TP)
    group.close(D(95))
    views = desk.views
    assert (views.legs("g1")[0].state, views.legs("g1")[0].target_order) == ("hit_tp", None)
    done = views.group("g1")
    assert done is not None
    assert (done.open_qty, done.open_cost_quote, done.avg_entry) == (0, 0, None)
    assert (done.realized_quote, done.fees_quote) == (D(-3), D("0.401"))
    assert (done.state, done.reason, done.closed_at is not None) == (GroupState.CLOSED, "exit_signal", True)
    assert views.groups(open_only=True) == []
    order = views.order(entry)
    assert order is not None
    assert (order.state, order.filled_qty, order.avg_fill, order.desk) == (OrderState.OPEN, 1, 100, DESK)
    assert [p.entry_price for p in views.pyramids("g1")] == [D(100)]
    assert views.group_fees("g1") == {"USDT": D("0.401")}


def test_realizations_carry_their_share_of_the_entry_fees(desk: Desk) -> None:
    """A closing fill earns its lots less its own fee less the entry fees of that quantity, pro rata (EX-1701)."""
    group = ModelGroup(desk.script, "g1", layers=1)
    group.buy("p0.l0", D(4), D(100), D("0.4"))
    group.sell({"p0.l0": D(1)}, D(110), D("0.11"))
    group.sell({"p0.l0": D(3)}, D(90), D("0.27"))
    first, second = desk.views.realizations(group_id="g1")
    assert (first.qty, first.cost_quote, first.realized_quote) == (1, 100, 10)
    assert (first.fees_quote, first.net_quote) == (D("0.21"), D("9.79"))
    assert (second.fees_quote, second.net_quote) == (D("0.57"), D("-30.57"))


def test_one_closing_fill_of_two_legs_is_two_realizations(desk: Desk) -> None:
    """The exit fee is shared by quantity and nothing of it is lost to rounding."""
    group = ModelGroup(desk.script, "g1", layers=3)
    for leg in ("p0.l0", "p0.l1", "p0.l2"):
        group.buy(leg, D(1), D(100))
    group.sell({"p0.l0": D(1), "p0.l1": D(1), "p0.l2": D(1)}, D(100), D("0.1"))
    fees = [row.fees_quote for row in desk.views.realizations()]
    assert len(fees) == 3
    assert sum(fees) == D("0.1")


def test_fees_in_base_and_in_third_currencies(desk: Desk) -> None:
    """A base fee counts at the fill's price and leaves less to sell; a third currency stands by itself (EX-428)."""
    group = ModelGroup(desk.script, "g1", layers=1)
    group.buy("p0.l0", D(1), D(100), D("0.001"), "BTC")
    group.sell({"p0.l0": D("0.999")}, D(110), D("0.05"), "BNB")
    group.close(D(110))
    views = desk.views
    (row,) = views.realizations()
    assert (row.qty, row.realized_quote, row.fees_quote, row.net_quote) == (D("0.999"), D("9.99"), D("0.1"), D("9.89"))
    assert views.group_fees("g1") == {"BNB": D("0.05"), "BTC": D("0.001")}
    (position,) = views.positions()
    assert (position.qty, position.bought_quote, position.sold_quote) == (0, 100, D("109.89"))


def test_dust_is_neither_open_nor_realized_but_its_fees_count(desk: Desk) -> None:
    """Dust leaves the group with its cost; the entry fees it had are booked when the group closes (EX-708)."""
    group = ModelGroup(desk.script, "g1", layers=1)
    group.buy("p0.l0", D(1), D(100), D("0.1"))
    group.close(D(110), dust=D("0.001"))
    views = desk.views
    done = views.group("g1")
    assert done is not None
    assert (done.open_qty, done.open_cost_quote, done.dust) == (0, 0, D("0.001"))
    rows = views.realizations(group_id="g1")
    assert [row.reason for row in rows] == ["exit_signal", "dust"]
    assert sum(row.fees_quote for row in rows) == D("0.1")
    assert sum(row.net_quote for row in rows) == D("9.99") - D("0.1")


@settings(max_examples=40, deadline=None)
@given(rng=st.randoms(use_true_random=False), steps=st.integers(5, 60))
def test_realizations_of_a_closed_group_sum_to_its_net_profit(rng: Random, steps: int) -> None:
    """Exactly: the group's realized amount less its fees, whatever was shared and rounded on the way (EX-1701)."""
    with closing(Desk()) as desk:
        groups = random_trading(desk.journal, rng, steps)
        views = desk.views
        for row in views.groups():
            with localcontext(prec=130):
                net = sum((r.net_quote for r in views.realizations(group_id=row.group_id)), D(0))
                due = row.realized_quote - row.fees_quote
            if row.state is GroupState.CLOSED:
                assert net == due
                assert row.open_qty == 0
            model = groups[row.group_id]
            assert row.open_qty == sum(model.open.values()) - row.dust
            assert row.realized_quote == model.realized
            assert views.group_fees(row.group_id) == model.fees


@settings(max_examples=40, deadline=None)
@given(rng=st.randoms(use_true_random=False), fills=st.integers(1, 12))
def test_net_profit_is_the_money_that_came_in(rng: Random, fills: int) -> None:
    """For a group that sold all it bought: sold less bought less quote fees, with base fees on either side."""
    with closing(Desk()) as desk:
        group = ModelGroup(desk.script, "g1", layers=1)
        for _ in range(fills):
            price, fee = D(rng.randrange(9_000, 11_000)) / 100, D(rng.randrange(10)) / 1_000
            currency, held = rng.choice(["USDT", "BTC"]), group.open["p0.l0"]
            if held > 1 and rng.random() < 0.5:
                group.sell({"p0.l0": held / 2}, price, fee, currency)
            else:
                group.buy("p0.l0", D(rng.randrange(1, 9)), price, fee, currency)
        group.close(D(100))
        views = desk.views
        (position,) = views.positions()
        cash = position.sold_quote - position.bought_quote - views.group_fees("g1").get("USDT", D(0))
        net = sum((row.net_quote for row in views.realizations()), D(0))
        assert abs(net - cash) < D("1e-18")
        assert position.qty == 0


def test_profit_is_added_up_by_any_property_and_never_over_scopes(desk: Desk) -> None:
    """Live and paper stand in rows of their own; time bounds are from inclusive to exclusive (EX-1702, EX-1704)."""
    for name, scope in (("g1", Scope.LIVE), ("g2", Scope.PAPER), ("g3", Scope.PAPER)):
        group = ModelGroup(desk.script, name, scope, layers=1)
        group.buy("p0.l0", D(1), D(100), D("0.1"))
        group.sell({"p0.l0": D(1)}, D(103), D("0.1"))
    views = desk.views
    by_symbol = {(row.key, row.scope): row for row in views.realised_pnl("symbol")}
    assert by_symbol["BTC/USDT", Scope.LIVE].net_quote == D("2.8")
    assert by_symbol["BTC/USDT", Scope.PAPER].net_quote == D("5.6")
    assert by_symbol["BTC/USDT", Scope.PAPER].realizations == 2
    assert [(r.key, r.realized_quote, r.fees_quote) for r in views.realised_pnl(scope=Scope.LIVE)] == [
        ("g1", 3, D("0.2"))
    ]
    at = views.realizations(group_id="g2")[0].at
    assert [r.key for r in views.realised_pnl(since=at, until=at + 1)] == ["g2"]
    assert [r.key for r in views.realised_pnl("reason")] == ["exit_signal", "exit_signal"]


def request(order: str) -> OrderRequest:
    return OrderRequest(
        client_order_id=order, symbol="BTC/USDT", side=OrderSide.BUY, type=OrderType.MARKET, qty=D("0.500")
    )


def test_an_order_through_its_life(desk: Desk) -> None:
    """Refused, then sent, cancelled: the newest word of the desk counts; the venue's id stays once it is known."""
    script, order = desk.script, "bhorder1"
    common = {"request": request(order), "group_id": "g1", "leg_id": "p0.l0", "purpose": Purpose.ENTRY, "attempt": 1}
    refused = OrderRefused(
        owner="/g",
        code="EnginePaused",
        reason="by ann",
        correlation_id=0,
        at=script.at,
        **common,  # type: ignore[arg-type]
    )
    script.add(DESK, refused)
    row = desk.views.order(order)
    assert row is not None
    assert (row.state, row.reason, row.sent_at) == (OrderState.REJECTED, "EnginePaused: by ann", None)
    assert desk.views.orders(open_only=True) == []
    group = ModelGroup(script, "g1")
    sent = group.order(Purpose.ENTRY, OrderSide.BUY, D(1), D(100), "p0.l0")
    script.add(DESK, OrderStateChanged(client_order_id=sent, state=OrderState.OPEN, venue_order_id="v9", at=script.at))
    script.add(DESK, CancelRequested(sent, script.at))
    script.add(DESK, OrderStateChanged(client_order_id=sent, state=OrderState.CANCELLED, at=script.at))
    row = desk.views.order(sent)
    assert row is not None
    assert (row.state, row.venue_order_id, row.permit, row.expected_price) == (OrderState.CANCELLED, "v9", 7, D(100))
    assert row.cancel_requested_at is not None
    assert [r.client_order_id for r in desk.views.orders(group_id="g1")] == [sent, order]
    assert desk.views.order("bhnothing") is None


def test_a_rejected_signal_keeps_what_was_wrong(desk: Desk) -> None:
    """A request that could not be understood is kept with its problems and nothing made up."""
    problems = (Problem("UnknownField", "$.prize", "unknown field"),)
    event = SignalReceived(
        signal_id="bad",
        user="ann",
        received_at=5,
        source_address="x",
        problems=problems,
        outcome="rejected:UnknownField",
    )
    desk.script.add("/trading/gateway", event)
    desk.script.signal("good", outcome="queued")
    bad, good = desk.views.signal("bad"), desk.views.signal("good")
    assert bad is not None
    assert good is not None
    assert (bad.problems, bad.symbol, bad.kind, bad.routed) == (problems, None, None, None)
    assert (good.symbol, good.kind, good.label, good.routed, good.reasons) == (
        "BTC/USDT",
        "entry",
        "breakout",
        "queued",
        ("slot free",),
    )
    assert [s.signal_id for s in desk.views.signals()] == ["good", "bad"]
    assert [s.signal_id for s in desk.views.signals(limit=1, before=good.position)] == ["bad"]


def test_the_event_log_is_filtered_by_any_part(desk: Desk) -> None:
    """Category, severity, text, identity, group, chain, time and pins narrow the log (EX-1403, EX-1410)."""
    desk.script.signal("s-g1")
    chain = desk.script.correlation
    group = ModelGroup(desk.script, "g1")
    group.buy("p0.l0", D(1), D(100))
    desk.script.correlation = 0
    group.tell(GroupAlert, code="LateFill", severity=Severity.ERROR, text="Fill after close", pinned=True)
    desk.script.add("/risk", EngineStatusChanged(1, EngineStatus.PAUSED, "by ann", desk.script.at))
    views = desk.views
    everything = views.events()
    assert [e.position for e in everything] == sorted((e.position for e in everything), reverse=True)
    assert {e.identity for e in views.events(EventFilter(group_id="g1"))} == {"BTC/USDT 1h long"}
    assert "FillRecorded" in {e.code for e in views.events(EventFilter(group_id="g1"))}  # it names its order only
    assert {e.code for e in views.events(EventFilter(sources=[Source.SYSTEM]))} == {"EngineStatusChanged"}
    assert {e.code for e in views.events(EventFilter(severities=[LineSeverity.ERROR]))} == {"LateFill"}
    assert [e.code for e in views.events(EventFilter(text="AFTER close"))] == ["LateFill"]
    assert [e.code for e in views.events(EventFilter(pinned=True))] == ["LateFill"]
    assert len(views.events(EventFilter(pinned=False))) == len(everything) - 1
    assert {e.correlation_id for e in views.events(EventFilter(correlation_id=chain))} == {chain}
    assert [e.code for e in views.events(EventFilter(code="FillRecorded"))] == ["FillRecorded"]
    middle = everything[3].at
    assert all(e.at >= middle for e in views.events(EventFilter(since=middle)))
    assert all(e.at < middle for e in views.events(EventFilter(until=middle)))
    pages = views.events(limit=4) + views.events(limit=1_000, before=everything[3].position)
    assert pages == everything
    engine = views.engine()
    assert engine is not None
    assert (engine.status, engine.reason) == (EngineStatus.PAUSED, "by ann")


def test_a_trace_has_everything_about_an_id_and_nothing_about_others(desk: Desk) -> None:
    """From order, trade, group or signal the whole chain is found in order, other groups left out."""
    for name in ("g1", "g2"):
        desk.script.signal(f"s-{name}")
        ModelGroup(desk.script, name).buy("p0.l0", D(1), D(100))
    order = desk.views.orders(group_id="g1")[0].client_order_id
    trade = desk.views.fills(group_id="g1")[0].trade_id
    other = {r.position for r in desk.journal.read("group:g2")}
    whole = [r.position for r in records_about(desk.views, desk.journal, "g1")]
    assert whole == sorted(whole)
    types = [type(r.event).__name__ for r in records_about(desk.views, desk.journal, "g1")]
    assert types[0] == "SignalReceived"
    assert {"SignalRouted", "GroupOpened", "OrderSent", "FillRecorded", "LegFilled"} <= set(types)
    assert not other & set(whole)
    for ident in ("s-g1", order, trade):
        assert [r.position for r in records_about(desk.views, desk.journal, ident)] == whole
    assert list(records_about(desk.views, desk.journal, "nobody")) == []


def test_a_shared_cause_does_not_mix_two_groups(desk: Desk) -> None:
    """One price tick that moves two groups begins one chain: the trace of one leaves out the deeds of the other."""
    one, two = ModelGroup(desk.script, "g1"), ModelGroup(desk.script, "g2")
    desk.script.correlation = 77
    one.buy("p0.l0", D(1), D(100))
    two.buy("p0.l0", D(1), D(100))
    about = list(records_about(desk.views, desk.journal, "g1"))
    named = [r for r in about if r.stream == "group:g2" or getattr(r.event, "group_id", "g1") != "g1"]
    assert named == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1E+2", "100"), ("0.10", "0.1"), ("-0.0", "0"), ("1E-9", "0.000000001"), ("100", "100"), ("-1.50", "-1.5")],
)
def test_numbers_are_written_plainly(value: str, expected: str) -> None:
    """No exponent, no needless zeros, no minus zero; reading it back gives the same number."""
    assert plain(D(value)) == expected
    assert D(plain(D(value))) == D(value)


@given(
    whole=st.decimals(-(10**6), 10**6, places=8),
    parts=st.lists(st.decimals(D("0.001"), 1000, places=3), min_size=1, max_size=8),
)
def test_shares_sum_to_the_whole(whole: Decimal, parts: list[Decimal]) -> None:
    """Sharing an amount over parts one after the other gives all of it away, exactly."""
    left, rest, given_away = whole, sum(parts, D(0)), []
    for part in parts:
        given_away.append(share(left, part, rest))
        left, rest = left - given_away[-1], rest - part
    assert left == 0
    assert abs(given_away[0] - whole * parts[0] / sum(parts)) < D("1e-12")
