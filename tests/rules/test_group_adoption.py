"""Adopting a position that was opened by hand: its group, what it is worth, and when it cannot be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from protocol.codec import decode_msgpack, encode_msgpack
from protocol.groups import GroupClosed, GroupState, LegState, OpenGroup, OrderWanted, TpMode
from protocol.groups.adoption import Adopted, AdoptPosition, PositionAdopted
from protocol.market import PriceTick
from protocol.orders import Balance, Position, Purpose
from protocol.signals import SizeType
from protocol.values import MarketType, Side
from rules.group import replay, summary
from rules.group.adoption import opening_of
from rules.group.adoption_checks import adoption_effects, adoption_problems, held_at_venue, signed
from rules.group.breakdown import breakdown
from tests.rules.group_bench import SYMBOL, Bench, grid, instrument, only, open_message, reduce, wants

D = Decimal
PERP = instrument(market=MarketType.PERP)


def wanted(**more: Any) -> AdoptPosition:
    """Return an operator's wish to adopt 2 units at 100."""
    fields: dict[str, Any] = {"side": Side.LONG, "qty": D(2), "avg_price": D(100), **more}
    return AdoptPosition(account="a", symbol=SYMBOL, timeframe="1h", operator="ann", request_id="r1", **fields)


def opening(side: Side = Side.LONG, config: Any = None, market: Any = None, **more: Any) -> OpenGroup:
    """Return what opens the group of an adopted position."""
    base = open_message(side, D(100), D(2), SizeType.BASE, config or grid(), market or instrument())
    return opening_of(base, wanted(side=side, **more))


def adopted(**more: Any) -> Bench:
    """Return a group on the bench that adopted 2 units at 100."""
    first = opening(**more)
    adopts = {"adopted": first.adopted, "stop_price": first.stop_price, "target_price": first.target_price}
    return Bench(first.config, side=first.side, market=first.instrument, **adopts)


@pytest.mark.parametrize(
    ("mode", "orders", "watched"),
    [
        (TpMode.PER_LEG, [("tp:leg:p0.l0", "2", "101.00")], []),
        (TpMode.AGGREGATE, [], [D(101)]),
        (TpMode.HYBRID, [("tp:leg:p0.l0", "2", "101.00")], [D(101)]),
        (TpMode.PYRAMID_AGGREGATE, [], [D(101)]),
    ],
)
def test_an_adopted_position_takes_profit_by_its_mode(mode: TpMode, orders: Any, watched: Any) -> None:
    """No order opens it; its targets are placed or watched at once, and it is Active (EX-601, EX-802)."""
    bench = adopted(tp_mode=mode)
    assert wants(tuple(bench.journal)) == orders
    assert [watch.price for watch in bench.view.watches] == watched
    assert (bench.view.state, bench.view.open_qty, bench.view.avg_entry) == (GroupState.ACTIVE, 2, 100)
    assert bench.view.legs["p0.l0"].state is LegState.FILLED
    assert [event.purpose for event in only(tuple(bench.journal), OrderWanted) if event.purpose is Purpose.ENTRY] == []


def test_its_profit_counts_from_the_adopted_price() -> None:
    """What it has cost is what the operator said: the profit of its exit follows from that (EX-703)."""
    bench = adopted()
    bench.close()
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="103")
    (closed,) = only(tuple(bench.journal), GroupClosed)
    assert (bench.view.realized_quote, closed.realized_quote, closed.releases_slot) == (6, 6, True)
    assert breakdown(bench.journal).total.realized_quote == 6


def test_it_is_reduced_extended_and_stopped_like_any_group() -> None:
    """Reductions, further pyramids and stops work on it (EX-320, EX-709, EX-270)."""
    bench = adopted(stop_price=D(90))
    bench.tell(reduce("0.5"))
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="100")
    assert bench.view.open_qty == 1
    bench.pyramid("99", "s1")
    assert [pyramid.index for pyramid in bench.view.pyramids] == [0, 1]
    bench.price("89")
    assert bench.view.state is GroupState.CLOSING


def test_the_summary_counts_it() -> None:
    """The comparison with the venue and the loss offset hear of it as of any position (EX-1002, EX-1204)."""
    found = summary(adopted().view, 9, "/g")
    assert (found.open_qty, found.avg_entry, found.all_layers_filled, signed(found)) == (2, 100, True, 2)


def test_a_journal_cut_after_any_event_of_its_beginning_is_read() -> None:
    """The journal of an adopted group folds to the same state, whole and in part (EX-1205)."""
    bench = adopted()
    stored = [(type(event), encode_msgpack(event)) for event in bench.journal]
    assert replay(decode_msgpack(data, of) for of, data in stored) == bench.view
    for cut in range(1, len(stored)):
        assert replay(decode_msgpack(data, of) for of, data in stored[:cut]) is not None
    assert bench.tell(opening()) == ()


def test_the_preview_is_what_is_done() -> None:
    """What adopting leads to is shown beforehand: the very orders that are then wanted."""
    bench = adopted(tp_percent=D(3))
    shown = adoption_effects(opening(tp_percent=D(3)), 1, None)
    placed = [(effect.qty, effect.price) for effect in shown if effect.step == "place"]
    found = [(event.request.qty, event.request.price) for event in only(tuple(bench.journal), OrderWanted)]
    assert placed == found == [(2, D("103.00"))]
    assert adoption_effects(msgspec.structs.replace(opening(), adopted=None), 1, None) == ()
    (event,) = only(tuple(bench.journal), PositionAdopted)
    assert (event.operator, event.qty, event.avg_price) == ("ann", 2, 100)


@pytest.mark.parametrize(
    ("side", "market", "at_venue", "in_groups", "code"),
    [
        (Side.LONG, None, "2", "0", ""),
        (Side.LONG, None, "5", "3", ""),
        (Side.LONG, None, "1.999", "0", "PositionNotThere"),
        (Side.LONG, None, "5", "3.5", "PositionNotThere"),
        (Side.LONG, None, "0", "1", "PositionNotThere"),
        (Side.SHORT, PERP, "-2", "0", ""),
        (Side.SHORT, PERP, "2", "0", "PositionNotThere"),
        (Side.SHORT, PERP, "-3", "-2", "PositionNotThere"),
        (Side.SHORT, None, "9", "0", "ShortNotSupported"),
    ],
)
def test_only_what_the_venue_holds_beyond_our_groups_can_be_adopted(
    side: Side, market: Any, at_venue: str, in_groups: str, code: str
) -> None:
    """``PositionNotThere`` names what the account holds and what our groups count on."""
    found = adoption_problems(opening(side, market=market), D(at_venue), D(in_groups), None)
    assert [problem.code for problem in found] == ([code] if code else [])
    if code == "PositionNotThere":
        assert f"holds {D(at_venue).normalize():f}" in found[0].message
        assert f"count on {D(in_groups).normalize():f}" in found[0].message


def test_what_cannot_be_sold_or_would_close_at_once_is_refused() -> None:
    """Too little, and references that the price has passed, are told together."""
    tick = PriceTick(SYMBOL, 1, D(100), D(100), D(100))
    little = opening(qty=D("0.01"), stop_price=D(101), target_price=D(99))
    codes = [problem.code for problem in adoption_problems(little, D(5), D(0), tick)]
    assert codes == ["BelowMinimum", "StopOnWrongSide", "TargetOnWrongSide"]


def test_the_account_is_read_by_asset_or_by_symbol() -> None:
    """On spot the whole base currency counts, of a perpetual its own signed position."""
    balances = (Balance("BTC", D(1), D(2)), Balance("USDT", D(9)))
    positions = (Position(SYMBOL, D(-4)),)
    assert held_at_venue(instrument(), balances, positions) == 3
    assert held_at_venue(PERP, balances, positions) == -4
    assert held_at_venue(instrument(), (), ()) == 0


def test_settings_come_from_the_configuration_unless_given() -> None:
    """The leg's target is that of the first configured layer; what the operator names counts instead."""
    plain = opening(config=grid("0", tp="7"))
    assert plain.adopted == Adopted(qty=D(2), avg_price=D(100), tp_percent=D(7), operator="ann")
    given = opening(tp_mode=TpMode.HYBRID, tp_percent=D(2), tp_aggregate_percent=D(5), target_price=D(150))
    assert (given.config.tp_mode, given.config.tp_aggregate_percent, given.target_price) == (TpMode.HYBRID, 5, 150)
