"""The folder of incident files: bounded, whole, private, readable without a daemon, harmless on a bad disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from protocol.incident_files import CaughtError, IncidentFile, IncidentKind, SupervisorDecision
from store import incident_folder
from store.incident_folder import FILE_BYTES_MOST, IncidentFolder


def incident(number: int, **more: Any) -> IncidentFile:
    """Return an incident."""
    error = CaughtError(type="ValueError", text=f"number {number}")
    return IncidentFile(id=f"i1-{number}", kind=IncidentKind.CRASH, at=number, path="/a", error=error, **more)


def stamp(number: int) -> str:
    """Return the beginning of a file's name that sorts by number."""
    return f"20261121T{number:09d}Z"


def filled(folder: Path, numbers: range) -> IncidentFolder:
    """Return a folder with these incidents."""
    found = IncidentFolder(folder)
    for number in numbers:
        assert found.write(incident(number), stamp(number))
    return found


def test_an_incident_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Everything is in the file, which only its owner can read; lists show the newest first and what was decided."""
    folder = filled(tmp_path / "incidents", range(2))
    whole = incident(
        2, decision=SupervisorDecision(said="restart 1 after 1 s"), state={"a": ["1.10"]}, calls=({"x": 1},)
    )
    folder.write(whole, stamp(2))
    assert folder.get("i1-2") == whole
    assert [line.id for line in folder.lines()] == ["i1-2", "i1-1", "i1-0"]
    assert folder.lines()[0].decision is not None
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "incidents").iterdir()} == {0}
    assert folder.get("i9-9") is None


def test_the_oldest_files_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Number and size of all files together are bounded."""
    monkeypatch.setattr(incident_folder, "FILES_MOST", 5)
    folder = filled(tmp_path, range(9))
    assert [line.id for line in folder.lines()] == [f"i1-{number}" for number in (8, 7, 6, 5, 4)]
    monkeypatch.setattr(incident_folder, "FOLDER_BYTES_MOST", 2_000)
    folder.write(incident(9), stamp(9))
    assert 0 < len(folder.lines()) < 5
    assert folder.lines()[0].id == "i1-9"


def test_a_large_incident_loses_its_least_needed_parts(tmp_path: Path) -> None:
    """The file stays within its size; error and decision are never left out."""
    folder = IncidentFolder(tmp_path)
    state = {str(number): "x" * 400 for number in range(2_000)}
    folder.write(incident(1, state=state, events=({"event": "kept"},)), stamp(1))
    found = folder.get("i1-1")
    assert found is not None
    assert found.state == "(left out: the incident was too large)"
    assert found.events == ({"event": "kept"},)
    assert max(path.stat().st_size for path in tmp_path.iterdir()) <= FILE_BYTES_MOST


def test_secrets_are_taken_out_of_every_text(tmp_path: Path) -> None:
    """Whatever is hidden, the file stays a readable document."""
    folder = IncidentFolder(tmp_path)
    body = {"body": '{"secret": "abc\\"defgh", "n": 1}', "list": ["abc", 1, None]}
    folder.write(incident(1, state=body), stamp(1), lambda text: text.replace("abc", "***"))
    found = folder.get("i1-1")
    assert found is not None
    assert found.state == {"body": '{"secret": "***\\"defgh", "n": 1}', "list": ["***", 1, None]}


def test_a_disk_without_room_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal needs the rest: nothing is written, nothing raised, nothing left half-way."""
    full = shutil._ntuple_diskusage(100, 99, 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    folder = IncidentFolder(tmp_path)
    assert not folder.write(incident(1), stamp(1))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves no draft; a folder that cannot be made is no error."""

    def refuse(number: int) -> None:
        raise OSError(28, "No space left on device", str(number))

    monkeypatch.setattr(incident_folder.os, "fsync", refuse)
    folder = IncidentFolder(tmp_path)
    assert not folder.write(incident(1), stamp(1))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert not IncidentFolder(tmp_path / "file" / "below").write(incident(1), stamp(1))


def test_a_damaged_file_hides_no_other(tmp_path: Path) -> None:
    """What cannot be read is skipped; strange names are not incidents."""
    folder = filled(tmp_path, range(2))
    (tmp_path / f"{stamp(7)}-i1-7.json").write_text("{")
    (tmp_path / "notes.txt").write_text("mine")
    assert [line.id for line in folder.lines()] == ["i1-1", "i1-0"]
    assert folder.get("i1-7") is None


def test_what_was_looked_at_is_remembered_and_forgotten_with_its_file(tmp_path: Path) -> None:
    """``unread`` counts files only; ids of files that are gone do not pile up."""
    folder = filled(tmp_path, range(3))
    assert folder.unread() == ["i1-2", "i1-1", "i1-0"]
    folder.mark_seen(["i1-1", "i5-5"])
    assert folder.unread() == ["i1-2", "i1-0"]
    assert folder.seen() == {"i1-1"}
    assert [line.unread for line in folder.lines()] == [True, False, True]


def test_more_like_it_are_noted_in_the_file(tmp_path: Path) -> None:
    """The number of incidents that were only counted stands in the last one that was written."""
    folder = filled(tmp_path, range(2))
    folder.count_more("i1-1", 57)
    folder.count_more("i7-7", 3)
    assert [(line.id, line.more) for line in folder.lines()] == [("i1-1", 57), ("i1-0", 0)]
