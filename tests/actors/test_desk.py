"""The order desk towards groups and risk: what is sent, refused, cancelled, told again."""

from __future__ import annotations

from typing import Any

from actors import desk_book
from actors.desk import PERMIT_MAX_AGE_S, PERMIT_WAIT_S, SEND_WITHIN_S
from protocol.offset import TellStanding
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    CancelRequested,
    DeskUp,
    FillReported,
    OrderRefused,
    OrderSent,
    OrderState,
    OrderUpdate,
    PlaceAtVenue,
    RetellOrders,
)
from protocol.risk import EngineStatus, RenewPermit
from tests.actors.cast import START, FailingJournal, S, Stage, kinds, of, play
from tests.actors.desk_rig import DESK, DeskRig
from tests.actors.orders import OWNER, client_id, fill, report, submit


def cancel(order: Any) -> CancelOrder:
    """Return a group's wish to cancel."""
    return CancelOrder(order.request.client_order_id, OWNER)


# --- sending -----------------------------------------------------------------------------------------------------------


def test_an_order_is_durable_before_it_reaches_the_session() -> None:
    """OrderSent is committed before the session hears of the order (EX-105, EX-422); a failed commit sends nothing."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        journal.failing = True
        await rig.told(submit(1))
        assert rig.session == []
        journal.failing = False
        await rig.told(submit(2))
        (place,) = rig.session
        assert place == PlaceAtVenue(submit(2).request, stage.now - 1_000 + SEND_WITHIN_S * S)
        (sent,) = rig.events()
        assert (sent.request, sent.owner, sent.leg_id, sent.at) == (
            submit(2).request, OWNER, "0:0", place.valid_until - SEND_WITHIN_S * S
        )  # fmt: skip

    play(script, journal=journal)


def test_the_same_client_id_is_sent_once() -> None:
    """An order told again, whatever it now says, is answered with what is known and never sent again (EX-422)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(submit(1), submit(1), submit(1, qty="5"))
        assert kinds(rig.session) == ["PlaceAtVenue"]
        assert kinds(rig.events()) == ["OrderSent"]
        assert rig.updates() == ["sent", "sent"]

    play(script)


def test_an_order_is_sent_once_over_restarts() -> None:
    """The next life, and the next process, know what was sent."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(submit(1))
        await stage.crash("desk")
        await rig.told(submit(1))
        assert kinds(rig.session) == ["PlaceAtVenue"]

    async def second(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(submit(1))
        assert rig.session == []
        assert rig.updates() == ["sent"]

    play(first, journal=journal)
    play(second, journal=journal, start=START + S)


def test_events_keep_the_chain_of_the_signal() -> None:
    """What happens to an order later is journalled under the correlation of the message that caused it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order)
        await rig.told(fill(order), report(order, "filled", filled="1"))
        chains = {record.correlation_id for record in stage.journal.read(DESK)}
        assert len(chains) == 1
        assert chains == {rig.events(OrderSent)[0].correlation_id}

    play(script)


# --- permits -----------------------------------------------------------------------------------------------------------


def test_a_fresh_permit_lets_risk_through() -> None:
    """An entry is sent under a permit that is not too old, and the journal says under which."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(submit(1, adds_risk=True))
        assert [event.permit for event in rig.events(OrderSent)] == [7]
        asked = len(of(rig.risk, RenewPermit))
        await stage.passes(PERMIT_MAX_AGE_S - 1)
        await rig.told(submit(2, adds_risk=True))
        assert len(rig.session) == 2
        assert len(of(rig.risk, RenewPermit)) == asked

    play(script)


def test_a_stale_permit_is_renewed_before_risk_goes_through() -> None:
    """An entry that finds its permit too old waits for a new one, which decides."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await stage.passes(PERMIT_MAX_AGE_S + 1)
        rig.risk_status = EngineStatus.PAUSED
        await rig.told(submit(1, adds_risk=True))
        assert rig.session == []
        (refused,) = rig.events()
        assert (refused.code, refused.reason) == ("EnginePaused", "because")

    play(script)


def test_without_a_permit_entries_are_refused_in_time_and_exits_pass() -> None:
    """While the risk coordinator is silent, what adds risk is refused after a short wait; the rest never waits (EX-111)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        await rig.told(submit(1, adds_risk=True), submit(2))
        assert [place.request for place in rig.session] == [submit(2).request]
        assert rig.owner == []
        await stage.passes(PERMIT_WAIT_S)
        (refused,) = rig.events(OrderRefused)
        assert (refused.request, refused.code) == (submit(1, adds_risk=True).request, "NoPermit")
        (update,) = of(rig.owner, OrderUpdate)
        assert (update.state, update.reason) == (OrderState.REJECTED, "NoPermit: no fresh risk permit")

    play(script)


def test_a_late_permit_releases_what_waits_once() -> None:
    """A permit that comes while entries wait decides them all, each once, and the deadline then finds nothing."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        await rig.told(submit(1, adds_risk=True), submit(2, adds_risk=True), submit(1, adds_risk=True))
        await stage.passes(PERMIT_WAIT_S / 2)
        rig.permit(EngineStatus.RUNNING)
        await stage.passes(PERMIT_WAIT_S)
        assert [place.request.client_order_id for place in rig.session] == [client_id(1), client_id(2)]
        assert kinds(rig.events()) == ["OrderSent", "OrderSent"]

    play(script)


def test_an_old_permit_that_comes_late_releases_nothing() -> None:
    """A permit that was long under way says nothing about now: what waits is refused at the deadline."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        await rig.told(submit(1, adds_risk=True))
        rig.permit(EngineStatus.RUNNING, age_s=PERMIT_MAX_AGE_S + 1)
        await stage.passes(PERMIT_WAIT_S)
        assert rig.session == []
        assert [event.code for event in rig.events()] == ["NoPermit"]

    play(script)


def test_paused_engine() -> None:
    """A paused engine refuses entries at once; exits and cancels go on (EX-111)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=EngineStatus.PAUSED)
        exit_ = submit(2)
        await rig.told(submit(1, adds_risk=True), exit_, cancel(exit_))
        assert kinds(rig.session) == ["PlaceAtVenue", "CancelAtVenue"]
        assert [event.code for event in rig.events(OrderRefused)] == ["EnginePaused"]

    play(script)


def test_a_refusal_is_final() -> None:
    """An order that was refused is never sent later under the same id; told again, the refusal is repeated."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=EngineStatus.PAUSED)
        await rig.told(submit(1, adds_risk=True))
        rig.permit(EngineStatus.RUNNING)
        await rig.told(submit(1, adds_risk=True))
        assert rig.session == []
        assert [update.reason for update in of(rig.owner, OrderUpdate)] == ["EnginePaused: because"] * 2

    play(script)


# --- cancelling --------------------------------------------------------------------------------------------------------


def test_cancel_of_a_working_order() -> None:
    """The wish is journalled once, before the session hears of it; told again, the session is asked again."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "open"), cancel(order), cancel(order))
        assert kinds(rig.session) == ["PlaceAtVenue", "CancelAtVenue", "CancelAtVenue"]
        assert kinds(rig.events()) == ["OrderSent", "OrderStateChanged", "CancelRequested"]

    play(script)


def test_cancel_of_a_waiting_order() -> None:
    """An entry that still waits for its permit is refused, and the permit that comes later does not send it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        order = submit(1, adds_risk=True)
        await rig.told(order, cancel(order))
        rig.permit(EngineStatus.RUNNING)
        await stage.passes(PERMIT_WAIT_S)
        assert rig.session == []
        assert [event.code for event in rig.events()] == ["CancelledUnsent"]
        assert rig.updates() == ["rejected"]

    play(script)


def test_cancel_of_a_finished_order() -> None:
    """An order that has ended is answered with its end; the venue is not asked."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, fill(order), report(order, "filled", filled="1"))
        rig.owner.clear()
        await rig.told(cancel(order))
        assert kinds(rig.owner) == ["FillReported", "OrderUpdate"]
        assert of(rig.session, CancelAtVenue) == []
        assert rig.events(CancelRequested) == []

    play(script)


def test_cancel_of_an_unknown_order() -> None:
    """A cancel of what the desk never sent reaches nobody."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(cancel(submit(1)))
        assert (rig.session, rig.owner, rig.events()) == ([], [], [])

    play(script)


# --- lives -------------------------------------------------------------------------------------------------------------


def test_each_life_says_so_and_asks_for_a_permit() -> None:
    """Owners hear DeskUp and risk is asked for a permit at the beginning of every life."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await stage.settle()
        await stage.crash("desk")
        assert of(rig.up, DeskUp) == [DeskUp("acc"), DeskUp("acc")]
        assert len(of(rig.up, TellStanding)) == 2
        assert kinds(rig.risk) == ["RenewPermit", "RenewPermit"]

    play(script)


def test_an_owner_is_told_everything_again() -> None:
    """A group that begins a life hears every fill and the state of each of its orders, fills before states."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        one, other, foreign = submit(1), submit(2), submit(3, owner="/house/groups")
        await rig.told(one, other, foreign, fill(one, "t1", qty="0.4"), fill(one, "t2", qty="0.6"))
        await rig.told(report(one, "filled", filled="1"), report(other, "open"))
        rig.owner.clear()
        await rig.told(RetellOrders(OWNER))
        assert kinds(rig.owner) == ["FillReported", "FillReported", "OrderUpdate", "OrderUpdate"]
        assert [each.trade_id for each in of(rig.owner, FillReported)] == ["t1", "t2"]
        assert rig.updates() == ["filled", "open"]
        assert of(rig.groups, OrderUpdate) == []

    play(script)


def test_a_snapshot_is_the_whole_state() -> None:
    """A desk that is restored from its snapshot equals one that is rebuilt from its events."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        orders = [submit(number) for number in range(4)]
        await rig.told(*orders, fill(orders[0], qty="0.5"), report(orders[0], "partially_filled", filled="0.7"))
        await rig.told(report(orders[1], "rejected", reason="no", absent_proven=True), cancel(orders[2]))
        await rig.told(report(orders[3], "unknown"))
        desk = stage.actor("desk")
        twin = rig._make()
        twin.restore(desk.snapshot())
        rebuilt = rig._make()
        for event in rig.events():
            rebuilt.apply(event)
        assert twin._book == rebuilt._book == desk._book

    play(script)


def test_finished_orders_are_bounded(monkeypatch: Any) -> None:
    """Only the newest finished orders stay in memory; working ones always do."""
    monkeypatch.setattr(desk_book, "FINAL_ORDERS_KEPT", 3)

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        working = submit(0)
        await rig.told(working)
        for number in range(1, 9):
            await rig.told(submit(number), report(submit(number), "cancelled"))
        kept = stage.actor("desk")._book.orders
        assert list(kept) == [submit(number).request.client_order_id for number in (0, 6, 7, 8)]

    play(script)


def test_a_working_order_stays_known_however_many_finish(monkeypatch: Any) -> None:
    """An order that works for long is still sent only once after many others have ended."""
    monkeypatch.setattr(desk_book, "FINAL_ORDERS_KEPT", 1)

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(submit(0))
        for number in range(1, 5):
            await rig.told(submit(number), report(submit(number), "rejected"))
        rig.session.clear()
        await rig.told(submit(0))
        assert rig.session == []

    play(script)
