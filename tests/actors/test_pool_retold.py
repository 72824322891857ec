"""Signals that the gateway tells again long afterwards: they act on what they meant, never on what came later."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import AddPyramid, CloseGroup, ReduceGroup
from protocol.pool import GroupCloseAsked, GroupMail, PyramidAdmitted, QueueRemoved
from protocol.signals import ExitRequest, ReduceRequest
from rules.signals.arrival import came_before
from tests.actors.cast import FailingJournal, Stage, of, play
from tests.actors.groups import signal
from tests.actors.pool_rig import PATH, RELEASE, PoolRig, entry, exit_, reduce

FIRST, LEAVES, SECOND, LATER = (f"s{number:08d}" for number in (1, 2, 3, 4))


def mailed(rig: PoolRig, kind: type) -> list[str]:
    """Return which groups were told messages of a kind."""
    return [mail.message.group_id for mail in of(rig.groups, GroupMail) if isinstance(mail.message, kind)]


def leaving(signal_id: str) -> ExitRequest:
    """Return an exit under an id of the gateway's."""
    return exit_(signal_id)


def shrinking(signal_id: str) -> ReduceRequest:
    """Return a reduction under an id of the gateway's."""
    return reduce(signal_id, fraction=Decimal("0.5"))


def test_a_pyramid_told_again_never_enters_the_next_group() -> None:
    """EX-105: a pyramid whose group has closed is answered with what it came to; the group of its key is another one."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = PoolRig(stage)
        for message in (entry("s1"), entry("s2"), RELEASE, entry("s3")):
            await rig.told(message)
        assert rig.started() == ["gs1", "gs3"]
        await rig.told(entry("s2"))
        assert mailed(rig, AddPyramid) == ["gs1"]
        assert rig.outcome() == "pyramid_added:1"

    async def second(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s2"))
        assert mailed(rig, AddPyramid) == []
        assert rig.outcome() == "pyramid_added:1"
        assert len(stage.events(PATH, PyramidAdmitted)) == 1

    play(first, journal=journal)
    play(second, journal=journal)


def test_an_exit_told_again_leaves_alone_what_came_after_it() -> None:
    """EX-105, EX-912: an exit deletes no entry that arrived after it, and closes no group that was opened by one."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry(FIRST), leaving(LEAVES), entry(SECOND))
        assert rig.outcome() == "queued:q1:closing"
        await rig.told(leaving(LEAVES))
        assert await rig.waiting() == ["q1"]
        await stage.told("pool", type(RELEASE)(RELEASE.group_key, f"g{FIRST}"))
        assert rig.started() == [f"g{FIRST}", f"g{SECOND}"]
        rig.groups.clear()
        await rig.told(leaving(LEAVES), shrinking(LEAVES))
        assert mailed(rig, CloseGroup) == mailed(rig, ReduceGroup) == []
        assert [outcome for _, outcome in rig.outcomes()[-2:]] == ["nothing_to_exit"] * 2
        assert [event.group_id for event in stage.events(PATH, GroupCloseAsked)] == [f"g{FIRST}"]
        assert stage.events(PATH, QueueRemoved) == []

    play(script)


def test_the_next_signal_of_an_id_is_not_hidden_behind_a_refusal() -> None:
    """EX-105: a reduction that could not be kept left its id to an entry; told again, that hears that it opened a group."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = PoolRig(stage)
        took = entry("s1", received_at=stage.now + 1)
        await rig.told(shrinking("s1"), took)
        assert [outcome for _, outcome in rig.outcomes()] == ["nothing_to_exit", "opened"]
        await rig.told(took)
        assert rig.outcome() == "opened"
        assert rig.started() == ["gs1"]
        assert mailed(rig, AddPyramid) == []

    async def second(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1"))
        assert rig.outcome() == "opened"

    play(first, journal=journal)
    play(second, journal=journal)


def test_an_exit_that_came_later_acts() -> None:
    """EX-912, EX-714: by their ids the gateway's signals act in the order of their arrival, whatever a clock says."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, max_open_groups=1, same_pair_timeframe=False)
        await rig.told(entry(FIRST, received_at=stage.now + 10**12), entry(SECOND))
        await rig.told(shrinking(LATER), leaving(LATER))
        assert mailed(rig, ReduceGroup) == mailed(rig, CloseGroup)[:1] == [f"g{FIRST}"]
        assert len(stage.events(PATH, QueueRemoved)) == 1

    play(script)


def test_ids_tell_the_order_of_arrival() -> None:
    """Only ids of the gateway's making say anything, those for a second account as well."""
    assert came_before("s00000009", "s00000010")
    assert came_before("s00000009-second", "s00000010-second")
    assert not came_before("s00000010", "s00000010")
    assert not came_before("x1", "s00000010")
    assert not came_before("s00000009", "adopt-7")
    assert signal().signal_id == "s1"
