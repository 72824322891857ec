"""What the desk forgets with a commit that failed."""

from __future__ import annotations

from protocol.orders import DeskUp, OrderSent, PlaceAtVenue
from protocol.risk import EngineStatus
from tests.actors.cast import FailingJournal, Stage, of, play
from tests.actors.desk_rig import DeskRig
from tests.actors.orders import submit


def test_what_waits_for_a_permit_is_dropped_with_a_failed_commit_and_asked_for_again() -> None:
    """EX-1201: an order that waits may have been wanted by an event that is lost: only who still wants it tells it again."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = DeskRig(stage, risk=None)
        entry = submit(1, adds_risk=True)
        await rig.told(entry)
        rig.up.clear()
        journal.fail_next = 1
        await rig.told(submit(2))
        assert of(rig.up, DeskUp) == [DeskUp("acc")]
        rig.permit(EngineStatus.RUNNING)
        await stage.settle()
        assert of(rig.session, PlaceAtVenue) == []
        await rig.told(entry)
        sent = [each.request.client_order_id for each in rig.events(OrderSent)]
        assert sent == [entry.request.client_order_id]

    play(script, journal=journal)
