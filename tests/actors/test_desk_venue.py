"""The order desk towards the venue: reports, fills, unknown outcomes, reconciliation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.desk_compare import FETCH_WITHIN_S
from actors.desk_venue import FILLS_WITHIN_S, MAIL_AGAIN_S, QUERY_AFTER_S
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    FillRecorded,
    FillReported,
    OrderStateChanged,
    OrderUpdate,
    RetellOrders,
)
from protocol.pool import GroupMail
from protocol.venue import DifferenceFound, QueryAtVenue, Reconciled, ReconcileNow, VenueSnapshot
from tests.actors.cast import FailingJournal, S, Stage, kinds, of, play
from tests.actors.desk_rig import DeskRig
from tests.actors.orders import OWNER, SYMBOL, client_id, fill, report, submit


def snapshot(stage: Stage, *, orders: tuple[Any, ...] = (), fills: tuple[Any, ...] = ()) -> VenueSnapshot:
    """Return the venue's side of a reconciliation."""
    return VenueSnapshot(
        account="acc", open_orders=orders, fills=fills, balances=(), positions=(), since=0, at=stage.now
    )


def states(rig: DeskRig) -> list[str]:
    """Return the journalled states of orders."""
    return [event.state.value for event in rig.events(OrderStateChanged)]


async def open_order(rig: DeskRig, number: int = 1) -> Any:
    """Have an order work at the venue; forget what was told on the way."""
    order = submit(number)
    await rig.told(order, report(order, "open", venue_order_id=f"v{number}"))
    rig.session.clear()
    rig.owner.clear()
    return order


# --- reports -----------------------------------------------------------------------------------------------------------


def test_a_report_moves_an_order() -> None:
    """Each new state is journalled with the venue's id and reason, and the owner hears it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "open", venue_order_id="v1"))
        await rig.told(report(order, "cancelled", reason="by the venue"))
        opened, ended = rig.events(OrderStateChanged)
        assert (opened.venue_order_id, ended.reason) == ("v1", "by the venue")
        assert rig.updates() == ["open", "cancelled"]

    play(script)


def test_stale_and_repeated_reports_change_nothing() -> None:
    """What arrives twice or late is neither journalled nor told."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, fill(order), report(order, "filled", filled="1"))
        before = rig.events(), list(rig.owner)
        for state in ("filled", "open", "sent", "partially_filled", "cancelled", "unknown"):
            await rig.told(report(order, state))
        assert (rig.events(), rig.owner) == before

    play(script)


def test_a_contradiction_is_kept_and_changes_nothing() -> None:
    """A venue that fills what it refused is written down; our state stays and its fills count (EX-426)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "rejected", reason="no"))
        await rig.told(report(order, "filled", filled="1"), fill(order))
        (found,) = rig.events(DifferenceFound)
        assert (found.code, found.client_order_id) == ("VenueContradiction", order.request.client_order_id)
        assert states(rig) == ["rejected"]
        assert kinds(rig.events(FillRecorded)) == ["FillRecorded"]

    play(script)


def test_reports_of_strangers() -> None:
    """An order with our mark that we never sent is written down; orders of others are not looked at (EX-1108)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(report(client_id(9), "open"), fill(client_id(9)))
        await rig.told(report("byhand1", "open"), fill("byhand1"), report(client_id(9, tag="else"), "open"))
        assert [(each.code, each.client_order_id) for each in rig.events()] == [("UnknownOrder", client_id(9))] * 2

    play(script)


def test_the_owner_hears_what_the_venue_says_has_traded() -> None:
    """An end that counts more than the fills told so far says so: the group must not take the rest for unfilled."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, fill(order, qty="0.2"), report(order, "cancelled", filled="0.7"))
        assert of(rig.owner, OrderUpdate)[-1].filled_qty == Decimal("0.7")

    async def second(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(RetellOrders(OWNER))
        assert of(rig.owner, OrderUpdate)[-1].filled_qty == Decimal("0.7")

    play(first, journal=journal)
    play(second, journal=journal)


# --- fills -------------------------------------------------------------------------------------------------------------


def test_a_fill_counts_once() -> None:
    """A trade id that was seen is not recorded or told again, over restarts too (EX-1203)."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, fill(order, "t1", qty="0.5"), fill(order, "t1", qty="0.5"), fill(order, "t2", qty="0.5"))
        assert [each.trade_id for each in of(rig.owner, FillReported)] == ["t1", "t2"]

    async def second(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(fill(submit(1), "t1", qty="0.5"))
        assert rig.owner == []
        assert len(rig.events(FillRecorded)) == 2

    play(first, journal=journal)
    play(second, journal=journal)


def test_a_fill_for_a_group_that_has_ended() -> None:
    """A late fill whose group lives no more goes to the groups' supervisor, which brings it back (EX-705)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        stage.remove("owner")
        await stage.settle()
        await rig.told(fill(order))
        (mail,) = of(rig.groups, GroupMail)
        assert (mail.group_path, mail.message.trade_id) == (OWNER, "t1")

    play(script)


def test_a_fill_waits_until_somebody_lives() -> None:
    """A fill that comes before groups and their supervisor live (a start) is kept for them, once, and never lost."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, owner=False, groups=False)
        order = submit(1)
        await rig.told(order, fill(order), report(order, "filled", filled="1"))
        await stage.passes(3 * MAIL_AGAIN_S)
        groups = stage.probe("groups")
        await stage.passes(MAIL_AGAIN_S)
        await stage.passes(3 * MAIL_AGAIN_S)
        assert kinds(groups) == ["GroupMail"]
        assert stage.letters() == []

    play(script)


@pytest.mark.parametrize("missing", [True, False])
def test_fills_that_stay_away_are_fetched(missing: bool) -> None:
    """A report that counts more than the fills told leads to one reconciliation, unless they come in time."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        for _ in range(3):
            await rig.told(report(order, "partially_filled", filled="0.5"))
        if not missing:
            await rig.told(fill(order, qty="0.5"))
        await stage.passes(FILLS_WITHIN_S)
        assert rig.reconciler == ([ReconcileNow()] if missing else [])
        await rig.told(report(order, "partially_filled", filled="0.5"))
        await stage.passes(10 * FILLS_WITHIN_S)
        assert len(rig.reconciler) == (1 if missing else 0)

    play(script)


# --- unknown outcomes --------------------------------------------------------------------------------------------------


def test_an_unknown_outcome_is_asked_about_until_the_venue_says() -> None:
    """Unknown stays unknown and nothing is sent in its place; the venue is asked every two seconds (EX-426)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "unknown", reason="time-out"))
        rig.session.clear()
        for _ in range(3):
            await stage.passes(QUERY_AFTER_S)
            assert rig.session == [QueryAtVenue(order.request.client_order_id, SYMBOL)]
            rig.session.clear()
            await rig.told(report(order, "unknown"))
        await rig.told(report(order, "open"))
        await stage.passes(10 * QUERY_AFTER_S)
        assert rig.session == []
        assert rig.updates() == ["unknown", "open"]

    play(script)


def test_questions_do_not_multiply() -> None:
    """However many reports say unknown, one question at a time is on its way."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, *(report(order, "unknown") for _ in range(5)))
        rig.session.clear()
        await stage.passes(QUERY_AFTER_S)
        assert kinds(rig.session) == ["QueryAtVenue"]

    play(script)


def test_proven_absence_reaches_the_owner() -> None:
    """Only the venue's proof lets the owner send the next attempt: it is journalled and told with the proof."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "unknown"))
        await rig.told(report(order, "rejected", absent_proven=True))
        assert rig.events(OrderStateChanged)[-1].absent_proven
        assert of(rig.owner, OrderUpdate)[-1].absent_proven
        await rig.told(order)
        assert of(rig.owner, OrderUpdate)[-1].absent_proven

    play(script)


def test_a_cancel_without_an_outcome_is_asked_for_again() -> None:
    """When a cancel timed out and the venue then says that the order works, it is cancelled again."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        await rig.told(CancelOrder(order.request.client_order_id, OWNER), report(order, "unknown"))
        rig.session.clear()
        await stage.passes(QUERY_AFTER_S)
        await rig.told(report(order, "open"))
        assert kinds(rig.session) == ["QueryAtVenue", "CancelAtVenue"]

    play(script)


# --- reconciliation ----------------------------------------------------------------------------------------------------


def test_missed_fills_are_recorded_once() -> None:
    """Fills that the venue knows and we do not are journalled and told, each once; the others change nothing (EX-1204)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        await rig.told(fill(order, "t1", qty="0.1"))
        fills = (fill(order, "t1", qty="0.1"), fill(order, "t2", qty="0.2"), fill(order, "t2", qty="0.2"))
        again = snapshot(stage, orders=(report(order, "partially_filled", filled="0.3"),), fills=fills)
        await rig.told(again, again)
        assert [each.trade_id for each in rig.events(FillRecorded)] == ["t1", "t2"]
        assert [each.trade_id for each in of(rig.owner, FillReported)] == ["t1", "t2"]
        first, second = rig.events(Reconciled)
        assert (first.fills_seen, first.fills_missed, first.differences, first.open_orders) == (3, 1, 1, 1)
        assert (second.fills_missed, second.differences) == (0, 0)

    play(script)


def test_an_orphan_is_cancelled_and_orders_of_others_are_left_alone() -> None:
    """An order with our mark and no journal entry is cancelled and reported; all others are never touched (EX-1204)."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        others = (report("byhand1", "open"), report(client_id(9, tag="else"), "open"))
        await rig.told(snapshot(stage, orders=(report(client_id(5), "open"), *others), fills=(fill("byhand1"),)))
        assert rig.session == [CancelAtVenue(client_id(5), SYMBOL)]
        (found,) = rig.events(DifferenceFound)
        assert (found.code, found.client_order_id, found.correction) == ("OrphanOrder", client_id(5), "cancelled")

    play(script)


def test_an_order_that_is_not_open_there_is_asked_about() -> None:
    """Absence from the open orders proves nothing: the venue is asked, and the state stays until it answers."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        await rig.told(snapshot(stage))
        assert rig.session == [QueryAtVenue(order.request.client_order_id, SYMBOL)]
        assert states(rig) == ["open"]

    play(script)


def test_an_order_found_open_is_adopted() -> None:
    """An order whose outcome was unknown and that is open there is open here."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = submit(1)
        await rig.told(order, report(order, "unknown"))
        await rig.told(snapshot(stage, orders=(report(order, "open", venue_order_id="v9"),)))
        assert states(rig) == ["unknown", "open"]
        assert rig.updates() == ["unknown", "open"]

    play(script)


def test_a_wanted_cancel_is_asked_for_again() -> None:
    """An order that was to be cancelled and is open there is cancelled again."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        await rig.told(CancelOrder(order.request.client_order_id, OWNER))
        rig.session.clear()
        await rig.told(snapshot(stage, orders=(report(order, "open"),)))
        assert rig.session == [CancelAtVenue(order.request.client_order_id, SYMBOL)]

    play(script)


def test_an_order_that_ended_here_and_is_open_there() -> None:
    """Nobody wants it any more, so it is cancelled and reported; a snapshot that is merely late is not mistaken for it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        order = await open_order(rig)
        await rig.told(report(order, "cancelled"))
        await rig.told(snapshot(stage, orders=(report(order, "open"),)))
        assert rig.session == []
        await stage.passes(FETCH_WITHIN_S + 1)
        await rig.told(snapshot(stage, orders=(report(order, "open"),)))
        assert rig.session == [CancelAtVenue(order.request.client_order_id, SYMBOL)]
        assert [found.code for found in rig.events(DifferenceFound)] == ["EndedOrderOpen"]

    play(script)


def test_a_difference_is_in_the_journal_before_its_correction_leaves() -> None:
    """A correction is an effect like any other: without its record nothing is sent."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await stage.settle()
        journal.failing = True
        await rig.told(snapshot(stage, orders=(report(client_id(5), "open"),)))
        assert rig.session == []

    play(script, journal=journal, start=5 * S)
