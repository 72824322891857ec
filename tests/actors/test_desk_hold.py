"""The desk and a venue that cannot be reached: orders wait, nothing is lost, nothing leaves twice (EX-106, EX-1104)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.desk_hold import EXITS_WAIT_S, SEND_AGAIN_S
from actors.session_topics import health_topic
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    FillRecorded,
    OrderRefused,
    OrderReport,
    OrderSent,
    OrderState,
    OrderStateChanged,
    OrderUpdate,
    PlaceAtVenue,
    Purpose,
)
from protocol.precision import NeedRules
from protocol.risk import EngineStatus
from protocol.venue import (
    AllowEntries,
    EntriesAllowed,
    EntriesStopped,
    QueryAtVenue,
    ReconcileNow,
    RecoveryStep,
    VenueHealth,
    VenueSnapshot,
    VenueStatus,
)
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import Stage, of, play
from tests.actors.cuts import cuts
from tests.actors.desk_rig import DeskRig
from tests.actors.orders import OWNER, client_id, fill, report, submit

ENTRY, EXIT = submit(1, adds_risk=True), submit(2)
ENTRY_ID, EXIT_ID = ENTRY.request.client_order_id, EXIT.request.client_order_id


def health(stage: Stage, status: VenueStatus, code: str = "") -> None:
    stage.system.bus.publish(
        health_topic("acc"), VenueHealth(account="acc", status=status, code=code, at=stage.now), keep=True
    )


def snapshot(stage: Stage, *orders: OrderReport, fills: tuple[Any, ...] = ()) -> VenueSnapshot:
    return VenueSnapshot(
        account="acc", open_orders=orders, fills=fills, balances=(), positions=(), since=0, at=stage.now
    )


def placed(rig: DeskRig) -> list[str]:
    return [each.request.client_order_id for each in of(rig.session, PlaceAtVenue)]


def absent(key: str, code: str = "VenueDown") -> OrderReport:
    return report(key, "rejected", absent_proven=True, code=code, reason="not connected")


@pytest.mark.parametrize("status", [VenueStatus.DOWN, VenueStatus.STOPPED, VenueStatus.CONNECTING])
def test_orders_wait_while_the_venue_is_down(status: VenueStatus) -> None:
    """EX-106, EX-1207: with the venue down no attempt is used up; exits leave first once the books were compared."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        health(stage, status)
        await rig.told(ENTRY, EXIT, ENTRY)
        assert (placed(rig), rig.events(OrderSent), rig.updates()) == ([], [], [])
        assert "2 wait for the venue" in stage.actor("desk").detail
        assert "venue down" in stage.actor("desk").detail
        health(stage, VenueStatus.UP)
        await stage.settle()
        assert placed(rig) == []
        await rig.told(snapshot(stage))
        assert placed(rig) == [EXIT_ID, ENTRY_ID]
        assert len(rig.events(OrderSent)) == 2

    play(script)


def test_exits_do_not_wait_for_a_comparison_that_does_not_come() -> None:
    """EX-106: after a connect what adds no risk waits a few seconds for the comparison; entries wait until it is done."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        health(stage, VenueStatus.DOWN)
        await rig.told(ENTRY, EXIT)
        health(stage, VenueStatus.UP)
        await stage.passes(EXITS_WAIT_S + 0.1)
        assert placed(rig) == [EXIT_ID]
        await rig.told(snapshot(stage))
        assert placed(rig) == [EXIT_ID, ENTRY_ID]

    play(script)


@pytest.mark.parametrize("code", ["VenueDown", "RateLimited", "AuthFailed", "PermissionDenied"])
def test_an_order_that_provably_did_not_get_in_leaves_again_under_its_id(code: str) -> None:
    """EX-106, EX-1104: it keeps its client id and its attempt; the journal says once that it was sent."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT)
        await rig.told(absent(EXIT_ID, code))
        assert rig.updates() == []
        await stage.passes(SEND_AGAIN_S + 0.1)
        assert placed(rig) == [EXIT_ID, EXIT_ID]
        assert len(rig.events(OrderSent)) == 1
        await rig.told(report(EXIT, "open"))
        assert rig.updates() == ["open"]

    play(script)


def test_what_waits_is_not_asked_for_as_if_it_had_been_lost() -> None:
    """EX-1204 (5): an order that is held back is not looked up by the comparison, which would end it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT)
        health(stage, VenueStatus.DOWN)
        await rig.told(absent(EXIT_ID))
        health(stage, VenueStatus.UP)
        await rig.told(snapshot(stage))
        assert of(rig.session, QueryAtVenue) == []
        assert placed(rig) == [EXIT_ID, EXIT_ID]

    play(script)


@pytest.mark.parametrize("decided", [False, True])
def test_an_order_that_waits_can_be_cancelled(decided: bool) -> None:
    """EX-106: cancelling an order that waits for the venue ends it at once; it never leaves."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        if decided:
            await rig.told(EXIT)
        health(stage, VenueStatus.DOWN)
        await rig.told(absent(EXIT_ID) if decided else EXIT)
        await rig.told(CancelOrder(EXIT_ID, OWNER))
        (update,) = of(rig.owner, OrderUpdate)
        assert (update.state, update.code) == (OrderState.REJECTED, "CancelledUnsent")
        health(stage, VenueStatus.UP)
        await rig.told(snapshot(stage))
        assert len(placed(rig)) == (1 if decided else 0)
        assert of(rig.session, CancelAtVenue) == []

    play(script)


def test_a_cancel_waits_for_the_venue_too() -> None:
    """EX-106: an order at a venue that is down stays as it is; the cancel goes out with the comparison."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, report(EXIT, "open"))
        health(stage, VenueStatus.DOWN)
        await rig.told(CancelOrder(EXIT_ID, OWNER))
        assert of(rig.session, CancelAtVenue) == []
        health(stage, VenueStatus.UP)
        await rig.told(snapshot(stage, report(EXIT, "open")))
        assert [each.client_order_id for each in of(rig.session, CancelAtVenue)] == [EXIT_ID]

    play(script)


def test_an_entry_does_not_leave_into_a_paused_engine() -> None:
    """EX-111: an entry that was decided on before the venue went down ends unsent when the engine was paused meanwhile."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(ENTRY)
        health(stage, VenueStatus.DOWN)
        await rig.told(absent(ENTRY_ID))
        rig.permit(EngineStatus.PAUSED)
        health(stage, VenueStatus.UP)
        await rig.told(snapshot(stage))
        assert placed(rig) == [ENTRY_ID]
        (update,) = of(rig.owner, OrderUpdate)
        assert (update.state, update.absent_proven, update.code) == (OrderState.REJECTED, True, "EnginePaused")

    play(script)


def test_an_unknown_order_is_not_asked_about_while_nobody_can_answer() -> None:
    """EX-106, EX-426: the comparison after the venue's return asks; until then nothing is polled."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, report(EXIT, "unknown", code="NetworkTimeout"))
        health(stage, VenueStatus.DOWN)
        await stage.passes(60)
        assert of(rig.session, QueryAtVenue) == []
        health(stage, VenueStatus.UP)
        await rig.told(snapshot(stage))
        assert len(of(rig.session, QueryAtVenue)) == 1

    play(script)


# --- other engines ------------------------------------------------------------------------------------------------------


def test_another_engine_on_the_account_stops_its_entries() -> None:
    """EX-1108: open orders with another deployment's tag raise ForeignEngine; exits go on; an operator ends it."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        foreign = report(client_id(9, tag="xxxx"), "open")
        await rig.told(snapshot(stage, foreign, report("somebodys order", "open")))
        (stopped,) = rig.events(EntriesStopped)
        assert stopped.code == "ForeignEngine"
        assert "bulkhead venue allow-entries acc" in stopped.reason
        assert of(rig.session, CancelAtVenue) == []
        await rig.told(snapshot(stage, foreign))
        assert len(rig.events(EntriesStopped)) == 1
        await stage.crash("desk")
        await rig.told(ENTRY, EXIT)
        assert placed(rig) == [EXIT_ID]
        assert [each.code for each in rig.events(OrderRefused)] == ["ForeignEngine"]
        assert "ForeignEngine" in stage.actor("desk").detail
        assert isinstance(await stage.ask("desk", AllowEntries("acc")), EntriesAllowed)
        await rig.told(submit(3, adds_risk=True))
        assert len(placed(rig)) == 2

    play(script)


# --- errors with a meaning -----------------------------------------------------------------------------------------------


def test_a_refused_format_has_a_code_and_fetches_the_rules() -> None:
    """EX-516: the owner hears PrecisionRejected and the rules of the symbol are fetched at once."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, report(EXIT, "rejected", code="PrecisionRejected", reason="not on tick"))
        (update,) = of(rig.owner, OrderUpdate)
        assert (update.state, update.code) == (OrderState.REJECTED, "PrecisionRejected")
        assert rig.events(OrderStateChanged)[0].code == "PrecisionRejected"
        assert rig.precision == [NeedRules(EXIT.request.symbol, at_once=True)]
        await stage.crash("desk")
        await rig.told(EXIT)
        assert of(rig.owner, OrderUpdate)[-1].code == "PrecisionRejected"

    play(script)


@pytest.mark.parametrize("traded", [False, True])
def test_a_cancel_of_an_order_that_is_gone_counts_after_its_fills_were_checked(traded: bool) -> None:
    """EX-1104: OrderNotFound on a cancel means cancelled, once the account's fills were looked at."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, report(EXIT, "open", venue_order_id="v1"), CancelOrder(EXIT_ID, OWNER))
        await rig.told(report(EXIT, "unknown", code="OrderNotFound"))
        assert len(of(rig.reconciler, ReconcileNow)) == 1
        assert rig.updates()[-1] == "unknown"
        await rig.told(snapshot(stage, fills=(fill(EXIT, qty="0.4"),) if traded else ()))
        last = of(rig.owner, OrderUpdate)[-1]
        assert (last.state, str(last.filled_qty)) == (OrderState.CANCELLED, "0.4" if traded else "0")
        assert of(rig.session, QueryAtVenue) == []

    play(script)


def test_not_found_proves_nothing_of_an_order_that_was_never_seen() -> None:
    """EX-426: an order whose placing timed out may still arrive: not found now leaves it unknown."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, report(EXIT, "unknown", code="NetworkTimeout"), CancelOrder(EXIT_ID, OWNER))
        await rig.told(report(EXIT, "unknown", code="OrderNotFound"), snapshot(stage))
        assert rig.updates()[-1] == "unknown"
        assert len(of(rig.session, QueryAtVenue)) == 1

    play(script)


def test_orders_and_fills_are_unique() -> None:
    """EX-1203: a client id names one order and a venue's trade id one fill, however often either is told."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, EXIT, fill(EXIT, "t1", qty="0.4"), fill(EXIT, "t1", qty="0.4"), EXIT)
        await rig.told(snapshot(stage, report(EXIT, "open"), fills=(fill(EXIT, "t1", qty="0.4"),)))
        assert len(rig.events(OrderSent)) == 1
        assert [event.trade_id for event in rig.events(FillRecorded)] == ["t1"]

    play(script)


# --- recovery ------------------------------------------------------------------------------------------------------------


def test_each_step_of_a_recovery_is_logged_with_counts() -> None:
    """EX-1204: the first comparison after a connect logs steps 1 and 3 to 6 with what they dealt with; later ones do not."""

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage)
        await rig.told(EXIT, submit(3))
        health(stage, VenueStatus.UP)
        await stage.settle()
        orphan = report(client_id(7, Purpose.TP), "open")
        await rig.told(snapshot(stage, report(EXIT, "open"), orphan, fills=(fill(EXIT, qty="0.1"),)))
        steps = rig.events(RecoveryStep)
        assert [(each.number, each.step, each.counts) for each in steps] == [
            (1, "journal_replayed", {"orders": 2, "working": 2}),
            (3, "venue_fetched", {"open_orders": 2, "fills": 1}),
            (4, "fills_applied", {"missed": 1}),
            (5, "unacknowledged_looked_up", {"adopted": 1, "asked": 1}),
            (6, "orphans_cancelled", {"orphans": 1, "ended": 0, "foreign": 0}),
        ]
        await rig.told(snapshot(stage, report(EXIT, "open")))
        assert len(rig.events(RecoveryStep)) == len(steps)

    play(script)


def test_a_recovery_that_is_cut_short_ends_the_same() -> None:
    """EX-1205: with the journal cut after every event, the same recovery leads to the same book."""

    def venue_says(stage: Stage) -> VenueSnapshot:
        orphan = report(client_id(7, Purpose.TP), "open")
        foreign = report(client_id(9, tag="xxxx"), "open")
        return snapshot(stage, report(EXIT, "open"), orphan, foreign, fills=(fill(EXIT, qty="0.1"),))

    async def life(stage: Stage) -> tuple[Any, ...]:
        rig = DeskRig(stage)
        await rig.told(EXIT, ENTRY)
        health(stage, VenueStatus.UP)
        await rig.told(venue_says(stage))
        await rig.told(venue_says(stage))
        book = stage.actor("desk")._book
        return (
            {key: (order.state, order.filled_qty, len(order.fills)) for key, order in book.orders.items()},
            book.stopped_for,
        )

    whole = play_journal(life)
    expected = whole[1]
    for cut in cuts(whole[0]):
        assert play(life, journal=cut) == expected


def play_journal(life: Any) -> tuple[Any, Any]:
    """Play a life on a fresh journal; return the journal and what the life came to."""
    journal = MemoryJournal()
    return journal, play(life, journal=journal)
