"""Entries with stop and target: one request, and a watch that the stop really works (PF-232 to PF-234)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from protocol.brackets import BracketStep, BracketStepTaken, BracketWanted, CloseBracket, ListBrackets
from protocol.incidents import ClearIncident, IncidentCleared, IncidentRaised, Severity
from protocol.orders import OrderRefused, OrderSent, OrderState
from protocol.risk import EngineStatus
from protocol.values import OrderSide
from tests.actors.bracket_rig import AGAIN, DESK, ENTRY, GUARD, STOP, TARGET, BracketRig, D, VenueBook, closing
from tests.actors.cast import FailingJournal, Stage, of, play

Script = Callable[[BracketRig], Coroutine[Any, Any, None]]


def run(script: Script, venue: VenueBook | None = None, **options: Any) -> VenueBook:
    """Run a script over a connected rig."""
    book = venue or VenueBook()

    async def main(stage: Stage) -> None:
        rig = BracketRig(stage, book, **options)
        await stage.settle()
        await rig.connect()
        await script(rig)

    play(main)
    return book


def steps(rig: BracketRig) -> list[str]:
    """Return what the guard decided."""
    return [each.step.value for each in rig.stage.events(GUARD, BracketStepTaken)]


# --- taking and refusing -----------------------------------------------------------------------------------------------


def test_a_bracket_that_works() -> None:
    """Entry, stop and target leave as one; the target's fill cancels the stop, and that is the end (PF-232, PF-234)."""

    async def script(rig: BracketRig) -> None:
        answer = await rig.place()
        assert (answer.code, answer.standing is not None) == ("", True)
        standing = await rig.standing()
        assert (standing.open_qty, standing.covered_qty, standing.end) == (D(100), D(100), "")
        rig.trade(TARGET)
        await rig.stage.settle()
        assert ((await rig.standing()).end, rig.venue.cancels) == ("target", ["stop"])
        assert await rig.alarms() == []

    book = run(script)
    assert (book.came, book.net()) == (["entry", "stop", "target"], D(0))
    assert book.orders[STOP].state is OrderState.CANCELLED


def test_the_stop_cancels_the_target() -> None:
    """One child filled cancels the other, also where the venue does not do it by itself (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        rig.trade(STOP)
        await rig.stage.settle()
        assert (await rig.standing()).end == "stopped"

    assert run(script).orders[TARGET].state is OrderState.CANCELLED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stop": None}, "BracketStopMissing"),
        ({"stop": D(101)}, "BracketStopWrongSide"),
        ({"stop": D("99.999")}, "BracketStopWrongSide"),  # rounds onto the reference
        ({"target": D(99)}, "BracketTargetWrongSide"),
        ({"side": OrderSide.SELL}, "BracketStopWrongSide"),
        ({"qty": D(0)}, "InvalidQuantity"),
        ({"qty": D(-1)}, "InvalidQuantity"),
        ({"symbol": "GBP/USD:USD"}, "UnknownSymbol"),
    ],
)
def test_what_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    """A bracket that would not protect is refused with its code; nothing is journalled or sent (PF-233)."""

    async def script(rig: BracketRig) -> None:
        assert (await rig.place(**changes)).code == code
        assert rig.stage.events(GUARD) == rig.stage.events(DESK, OrderSent) == []

    assert run(script).came == []


def test_a_venue_that_takes_none() -> None:
    """An account whose venue does not take entry, stop and target as one refuses each as CapabilityMissing."""

    async def script(rig: BracketRig) -> None:
        assert (await rig.place()).code == "CapabilityMissing"

    run(script, takes=False)


def test_while_the_venue_is_down() -> None:
    """An entry at the market that waited is not what was asked for: it is refused as VenueDown."""

    async def script(rig: BracketRig) -> None:
        await rig.disconnect()
        assert (await rig.place()).code == "VenueDown"
        await rig.connect()
        assert (await rig.place()).code == ""

    assert run(script).came == ["entry", "stop", "target"]


def test_the_same_bracket_is_placed_once() -> None:
    """Asked for again it is answered with how it stands; another one under its name is refused as DuplicateBracket."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        again = await rig.place()
        assert again.standing is not None
        assert (again.code, again.standing.open_qty) == ("", D(100))
        assert (await rig.place(qty=D(7))).code == "DuplicateBracket"

    assert run(script).came == ["entry", "stop", "target"]


def test_no_entry_without_a_permit() -> None:
    """A paused engine lets no bracket through: the desk refuses all of it, and it ends as refused (EX-111)."""

    async def script(rig: BracketRig) -> None:
        rig.status = EngineStatus.PAUSED
        await rig.stage.passes(6)
        await rig.place()
        assert [each.code for each in rig.stage.events(DESK, OrderRefused)] == ["EnginePaused"] * 3
        assert (await rig.standing()).end == "refused"

    assert run(script).came == []


def test_intent_is_durable_before_anything_is_sent() -> None:
    """A journal that cannot be written lets nothing out, and no answer says otherwise (EX-105)."""
    journal, book = FailingJournal(), VenueBook()

    async def main(stage: Stage) -> None:
        rig = BracketRig(stage, book)
        await stage.settle()
        await rig.connect()
        journal.failing = True
        with pytest.raises(Exception, match="disk"):
            await rig.place()
        journal.failing = False
        assert (book.came, stage.events(GUARD, BracketWanted)) == ([], [])

    play(main, journal=journal)


# --- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_refused_entry_takes_its_children_along() -> None:
    """Parent rejected: nothing of the bracket stays (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        assert (await rig.standing()).end == "refused"

    book = run(script, VenueBook(entry="refused"))
    assert all(held.state is OrderState.REJECTED for held in book.orders.values())


def test_a_refused_entry_whose_children_rest_at_the_venue() -> None:
    """Children that the venue keeps are cancelled by us (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        rig.end(ENTRY)
        await rig.stage.settle()
        assert (await rig.standing()).end == "refused"

    book = run(script, VenueBook(entry="rests", children="rest"))
    assert [held.state.final for held in book.orders.values()] == [True] * 3
    assert book.cancels == ["stop", "target"]


def test_a_refused_stop_is_sent_again_once() -> None:
    """No working stop within five seconds: it is sent once more under an id of its own, and then it works (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        assert (await rig.standing()).exposed
        await rig.stage.passes(4.9)
        assert AGAIN not in rig.venue.orders
        await rig.stage.passes(0.2)
        assert rig.venue.orders[AGAIN].request.reduce_only
        assert (rig.venue.orders[AGAIN].request.stop_price, rig.venue.orders[AGAIN].request.qty) == (D(95), D(100))
        assert steps(rig) == ["stop_sent_again"]
        await rig.stage.passes(60)
        assert (await rig.standing()).end == ""
        assert await rig.alarms() == []

    book = run(script, VenueBook(stop="refused"))
    assert [book.net(), book.behind_stops()] == [100, 100]


def test_a_stop_refused_twice_closes_the_position() -> None:
    """Still no working stop five seconds later: closed at the market, and an alarm that is critical (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(9.9)
        assert rig.venue.net() == 100
        await rig.stage.passes(0.2)
        assert steps(rig)[:3] == ["stop_sent_again", "closing", "cancel"]
        (alarm,) = rig.stage.events(GUARD, IncidentRaised)
        assert (alarm.kind, alarm.severity) == ("UNPROTECTED_POSITION", Severity.CRITICAL)
        await rig.stage.passes(3)
        assert (await rig.standing()).end == "closed"
        assert len(rig.stage.events(GUARD, IncidentCleared)) == 1

    book = run(script, VenueBook(stop="refused", again="refused"))
    assert (book.net(), book.came) == (D(0), ["entry", "stop", "target", "again", "close1"])
    assert book.orders[closing()].request.reduce_only
    assert book.orders[TARGET].state is OrderState.CANCELLED


def test_a_stop_of_which_nothing_is_known_is_not_sent_again() -> None:
    """Unknown is not refused: no second stop, but the position is closed when it stays unknown (PF-234, EX-426)."""

    async def script(rig: BracketRig) -> None:
        rig.venue.blind = True
        await rig.place()
        await rig.stage.passes(9)
        assert rig.venue.net() == 100
        await rig.stage.passes(6)
        assert await rig.alarms() == ["UNPROTECTED_POSITION"]

    book = run(script, VenueBook(stop="lost"))
    assert (book.net(), book.came) == (D(0), ["entry", "stop", "target", "close1"])


def test_a_lost_answer_about_a_stop_that_works() -> None:
    """The desk asks, the venue says that it works: nothing is sent a second time (EX-426)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(60)
        assert steps(rig) == []

    book = run(script, VenueBook(stop="mute"))
    assert (book.net(), book.behind_stops(), book.came) == (D(100), D(100), ["entry", "stop", "target"])


def test_a_stop_that_provably_never_came() -> None:
    """The venue proves that it does not have it: then it is sent again."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(6)
        assert rig.venue.behind_stops() == 100

    assert run(script, VenueBook(stop="lost")).came == ["entry", "stop", "target", "again"]


def test_an_entry_that_fills_in_part() -> None:
    """The stop is for what was filled: one for more is cancelled and sent again for that much at once (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(1)
        assert rig.venue.behind_stops() == 50
        rig.trade(AGAIN)
        await rig.stage.settle()
        assert (await rig.standing()).end == "stopped"

    book = run(script, VenueBook(entry="half"))
    assert (book.net(), book.orders[AGAIN].request.qty) == (D(0), D(50))


def test_a_venue_that_fits_the_stop_by_itself() -> None:
    """Where stop and target ride on the entry they have the size of what it opened, and are left alone."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(60)
        assert steps(rig) == []

    assert run(script, VenueBook(entry="half"), rides=True).came == ["entry", "stop", "target"]


def test_a_target_that_trades_in_part_beside_a_stop_of_its_own() -> None:
    """A stop that was sent again does not know of the target: what is left is closed, never more than is held."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(6)
        rig.trade(TARGET, D(40))
        await rig.stage.passes(3)
        assert (await rig.standing()).end == "closed"
        assert await rig.alarms() == []

    book = run(script, VenueBook(stop="refused"))
    assert (book.net(), book.orders[closing()].request.qty) == (D(0), D(60))


def test_a_close_that_is_refused_is_tried_again() -> None:
    """Until it works, under a new id each time, with longer waits."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        answer = await rig.stage.ask("brackets", CloseBracket("b1"))
        assert answer.standing.closing == "asked"
        await rig.stage.passes(1)
        assert rig.venue.came[-1] == "close1"
        await rig.stage.passes(30)
        assert (await rig.standing()).end == "closed"

    book = run(script, VenueBook(close1="refused", close2="refused"))
    assert (book.net(), book.came[3:]) == (D(0), ["close1", "close2", "close3"])


def test_a_fill_after_the_end_is_said() -> None:
    """A cancelled stop that traded after all has sold what the target had sold: an operator must look."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        rig.trade(TARGET)
        await rig.stage.settle()
        rig.venue.orders[STOP].state = OrderState.OPEN
        rig.trade(STOP)
        await rig.stage.settle()
        assert await rig.alarms() == ["BRACKET_OVERSHOT"]
        left = await rig.stage.ask("brackets", ClearIncident("BRACKET_OVERSHOT", "acc b1", "me"))
        assert left.incidents == ()
        assert await rig.alarms() == []

    run(script)


# --- a venue that is away ----------------------------------------------------------------------------------------------


def test_nothing_is_decided_in_the_dark() -> None:
    """While the venue is away the alarm is raised, nothing is sent; when it is back the five seconds begin anew (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.disconnect()
        await rig.stage.passes(60)
        assert await rig.alarms() == ["UNPROTECTED_POSITION"]
        assert steps(rig) == []
        await rig.connect()
        await rig.stage.passes(4)
        assert steps(rig) == []
        await rig.stage.passes(2)
        assert steps(rig) == ["stop_sent_again"]
        assert await rig.alarms() == []

    book = run(script, VenueBook(stop="refused"))
    assert [book.net(), book.behind_stops()] == [100, 100]


def test_what_traded_in_the_dark_is_found() -> None:
    """The target filled while nobody listened: the comparison finds it, the stop is cancelled, nothing is closed twice."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.disconnect()
        rig.trade(TARGET, told=False)
        await rig.stage.passes(30)
        await rig.connect()
        await rig.stage.passes(3)
        assert (await rig.standing()).end == "target"

    book = run(script)
    assert (book.net(), book.orders[STOP].state) == (D(0), OrderState.CANCELLED)


# --- messages ----------------------------------------------------------------------------------------------------------


def test_words_that_come_twice_and_in_any_order() -> None:
    """Each trade counts once; a state that is older than the one known changes nothing."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        for each in [*reversed(rig.told), *rig.told]:
            rig.stage.system.tell(DESK, each)
        await rig.stage.settle()
        standing = await rig.standing()
        assert (standing.open_qty, standing.covered_qty, steps(rig)) == (D(100), D(100), [])

    run(script)


def test_the_orders_are_the_desks_and_not_foreign() -> None:
    """A comparison finds entry, stop and target in our books: nothing is an orphan, entries are not stopped."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.compare()
        assert [
            each for each in rig.stage.events(DESK) if type(each).__name__ in ("DifferenceFound", "EntriesStopped")
        ] == []
        assert rig.venue.cancels == []
        assert rig.groups == []

    run(script)


def test_ended_brackets_are_listed_when_asked_for() -> None:
    """Without that only the live ones are."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.place(client_id="b2")
        rig.trade(TARGET)
        await rig.stage.settle()
        live = await rig.stage.ask("brackets", ListBrackets())
        both = await rig.stage.ask("brackets", ListBrackets(ended=True))
        assert [[each.client_id for each in found.brackets] for found in (live, both)] == [["b2"], ["b1", "b2"]]

    run(script)


def test_steps_are_journalled() -> None:
    """What was decided can be read in the journal, each with the order it is about (PF-234)."""

    async def script(rig: BracketRig) -> None:
        await rig.place()
        await rig.stage.passes(6)
        (sent,) = [e for e in rig.stage.events(GUARD, BracketStepTaken) if e.step is BracketStep.STOP_SENT_AGAIN]
        assert (sent.client_order_id, sent.qty) == (AGAIN, D(100))
        assert [each.request.client_order_id for each in of(rig.stage.events(DESK), OrderSent)] == [
            ENTRY, STOP, TARGET, AGAIN
        ]  # fmt: skip

    run(script, VenueBook(stop="refused"))
