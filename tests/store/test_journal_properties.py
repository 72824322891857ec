"""A journal behaves like a plain list under any sequence of appends, conflicts, snapshots and reopenings."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runtime.journal import Entry, Record, SequenceConflict, Snapshot
from store.sqlite_journal import open_journal
from tests.store.events import entry

NAMES = st.sampled_from(["a", "b", "a/b", "ü"])


class JournalMachine(RuleBasedStateMachine):
    """The journal beside a list of records and a dict of snapshots."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.db"
        self.journal = open_journal(self.path, durability="off")
        self.records: list[Record] = []
        self.snapshots: dict[str, Snapshot] = {}
        self.openings = 1

    def length(self, stream: str) -> int:
        return sum(r.stream == stream for r in self.records)

    @rule(names=st.lists(NAMES, max_size=30), text=st.text(max_size=20))
    def append(self, names: list[str], text: str) -> None:
        new: list[Record] = []
        for name in names:
            seq = self.length(name) + sum(r.stream == name for r in new) + 1
            new.append(Record(len(self.records) + len(new) + 1, *entry(name, seq, text)))
        assert self.journal.append([_entry(r) for r in new]) == len(self.records) + len(new)
        self.records += new

    @rule(names=st.lists(NAMES, max_size=3), stale=NAMES, off=st.integers(-3, 3).filter(bool))
    def append_stale(self, names: list[str], stale: str, off: int) -> None:
        good = [entry(name, self.length(name) + 1) for name in dict.fromkeys(names) if name != stale]
        try:
            self.journal.append([*good, entry(stale, self.length(stale) + 1 + off)])
        except SequenceConflict:
            return
        raise AssertionError("a stale entry was taken")

    @rule(name=NAMES, back=st.integers(0, 3), state=st.binary(max_size=20))
    def snapshot(self, name: str, back: int, state: bytes) -> None:
        seq = self.length(name) - back
        if seq < 1:
            return
        self.journal.save_snapshot(Snapshot(name, seq, 1, state))
        if name not in self.snapshots or self.snapshots[name].seq <= seq:
            self.snapshots[name] = Snapshot(name, seq, 1, state)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = open_journal(self.path, durability="off")
        self.openings += 1

    @rule(name=NAMES, after=st.integers(0, 40))
    def read_stream(self, name: str, after: int) -> None:
        expected = [r for r in self.records if r.stream == name and r.seq > after]
        assert list(self.journal.read(name, after)) == expected

    @rule(after=st.integers(0, 60), limit=st.none() | st.integers(0, 20))
    def read_all(self, after: int, limit: int | None) -> None:
        expected = self.records[after:] if limit is None else self.records[after : after + limit]
        assert list(self.journal.read_all(after, limit=limit)) == expected

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert self.journal.verify() == self.journal.head() == len(self.records)
        assert self.journal.last_instant() == (self.records[-1].at if self.records else 0)
        assert self.journal.streams() == list(dict.fromkeys(r.stream for r in self.records))
        assert self.journal.start_number() == self.openings
        for name in ("a", "b", "a/b", "ü"):
            assert self.journal.load_snapshot(name) == self.snapshots.get(name)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()


def _entry(record: Record) -> Entry:
    return entry(record.stream, record.seq)._replace(event=record.event)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestJournalMachine.__doc__ = "Any sequence of operations leaves journal and list equal, and the chain good."
