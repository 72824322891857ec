"""The keeper of option chains when something is wrong: connection, limits, restarts, questions that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from actors.session_limit import Urgency
from protocol.errors import ValidationError
from protocol.venue import FetchVenueState, SessionDown
from tests.actors.cast import S, Stage, play
from tests.actors.chains_rig import AAPL, FAR, MIDDLE, MSFT, NEAR, SPY, ChainRig, bare, chain
from tests.actors.stub_venue import Later, StubVenue
from venues.contract import CallLimit
from venues.errors import NetworkTimeout, PermissionDenied, VenueDown

DOWN = VenueDown("stub", "the connection ended")


def test_the_connection_is_lost_in_the_middle() -> None:
    """DK-55: what is under way ends at once with VenueUnavailable, also when the library never answers; then all is well."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [Later(chain)]
        rig.quotes = [Later(())]
        asking, legs = rig.ask(), rig.requote(chain(stage.now).contracts[0])
        await stage.settle()
        venue = rig.venues[0]
        assert venue.sink is not None
        at = stage.now
        venue.sink(SessionDown("acc", "the connection ended", at))
        assert ((await asking).code, (await legs).code) == ("VenueUnavailable", "VenueUnavailable")
        assert (await rig.ask()).code == "VenueUnavailable"
        assert stage.now - at < S
        await stage.passes(5)
        assert len(rig.venues) == 2
        assert (await rig.ask()).code == ""

    play(script)


def test_a_retry_outlasts_a_short_outage() -> None:
    """What waits to be fetched again is fetched at its time, whatever happened to the connection meanwhile."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [bare]
        asking = rig.ask()
        await stage.passes(10)
        venue = rig.venues[0]
        assert venue.sink is not None
        venue.sink(SessionDown("acc", "the connection ended", stage.now))
        assert (await asking).code == ""
        assert rig.times() == [0.0, 60.0]

    play(script)


@pytest.mark.parametrize(
    ("error", "code"),
    [(DOWN, "VenueUnavailable"), (PermissionDenied("stub", "no options"), "PermissionDenied")],
)
def test_an_error_that_no_retry_mends(error: Exception, code: str) -> None:
    """The venue's refusal is told at once with its own words; the connection and its orders are left alone."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.list_error = error
        said = await rig.ask()
        assert (said.code, str(error) in said.reason, said.fetches) == (code, True, 1)
        assert len(rig.venues) == 1
        rig.list_error = None
        assert (await rig.ask()).code == ""

    play(script)


def test_failed_chains_do_not_hold_orders_up() -> None:
    """Any number of chains that do not come neither opens the session's breaker nor has its entries wait."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.list_error = NetworkTimeout("stub", "no answer")
        for _ in range(8):
            assert (await rig.ask(look=True)).code == "NetworkTimeout"
        session = stage.actor("session")
        assert not session._calls.open
        assert session._entries

    play(script)


def test_no_chain_is_asked_for_while_the_breaker_is_open() -> None:
    """A venue whose calls fail gets its probes, and no data requests beside them."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.venues[0].answers["open_orders"] = [VenueDown("stub", "502")]
        for _ in range(5):
            with pytest.raises(VenueDown):
                await stage.ask("session", FetchVenueState(0))
        assert stage.actor("session")._calls.open
        assert (await rig.ask()).code == "VenueUnavailable"
        assert rig.lists == []
        rig.venues[0].answers.clear()
        await stage.passes(30)
        assert (await rig.ask()).code == ""

    play(script)


def test_a_limit_that_is_used_up_is_waited_for() -> None:
    """DK-67: a chain leaves when the account's limit allows it; closes, questions and entries that wait go first."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        limiter = stage.actor("session")._calls.limiter
        limiter.use_limit(CallLimit(1, 1.0))
        assert limiter.free(stage.now)
        asking = rig.ask()
        await stage.settle()
        assert rig.lists == []
        went: list[str] = []
        for name, urgency in (("entry", Urgency.ENTRY), ("close", Urgency.CLOSE)):
            limiter.turn(urgency, stage.now).add_done_callback(lambda _, name=name: went.append(name))
        await stage.passes(2.01)
        assert (went, rig.lists) == (["close", "entry"], [])
        assert (await asking).code == ""

    play(script)


def test_a_venue_without_options() -> None:
    """A venue that has no chains says so."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage, lambda each: StubVenue({}, [], lambda: each.stage.now)).up()
        assert (await rig.ask()).code == "VenueCapabilityMissing"
        assert len(rig.venues) == 1

    play(script)


def test_a_restart_answers_who_waits() -> None:
    """The keeper holds nothing durable: who waits hears VenueUnavailable, the next life fetches anew, no old timer fires."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [bare]
        kept = await rig.ask(MSFT)
        asking, late = rig.ask(), rig.ask(SPY, scan="s")
        later = rig.ask("QQQ/USD", scan="s")
        await stage.settle()
        await late
        await stage.crash("chains")
        assert {(await asking).code, (await later).code} == {"VenueUnavailable"}
        await stage.passes(600)
        assert (len(rig.times()), kept.cached) == (1, False)
        assert not (await rig.ask(MSFT)).cached
        assert (await rig.ask()).code == ""

    play(script)


def test_the_wrong_way_round() -> None:
    """A range whose ends are exchanged is refused before anybody is asked."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        with pytest.raises(ValidationError, match="most_dte"):
            await rig.ask(days=(45, 30))
        assert rig.lists == []

    play(script)


def test_what_the_tree_shows() -> None:
    """One line says how many chains are kept, under way, and waiting to be fetched again."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script |= {AAPL: [bare], MSFT: [Later(chain)]}
        asking: list[Any] = [rig.ask(), rig.ask(MSFT)]
        await rig.ask(SPY)
        assert stage.actor("chains").detail == "1 chains kept, 1 under way, 1 to be fetched again"
        for each in asking:
            each.cancel()

    play(script)


def test_far_expiries_are_not_asked_for() -> None:
    """DK-122: of many expiries in range three are fetched, those nearest to its middle."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.listed = (NEAR, MIDDLE, "2023-12-29", "2024-01-05", FAR)
        said = await rig.ask(days=(30, 70))
        assert [each[2] for each in rig.asked] == ["2024-01-05", "2023-12-29", MIDDLE]
        assert len(said.expiries) == 3

    play(script)
