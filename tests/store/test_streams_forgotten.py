"""Each group that ever was has a stream: neither a writer nor a reader keeps all of them in mind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

import store.rows
import store.sqlite_journal
from store.sqlite_journal import open_journal, open_reader
from tests.store.events import entry


def test_what_was_forgotten_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that left the writer's mind is looked up: its numbers go on, and the chain fits."""
    monkeypatch.setattr(store.sqlite_journal, "_STREAMS_KNOWN", 8)
    monkeypatch.setattr(store.rows, "_STREAMS_KEPT", 8)
    monkeypatch.setattr(store.rows, "_STREAMS_AT_ONCE", 4)
    names = [f"/group/{number}" for number in range(40)]
    with closing(open_journal(tmp_path / "j.db", durability="off")) as journal:
        for seq in (1, 2, 3):
            for name in names:
                journal.append([entry(name, seq)])
                assert len(journal._dictionary.ends) <= 8
        with closing(open_reader(tmp_path / "j.db")) as reader:
            records = list(reader.read_all())
            assert [(each.stream, each.seq) for each in records] == [(n, seq) for seq in (1, 2, 3) for n in names]
            assert len(reader._rows._streams) <= 8 + 4
            assert [each.seq for each in reader.read(names[0])] == [1, 2, 3]
