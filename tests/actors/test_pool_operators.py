"""What operators ask of the pool: promote, force, remove, read, try out."""

from __future__ import annotations

from protocol.groups import SlotReleased
from protocol.pool import (
    DryRun,
    EntryPromoted,
    ForceAdd,
    PromoteQueued,
    QueueAnswer,
    RemoveQueued,
)
from tests.actors.cast import D, Stage, play
from tests.actors.groups import signal
from tests.actors.pool_rig import BTC, ETH, PATH, PERP, SOL, PoolRig, entry


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


def test_the_other_side_of_a_perpetual_is_not_forced_in_under_another_timeframe() -> None:
    """EX-913, EX-926: a venue nets both sides of a perpetual, so that force-add meets the hold of the opposite side."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1", symbol=PERP), entry("s2", symbol=PERP, side="short", timeframe="4h"))
        answer: QueueAnswer = await stage.ask("pool", ForceAdd("q1"))
        assert (answer.code, answer.reason) == ("HeldEntry", "opposite_side")
        await rig.told(SlotReleased(signal("s1", symbol=PERP).group_key, "gs1"))
        assert rig.started() == ["gs1", "gs2"]

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
