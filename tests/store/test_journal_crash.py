"""A killed writer loses nothing it has acknowledged and leaves no half batch."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from store.sqlite_journal import open_journal, open_reader
from tests.store.events import StoreNoted

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
KILLS = 15


def run_and_kill(path: Path, rng: random.Random) -> int:
    """Let a writer run, kill it (SIGKILL) after a random number of acknowledgements; return the last one."""
    command = [sys.executable, "-m", "tests.store.crash_child", str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 120)):
            line = child.stdout.readline()
        for _ in range(rng.randrange(20_000)):  # a moment within the next append, without a clock
            continue
        child.kill()
        rest = child.stdout.read()
    complete = (line + rest)[: (line + rest).rfind(b"\n")]
    return int(complete.split(b"\n")[-1])


def test_every_acknowledged_append_survives_kill(path: Path) -> None:
    """After each of 15 kills at random moments: all that was acknowledged is there, whole batches only, chain good."""
    rng = random.Random(20)
    for kill in range(1, KILLS + 1):
        acknowledged = run_and_kill(path, rng)
        with closing(open_reader(path)) as reader:  # another process reads before anyone repaired anything
            assert reader.head() >= acknowledged
        journal = open_journal(path)
        assert journal.start_number() == 2 * kill
        assert journal.verify() == journal.head() >= acknowledged
        sizes: Counter[tuple[int, int]] = Counter()
        for record in journal.read_all():
            assert isinstance(record.event, StoreNoted)
            batch, size, seq = map(int, record.event.text.split())
            assert seq == record.seq == record.position
            sizes[batch, size] += 1
        assert all(count == size for (_, size), count in sizes.items())
        assert [batch for batch, _ in sizes] == list(range(1, len(sizes) + 1))
        journal.close()
