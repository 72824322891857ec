"""Whoever is ending hears no facts any more: nobody would read them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from runtime.actor import Actor, handles
from runtime.clock import VirtualClock
from runtime.loop import run_virtual
from runtime.spec import Spec
from runtime.system import ActorSystem


@dataclass(frozen=True)
class _Fact:
    text: str


class _Slow(Actor):
    """Subscribes, and takes its time to stop."""

    def __init__(self, heard: list[str], reached: asyncio.Event, released: asyncio.Event) -> None:
        self.heard = heard
        self.released = released
        self.reached = reached

    def started(self) -> None:
        """Subscribe."""
        self.context.bus.subscribe("facts", self.ref)

    async def stopping(self) -> None:
        """Wait until the test says so."""
        await self.released.wait()

    @handles
    def fact(self, fact: _Fact) -> None:
        """Write it down."""
        self.heard.append(fact.text)
        self.reached.set()


def test_a_fact_for_an_actor_that_is_ending_is_no_dead_letter() -> None:
    """Regression: facts published while a group ended in order were counted as dead letters."""

    async def main(clock: VirtualClock) -> None:
        heard: list[str] = []
        reached, released = asyncio.Event(), asyncio.Event()
        async with ActorSystem(clock=clock) as system:
            ref = system.spawn(Spec("slow", lambda: _Slow(heard, reached, released)))
            system.bus.publish("facts", _Fact("before"))
            await reached.wait()
            ref.cell.begin_stop()
            system.bus.publish("facts", _Fact("while it ends"))
            released.set()
            await ref.cell.settled()
            assert system.dead_letters.total == 0
            assert heard == ["before"]

    run_virtual(main)
