"""Bugs in what is kept: the durability gate, snapshots, recovery, the read models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import store.projector
from actors.group import PositionGroup
from actors.pool import Pool
from runtime.durable import Durability
from runtime.journal import Record
from simulation.defects.defect import patched
from store.projector import Projector
from store.views.registry import Writer, insert

__all__ = [
    "act_before_persist",
    "failed_commit_kept",
    "lost_timer_on_restart",
    "projector_skips_one_event",
    "snapshot_one_behind",
]

_PAGE: Final = 40
"""Records in a page of the projector that skips one."""


def act_before_persist() -> AbstractContextManager[None]:
    """Let messages to the outside go at once instead of holding them until what led to them is durable."""
    return patched(Durability, "holds", lambda _: lambda _self, _cell, _envelope: False)


def failed_commit_kept() -> AbstractContextManager[None]:
    """Leave the actors as they are when a commit has failed: they go on with events that nobody kept."""

    def change(failed: Callable[..., None]) -> Callable[..., None]:  # noqa: ARG001 - it is what is left out
        def wrong(self: Any, error: Any, batch: Any) -> None:
            self.error = error
            self._release(batch.held, error)
            self._tell_watchers(error)

        return wrong

    return patched(Durability, "_failed", change)


def snapshot_one_behind() -> AbstractContextManager[None]:
    """Encode the state for a snapshot before the newest event is applied, and number it as if it were."""

    def change(record: Callable[..., None]) -> Callable[..., None]:  # noqa: ARG001 - it is written anew
        def wrong(self: Any, cell: Any, actor: Any, do: Any, envelope: Any) -> None:
            entries = self._entries(actor, do.events, envelope, do.correlation_id)
            snapshot = None
            for entry in entries:
                actor.sequence = entry.seq
                if entry is entries[-1]:
                    snapshot = self._due_snapshot(actor, len(entries))
                actor.apply(entry.event)
            self._add(entries)
            self._writers[cell.path] = (cell, cell.incarnation)
            if snapshot is not None:
                self._snapshots.append(snapshot)

        return wrong

    return patched(Durability, "record", change)


@contextmanager
def lost_timer_on_restart() -> Iterator[None]:
    """Set timers only when something is decided, not when a group or the pool comes back from its journal."""

    def group(recovered: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: PositionGroup) -> Any:
            with _mute(self, "_set_retries"):
                return recovered(self)

        return wrong

    def pool(started: Callable[..., None]) -> Callable[..., None]:
        def wrong(self: Pool) -> None:
            with _mute(self, "_wait_for_expiry"):
                started(self)

        return wrong

    with patched(PositionGroup, "recovered", group), patched(Pool, "started", pool):
        yield


@contextmanager
def _mute(actor: Any, name: str) -> Iterator[None]:
    """Have a method of one actor do nothing."""
    assert callable(getattr(actor, name)), name
    setattr(actor, name, lambda: None)
    try:
        yield
    finally:
        delattr(actor, name)


@contextmanager
def projector_skips_one_event() -> Iterator[None]:
    """Read the journal in pages, and take the first record of each page but the first for one that is projected."""

    def change(project: Callable[..., int]) -> Callable[..., int]:
        def wrong(self: Projector, records: Iterable[Record]) -> int:
            before, batch = self.position, list(records)
            if before and len(batch) > 1 and batch[0].position == before + 1:
                first = Writer(self.database, batch[0], {})
                values = {name: getattr(batch[0], name) for name in ("position", "stream", "seq", "at", "message_id")}
                insert(first, "progress", one=1, **values)
                batch = batch[1:]
            return project(self, batch)

        return wrong

    with patched(Projector, "_project", change), patched(store.projector, "BATCH", lambda _: _PAGE):
        yield
