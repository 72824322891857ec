"""Chosen legs are quoted once more before anything is proposed (DK-64, DK-65)."""

from __future__ import annotations

import pytest

from tests.actors.cast import D, Stage, play
from tests.actors.chains_rig import AAPL, MSFT, ChainRig, contract
from venues.errors import NetworkTimeout, VenueDown

SHORT, LONG = contract(180), contract(185, delta=0.1, bid=D("0.45"), ask=D("0.50"))


def test_legs_that_hold() -> None:
    """DK-64: a delta 0.02 away is fine; each leg and the whole have a spread quality, the wide one is flagged (DK-65)."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        wide = contract(180, delta=0.32, bid=D("0.90"), ask=D("1.10"))
        rig.quotes = [[wide, LONG]]
        said = await rig.requote(SHORT, LONG)
        assert (said.action, said.code, said.next_round, said.diverged) == ("accept", "", None, ())
        assert rig.quoted == [(SHORT.symbol, LONG.symbol)]
        assert [(each.symbol, each.flagged) for each in said.legs] == [(SHORT.symbol, True), (LONG.symbol, False)]
        assert said.legs[0].spread_quality == D("0.2")
        assert said.spread_quality == D("0.25") / D("1.475")
        assert said.fresh == (wide, LONG)

    play(script)


@pytest.mark.parametrize("fresh", [[contract(180, delta=0.3201), LONG], [contract(180, delta=None), LONG], [LONG], []])
def test_legs_that_moved(fresh: list[object]) -> None:
    """DK-64: a delta further away, or none, or no quote: the resolver runs again, on a chain that is fetched anew."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        for underlying in (AAPL, MSFT):
            await rig.ask(underlying)
        rig.quotes = [fresh]
        said = await rig.requote(SHORT, LONG)
        assert (said.action, said.next_round, said.code) == ("re_resolve", 2, "")
        assert SHORT.symbol in said.diverged
        assert not (await rig.ask()).cached
        assert (await rig.ask(MSFT)).cached

    play(script)


def test_after_three_rounds_it_is_over() -> None:
    """DK-64: the third round that diverges rejects with greeks_unstable, and names the legs."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.quotes = [[contract(180, delta=0.4), LONG] for _ in range(3)]
        said = [await rig.requote(SHORT, LONG, round_number=each) for each in (1, 2, 3)]
        assert [(each.action, each.next_round) for each in said] == [
            ("re_resolve", 2),
            ("re_resolve", 3),
            ("reject", None),
        ]
        assert (said[-1].code, said[-1].diverged) == ("greeks_unstable", (SHORT.symbol,))

    play(script)


def test_quotes_that_do_not_come() -> None:
    """No answer in time is a leg without a delta; a connection that is down is told as such."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.quotes = [NetworkTimeout("stub", "no quotes"), VenueDown("stub", "gone")]
        late, down = await rig.requote(SHORT), await rig.requote(SHORT)
        assert (late.action, late.code, late.legs[0].flagged) == ("re_resolve", "", True)
        assert (down.action, down.code, down.fresh) == ("", "VenueUnavailable", ())

    play(script)


def test_no_session() -> None:
    """Without a session the answer comes at once."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        stage.remove("session")
        await stage.settle()
        assert (await rig.requote(SHORT)).code == "VenueUnavailable"
        assert (await rig.ask()).code == "VenueUnavailable"

    play(script)
