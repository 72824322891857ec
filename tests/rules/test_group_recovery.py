"""After a restart: the same state from the journal, and everything without a known outcome told again."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from protocol.codec import decode_msgpack, encode_msgpack
from protocol.groups import GroupClosed, GroupOpened, RiskClose, SlotReleased
from protocol.messages import Event, event_types
from protocol.orders import CancelOrder, OrderState, Purpose, SubmitOrder
from rules.group import GroupView, effects, evolve, outstanding, replay, retries, summary
from rules.group.evolve import EVOLVERS
from tests.rules.group_bench import GROUP, Bench, filled, grid, reduce

OWNER = "/trading/groups/g1"


def restarted(bench: Bench) -> GroupView:
    """Return the state rebuilt from the journal as it is stored."""
    stored = [(type(event), encode_msgpack(event)) for event in bench.journal]
    view = replay(decode_msgpack(data, of) for of, data in stored)
    assert view is not None
    return view


def eventful() -> list[Bench]:
    """Return groups in the middle of everything."""
    fresh = Bench()
    partly = Bench(stop_price=Decimal(50))
    partly.fill(partly.entry("p0.l0"), "0.4", fee=Decimal("0.0001"), fee_currency="BTC")
    deferred = Bench()
    deferred.fill(deferred.entry("p0.l0"), "0.01")
    market = Bench(grid(entry_order_type="market"), tick="100")
    market.fill(market.entry("p0.l0"))
    slicing = filled(2)
    slicing.tell(reduce("0.5"))
    closing = filled(2)
    closing.close()
    closing.close("operator")
    failing = filled(1, grid("0"))
    failing.close()
    failing.ack_cancels()
    failing.update(failing.closing_order(), OrderState.REJECTED)
    pyramid = Bench(grid("0", "-1", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    pyramid.fill(pyramid.entry("p0.l0"))
    pyramid.price("101")
    closed = filled(1, grid("0"))
    closed.fill(closed.target("p0.l0"))
    return [fresh, partly, deferred, market, slicing, closing, failing, pyramid, closed]


@pytest.mark.parametrize("bench", eventful())
def test_replaying_the_stored_journal_gives_an_equal_state(bench: Bench) -> None:
    """Events alone rebuild the state, byte for byte through the codec (EX-1204, EX-1205)."""
    assert restarted(bench) == bench.view


@pytest.mark.parametrize("bench", eventful())
def test_a_state_can_be_kept_as_a_snapshot(bench: Bench) -> None:
    """A view survives its own encoding, so that a snapshot may stand for its events."""
    assert decode_msgpack(encode_msgpack(bench.view), GroupView) == bench.view


@pytest.mark.parametrize("bench", eventful())
def test_what_has_no_known_outcome_is_told_again(bench: Bench) -> None:
    """Orders nobody has answered and cancels not confirmed are told again, and nothing else (EX-1204)."""
    told = outstanding(bench.view, OWNER)
    submitted = [message.request.client_order_id for message in told if isinstance(message, SubmitOrder)]
    cancelled = [message.client_order_id for message in told if isinstance(message, CancelOrder)]
    open_orders = {name: order for name, order in bench.view.orders.items() if not order.settled}
    assert submitted == list(open_orders)
    assert cancelled == [name for name, order in open_orders.items() if order.cancel_wanted]
    assert any(isinstance(message, SlotReleased) for message in told) == bench.view.released


def test_an_order_is_told_again_exactly_as_it_was_told_first() -> None:
    """Telling again repeats the same request, so that the desk recognises it (EX-422)."""
    bench = filled(2)
    bench.close()
    bench.ack_cancels()
    first = {m.request.client_order_id: m for m in effects(bench.journal, OWNER) if isinstance(m, SubmitOrder)}
    again = [m for m in outstanding(bench.view, OWNER) if isinstance(m, SubmitOrder)]
    assert [m.purpose for m in again] == [Purpose.CLOSE]
    assert all(first[m.request.client_order_id] == m for m in again)


def test_acknowledged_orders_are_not_told_again() -> None:
    """An open order has a known outcome; an unknown one has none."""
    bench = Bench(grid("0", "-1"))
    bench.update(bench.entry("p0.l0"), OrderState.OPEN)
    bench.update(bench.entry("p0.l1"), OrderState.UNKNOWN)
    told = [m.leg_id for m in outstanding(bench.view, OWNER) if isinstance(m, SubmitOrder)]
    assert told == ["p0.l1"]


def test_timers_are_known_after_a_restart() -> None:
    """A close that waits for its retry is found again (EX-712, EX-1204)."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    bench.update(bench.closing_order(), OrderState.REJECTED)
    assert retries(restarted(bench), 3) == retries(bench.view, 3) != ()


def test_the_first_event_opens_the_group() -> None:
    """A journal that does not begin with ``GroupOpened`` is refused."""
    closed = next(event for event in eventful()[-1].journal if isinstance(event, GroupClosed))
    with pytest.raises(ValueError, match="GroupClosed"):
        evolve(None, closed)


def events_of_groups() -> set[type[Event]]:
    """Return the events a group journals; those of the daemon's life are told beside them."""
    found = {cls for cls in event_types().values() if cls.__module__.startswith("protocol.groups")}
    return {cls for cls in found if not cls.__name__.startswith("Daemon")}


def test_every_event_of_groups_is_applied_or_known_to_inform_only() -> None:
    """No event is forgotten by ``evolve``: what it does not apply only informs."""
    informing = {cls.__name__ for cls in events_of_groups() - set(EVOLVERS) - {GroupOpened}}
    assert informing == {"CloseSkipped", "GroupAlert", "PyramidRefused"}


def test_every_event_names_its_group_and_its_time() -> None:
    """Each event carries ``group_id`` and ``at`` (EX-1401)."""
    for cls in events_of_groups():
        fields = {field.name for field in msgspec.structs.fields(cls)}
        assert {"group_id", "at"} <= fields


def test_the_summary_has_the_figures_of_the_group() -> None:
    """What the pool, the risk engine and the screens are told follows from the state alone (EX-1002)."""
    bench = filled(2)
    bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=Decimal("0.5"), at=5))
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="101.5")
    found = summary(bench.view, 9)
    assert (found.open_qty, found.avg_entry, found.realized_quote) == (Decimal("1.5"), Decimal("99.5"), 1)
    assert (found.state, found.received, found.placed_legs, found.at) == ("partially_filled", 1, 3, 9)
