"""A journal that cannot be written is no fault of the actors whose events it did not keep."""

from __future__ import annotations

import pytest

from runtime.journal import JournalError, JournalUnavailable
from supervision.budget import Intensity
from supervision.keeper import JOURNAL_RETRY_S
from tests.supervision.stage import STEADY, Stage, on_stage

ONE = Intensity(1, 1_000)


def fall(stage: Stage, path: str, error: JournalError) -> None:
    """End a life as a failed commit does."""
    cell = stage.system.cell_of(path)
    assert cell is not None
    cell.crash(error, None)


@pytest.mark.parametrize("way_out", ["escalate", "quarantine"])
def test_an_unavailable_journal_spends_no_budget(way_out: str) -> None:
    """However often the disk is full, nobody gives up: the child is back soon each time and its budget is untouched."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted=way_out, backoff=STEADY), stage.worker("b"), intensity=ONE)
        await stage.pass_s(0.1)
        for _ in range(20):
            stage.alive.pop("a", None)
            fall(stage, "/a", JournalUnavailable("the disk is full"))
            await stage.pass_s(JOURNAL_RETRY_S + 0.1)
            assert stage.phases() == {"a": "up", "b": "up"}
        assert stage.failure is None
        assert stage.log.count("+b") == 1

    on_stage(script)


def test_a_journal_that_refuses_an_event_is_a_fault() -> None:
    """An error that is the writer's own doing (a conflict, an entry that cannot be stored) counts as any crash."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine"), intensity=ONE)
        await stage.pass_s(0.1)
        for _ in range(2):
            stage.alive.pop("a", None)
            fall(stage, "/a", JournalError("no journal could store this"))
            await stage.pass_s(5)
        assert stage.phases() == {"a": "quarantined"}

    on_stage(script)
