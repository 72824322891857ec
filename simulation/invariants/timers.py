"""Timers: whatever an actor owes to itself at a later instant has its timer running."""

from __future__ import annotations

from collections.abc import Iterator

from actors.group import PositionGroup
from actors.pool import Pool
from protocol.groups import GroupState
from protocol.venue import Reconciled
from rules.group import retries
from rules.pool import next_expiry
from runtime.journal import Entry
from runtime.lifecycle import LifeState
from simulation.invariant import Invariant, Scene

__all__ = ["DueIsArmed"]


class DueIsArmed(Invariant):
    """A group that is to try again, and a pool with an entry that grows too old, will be woken for it."""

    NAME = "what-is-due-is-armed"
    WANTS = (Reconciled,)

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - it only says when to look
        """Look whenever the account was compared: every few minutes, and soon after a start."""
        if scene.runs:
            yield from self.at_rest(scene)

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at every group and pool."""
        for path in scene.system.paths():
            cell = scene.system.cell_of(path)
            idle = (
                cell is not None and not cell.busy and not len(cell.mailbox)
            )  # the word that is due may be in its hands
            actor = (
                cell.actor if cell is not None and idle and cell.state is LifeState.RUNNING and cell.was_ready else None
            )
            if isinstance(actor, PositionGroup):
                yield from self._group(actor)
            elif isinstance(actor, Pool):
                yield from self._pool(path, actor)

    def _group(self, actor: PositionGroup) -> Iterator[str]:
        view = actor._view
        if view is None or view.state is GroupState.CLOSED:
            return
        owed = len(retries(view, actor.now()))
        running = sum(timer.live for timer in actor._retries.values())
        if running < owed:
            yield f"{view.group_id} is to try {owed} things again and waits for {running}"

    def _pool(self, path: str, actor: Pool) -> Iterator[str]:
        due, timer = next_expiry(actor._state, actor._settings), actor._expiry
        if due is not None and (timer is None or not timer.live or timer.at > due):
            yield f"{path} has an entry that is too old at {due} and will not look"
