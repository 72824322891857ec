"""The pool's waiting queue on the virtual clock: who waits, who is let in and when, what everybody is told."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import AddPyramid, CloseGroup, GroupState, SlotReleased
from protocol.pool import (
    ContinuationReplaced,
    DryRun,
    EntryPromoted,
    ForceAdd,
    GroupMail,
    PoolIdentities,
    PromoteQueued,
    QueueAnswer,
    QueueRemoved,
    RemoveQueued,
    SlotTaken,
)
from protocol.risk import EngineStatus
from protocol.signals import RetellSignals
from tests.actors.cast import D, FailingJournal, Stage, kinds, of, play
from tests.actors.groups import signal
from tests.actors.pool_rig import PATH, PERP, PoolRig, entry, exit_, path_of

BTC, ETH, SOL = (
    entry(f"s{number}", symbol=name) for number, name in enumerate(("BTC/USDT", "ETH/USDT", "SOL/USDT"), 1)
)
RELEASE = SlotReleased(signal("s1").group_key, "gs1")


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
        assert rig.gateway[-1].reasons == ("needs 199.398 USDT, 50.602 are free",)
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


# --- operators ---------------------------------------------------------------------------------------------------------


def test_operators_are_answered_with_codes() -> None:
    """EX-925, EX-926, EX-927: NoFreeSlot, HeldEntry with its reason, NotQueued; force-add goes over the limit."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1)
        await rig.told(entry("s1", symbol=PERP), ETH, entry("s7", symbol=PERP, side="short"))
        found = [
            await stage.ask("pool", request)
            for request in (PromoteQueued("q1"), ForceAdd("q2"), RemoveQueued("q9"), ForceAdd("q1"), RemoveQueued("q2"))
        ]
        assert [(each.code, each.reason) for each in found] == [
            ("NoFreeSlot", ""),
            ("HeldEntry", "opposite_side"),
            ("NotQueued", ""),
            ("", ""),
            ("", ""),
        ]
        assert all(each.message for each in found)
        assert [each.outcome for each in found[3:]] == ["force_added:q1:opened", "queue_removed:q2:operator"]
        report = await rig.queue()
        assert (report.occupied, report.maximum, report.free) == (2, 1, 0)

    play(script)


def test_a_request_acts_once() -> None:
    """EX-105: told again under its id it is answered and changes nothing, over restarts too."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1)
        await rig.told(BTC, ETH)
        first: QueueAnswer = await stage.ask("pool", ForceAdd("q1", "r1"))
        await stage.crash("pool")
        again: QueueAnswer = await stage.ask("pool", ForceAdd("q1", "r1"))
        assert (first.code, again.code, again.outcome) == ("", "", "promoted:forced")
        assert len(stage.events(PATH, EntryPromoted)) == 1

    play(script)


def test_the_queue_is_read_ranked() -> None:
    """EX-916, EX-920: best first with keys and the rule that decided, held entries too; nothing changes by reading."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1)
        await rig.told(entry("s1", symbol=PERP), ETH, SOL, entry("s7", symbol=PERP, side="short"))
        await rig.price("SOL/USDT", "97")
        report = await rig.queue()
        assert [(line.rank, line.queue_id, line.hold) for line in report.entries] == [
            (1, "q2", ""),
            (2, "q3", "opposite_side"),
            (3, "q1", ""),
        ]
        best = report.entries[0]
        assert (best.loss_percent, best.current_price, best.entry_price) == (D("-3.00"), D(97), D(100))
        assert best.why == "before q3 by highest_loss_percent: loss percent -3.00 % against unknown"
        assert best.expected_profit == D("1.99")
        assert {key.rule: key.value for key in best.keys}["highest_loss_percent"] == "-3.00 %"
        before = len(stage.events(PATH))
        assert await rig.queue() == report
        assert len(stage.events(PATH)) == before

    play(script)


def test_a_dry_run_changes_nothing() -> None:
    """EX-262: every step, ladder, funds, slot and the rank it would get; state and journal stay."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1)
        await rig.told(BTC, ETH)
        before = len(stage.events(PATH))
        report = await stage.ask("pool", DryRun(signal("s9", symbol="SOL/USDT")))
        assert report.outcome == "queued:q2:pool_full"
        assert [(each.step, each.result) for each in report.steps] == [
            ("engine", "running"),
            ("precision", "proceed"),
            ("ladder", "placed"),
            ("funds", "unknown"),
            ("slot", "none free"),
            ("queue", "rank 2 of 2"),
        ]
        details = {each.step: each.details for each in report.steps}
        assert "layer 0: 1 at 100" in details["ladder"]
        assert details["funds"][0] == "needs 199.398 USDT"
        leave = await stage.ask("pool", DryRun(signal("x9", "exit")))
        assert leave.outcome == "closing"
        assert len(stage.events(PATH)) == before
        assert await rig.waiting() == ["q1"]

    play(script)


# --- what others read, and lives ---------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("every", [0, 1, 3])
def test_a_new_life_has_slots_and_queue(every: int) -> None:
    """EX-1204: from events or snapshot, with ranks, ids and outcomes; it has the gateway tell again what has none."""

    async def script(stage: Stage) -> None:
        stage.system.durability.snapshot_every = every
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL, entry("s9", symbol="SOL/USDT", entry_price=D(99)))
        before = await rig.queue()
        await stage.crash("pool")
        assert (await rig.queue()).entries == before.entries
        assert of(rig.gateway, RetellSignals) == [RetellSignals(PATH)]
        rig.gateway.clear()
        await rig.told(BTC, SOL, entry("s9", symbol="SOL/USDT"))
        assert rig.outcomes() == [("s1", "opened"), ("s3", "queued:q1:pool_full"), ("s9", "replaced:q1")]
        await rig.told(RELEASE)
        assert rig.started()[-1] == "gs9"

    play(script)


STORY: tuple[Any, ...] = (
    entry("s1", symbol=PERP),
    ETH,
    SOL,
    entry("s4", symbol="SOL/USDT", entry_price=D(99)),
    entry("s5", symbol=PERP, side="short", kind="reverse"),
    entry("s6", symbol="ETH/USDT"),
    SlotReleased(signal("s1", symbol=PERP).group_key, "gs1"),
    exit_("x1", symbol="ETH/USDT"),
    SlotReleased(ETH.signal.group_key, "gs2"),
    SlotReleased(ETH.signal.group_key, "gs2"),
)
"""Openings, a queue, a replacement, a reversal, a pyramid, releases and promotions."""


def test_cut_after_every_event_it_ends_the_same() -> None:
    """EX-1205: whatever event the journal ends with, told its messages again the pool ends in the same state."""
    whole = FailingJournal()

    async def script(stage: Stage) -> tuple[Any, list[str]]:
        rig = PoolRig(stage)
        for message in STORY:
            await rig.told(message)
        state = stage.actor("pool")._state
        slots = {key: (group.group_id, group.received, group.closing) for key, group in state.live.items()}
        waits = {key: (entry.key, entry.entry_price, entry.replacements) for key, entry in state.queue.items()}
        return (slots, waits), sorted(set(rig.started()))

    expected = play(script, journal=whole)
    events = list(whole.read(PATH))
    assert {type(each.event).__name__ for each in events} >= {"EntryPromoted", "GroupCloseAsked", "QueuedReplaced"}
    for cut in range(len(events)):
        torn = FailingJournal()
        torn.append([_entry_of(each) for each in events[:cut]])
        state, _ = play(script, journal=torn)
        assert state == expected[0], f"cut after {cut}: {type(events[cut - 1].event).__name__}"


def _entry_of(record: Any) -> Any:
    from runtime.journal import Entry

    return Entry(
        record.stream,
        record.seq,
        record.event,
        record.at,
        record.message_id,
        record.correlation_id,
        record.causation_id,
    )
