"""Mode dry_run: every signal is told what it would come to, and nothing is opened, queued or closed (EX-113)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.configuration import ApplySettings
from protocol.pool import AdmitAdopted, DryRun, ForceAdd, GroupMail, PromoteQueued, RemoveQueued
from protocol.risk import EngineStatus
from protocol.signals import SignalOutcome
from tests.actors.cast import Stage, of, play
from tests.actors.groups import opening, signal
from tests.actors.pool_rig import BTC, ETH, MARKETS, PATH, RELEASE, SOL, PoolRig, entry, exit_, reduce


def reasons(rig: PoolRig) -> tuple[str, ...]:
    """Return the reasons of the newest outcome."""
    return of(rig.gateway, SignalOutcome)[-1].reasons


def test_an_entry_is_rehearsed_with_its_steps_as_reasons() -> None:
    """EX-113: precision, ladder, funds and slot are gone through and told; no group is started, nothing is journalled."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, dry_run=True)
        said = await stage.ask("pool", DryRun(BTC.signal))
        await rig.told(BTC)
        assert rig.outcomes() == [("s1", "dry_run:opened")]
        assert [each.partition(":")[0] for each in reasons(rig)] == [step.step for step in said.steps]
        assert {"engine: running", "slot: free (0 of 2 slots are taken)"} <= set(reasons(rig))
        assert any(each.startswith("ladder: placed (pyramid 0; layer 0: ") for each in reasons(rig))
        assert (rig.started(), stage.events(PATH)) == ([], [])

    play(script)


def test_the_same_signal_told_again_is_answered_the_same() -> None:
    """EX-105: a rehearsal that is told again, whatever has changed since, repeats its outcome."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, dry_run=True)
        await rig.told(BTC)
        await rig.permit(EngineStatus.PAUSED, "a look")
        await rig.told(BTC, ETH)
        assert rig.outcomes() == [
            ("s1", "dry_run:opened"),
            ("s1", "dry_run:opened"),
            ("s2", "dry_run:rejected:EnginePaused"),
        ]

    play(script)


def test_what_a_full_pool_would_do() -> None:
    """EX-113: with groups from before the switch an entry would wait or be a pyramid; their slots stay taken."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH)
        await switch(stage, rig, dry_run=True)
        before = len(stage.events(PATH))
        await rig.told(SOL, entry("s4"))
        assert [outcome for _, outcome in rig.outcomes()[2:]] == [
            "dry_run:queued:q1:pool_full",
            "dry_run:pyramid_added:1",
        ]
        assert len(stage.events(PATH)) == before
        assert of(rig.groups, GroupMail) == []

    play(script)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (exit_(), "dry_run:closing"),
        (reduce(fraction=Decimal("0.5")), "dry_run:reduced"),
        (exit_(symbol="SOL/USDT"), "dry_run:nothing_to_exit"),
    ],
    ids=["exit", "reduction", "exit of nothing"],
)
def test_exits_and_reductions_are_rehearsed_as_well(message: Any, outcome: str) -> None:
    """EX-113: no signal closes anything; a group from before keeps its own targets and stops, and operators close it."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC)
        await switch(stage, rig, dry_run=True)
        before = len(stage.events(PATH))
        await rig.told(message)
        assert rig.outcome() == outcome
        assert (len(stage.events(PATH)), of(rig.groups, GroupMail)) == (before, [])

    play(script)


def test_nothing_that_waits_enters() -> None:
    """EX-113: neither its rank, nor an operator, nor an adoption lets anything in; an entry can still be removed."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        await switch(stage, rig, dry_run=True)
        await rig.told(RELEASE)
        assert rig.started() == ["gs1", "gs2"]
        adopted = AdmitAdopted(opening(signal("s9", symbol="SOL/USDT"), MARKETS[2], stage.now))
        for command in (PromoteQueued("q1"), ForceAdd("q1"), adopted):
            answer = await stage.ask("pool", command)
            assert answer.code == "DryRun"
            assert "config set app.mode paper" in answer.message
        assert await rig.waiting() == ["q1"]
        assert (await stage.ask("pool", RemoveQueued("q1"))).code == ""
        assert await rig.waiting() == []

    play(script)


def test_leaving_the_mode_lets_in_what_waits() -> None:
    """EX-1307: the mode holds from the next message on; back in paper a free slot is given at once."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        await switch(stage, rig, dry_run=True)
        await rig.told(RELEASE)
        await switch(stage, rig, dry_run=False)
        assert rig.started() == ["gs1", "gs2", "gs3"]

    play(script)


def test_an_entry_whose_rules_are_fetched_is_rehearsed_by_them() -> None:
    """EX-506: old rules are fetched in a rehearsal as well; what was set aside is told once they are there."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, cache=True, dry_run=True)
        await rig.rules("BTC/USDT", age_s=10**6)
        await rig.told(BTC)
        assert (rig.outcomes(), rig.needs()) == ([], ["BTC/USDT"])
        await rig.rules("BTC/USDT")
        assert rig.outcomes() == [("s1", "dry_run:opened")]
        assert rig.started() == []

    play(script)


async def switch(stage: Stage, rig: PoolRig, *, dry_run: bool) -> None:
    """Apply another mode."""
    rig.settings = rig.settings._replace(dry_run=dry_run)
    await stage.ask("pool", ApplySettings(2, rig.settings))
