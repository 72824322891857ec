"""The chain keeper: kept for two minutes, fetched again by the book, shared, staggered, never a hang (DK-60 to DK-68)."""

from __future__ import annotations

import asyncio

import pytest

from rules.options.fresh import start_offsets_s
from tests.actors.cast import S, Stage, play
from tests.actors.chains_rig import AAPL, MIDDLE, MSFT, NEAR, SPY, ChainRig, bare, chain
from tests.actors.stub_venue import Later
from venues.errors import NetworkTimeout, RateLimited, VenueDown

DOWN = VenueDown("stub", "the connection ended")


def test_a_chain_is_judged_and_its_expiries_are_in_order() -> None:
    """DK-60: the expiries in range, nearest to its middle first, each with its worth; those beyond are not asked for."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [chain, lambda *told: chain(*told, bare=2)]
        said = await rig.ask(days=(30, 45), strikes=12)
        assert (said.code, said.fault, said.fetches, said.cached) == ("", "", 1, False)
        assert [(each.expiration, each.fault) for each in said.expiries] == [(MIDDLE, ""), (NEAR, "greeks_incomplete")]
        assert [each[1:] for each in rig.asked] == [(AAPL, MIDDLE, 12), (AAPL, NEAR, 12)]
        assert said.chain is not None
        assert (len(said.chain.contracts), said.chain.expirations) == (20, (MIDDLE, NEAR))
        assert said.chain.contracts[0].implied_vol == 0.25
        assert said.chain.contracts[0].bid == 1

    play(script)


def test_a_contract_that_is_told_twice_counts_once() -> None:
    """A contract is known by its symbol: repeated ones would outvote those without Greeks (DK-61)."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [lambda *told: chain(*told, bare=2, again=8)]
        said = await rig.ask(look=True)
        assert (said.code, said.expiries[0].contracts, said.expiries[0].missing_greeks) == ("greeks_incomplete", 10, 2)

    play(script)


def test_a_later_expiry_that_stays_out_is_left_out() -> None:
    """DK-61: the target decides; another expiry whose contracts did not come is of no use, and takes nothing along."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [chain, NetworkTimeout("stub", "no quotes")]
        said = await rig.ask(days=(30, 45))
        assert [(each.expiration, each.fault) for each in said.expiries] == [(MIDDLE, ""), (NEAR, "no_clean_contracts")]
        assert said.code == ""

    play(script)


# --- kept ------------------------------------------------------------------------------------------------------------


def test_a_chain_is_kept_for_less_than_120_seconds() -> None:
    """DK-68: a nanosecond before 120 s it is a hit, at exactly 120 s it is fetched anew."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        first = await rig.ask()
        assert first.chain is not None
        born = first.chain.at
        await stage.passes((born + 120 * S - 1_000 - stage.now) / S)
        assert stage.now < born + 120 * S
        again = await rig.ask()
        assert (again.cached, again.chain, again.fetches) == (True, first.chain, 0)
        assert len(rig.asked) == 1
        await stage.passes((born + 120 * S - stage.now) / S)
        assert stage.now == born + 120 * S
        anew = await rig.ask()
        assert (anew.cached, len(rig.asked)) == (False, 2)

    play(script)


def test_a_kept_chain_is_judged_by_today() -> None:
    """DK-6: an expiry that was in range before midnight in New York, and no longer is, is not answered from what is kept."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        assert (await rig.ask(days=(38, 38))).code == ""
        await stage.passes(60)
        assert (await rig.ask(days=(38, 38), look=True)).code == "no_expiry_in_range"
        assert (await rig.ask(days=(37, 37))).code == ""

    play(script, start=1_700_024_400 * S - 30 * S)


def test_other_ranges_and_strikes_are_other_chains() -> None:
    """Only an equal request is answered from what is kept."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        for more in ({}, {"days": (30, 32)}, {"strikes": 10}, {"underlying": MSFT}):
            assert not (await rig.ask(**more)).cached  # type: ignore[arg-type] # one of the arguments each
        assert len(rig.asked) == 4

    play(script)


def test_an_invalid_chain_is_not_kept() -> None:
    """What is not good enough to trade on is shown to whoever looks, and asked for again by the next."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [bare]
        seen = await rig.ask(look=True)
        assert (seen.code, seen.retry_at) == ("greeks_incomplete", None)
        assert "2 have no Greeks" in seen.reason
        assert (await rig.ask()).code == ""
        assert rig.alerts == []

    play(script)


# --- fetched again ---------------------------------------------------------------------------------------------------


def test_an_invalid_chain_is_fetched_at_0_60_180_and_480_seconds() -> None:
    """DK-63: then an alert is raised, the answer is chain_incomplete, and the next scan begins from the start."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [bare] * 4
        said = await rig.ask()
        assert rig.times() == [0.0, 60.0, 180.0, 480.0]
        assert (said.code, said.fault, said.fetches) == ("chain_incomplete", "greeks_incomplete", 4)
        (alert,) = rig.alerts
        assert (alert.code, alert.severity, alert.pinned, alert.about) == (
            "ChainIncomplete",
            "warning",
            True,
            "/house/chains",
        )
        assert "bulkhead venue chain acc AAPL/USD" in alert.text
        assert (await rig.ask()).code == ""
        assert len(rig.alerts) == 1

    play(script)


def test_the_waits_count_from_the_beginning_of_each_fetch() -> None:
    """DK-63: a fetch that takes seconds does not move those after it."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        slow = Later(bare)
        rig.script[AAPL] = [slow, bare]
        asking = rig.ask()
        await stage.passes(20)
        slow.come()
        assert (await asking).code == ""
        assert rig.times() == [0.0, 60.0, 180.0]

    play(script)


@pytest.mark.parametrize(
    "error", [NetworkTimeout("stub", "no quotes"), RateLimited("stub", "slow down", retry_after_s=1)]
)
def test_a_chain_that_does_not_come_is_an_invalid_one(error: Exception) -> None:
    """DK-54, DK-63: a venue that does not answer in time is asked again like one that answers badly."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [error]
        said = await rig.ask()
        assert (said.code, said.fault) == ("", "")
        timed_out = isinstance(error, NetworkTimeout)
        # The session itself waits as long as the venue says, within one fetch.
        assert rig.times() == [0.0, 60.0 if timed_out else pytest.approx(1.0)]
        assert said.fetches == (2 if timed_out else 1)

    play(script)


def test_other_underlyings_do_not_wait() -> None:
    """DK-63: while one chain waits to be fetched again the others are answered; a good retry answers and raises nobody."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        rig.script[AAPL] = [bare]
        waiting = rig.ask()
        await stage.settle()
        assert (await rig.ask(MSFT)).code == ""
        assert not waiting.done()
        look = await rig.ask(look=True)
        assert look.code == "greeks_incomplete"
        assert look.retry_at == rig.asked[0][0] + 60 * S
        assert (await waiting).code == ""
        assert (rig.times(), rig.alerts) == ([0.0, 60.0], [])

    play(script)


def test_no_expiry_in_range() -> None:
    """DK-60: expirations that are listed elsewhere only have a name of their own; no contract is asked for."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        assert (await rig.ask(days=(100, 120), look=True)).code == "no_expiry_in_range"
        rig.listed = ()
        assert (await rig.ask(look=True)).code == "chain_empty"
        assert rig.asked == []

    play(script)


# --- shared and staggered ----------------------------------------------------------------------------------------------


def test_equal_requests_share_one_fetch() -> None:
    """Whoever wants the same while it is under way hears the same answer; the venue is asked once."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        late = Later(chain)
        rig.script[AAPL] = [late]
        asking = [rig.ask() for _ in range(5)]
        await stage.passes(5)
        late.come()
        said = await asyncio.gather(*asking)
        assert {each.code for each in said} == {""}
        assert (len(rig.asked), len(rig.lists)) == (1, 1)

    play(script)


def test_requests_of_a_scan_start_two_seconds_apart() -> None:
    """DK-68: in the order of the universe; another scan, and a person who looks, do not wait for this one's turns."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        asking = [rig.ask(each, scan="s1") for each in (SPY, AAPL, MSFT)]
        await stage.settle()
        other = rig.ask("QQQ/USD", scan="s2")
        looking = rig.ask("IWM/USD", look=True)
        await asyncio.gather(*asking, other, looking)
        first = rig.asked[0][0]
        began = {each[1]: (each[0] - first) / S for each in rig.asked}
        assert {each: began[each] for each in (SPY, AAPL, MSFT)} == start_offsets_s((SPY, AAPL, MSFT))
        assert max(began["QQQ/USD"], began["IWM/USD"]) < 0.001

    play(script)


def test_what_is_kept_takes_no_turn_and_who_is_in_a_hurry_brings_it_forward() -> None:
    """A hit asks the venue nothing; a chain that waits for its turn is fetched for whoever may have it now."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        await rig.ask(SPY)
        asking = [rig.ask(each, scan="s1") for each in (SPY, AAPL, MSFT)]
        await stage.settle()
        looked = await rig.ask(MSFT, look=True)
        assert looked.code == ""
        await asyncio.gather(*asking)
        assert [each[1] for each in rig.asked] == [SPY, AAPL, MSFT]
        assert rig.asked[2][0] - rig.asked[1][0] < S

    play(script)


def test_three_fetches_run_at_a_time() -> None:
    """DK-67: the others wait for a place; a chain that waits for a retry holds none, and who looks has one on top."""

    async def script(stage: Stage) -> None:
        rig = await ChainRig(stage).up()
        names = [f"N{each}/USD" for each in range(6)]
        slow = {name: Later(bare if name == names[0] else chain) for name in names}
        rig.script = {name: [later] for name, later in slow.items()}
        asking = [rig.ask(name) for name in names]
        await stage.settle()
        assert [each[1] for each in rig.asked] == names[:3]
        assert stage.actor("chains").detail == "0 chains kept, 3 under way, 3 waiting, 0 to be fetched again"
        slow[names[0]].come()  # invalid: it waits for its retry
        await stage.settle()
        assert [each[1] for each in rig.asked] == names[:4]
        looking = [rig.ask(names[5], look=True), rig.ask(SPY, look=True)]
        await stage.settle()
        assert [each[1] for each in rig.asked] == [*names[:4], names[5]]
        for later in slow.values():
            later.come()
        said = await asyncio.gather(*asking, *looking)
        assert {each.code for each in said} == {""}
        assert rig.times(names[0]) == [0.0, 60.0]

    play(script)
