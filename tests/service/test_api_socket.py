"""The socket file: in place of a stale one, never of a living one, for its owner alone."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.api import unix_socket
from service.api.unix_socket import SocketTaken, listen, remove


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bh") as folder:
        yield Path(folder) / "run" / "b.sock"


def test_the_file_is_made_for_its_owner_alone(path: Path) -> None:
    """Socket and folder cannot be entered by others, whatever the umask."""
    before = os.umask(0)
    try:
        with listen(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_a_stale_socket_is_replaced(path: Path) -> None:
    """What a killed daemon left behind does not stop the next one."""
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen(path):
        assert path.is_socket()


def test_a_living_daemon_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket on which another process answers is refused and stays."""
    with listen(path) as other:
        monkeypatch.setattr(unix_socket, "_ours", set())  # as another process sees it
        with pytest.raises(SocketTaken, match="another bulkhead"):
            listen(path)
        assert other.fileno() > 0
        assert path.is_socket()


def test_an_earlier_life_of_this_daemon_is_replaced(path: Path) -> None:
    """After a crash of the actor its next life takes the socket over, although the old one still listens."""
    with listen(path), listen(path):
        assert path.is_socket()


def test_a_file_that_is_no_socket_is_never_removed(path: Path) -> None:
    """A configuration that names a wrong file costs nobody that file."""
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(SocketTaken, match="no socket"):
        listen(path)
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_says_so(path: Path) -> None:
    """Systems allow about 100 characters; the error names the key to set."""
    with pytest.raises(SocketTaken, match=r"api\.socket"):
        listen(path.with_name("x" * 120))


def test_only_our_own_file_is_removed(path: Path) -> None:
    """At the end the file goes, unless another daemon has taken its place meanwhile."""
    with listen(path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            remove(path)
            assert path.is_socket()
    remove(path.with_name("gone"))
    path.unlink()
    with listen(path):
        remove(path)
        assert not path.exists()
