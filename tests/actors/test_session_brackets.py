"""The session and brackets: one call for two or three orders, and a word on each of them (PF-232)."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from actors.session_brackets import reports_of
from protocol.brackets import PlaceBracketAtVenue
from protocol.errors import ValidationError
from protocol.orders import OrderReport, OrderState
from protocol.values import OrderType
from protocol.venue import QueryAtVenue
from tests.actors.bracket_rig import ENTRY, STOP, TARGET
from tests.actors.cast import D, S, Stage, of, play
from tests.actors.orders import SYMBOL, report, request
from tests.actors.stub_venue import Later, StubVenue
from tests.actors.test_session_venue import Rig
from venues.errors import NetworkTimeout, VenueDown
from venues.known import KNOWN, Brackets

PARTS = (
    request(client_order_id=ENTRY, type=OrderType.MARKET, price=None),
    request(client_order_id=STOP, type=OrderType.STOP, price=None, stop_price=D(95)),
    request(client_order_id=TARGET, price=D(110)),
)
TAKEN = (report(ENTRY, "filled", filled="1"), report(STOP, "open"), report(TARGET, "open"))


class BracketVenue(StubVenue):
    """A stub that takes brackets."""

    async def place_bracket(self, entry: Any, *, stop: Decimal, target: Decimal | None = None) -> Any:
        return await self._answer("bracket", f"{entry.client_order_id} {stop} {target}", TAKEN)


def said(rig: Rig) -> list[tuple[str, str, str, bool]]:
    """Return what the desk heard: which order, its state, code, and whether it is proven absent."""
    names = {ENTRY: "entry", STOP: "stop", TARGET: "target"}
    return [
        (names[each.client_order_id], each.state.value, each.code, each.absent_proven)
        for each in of(rig.desk, OrderReport)
    ]


def place(stage: Stage, *, within_s: float = 10) -> PlaceBracketAtVenue:
    """Return the desk's order to send all three."""
    return PlaceBracketAtVenue(*PARTS, stage.now + round(within_s * S))


def test_a_word_on_each_order() -> None:
    """One call, and the desk hears of entry, stop and target."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, kind=BracketVenue)
        await stage.settle()
        await stage.told("session", place(stage))
        assert said(rig) == [("entry", "filled", "", False), ("stop", "open", "", False), ("target", "open", "", False)]
        assert [call for call in rig.calls if call.startswith(("bracket", "place"))] == [f"bracket {ENTRY} 95 110"]

    play(script)


def test_a_venue_that_takes_none() -> None:
    """Refused as CapabilityMissing, and provably never sent."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        await stage.told("session", place(stage))
        assert said(rig) == [(name, "rejected", "CapabilityMissing", True) for name in ("entry", "stop", "target")]

    play(script)


@pytest.mark.parametrize(
    ("error", "state", "code", "absent"),
    [
        (
            ValidationError("$.stop", "wrong side", code="BracketStopWrongSide"),
            "rejected",
            "BracketStopWrongSide",
            True,
        ),
        (NetworkTimeout("stub", "no answer"), "unknown", "NetworkTimeout", False),
        (VenueDown("stub", "away"), "rejected", "VenueDown", True),
    ],
)
def test_errors_are_about_all_of_them(error: Exception, state: str, code: str, absent: bool) -> None:
    """A lost answer leaves all unknown; what was refused before it left is proven absent; the session lives on."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, kind=BracketVenue, bracket=[error])
        await stage.settle()
        await stage.told("session", place(stage))
        assert said(rig) == [(name, state, code, absent) for name in ("entry", "stop", "target")]
        assert len(rig.venues) == 1

    play(script)


def test_one_that_came_late_is_not_sent() -> None:
    """After its time the orders are unknown: they may have left before, so the venue is asked and nothing sent."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, kind=BracketVenue)
        await stage.settle()
        await stage.told("session", place(stage, within_s=-1))
        assert {state for _, state, _, _ in said(rig)} == {"unknown"}
        assert not [call for call in rig.calls if call.startswith("bracket")]

    play(script)


def test_a_question_about_a_child_does_not_overtake_the_bracket() -> None:
    """A query of the stop waits until the bracket was answered: else it would be told that there is none."""
    later = Later(TAKEN)

    async def script(stage: Stage) -> None:
        rig = Rig(stage, kind=BracketVenue, bracket=[later], query=[report(STOP, "open")])
        await stage.settle()
        await stage.told("session", place(stage), QueryAtVenue(STOP, SYMBOL))
        assert not [call for call in rig.calls if call.startswith("query")]
        later.come()
        await stage.settle()
        assert rig.calls[-2:] == [f"bracket {ENTRY} 95 110", f"query {STOP}"]

    play(script)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((report(ENTRY, "rejected"),), ["rejected", "rejected", "rejected"]),
        ((report(ENTRY, "filled", filled="1"),), ["filled", "unknown", "unknown"]),
        (
            (report(ENTRY, "filled", filled="1"), report(STOP, "intended"), report(TARGET, "open")),
            ["filled", "unknown", "open"],
        ),
        ((report(ENTRY, "open"), report(STOP, "intended"), report(TARGET, "intended")), ["open"]),
        ((), ["unknown", "unknown", "unknown"]),
    ],
)
def test_what_a_venue_has_not_said_is_no_yes(told: tuple[OrderReport, ...], expected: list[str]) -> None:
    """A child without a word is refused with its entry, else unknown."""
    assert [each.state.value for each in reports_of(PARTS, told, 1)] == expected
    assert OrderState.FILLED not in {each.state for each in reports_of(PARTS, told, 1)[1:]}


@pytest.mark.parametrize("venue", sorted(KNOWN))
def test_the_table_of_venues_says_who_takes_brackets(venue: str) -> None:
    """What is known of a venue before anybody has connected agrees with its adapter."""
    module, _, name = KNOWN[venue].maker.partition(":")
    try:
        adapter = getattr(import_module(module), name)
    except ImportError:
        pytest.skip(f"the library of {venue} is not installed")
    assert (KNOWN[venue].brackets is not Brackets.NONE) == hasattr(adapter, "place_bracket")
