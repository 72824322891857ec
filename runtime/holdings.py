"""What a life holds outside the system, and that it is let go of when the life ends, in order or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from runtime.actor import Actor

if TYPE_CHECKING:
    from runtime.life import Life

__all__ = ["LET_GO_S", "Holdings"]

LET_GO_S: Final = 5.0
"""Seconds an actor without a deadline of its own gets to let go; then the next life begins all the same."""


class Holdings:
    """Calls an actor's ``let_go`` hook once a life, however it ends; an actor without one costs nothing."""

    __slots__ = ("_actor", "_life")

    def __init__(self, life: Life) -> None:
        self._life = life
        self._actor: Actor | None = None

    def begin(self, actor: Actor) -> None:
        """Remember whose hook is to be called."""
        self._actor = actor if type(actor).let_go is not Actor.let_go else None

    def __bool__(self) -> bool:
        return self._actor is not None

    async def let_go(self) -> None:
        """Call the hook and wait for it, but not for ever; what goes wrong is reported and stops nobody."""
        actor, self._actor = self._actor, None
        if actor is None:
            return
        life = self._life
        system, path = life.system, life.path
        work = system.run_task(_call(actor), path)
        _, late = await asyncio.wait({work}, timeout=life.spec.stop_s or LET_GO_S)
        if late:
            system.report(path, "does not let go of what its last life held")
            system.tasks.end(work)

    def abandon(self) -> None:
        """Have the hook called without waiting for it: whoever ends this life has no more time."""
        if self._actor is not None:
            self._life.system.run_task(self.let_go(), self._life.path)


async def _call(actor: Actor) -> None:
    pending = actor.let_go()
    if pending is not None:
        await pending
