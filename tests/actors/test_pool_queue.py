"""The pool's waiting queue on the virtual clock: who waits, who is let in and when, what everybody is told."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import AddPyramid, CloseGroup, GroupState, SlotReleased
from protocol.pool import (
    ContinuationReplaced,
    ForceAdd,
    GroupMail,
    PoolIdentities,
    QueueRemoved,
    SlotTaken,
)
from protocol.risk import EngineStatus
from tests.actors.cast import D, FailingJournal, Stage, kinds, of, play
from tests.actors.groups import signal
from tests.actors.pool_rig import BTC, ETH, PATH, PERP, RELEASE, SOL, PoolRig, entry, exit_, path_of


def test_a_freed_slot_is_given_on_in_the_same_turn() -> None:
    """EX-905, EX-917: the next is let in in the turn of the release; one commit holds both, with the reason."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        before = len(journal.commits)
        await rig.told(RELEASE)
        (commit,) = journal.commits[before:]
        assert kinds(commit) == ["SlotFreed", "EntryPromoted", "SlotTaken"]
        assert commit[1].reasons == ("no other entry", "1 of 2 slots free")
        assert rig.started() == ["gs1", "gs2", "gs3"]
        assert rig.outcomes()[2:] == [("s3", "queued:q1:pool_full")]

    play(script, journal=journal)


def test_a_group_that_closes_by_itself_makes_its_identity_wait() -> None:
    """EX-327: a fact of the group is enough: an entry meanwhile waits with `closing` and opens a new group afterwards."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC)
        await stage.passes(1)
        await rig.stands(BTC.signal, GroupState.CLOSING)
        await rig.told(entry("s9"))
        assert rig.outcome() == "queued:q1:closing"
        await rig.told(RELEASE)
        assert rig.started() == ["gs1", "gs9"]

    play(script)


def test_what_groups_occupy() -> None:
    """EX-903: with count_dca_toward_pool a group's placed layers count; when some end, the next is let in."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, count_dca=True, max_open_groups=3)
        await rig.told(BTC, ETH)
        assert [event.occupied for event in stage.events(PATH, SlotTaken)] == [2, 4]
        await rig.told(SOL)
        assert rig.outcome() == "queued:q1:pool_full"
        await stage.passes(1)
        await rig.stands(BTC.signal, GroupState.LIVE, dca=0)
        await rig.stands(ETH.signal, GroupState.LIVE, dca=0)
        assert rig.started() == ["gs1", "gs2", "gs3"]

    play(script)


def test_a_queued_pyramid_is_told_to_its_group() -> None:
    """EX-904, EX-1007: without bypass it waits; replaced, the loss offset hears of it; at its turn the group is told."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, same_pair_timeframe=False)
        await rig.told(BTC, ETH, entry("s8"), entry("s9", entry_price=D(90)))
        assert [outcome for _, outcome in rig.outcomes()[2:]] == ["queued:q1:pool_full", "replaced:q1"]
        assert of(rig.heard, ContinuationReplaced) == [ContinuationReplaced("gs1")]
        await rig.told(SlotReleased(ETH.signal.group_key, "gs2"))
        (mail,) = of(rig.groups, GroupMail)
        assert mail.group_path == path_of(signal("s1"))
        assert isinstance(mail.message, AddPyramid)
        assert (mail.message.signal_id, mail.message.entry_price) == ("s9", D(90))

    play(script)


def test_an_exit_deletes_what_waits() -> None:
    """EX-912: the exit's outcome says what it removed; repeated it finds nothing."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL, exit_("x1", symbol="SOL/USDT"), exit_("x2", symbol="SOL/USDT"))
        assert rig.outcomes()[3:] == [("x1", "queue_removed:q1:exit_signal"), ("x2", "nothing_to_exit")]
        (removed,) = stage.events(PATH, QueueRemoved)
        assert (removed.signal_id, removed.by_signal) == ("s3", "x1")

    play(script)


def test_a_reversal_closes_the_other_side_and_takes_its_slot() -> None:
    """EX-919: the opposite group hears of it by the signal's id; the slot goes to the new side before all others."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1)
        await rig.told(entry("s1", symbol=PERP), ETH)
        await rig.told(entry("s7", kind="reverse", symbol=PERP, side="short"))
        assert rig.outcome() == "queued:q2:opposite_side"
        (mail,) = of(rig.groups, GroupMail)
        assert isinstance(mail.message, CloseGroup)
        assert (mail.message.group_id, mail.message.signal_id) == ("gs1", "s7")
        await rig.told(SlotReleased(signal("s1", symbol=PERP).group_key, "gs1"))
        assert rig.started() == ["gs1", "gs7"]
        assert await rig.waiting() == ["q1"]

    play(script)


def test_entries_expire_on_their_instant() -> None:
    """EX-915: after more than max_queue_minutes, neither before nor a tick later; a replacement begins anew."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_queue_minutes=1)
        await rig.told(BTC, ETH, SOL)
        await stage.passes(30)
        await rig.told(entry("s9", symbol="SOL/USDT"))
        await stage.passes(59.9)
        assert await rig.waiting() == ["q1"]
        await stage.passes(0.2)
        assert await rig.waiting() == []
        (removed,) = stage.events(PATH, QueueRemoved)
        assert (removed.reason, removed.signal_id) == ("expired", "s9")

    play(script)


def test_paused() -> None:
    """EX-111, EX-928: entries are rejected with EnginePaused and the cause; what waits is let in on resume."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        await rig.permit(EngineStatus.PAUSED, "lunch")
        await rig.told(entry("s9", symbol="ETH/USDT"))
        await rig.told(RELEASE)
        assert rig.outcome() == "rejected:EnginePaused"
        assert "paused: lunch" in rig.gateway[-1].reasons
        assert rig.started() == ["gs1", "gs2"]
        answer = await stage.ask("pool", ForceAdd("q1"))
        assert answer.code == "EnginePaused"
        assert "resume" in answer.message
        await rig.permit(EngineStatus.RUNNING)
        assert rig.started() == ["gs1", "gs2", "gs3"]

    play(script)


def test_an_account_that_is_paused_by_itself() -> None:
    """ML-1080: its entries are refused under a code of its own; once it is resumed what waits enters."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        await rig.permit(EngineStatus.RUNNING, paused={"other": "news"})
        await rig.permit(EngineStatus.RUNNING, paused={"acc": "lunch"})
        await rig.told(entry("s9", symbol="ETH/USDT"))
        await rig.told(RELEASE)
        assert rig.outcome() == "rejected:AccountPaused"
        assert rig.gateway[-1].reasons[0] == "account paused: lunch"
        assert rig.started() == ["gs1", "gs2"]
        answer = await stage.ask("pool", ForceAdd("q1"))
        assert (answer.code, answer.message) == (
            "AccountPaused",
            "nothing enters at present (account paused: lunch): resume the account",
        )
        await rig.permit(EngineStatus.RUNNING)
        assert rig.started() == ["gs1", "gs2", "gs3"]

    play(script)


def test_settings_change_at_once() -> None:
    """EX-906, EX-1307: a higher maximum promotes in the same turn; a lower one closes nothing."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        answer = await stage.ask("pool", ApplySettings(7, rig.settings._replace(max_open_groups=3)))
        assert answer == SettingsTaken(7)
        assert rig.started() == ["gs1", "gs2", "gs3"]
        await stage.ask("pool", ApplySettings(8, rig.settings._replace(max_open_groups=1)))
        assert (await rig.queue()).occupied == 3

    play(script)


def test_the_price_of_a_promoted_entry() -> None:
    """EX-918: the queued price, or with promotion_price market what an entry pays now."""

    async def script(stage: Stage, market_price: bool) -> Any:
        rig = PoolRig(stage, market_price=market_price)
        await rig.price("SOL/USDT", "95")
        await rig.told(BTC, ETH, SOL)
        await rig.told(RELEASE)
        return stage.events(PATH, SlotTaken)[-1].opening.entry_price

    assert play(lambda stage: script(stage, market_price=False)) == 100
    assert play(lambda stage: script(stage, market_price=True)) == 96


# --- funds -------------------------------------------------------------------------------------------------------------


def test_funds_of_admissions_since_the_balance_are_bound() -> None:
    """EX-414: two entries in one instant cannot spend the same money; an unknown balance leaves it to the venue."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=5)
        await rig.balance("250")
        await rig.told(BTC, ETH)
        assert rig.outcomes() == [("s1", "opened"), ("s2", "rejected:InsufficientFunds")]
        assert rig.gateway[-1].reasons == ("needs 199.4 USDT, 50.602 are free",)
        await stage.passes(181)
        await rig.told(entry("s8", symbol="ETH/USDT"))
        assert rig.outcome() == "opened"

    play(script)


def test_funds_are_looked_at_again_at_promotion() -> None:
    """EX-931: what waited without the money for it is removed with InsufficientFunds when its turn comes."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        await rig.balance("10")
        await rig.told(RELEASE)
        (removed,) = stage.events(PATH, QueueRemoved)
        assert (removed.queue_id, removed.reason) == ("q1", "InsufficientFunds")

    play(script)


@pytest.mark.parametrize(("size", "code"), [("0.0001", "NoOrderableLeg"), ("2", "")])
def test_ladders_that_place_nothing_are_rejected(size: str, code: str) -> None:
    """EX-505: no layer above the minimums: NoOrderableLeg, neither queued nor opened, with the reason of each layer."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1", order_size=D(size)))
        assert rig.outcome() == (f"rejected:{code}" if code else "opened")
        assert bool(rig.gateway[-1].reasons) is bool(code)

    play(script)


# --- what others read -------------------------------------------------------------------------------------------------


def test_identities_are_published() -> None:
    """EX-241: live and waiting identities stand on the pool's topic, and change with them."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1, replace=False)
        await rig.told(BTC, ETH)
        said = of(rig.heard, PoolIdentities)[-1]
        assert said.live == (BTC.signal.group_key,)
        assert said.queued == (ETH.signal.group_key,)
        assert not said.replaces
        await rig.told(RELEASE)
        assert of(rig.heard, PoolIdentities)[-1] == PoolIdentities("acc", (ETH.signal.group_key,), (), replaces=False)

    play(script)
