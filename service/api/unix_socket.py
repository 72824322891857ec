"""A listening unix socket that only its owner can open, in place of a stale one but never of a living one."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

from protocol.errors import BulkheadError

__all__ = ["SocketTaken", "listen", "remove"]

_CONNECT_S: Final = 1.0
_BACKLOG: Final = 64
_ours: Final[set[tuple[int, int, int]]] = set()


class SocketTaken(BulkheadError):
    """Another daemon answers on the socket, or the path cannot be one."""


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at ``path``, mode 0600; raise ``SocketTaken`` or ``OSError``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_room(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(listener, path)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    _ours.add(_identity(path))
    return listener


def remove(path: Path) -> None:
    """Remove the socket file if it is still one that this process made."""
    try:
        identity = _identity(path)
    except FileNotFoundError:
        return
    if identity in _ours:
        _ours.discard(identity)
        path.unlink(missing_ok=True)


def _bind(listener: socket.socket, path: Path) -> None:
    # The file is made with its final mode: there is no moment at which others could connect.
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        if "too long" in str(error):
            raise SocketTaken(f"{path} is too long for a unix socket: set api.socket to a shorter path") from error
        raise
    finally:
        os.umask(before)


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns  # a new file may get the number of a removed one


def _make_room(path: Path) -> None:
    """Remove what an earlier daemon, or an earlier life of this one, left behind."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_socket():
        raise SocketTaken(f"{path} is there and is no socket: remove it, or set api.socket")
    if _identity(path) not in _ours and _answers(path):
        raise SocketTaken(f"another bulkhead listens on {path}: stop it with `bulkhead down`")
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True
    return True
