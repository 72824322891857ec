"""What pool and loss offset say of settings that are not in force; nothing is changed by asking (EX-1309)."""

from __future__ import annotations

from msgspec.structs import replace

from protocol.preview import OffsetPreview, PoolPreview, PreviewOffset, PreviewPool
from tests.actors.cast import Stage, play
from tests.actors.offset_rig import ENGINE, worked_example
from tests.actors.pool_rig import BTC, ETH, PATH, SOL, PoolRig


def test_more_slots_would_let_the_next_one_in() -> None:
    """EX-1309: the pool shows its queue before and after, and whose entries a higher limit would let in at once."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(BTC, ETH, SOL)
        before = len(stage.events(PATH))
        found: PoolPreview = await stage.ask("pool", PreviewPool(rig.settings._replace(max_open_groups=3)))
        assert (found.before.maximum, found.after.maximum) == (2, 3)
        assert found.entering == (SOL.signal.group_key,)
        assert found.leaving == ()
        assert len(stage.events(PATH)) == before
        assert await rig.waiting() == ["q1"]

    play(script)


def test_another_required_number_of_pyramids_would_start_a_timer() -> None:
    """EX-1309: the loss offset names the groups whose eligibility or timer would change, and the plan before and after."""

    async def script(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        settings = replace(rig.settings, required_pyramids_for_timer=6)
        rig.price("l", "92.5")
        rig.scripts["a"] = lambda msg, held: None
        before = len(stage.events(ENGINE))
        found: OffsetPreview = await stage.ask("offset", PreviewOffset(settings))
        lost = next(each for each in found.groups if each.group_id == "l")
        assert (lost.reasons_before, lost.timer_after) == ((), None)
        assert lost.reasons_after == ("pyramids_incomplete", "timer_not_started")
        assert lost.timer_before is not None
        assert found.plan_before is not None
        assert found.plan_after is None
        assert len(stage.events(ENGINE)) == before

    play(script)
