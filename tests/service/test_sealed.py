"""An encrypted archive: nothing of it is readable without its key, and no byte of it can change unseen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service.sealed
from service.sealed import (
    BackupCorrupt,
    BackupKeyRefused,
    BackupKeyWrong,
    SealedReader,
    SealedWriter,
    is_sealed,
)

KEY = "correct horse battery"
SMALL = 64


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, so that a short text has many, and a cheap key."""
    monkeypatch.setattr(service.sealed, "CHUNK", SMALL)
    monkeypatch.setattr(service.sealed, "_COST", (10, 8, 1))


def sealed(path: Path, data: bytes, key: str = KEY) -> Path:
    """Write an encrypted file."""
    with path.open("wb") as file:
        writer = SealedWriter(file, key)
        for start in range(0, len(data), 50):
            writer.write(data[start : start + 50])
        writer.finish()
    return path


def read(path: Path, key: str = KEY) -> bytes:
    """Return all of an encrypted file."""
    with SealedReader(path, key) as file:
        return file.read()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=5 * SMALL), place=st.integers(0, 5 * SMALL), count=st.integers(0, 200))
def test_what_was_written_is_read_from_any_place(data: bytes, place: int, count: int, tmp_path: Path) -> None:
    """Whatever the length, also on the edge of a chunk: all of it, and any part of it."""
    path = sealed(tmp_path / "x", data)
    assert is_sealed(path)
    assert read(path) == data
    with SealedReader(path, KEY) as file:
        assert file.seek(0, io.SEEK_END) == len(data)
        file.seek(place)
        assert io.BufferedReader(file).read(count) == data[place : place + count]


def test_nothing_stands_in_the_clear(tmp_path: Path) -> None:
    """The content is not in the file, and the same content twice gives different files."""
    one, other = sealed(tmp_path / "a", b"secret" * 100), sealed(tmp_path / "b", b"secret" * 100)
    assert b"secret" not in one.read_bytes()
    assert one.read_bytes()[80:] != other.read_bytes()[80:]


def test_a_wrong_key_is_told_from_damage(tmp_path: Path) -> None:
    """Another key is BackupKeyWrong whatever the content; a short one is refused when writing."""
    path = sealed(tmp_path / "x", b"abc" * 100)
    with pytest.raises(BackupKeyWrong, match="not the one"):
        read(path, "correct horse batterz")
    with pytest.raises(BackupKeyRefused, match="12"):
        sealed(tmp_path / "y", b"", "short")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, change: int, tmp_path: Path) -> None:
    """Header, key check, chunk or tag: a changed byte never gives other content."""
    raw = bytearray(sealed(tmp_path / "x", bytes(range(256))).read_bytes())
    raw[place % len(raw)] ^= change
    (tmp_path / "y").write_bytes(raw)
    with pytest.raises((BackupCorrupt, BackupKeyWrong)):
        read(tmp_path / "y")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, 10_000))
def test_a_cut_is_found_at_the_opening(kept: int, tmp_path: Path) -> None:
    """Cut anywhere, also exactly between two chunks: refused before anything is read."""
    raw = sealed(tmp_path / "x", bytes(range(256))).read_bytes()
    (tmp_path / "y").write_bytes(raw[: kept % len(raw)])
    with pytest.raises(BackupCorrupt):
        SealedReader(tmp_path / "y", KEY)


def test_chunks_that_change_places_are_found(tmp_path: Path) -> None:
    """Two chunks in the wrong order, one twice, or one of another file are damage."""
    raw = sealed(tmp_path / "x", bytes(range(256))).read_bytes()
    body = len(raw) - 4 * (SMALL + 16)
    chunks = [raw[body + n * (SMALL + 16) :][: SMALL + 16] for n in range(4)]
    other = sealed(tmp_path / "o", bytes(range(256))).read_bytes()[body:][: SMALL + 16]
    for order in (
        [chunks[1], chunks[0], *chunks[2:]],
        [chunks[0], chunks[0], *chunks[2:]],
        [other, *chunks[1:]],
        [*chunks[:2], chunks[3]],
    ):
        (tmp_path / "y").write_bytes(raw[:body] + b"".join(order))
        with pytest.raises(BackupCorrupt):
            read(tmp_path / "y")
