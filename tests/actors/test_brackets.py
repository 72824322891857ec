"""Entries with stop and target: one request, and a watch that the stop really works (PF-232 to PF-234)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.bracket_orders import SEND_WITHIN_S, whole
from protocol.brackets import BracketStep, BracketStepTaken, BracketWanted, ListBrackets
from protocol.orders import OrderRefused, OrderSent, OrderState, OrderStateChanged
from protocol.risk import EngineStatus
from protocol.values import OrderSide
from rules.broker.guarded import began
from tests.actors.bracket_rig import (
    AGAIN,
    BRACKET,
    DESK,
    ENTRY,
    GUARD,
    STOP,
    TARGET,
    BracketRig,
    D,
    VenueBook,
    run,
    steps,
    wish,
)
from tests.actors.cast import FailingJournal, Stage, of, play
from tests.actors.orders import TAG


def wanted_at(at: int) -> BracketWanted:
    """Return a bracket as the guard journals it."""
    asked = wish()
    assert asked.stop is not None
    fields = {
        name: getattr(asked, name) for name in ("client_id", "symbol", "side", "qty", "stop", "target", "reference")
    }
    return BracketWanted(bracket_id=BRACKET, tag=TAG, reduce_only=True, rides=False, at=at, **fields)


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


def test_what_comes_too_late_is_not_sent() -> None:
    """A bracket that reaches the desk ten seconds after it was wanted is refused as TooLate: its price is another one."""

    async def script(rig: BracketRig) -> None:
        bracket = began(wanted_at(rig.stage.now))
        await rig.stage.passes(SEND_WITHIN_S + 1)
        await rig.stage.told("desk", whole(bracket, GUARD))
        assert [each.code for each in rig.stage.events(DESK, OrderRefused)] == ["TooLate"] * 3

    assert run(script).came == []


def test_a_desk_that_may_have_forgotten_asks() -> None:
    """Told of a bracket so old that its orders may be forgotten, the desk asks the venue and sends nothing (EX-426)."""

    async def script(rig: BracketRig) -> None:
        rig.stage.actor("desk")._book.forgotten_to = rig.stage.now + 1
        await rig.stage.told("desk", whole(began(wanted_at(rig.stage.now)), GUARD))
        assert {each.state for each in rig.stage.events(DESK, OrderStateChanged)} == {
            OrderState.UNKNOWN,
            OrderState.REJECTED,
        }

    assert run(script).came == []


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
