"""Entries whose trading rules must be fetched first: set aside, held, let in, refused (EX-506, EX-511)."""

from __future__ import annotations

from actors.pool import RULES_WITHIN_S
from protocol.pool import EntryPromoted, QueueRemoved
from protocol.signals import PrecisionMode, RetellSignals
from tests.actors.cast import D, Stage, play
from tests.actors.orders import market
from tests.actors.pool_rig import PATH, PoolRig, entry, exit_

DAYS_3 = 3 * 86_400


def test_rules_that_are_fresh_need_no_fetch() -> None:
    """EX-506: cached and young enough: used as they are."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT", age_s=100)
        await rig.told(entry())
        assert (rig.outcome(), rig.needs()) == ("opened", [])

    play(script)


def test_an_entry_is_set_aside_for_a_fetch() -> None:
    """EX-506: absent or old rules are asked for once; nobody is told anything until the fetch has ended."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT", age_s=DAYS_3)
        await rig.told(entry("s1"), entry("s1"), entry("s2"), entry("s3", symbol="SOL/USDT"))
        assert (rig.outcomes(), rig.needs()) == ([], ["BTC/USDT", "SOL/USDT"])
        await rig.rules("BTC/USDT", age_s=DAYS_3, fetching=True)
        assert rig.outcomes() == []
        await rig.rules("BTC/USDT", "SOL/USDT")
        assert rig.outcomes() == [("s1", "opened"), ("s3", "opened")]
        assert len(stage.events(PATH)) == 3  # the pyramid answers for itself

    play(script)


def test_a_symbol_that_is_not_there_is_rejected() -> None:
    """EX-506: the fetch worked and the symbol is not in it: PrecisionMissing, with what to do."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT")
        await rig.told(entry(symbol="DOGE/USDT"))
        assert rig.needs() == ["DOGE/USDT"]
        await rig.rules("BTC/USDT")
        assert rig.outcome() == "rejected:PrecisionMissing"
        assert "check the symbol" in rig.gateway[-1].reasons[0]

    play(script)


def test_a_failed_fetch_holds_the_entry() -> None:
    """EX-506, EX-805: it waits with precision_missing, is tried again at every refresh, and enters when one works."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, up=False, cache=True)
        await rig.rules(failed=True)
        await rig.told(entry())
        await rig.rules(failed=True)
        assert rig.outcome() == "queued:q1:precision_missing"
        await rig.rules(failed=True)
        assert await rig.waiting() == ["q1"]
        await rig.rules("BTC/USDT")
        assert [event.queue_id for event in stage.events(PATH, EntryPromoted)] == ["q1"]
        assert rig.needs() == ["BTC/USDT"]

    play(script)


def test_without_blocking_fallback_rules_are_used() -> None:
    """EX-506, EX-509: block_on_missing_metadata off: what is unknown trades by the fallback rules."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, up=False, cache=True, block_on_missing=False)
        await rig.told(entry())
        await rig.rules(failed=True)
        assert rig.outcome() == "opened"
        assert stage.events(PATH)[0].opening.instrument.rules.tick_size == D("1e-8")

    play(script)


def test_forced_rules() -> None:
    """EX-510: the signal's precision_mode force uses the configured rules, and is refused without any or with wrong ones."""

    async def script(stage: Stage) -> None:
        rules = market().rules
        forced = {"BTC/USDT": rules, "ETH/USDT": type(rules)(D("0.003"), D("0.001"), D(1), D(5))}
        rig = PoolRig(stage, cache=True, forced_rules=forced)
        for number, symbol in enumerate(("BTC/USDT", "ETH/USDT", "SOL/USDT")):
            await rig.told(entry(f"s{number}", symbol=symbol, precision_mode=PrecisionMode.FORCE))
        assert [outcome for _, outcome in rig.outcomes()] == [
            "opened",
            "rejected:ForcedPrecisionIncompatible",
            "rejected:ForcedPrecisionMissing",
        ]
        assert all("precision.forced_rules" in each.reasons[0] for each in rig.gateway[1:])

    play(script)


def test_an_exit_is_never_kept_back_by_rules() -> None:
    """EX-511: an entry set aside came first: it is queued, and the exit deletes it at once."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT", age_s=DAYS_3)
        await rig.told(entry("s1"), exit_("x1"))
        assert rig.outcomes() == [("s1", "queued:q1:precision_missing"), ("x1", "queue_removed:q1:exit_signal")]
        assert len(stage.events(PATH, QueueRemoved)) == 1
        await rig.rules("BTC/USDT")
        assert rig.started() == []

    play(script)


def test_a_cache_that_never_answers_holds_nobody_for_ever() -> None:
    """After the time a fetch may take, the entry is decided by what is known: it waits, with an outcome."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT", age_s=DAYS_3)
        await rig.told(entry())
        await stage.passes(RULES_WITHIN_S - 1)
        assert rig.outcomes() == []
        await stage.passes(2)
        assert rig.outcome() == "queued:q1:precision_missing"

    play(script)


def test_what_was_set_aside_for_a_lost_signal_is_forgotten() -> None:
    """When the journal could not keep what it came from, nothing follows of it; the gateway tells again what it knows."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True)
        await rig.rules("BTC/USDT", age_s=DAYS_3)
        await rig.told(entry())
        stage.actor("pool").rolled_back()
        await rig.rules("BTC/USDT")
        assert (rig.started(), rig.outcomes()) == ([], [])
        assert rig.gateway == [RetellSignals(PATH)]
        await rig.told(entry())
        assert rig.outcome() == "opened"

    play(script)
