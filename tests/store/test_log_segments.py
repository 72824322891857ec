"""The log as files: each line once, whatever ends the process; rotation, packing, retention, exports, a full disk."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.event_log import EventLogged
from protocol.performance import EquityMarked, MarkedFor
from protocol.values import Scope
from rules.event_log.segments import RetentionMode
from runtime.journal import Entry
from store.log import writer as writing
from store.log.files import UnknownSegment, keep, prunable, prune, segments_in
from store.log.lines import COLUMNS, ExportForm, exported
from store.log.settings import AutoExport, LogSettings
from store.log.writer import LogWriter
from store.opening import MEMORY
from store.projector import Projector
from store.sqlite_journal import SqliteJournal, open_journal

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
NOON = int(datetime(2026, 2, 1, 12, tzinfo=UTC).timestamp()) * SECOND


class Desk:
    """A journal, its read models and a folder of segments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.journal: SqliteJournal = open_journal(MEMORY)
        self.projector = Projector(MEMORY)
        self.count = 0

    def log(self, at: int, text: str = "said", severity: str = "info", **fields: Any) -> None:
        self.count += 1
        given = {"source": "system", "severity": severity, "code": "X", "text": text, "at": at, **fields}
        self.journal.append([Entry("/store/events", self.count, EventLogged(**given), at, self.count, 7, 0)])

    def write(self, settings: LogSettings | None = None, writer: LogWriter | None = None) -> LogWriter:
        """Write what is new with a new writer, as after a restart."""
        self.projector.catch_up(self.journal)
        writer = writer or LogWriter(self.folder, settings or LogSettings())
        writer.catch_up(self.projector.views(), self.journal)
        return writer

    def lines(self) -> list[dict[str, Any]]:
        """Return all lines of all segments, oldest first."""
        found = []
        for segment in segments_in(self.folder):
            data = segment.path.read_bytes()
            plain = data if segment.open else gzip.decompress(data)
            found += [json.loads(line) for line in plain.splitlines()]
        return found

    def positions(self) -> list[int]:
        return [line["position"] for line in self.lines()]

    def names(self) -> list[str]:
        return [each.path.name for each in segments_in(self.folder)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with closing(made.journal), closing(made.projector):
        yield made


def test_a_line_holds_all_of_an_event(desk: Desk) -> None:
    """EX-1401, EX-1407: time, category, severity, code, text, ids, actor, correlation id and the event's own data."""
    desk.log(NOON, "hello", about="/risk/pool", group_id="g1", tags=("config",), pinned=True)
    desk.write()
    line = desk.lines()[0]
    assert {name: line[name] for name in ("time", "category", "severity", "code", "text")} == {
        "time": "2026-02-01T12:00:00.000Z",
        "category": "system",
        "severity": "info",
        "code": "X",
        "text": "/risk/pool: hello",
    }
    assert (line["group_id"], line["actor"], line["correlation_id"], line["tags"]) == (
        "g1",
        "/store/events",
        7,
        ["config"],
    )
    assert line["data"]["about"] == "/risk/pool"


def test_a_segment_ends_at_midnight_and_is_packed(desk: Desk) -> None:
    """EX-1407: one segment a day in UTC, the closed ones compressed, lines in order."""
    for hour in (0, 11, 13, 36):
        desk.log(NOON + hour * HOUR)
    desk.write()
    assert desk.names() == ["000001_2026-02-01.jsonl.gz", "000002_2026-02-02.jsonl.gz", "000003_2026-02-03.jsonl"]
    assert desk.positions() == [1, 2, 3, 4]


def test_a_segment_ends_at_its_size(desk: Desk) -> None:
    """EX-1407: a segment of ``max_file_mb`` is closed; without daily rotation a segment is named by its newest day."""
    settings = LogSettings(rotate_daily=False, max_file_bytes=1_000)
    for number in range(12):
        desk.log(NOON + number * 12 * HOUR, "x" * 100)
    desk.write(settings)
    files = segments_in(desk.folder)
    assert len(files) > 2
    assert desk.positions() == list(range(1, 13))
    newest = [json.loads(gzip.decompress(each.path.read_bytes()).splitlines()[-1])["time"][:10] for each in files[:-1]]
    assert [str(each.day) for each in files[:-1]] == newest


@pytest.mark.parametrize("rotate", [True, False])
def test_no_line_is_lost_or_doubled_wherever_it_is_cut(tmp_path: Path, rotate: bool) -> None:
    """Killed after any byte of the open segment, the next writer leaves each line once, in order."""
    desk = Desk(tmp_path)
    settings = LogSettings(rotate_daily=rotate)
    for hour in (0, 1, 13, 14):
        desk.log(NOON + hour * HOUR)
    desk.write(settings)
    newest = segments_in(desk.folder)[-1].path
    whole = newest.read_bytes()
    for cut in range(len(whole) + 1):
        newest.write_bytes(whole[:cut])
        desk.write(settings)
        assert desk.positions() == [1, 2, 3, 4]
        assert newest.read_bytes() == whole
    newest.write_bytes(whole + bytes(100))  # what a power cut leaves
    desk.write(settings)
    assert desk.positions() == [1, 2, 3, 4]
    desk.projector.close()
    desk.journal.close()


def test_a_broken_off_packing_is_finished(desk: Desk) -> None:
    """Whether the packed file was whole already or not, each line is there once after the next start."""
    desk.log(NOON)
    desk.write()
    plain = segments_in(desk.folder)[0].path
    data = plain.read_bytes()
    (desk.folder / "000001_2026-02-01.jsonl.tmp").write_bytes(b"half")
    desk.log(NOON + 24 * HOUR)
    desk.write()
    plain.write_bytes(data)  # packed, not yet removed
    desk.write()
    assert desk.positions() == [1, 2]
    assert not plain.exists()
    assert list(desk.folder.glob("*.tmp")) == []


def test_only_what_is_severe_enough_is_written(desk: Desk) -> None:
    """``app.log_level`` is the least severe event in the segments; a change holds for the next line."""
    desk.log(NOON, severity="info")
    desk.log(NOON, severity="error")
    writer = desk.write(LogSettings(least="warning"))
    desk.log(NOON, severity="info")
    writer.settings = LogSettings(least="debug")
    desk.write(writer=writer)
    assert desk.positions() == [2, 3]


def test_a_start_need_not_look_at_what_has_no_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most events are below the level the position is noted, so that a start goes on there."""
    monkeypatch.setattr(writing, "_REMEMBER", 10)
    for _ in range(25):
        desk.log(NOON)
    desk.write(LogSettings(least="error"))
    assert (desk.folder / "position").read_text() == "25"
    desk.log(NOON, severity="error")
    assert desk.write(LogSettings(least="error")).position == 26
    assert desk.positions() == [26]


def test_retention_runs_at_rotation_and_at_the_start(desk: Desk) -> None:
    """EX-1408: old segments go when one is closed and when the daemon starts, not those marked keep nor the open one."""
    for day in range(6):
        desk.log(NOON + day * 24 * HOUR)
    desk.write(LogSettings(keep_days=30))
    keep(desk.folder, "2")
    desk.write(LogSettings(keep_days=3))
    assert [each.number for each in segments_in(desk.folder)] == [2, 3, 4, 5, 6]
    desk.log(NOON + 10 * 24 * HOUR)
    desk.write(LogSettings(keep_days=3))
    assert [each.number for each in segments_in(desk.folder)] == [2, 7]


def test_pruning_is_shown_before_it_is_done(desk: Desk) -> None:
    """EX-1408: the preview names what would go and removes nothing; then just that is removed."""
    for day in range(5):
        desk.log(NOON + day * 24 * HOUR)
    desk.write()
    retention = LogSettings(keep_days=2).retention
    shown = [each.number for each in prunable(desk.folder, retention)]
    assert shown == [1, 2]
    assert len(segments_in(desk.folder)) == 5
    assert [each.number for each in prune(desk.folder, retention)] == shown
    assert prune(desk.folder, retention) == []


def test_the_total_size_limits_the_segments(desk: Desk) -> None:
    """EX-1408: mode size removes the oldest while all together exceed ``max_file_mb`` times ``max_files``."""
    for day in range(5):
        desk.log(NOON + day * 24 * HOUR)
    desk.write()
    files = segments_in(desk.folder)
    settings = LogSettings(mode=RetentionMode.SIZE, max_file_bytes=sum(each.size for each in files) - 1, max_files=1)
    assert [each.number for each in prune(desk.folder, settings.retention)] == [1]


def test_a_mark_can_be_taken_away(desk: Desk) -> None:
    """EX-1408: a segment is marked by name or number and unmarked again; an unknown one is refused."""
    desk.log(NOON)
    desk.write()
    assert keep(desk.folder, "000001_2026-02-01.jsonl").kept
    assert segments_in(desk.folder)[0].kept
    assert not keep(desk.folder, "1", kept=False).kept
    with pytest.raises(UnknownSegment):
        keep(desk.folder, "9")


@pytest.mark.parametrize(("mode", "suffix"), [(AutoExport.DAILY_CSV, "csv"), (AutoExport.DAILY_JSON, "json")])
def test_a_finished_day_is_exported_once(desk: Desk, mode: AutoExport, suffix: str) -> None:
    """EX-1409: with ``auto_export`` yesterday's events are a file of their own when the day is over."""
    settings = LogSettings(auto_export=mode)
    desk.log(NOON, "one")
    desk.log(NOON + HOUR, "two")
    writer = desk.write(settings)
    path = desk.folder.with_name("exports") / f"events_2026-02-01.{suffix}"
    assert not path.exists()
    desk.log(NOON + 24 * HOUR, "three")
    desk.write(writer=writer)
    text = path.read_text()
    assert "one" in text
    assert "two" in text
    assert "three" not in text


def test_a_full_disk_is_told_and_overcome(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full stops nothing: the trouble is named, and what is missing is written when there is room again."""
    desk.log(NOON)
    writer = desk.write()
    real = Path.open

    def full(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if self.suffix == ".jsonl" and "b" in mode and "+" in mode:
            raise OSError(28, "No space left on device", str(self))
        return real(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    desk.log(NOON)
    desk.write(writer=writer)
    assert "No space left on device" in writer.trouble
    monkeypatch.undo()
    desk.log(NOON)
    desk.write(writer=writer)
    assert writer.trouble == ""
    assert desk.positions() == [1, 2, 3]


def test_secrets_are_in_no_form_of_a_line(desk: Desk) -> None:
    """EX-1508: secrets are taken out by the name of their field and within texts, in segments and exports."""
    desk.log(NOON, 'refused: {"secret": "hunter22"} api_key=abc123')
    desk.write()
    rows = desk.projector.views().events()
    forms = ["".join(exported(rows, form)) for form in ExportForm]
    for text in (*forms, segments_in(desk.folder)[0].path.read_text()):
        assert "hunter22" not in text
        assert "abc123" not in text


def test_a_day_is_exported_whole_whatever_is_rotated(desk: Desk) -> None:
    """EX-1409: a segment that fills up within a day exports nothing, nor is a day cut where nothing rotates daily."""
    small = LogSettings(auto_export=AutoExport.DAILY_JSON, max_file_bytes=600, rotate_daily=False)
    path = desk.folder.with_name("exports") / "events_2026-02-01.json"
    writer = None
    for number in range(20):
        desk.log(NOON + number, f"line {number}")
        writer = desk.write(small, writer)
        assert not path.exists()
    desk.log(NOON + 24 * HOUR, "the next day")
    desk.write(small, writer)
    assert [row["text"] for row in json.loads(path.read_text())][::-1] == [f"line {number}" for number in range(20)]


def test_a_quiet_day_does_not_hold_up_the_export(desk: Desk) -> None:
    """EX-1409: yesterday is exported although nothing is said today, once the journal is in today."""
    settings = LogSettings(auto_export=AutoExport.DAILY_CSV)
    path = desk.folder.with_name("exports") / "events_2026-02-01.csv"
    desk.log(NOON, "said")
    writer = desk.write(settings)
    silent = EquityMarked(
        account="a", scope=Scope.PAPER, reason=MarkedFor.INTERVAL, starting=Decimal(1), marks=(), at=NOON + 20 * HOUR
    )
    desk.journal.append([Entry("/store/equity", 1, silent, NOON + 20 * HOUR, 900, 7, 0)])
    desk.write(settings, writer)
    assert "said" in path.read_text()


def test_exports_are_read_back_as_they_were(desk: Desk) -> None:
    """EX-1409: CSV by RFC 4180 with a header and UTC times, a JSON array, and text; one row an event."""
    desk.log(NOON, 'a "quoted", comma\nand a line')
    desk.log(NOON, "=cmd()")
    desk.write()
    rows = desk.projector.views().events()
    parsed = list(csv.DictReader(io.StringIO("".join(exported(rows, ExportForm.CSV)), newline="")))
    assert tuple(parsed[0]) == COLUMNS
    assert [each["text"] for each in parsed] == ["'=cmd()", 'a "quoted", comma\N{SYMBOL FOR LINE FEED}and a line']
    assert parsed[0]["time"] == "2026-02-01T12:00:00.000Z"
    assert [each["position"] for each in json.loads("".join(exported(rows, ExportForm.JSON)))] == [2, 1]
    assert json.loads("".join(exported([], ExportForm.JSON))) == []
    assert "".join(exported(rows, ExportForm.TXT)).count(" I system ") == 2


def test_days_are_those_of_utc() -> None:
    """EX-1407: the day of a segment is the day in UTC."""
    assert writing._day_of(NOON + 12 * HOUR - 1) == date(2026, 2, 1)
    assert writing._day_of(NOON + 12 * HOUR) == date(2026, 2, 2)
