"""Counting what there is, for those who look often."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from runtime.journal import JournalUnavailable
from service.api.counted import UNREAD_NS, Counted, Unread
from store.queries import Counts


class _Views:
    """Read models at a position, which note how often they were counted."""

    def __init__(self) -> None:
        self.at, self.counted = 7, 0

    def position(self) -> int:
        return self.at

    def counts(self) -> Counts:
        self.counted += 1
        return Counts(signals=self.at, open_groups=1, closed_groups=2, working_orders=3)

    def incidents(self) -> list[str]:
        return ["venue down"]

    def pools(self) -> list[Any]:
        return []


class _Away(_Views):
    """Read models whose server goes away."""

    away = False

    def position(self) -> int:
        if self.away:
            raise JournalUnavailable("the server is away")
        return self.at


class _Reading:
    """Reads at once; notes how often it was asked."""

    def __init__(self, views: _Views) -> None:
        self._views, self.reads = views, 0

    async def views(self, ask: Callable[[Any], Any]) -> Any:
        self.reads += 1
        await anyio.lowlevel.checkpoint()
        return ask(self._views)

    async def beside(self, work: Callable[[], Any]) -> Any:
        self.reads += 1
        return work()


@pytest.mark.anyio
async def test_while_nothing_is_written_nothing_is_read() -> None:
    """An answer that is asked for all the time costs no read while the journal stands still, and is never old."""
    views = _Views()
    reading = _Reading(views)
    head = views.at
    counted = Counted(reading, lambda: head)  # type: ignore[arg-type]
    first = await counted.amounts()
    assert (await counted.amounts(), reading.reads) == (first, 1)
    head = 8  # written, but not projected yet: looked at each time, counted not once more
    assert ((await counted.amounts()).position, views.counted) == (7, 1)
    views.at = 8
    assert ((await counted.amounts()).signals, views.counted) == (8, 2)
    async with anyio.create_task_group() as group:
        head = views.at = 9
        for _ in range(5):
            group.start_soon(counted.amounts)
    assert views.counted == 3, "those who ask at once share one count"


@pytest.mark.anyio
async def test_unread_incidents_are_looked_for_once_a_second_and_after_some_were_seen(tmp_path: Path) -> None:
    """A folder is not listed at every look; what an operator marks as seen shows at once."""
    folder, now = tmp_path / "incidents", 10**18
    reading = _Reading(_Views())
    unread = Unread(reading, tmp_path, lambda: now)  # type: ignore[arg-type]
    assert await unread.count() == 0
    folder.mkdir()
    (folder / "20261121T175344123Z-i1-1.json").write_text("{}", encoding="utf-8")
    assert (await unread.count(), reading.reads) == (0, 1)
    now += UNREAD_NS
    assert await unread.count() == 1
    (folder / "20261121T175344123Z-i1-1.json").unlink()
    unread.look_again()
    assert await unread.count() == 0


@pytest.mark.anyio
async def test_who_asks_how_it_stands_is_answered_while_the_read_models_are_away() -> None:
    """Engine, venues and the reason are wanted most when the server is away: the counts of before stand meanwhile."""
    views = _Away()
    head = views.at
    counted = Counted(_Reading(views), lambda: head)  # type: ignore[arg-type]
    views.away = True
    with pytest.raises(JournalUnavailable):
        await counted.newest()
    views.away = False
    first = await counted.newest()
    head, views.away = 8, True
    assert await counted.newest() == first
    with pytest.raises(JournalUnavailable):
        await counted.amounts()
    views.away, views.at = False, 8
    assert (await counted.newest()).position == 8
