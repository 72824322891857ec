"""The keeper of the read models: follows the journal in its own thread, and never holds anybody up."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actors.projector import Committed, ReadModelKeeper, ReadModelProcess
from actors.projector import _Reached as Reached
from actors.projector import _Rested as Rested
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.venue import ReconcileNow
from runtime.journal import Entry, Record
from runtime.system import ActorSystem
from store.opening import open_reader
from store.projector import Projector
from store.sqlite_journal import open_journal
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.cast import Broken, Stage, play


class Log:
    """A journal of a given length."""

    def __init__(self) -> None:
        self.closed = 0
        self.length = 0

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


class Model:
    """Read models that only count; ``before`` runs at the beginning of each catching up."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def catch_up(self, journal: Any) -> int:
        self.rig.threads.add(threading.get_ident())
        self.rig.caught_up += 1
        self.rig.before()
        return self.rig.log.length

    def close(self) -> None:
        self.rig.closed += 1


class Rig:
    """The keeper ``/house/keeper`` over stand-ins."""

    def __init__(self, stage: Stage, *, owns_reader: bool = True) -> None:
        self.stage = stage
        self.log = Log()
        self.closed = 0
        self.caught_up = 0
        self.threads: set[int] = set()
        self.before: Callable[[], None] = lambda: None
        reader: Any = lambda: self.log  # noqa: E731 - a stand-in
        model: Any = lambda: Model(self)  # noqa: E731 - a stand-in
        stage.add("keeper", lambda: ReadModelKeeper(reader=reader, projector=model, owns_reader=owns_reader))


def test_it_catches_up_at_the_start_and_after_commits() -> None:
    """What an earlier daemon left is projected at once, later commits as they are told."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        assert rig.caught_up == 1
        rig.log.length = 7
        await stage.told("keeper", Committed())
        assert rig.caught_up == 2
        assert stage.actor("keeper").detail == "at 7"

    play(script)


def test_many_commits_are_one_catching_up() -> None:
    """Told of many commits while it waits for its turn, it reads the journal once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        await stage.told("keeper", *[Committed()] * 100)
        assert rig.caught_up == 2

    play(script)


@pytest.mark.parametrize("owns_reader", [True, False])
def test_files_are_released_at_the_end_of_each_life(owns_reader: bool) -> None:
    """After a crash and at the stop both files are closed; a reader that somebody else owns is left open."""
    rigs: list[Rig] = []

    async def script(stage: Stage) -> None:
        rig = Rig(stage, owns_reader=owns_reader)
        rigs.append(rig)
        await stage.settle()

        def fail_once() -> None:
            rig.before = lambda: None
            raise Broken("the file is locked")

        rig.before = fail_once
        await stage.told("keeper", Committed())
        assert rig.closed == 1
        assert rig.caught_up >= 3

    play(script)
    assert rigs[0].closed == 2
    assert rigs[0].log.closed == (2 if owns_reader else 0)


def test_real_files_in_a_thread(tmp_path: Path) -> None:
    """Journal and read models are opened, used and closed from the keeper's own thread; the tables follow the journal."""
    journal = open_journal(tmp_path / "journal.db")
    journal.append(
        [Entry("/risk", n, EngineStatusChanged(n, EngineStatus.PAUSED, "x", n), n, n, n, 0) for n in range(1, 4)]
    )

    async def script(stage: Stage) -> None:
        keeper = partial(
            ReadModelKeeper,
            reader=partial(open_reader, tmp_path / "journal.db", check=False),
            projector=partial(Projector, tmp_path / "views.db"),
        )
        stage.add("keeper", keeper, dispatch="thread")
        await stage.settle()
        assert stage.actor("keeper").detail == "at 3"
        journal.append([Entry("/risk", 4, EngineStatusChanged(4, EngineStatus.RUNNING, "", 4), 4, 4, 4, 0)])
        await stage.told("keeper", Committed())
        assert stage.actor("keeper").detail == "at 4"
        await stage.crash("keeper")
        assert stage.actor("keeper").detail == "at 4"

    play(script, inline_threads=False)
    journal.close()
    views = Projector(tmp_path / "views.db")
    assert views.position == 4
    views.close()


def test_it_works_beside_the_loop() -> None:
    """A slow disk under the read models does not keep anybody else from working."""

    async def script(stage: Stage) -> None:
        log = Log()
        others: list[Any] = stage.probe("other")

        class Slow(Model):
            def catch_up(self, journal: Any) -> int:
                assert told.wait(60)
                return super().catch_up(journal)

        told = threading.Event()
        rig = Rig(stage)
        await stage.settle()
        reader: Any = lambda: log  # noqa: E731 - a stand-in
        slow: Any = lambda: Slow(rig)  # noqa: E731 - a stand-in
        stage.add("slow", lambda: ReadModelKeeper(reader=reader, projector=slow), dispatch="thread")
        stage.tell("other", ReconcileNow())
        turned = stage.system.loop.create_future()
        stage.system.loop.call_soon(lambda: stage.system.loop.call_soon(turned.set_result, None))
        await turned
        assert len(others) == 1
        told.set()
        await stage.settle()
        assert len(rig.threads) == 2

    play(script, inline_threads=False)


_DEAF = "import signal\nprint(0, flush=True)\nsignal.pause()"
"""A process that answers once and does not end when nobody speaks to it any more."""


def test_a_process_that_does_not_end_is_killed() -> None:
    """A process that projects and hangs is killed at its deadline and waited for: none of it outlives the system."""

    async def main() -> Any:
        keepers: list[ReadModelProcess] = []

        def keeper() -> ReadModelProcess:
            keepers.append(ReadModelProcess((sys.executable, "-c", _DEAF)))
            return keepers[0]

        async with ActorSystem() as system:
            system.start_root(supervisor("root", ChildSpec("keeper", keeper, stop_s=0.05)))
            await system.ready()
        return keepers[0]._process

    assert asyncio.run(main()).returncode == -signal.SIGKILL


_MUTE = "import sys\nsys.stdin.read()"
"""A process that never answers, and ends when nobody speaks to it any more."""


def test_an_answer_for_an_earlier_life_is_not_taken_for_an_own_one() -> None:
    """Regression: it freed the next life to ask again while its own question was open, and two readers crashed it."""

    async def main() -> tuple[str, bool]:
        keepers: list[ReadModelProcess] = []

        def keeper() -> ReadModelProcess:
            keepers.append(ReadModelProcess((sys.executable, "-c", _MUTE)))
            return keepers[0]

        async with ActorSystem() as system:
            system.start_root(supervisor("root", ChildSpec("keeper", keeper)))
            await system.ready()
            handled = asyncio.Event()
            cell = system.cell_of("/keeper")
            assert cell is not None
            system.tell("/keeper", Reached(1, 99, ""))
            system.tell("/keeper", Rested(1))
            system.loop.call_soon(lambda: system.loop.call_soon(handled.set))
            await handled.wait()
            assert len(cell.mailbox) == 0
            return keepers[0].detail, keepers[0]._busy

    detail, busy = asyncio.run(main())
    assert detail.startswith("at 0, process ")
    assert busy, "it still waits for the answer of its own process"
