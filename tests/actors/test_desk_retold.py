"""What a desk is told again after a crash, its own or a group's: nothing leaves twice, nothing unwanted leaves at all."""

from __future__ import annotations

from typing import Any

import msgspec

from actors import desk_book
from actors.desk import PERMIT_WAIT_S, UNWANTED_KEPT
from protocol.groups import CloseReason
from protocol.orders import CancelOrder, OrderState, PlaceAtVenue, SubmitOrder
from protocol.risk import EngineStatus
from protocol.venue import QueryAtVenue, VenueSnapshot
from rules.client_ids import derive
from rules.group import outstanding
from tests.actors.cast import Stage, kinds, of, play
from tests.actors.desk_rig import DeskRig
from tests.actors.orders import OWNER, client_id, report, submit
from tests.rules.group_bench import Bench


def wanted(number: int, at: int, **more: Any) -> SubmitOrder:
    """Return an order that its group decided on at an instant."""
    return msgspec.structs.replace(submit(number, **more), wanted_at=at)


def cancel(order: SubmitOrder) -> CancelOrder:
    """Return the wish to end an order."""
    return CancelOrder(order.request.client_order_id, OWNER)


def test_an_order_that_may_be_forgotten_is_asked_about(monkeypatch: Any) -> None:
    """EX-422, EX-426: told again after thousands of others have ended, an order is looked up, never sent a second time."""
    monkeypatch.setattr(desk_book, "FINAL_ORDERS_KEPT", 2)

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        old = wanted(1, stage.now)
        await rig.told(old, report(old, "filled", filled="1"))
        await stage.passes(1)
        for number in range(2, 6):
            await rig.told(wanted(number, stage.now), report(submit(number), "cancelled"))
        rig.session.clear()
        rig.owner.clear()
        await rig.told(old)
        assert kinds(rig.session) == ["QueryAtVenue"]
        assert of(rig.session, QueryAtVenue)[0].client_order_id == client_id(1, old.purpose)
        assert rig.updates() == ["unknown"]
        await rig.told(old, report(old, "filled", filled="1"))
        assert of(rig.session, PlaceAtVenue) == []
        assert rig.updates()[-1] == "filled"
        await stage.passes(1)
        await rig.told(wanted(7, stage.now))
        assert len(of(rig.session, PlaceAtVenue)) == 1

    play(script)


def test_what_is_forgotten_is_known_to_a_new_life(monkeypatch: Any) -> None:
    """The instant up to which orders are forgotten is folded from the journal, and part of a snapshot."""
    monkeypatch.setattr(desk_book, "FINAL_ORDERS_KEPT", 1)

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        old = wanted(1, stage.now)
        await rig.told(old, report(old, "cancelled"))
        await rig.told(wanted(2, stage.now), report(submit(2), "cancelled"))
        await stage.crash("desk")
        rig.session.clear()
        await rig.told(old)
        assert kinds(rig.session) == ["QueryAtVenue"]
        twin = rig._make()
        twin.restore(stage.actor("desk").snapshot())
        assert twin._book.may_have_forgotten(old.wanted_at)

    play(script)


def test_a_cancel_told_before_its_order_keeps_it_from_leaving() -> None:
    """EX-704: an order that nobody wants any more is not sent only to be cancelled: at market it would trade."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1, adds_risk=True)
        await rig.told(cancel(order), order, order)
        assert of(rig.session, PlaceAtVenue) == []
        assert [event.code for event in rig.events()] == ["CancelledUnsent"]
        assert rig.updates() == ["rejected", "rejected"]
        for number in range(UNWANTED_KEPT + 2):
            await rig.told(CancelOrder(f"{number}", OWNER))
        assert len(stage.actor("desk")._unwanted) == UNWANTED_KEPT

    play(script)


def test_a_group_tells_the_cancel_first() -> None:
    """What a group tells again names the end of an order before the order; both say when it was wanted."""
    bench = Bench()
    bench.close()
    told = outstanding(bench.view, OWNER)
    assert kinds(told) == ["CancelOrder", "SubmitOrder"] * 3
    assert {each.wanted_at for each in told if isinstance(each, SubmitOrder)} == {2}
    assert bench.view.reason is CloseReason.EXIT_SIGNAL
    first = derive("test", "g1", pyramid=0, layer=0, purpose=told[1].purpose, attempt=1)  # type: ignore[attr-defined]
    assert told[0] == CancelOrder(first, OWNER)


def test_entries_that_were_stopped_while_one_waited_for_its_permit() -> None:
    """EX-1108: an entry that waits for a permit does not leave once another engine was found on the account."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        order = submit(1, adds_risk=True)
        await rig.told(order)
        foreign = report(derive("else", "g9", pyramid=0, layer=0, purpose=order.purpose, attempt=1), "open")
        await rig.told(
            VenueSnapshot(
                account="acc", open_orders=(foreign,), fills=(), balances=(), positions=(), since=0, at=stage.now
            )
        )
        rig.permit(EngineStatus.RUNNING)
        await stage.passes(PERMIT_WAIT_S)
        assert of(rig.session, PlaceAtVenue) == []
        assert [update.code for update in rig.owner] == ["ForeignEngine"]
        assert rig.owner[0].state is OrderState.REJECTED

    play(script)
