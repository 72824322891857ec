"""A journal that can be read while it commits: starts do not wait for the disk."""

from __future__ import annotations

import threading
from typing import Any

from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Line, Teller, pass_s, play, under_nurse, until
from tests.runtime.test_gate import SlowJournal, orders


class SplitJournal(SlowJournal):
    """A slow journal that may be read while it commits."""

    def reader(self) -> Any:
        """Return a reader of its own."""
        return _Beside(self)


class _Beside:
    def __init__(self, journal: MemoryJournal) -> None:
        self.read = journal.read
        self.load_snapshot = journal.load_snapshot


def test_a_start_waits_for_a_commit_only_when_it_is_its_own() -> None:
    """Who begins a life reads what is durable at once, unless events of its own stream are still on their way."""
    journal = SplitJournal()

    async def scenario(system: ActorSystem) -> None:
        desk = under_nurse(system, Spec("desk", lambda: Teller(orders)))
        desk.tell(Line("a"))
        await until(lambda: system.durability._flying is not None)
        stranger = system.spawn(Spec("stranger", lambda: Teller(orders)))
        assert (system.durability.pending, stranger.alive) == (True, True)
        threading.Timer(0.01, journal.gate.release).start()
        desk.cell.crash(RuntimeError("again"), None)
        await pass_s(1)
        assert journal.texts() == ["a"]
        actor = desk.cell.actor
        assert isinstance(actor, Teller)
        assert actor.said == ["a"]

    play(scenario, journal=journal, threaded_journal=True)
