"""Durable actors on a PostgreSQL journal: what becomes of them when the server is cut off and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from runtime.journal import CommitUnknown, Fenced, JournalUnavailable
from runtime.lifecycle import LifeState
from runtime.system import ActorSystem
from store.postgres.journal import PostgresJournal, open_journal, open_reader
from store.postgres.place import Place
from supervision.child import ChildSpec
from supervision.supervisor import Supervisor
from tests.runtime.cast import Question, Said, Teller, pass_s, play
from tests.servers.cut_line import CutLine, Fault
from tests.servers.postgres import shared_server


@pytest.fixture
def line() -> Iterator[CutLine]:
    cut = CutLine(shared_server().socket)
    yield cut
    cut.close()


@pytest.fixture
def journal(line: CutLine, postgres_url: str) -> Iterator[PostgresJournal]:
    database = postgres_url.partition("@/")[2].partition("?")[0]
    url = f"postgresql://postgres@127.0.0.1:{line.port}/{database}?sslmode=disable"
    place = replace(Place(url), connect_timeout_s=2.0, command_timeout_s=2.0, commit_timeout_s=0.0)
    with closing(open_journal(place)) as opened:
        yield opened


def house() -> ChildSpec:
    """Return two tellers under a supervisor with a small budget."""
    children = [ChildSpec(name, Teller) for name in ("one", "two")]
    return ChildSpec("house", lambda: Supervisor(children))


async def ask(system: ActorSystem, name: str, text: str) -> str:
    """Say a line to a teller; return all it has heard."""
    ref = system.lookup(f"/{name}")
    assert ref is not None
    answer: str = await ref.ask(Question(text))
    return answer


def all_up(system: ActorSystem) -> bool:
    """Whether both tellers run."""
    found = [system.lookup(path) for path in ("/one", "/two")]
    return all(ref is not None and ref.cell.state is LifeState.RUNNING for ref in found)


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("fault", ["answer", "late"])
def test_actors_go_on_with_what_the_journal_kept(
    journal: PostgresJournal, line: CutLine, postgres_url: str, fault: Fault, threaded: bool
) -> None:
    """A server that goes away in a commit and stays away for a while ends nobody for good; all is as the journal says."""
    kept = ["a", "b"] if fault == "answer" else ["a"]

    async def scenario(system: ActorSystem) -> str:
        system.start_root(house())
        await system.ready()
        assert await ask(system, "one", "a") == "a"
        line.lose(fault, then_down=True)
        with pytest.raises(CommitUnknown):
            await ask(system, "one", "b")
        await pass_s(30)  # many restarts more than any budget
        with pytest.raises(JournalUnavailable):
            await ask(system, "two", "lost")
        line.down = False
        while not all_up(system):  # virtual time flies: the server has real time to come back
            await pass_s(1)
        assert await ask(system, "two", "z") == "z"
        return await ask(system, "one", "c")

    answer = play(scenario, journal=journal, threaded_journal=threaded)
    assert answer == ",".join([*kept, "c"])
    if fault == "late":
        assert b"BHH01" in line.deliver()
    with closing(open_reader(Place(postgres_url))) as reader:
        found = [r.event.text for r in reader.read("/one") if isinstance(r.event, Said)]
        assert found == [*kept, "c"]
        assert reader.verify() == len(kept) + 2


@pytest.mark.parametrize("threaded", [False, True])
def test_a_house_that_was_taken_over_ends(journal: PostgresJournal, postgres_url: str, threaded: bool) -> None:
    """Once another process holds the journal, the old one keeps nothing, answers nobody, and fails as a whole."""

    async def scenario(system: ActorSystem) -> BaseException:
        system.start_root(house())
        await system.ready()
        assert await ask(system, "one", "a") == "a"
        with closing(open_journal(Place(postgres_url), fences={})):
            with pytest.raises(Fenced):
                await ask(system, "one", "b")
            return await system.failed()

    assert isinstance(play(scenario, journal=journal, threaded_journal=threaded), Fenced)
    with closing(open_reader(Place(postgres_url))) as reader:
        assert reader.head() == 1
