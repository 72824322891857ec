"""Whatever goes wrong between a writer and its server, and in whatever order: what was kept is kept once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from random import Random

import pytest

from runtime.journal import JournalUnavailable
from store.postgres.journal import PostgresJournal, open_journal, open_reader
from store.postgres.place import Place
from store.sqlite_journal import MEMORY
from store.sqlite_journal import open_journal as open_file
from tests.servers.cut_line import CutLine
from tests.servers.postgres import shared_server, until
from tests.store.events import entry
from tests.store.postgres.test_failures import kill_backends, works

pytestmark = pytest.mark.slow

STEPS = 25
FAULTS = ("", "", "", "request", "answer", "late", "request, down", "answer, down", "late, down", "killed")


@pytest.mark.parametrize("seed", range(4))
def test_any_faults_in_any_order(postgres_url: str, seed: int) -> None:
    """Each append that returned stands there once, in order; one that raised stands there once or not at all."""
    rng, direct = Random(seed), Place(postgres_url)
    line = CutLine(shared_server().socket)
    url = f"postgresql://postgres@127.0.0.1:{line.port}/{postgres_url.partition('@/')[2].partition('?')[0]}?sslmode=disable"
    place = replace(Place(url), connect_timeout_s=1.0, command_timeout_s=2.0, commit_timeout_s=rng.choice([0.0, 0.3]))
    returned: list[str] = []
    raised: set[str] = set()
    with closing(open_journal(place)) as journal:
        for step in range(STEPS):
            fault = rng.choice(FAULTS)
            texts = [f"{step}.{n}" for n in range(rng.randint(1, 4))]
            if attempt(journal, line, direct, fault, texts):
                returned += texts
            else:
                raised |= set(texts)
                line.down = False
                until(lambda: works(journal.reader))
        digest, head = journal.digest(), journal.head()
    line.close()
    with closing(open_reader(direct)) as reader:
        records = list(reader.read_all())
        assert (reader.verify(), reader.digest()) == (head, digest)
    kept = [record.event.text for record in records]  # type: ignore[attr-defined]
    assert len(kept) == len(set(kept))
    assert [text for text in kept if text not in raised] == returned
    assert digest == digest_of_the_same(kept)


def attempt(journal: PostgresJournal, line: CutLine, direct: Place, fault: str, texts: list[str]) -> bool:
    """Append these texts while something goes wrong; return whether the append returned."""
    after = sum(1 for _ in journal.read("a"))
    commit = journal.stage([entry("a", after + n, text) for n, text in enumerate(texts, 1)])
    what, _, then = fault.partition(", ")
    if what == "killed":
        kill_backends(direct)
    elif what:
        line.lose(what, then_down=bool(then))  # type: ignore[arg-type]
    try:
        commit()
    except JournalUnavailable:
        return False
    finally:
        if what == "late":
            line.deliver()
    return True


def digest_of_the_same(texts: list[str]) -> str:
    """Return the digest of a journal in memory with these records."""
    with closing(open_file(MEMORY)) as journal:
        for seq, text in enumerate(texts, 1):
            journal.append([entry("a", seq, text)])
        return journal.digest()
