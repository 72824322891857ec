"""What the pool knows again in its next life, and where its journal may be cut."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.groups import GroupState, SlotReleased
from protocol.signals import RetellSignals
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import D, Stage, kinds, of, play
from tests.actors.cuts import cuts
from tests.actors.groups import Standing, signal
from tests.actors.pool_rig import BTC, ETH, PATH, PERP, RELEASE, SOL, PoolRig, entry, exit_


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


def test_a_new_life_hears_what_groups_do_by_themselves() -> None:
    """EX-327, EX-1204: a group that closes by itself still counts as closing after a crash, however long that takes."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC)
        await stage.passes(1)
        closing = rig.standing(BTC.signal, GroupState.CLOSING)
        stage.add("closing", lambda: Standing(lambda: closing))
        await stage.crash("pool")
        await rig.told(entry("s9"))
        assert rig.outcome() == "queued:q1:closing"
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
    whole = MemoryJournal()

    async def script(stage: Stage) -> tuple[Any, list[str]]:
        rig = PoolRig(stage)
        for message in STORY:
            await rig.told(message)
        state = stage.actor("pool")._state
        slots = {key: (group.group_id, group.received, group.closing) for key, group in state.live.items()}
        waits = {key: (entry.key, entry.entry_price, entry.replacements) for key, entry in state.queue.items()}
        return (slots, waits), sorted(set(rig.started()))

    expected = play(script, journal=whole)
    torn_after = list(whole.read_all())
    assert set(kinds(each.event for each in torn_after)) >= {"EntryPromoted", "GroupCloseAsked", "QueuedReplaced"}
    for kept, torn in enumerate(cuts(whole)):
        state, _ = play(script, journal=torn)
        assert state == expected[0], f"cut after {kept}: {kinds(each.event for each in torn_after[:kept])[-1:]}"
