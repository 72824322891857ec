"""The watch over stops: what is refused, lost, filled in part, or happens while the venue is away (PF-234)."""

from __future__ import annotations

from protocol.brackets import CloseBracket
from protocol.incidents import ClearIncident, IncidentCleared, IncidentRaised, Severity
from protocol.orders import OrderState
from tests.actors.bracket_rig import (
    AGAIN,
    ENTRY,
    GUARD,
    STOP,
    TARGET,
    BracketRig,
    D,
    VenueBook,
    closing,
    run,
    steps,
)

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
