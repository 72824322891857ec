"""A line to a server that a test can cut: a TCP port before the server's unix socket, with faults at will.

``lose`` arms one fault for the next thing that the client sends:

- ``request``   the client hears nothing more, the server never gets it;
- ``answer``    the server gets it and answers, the client never hears the answer;
- ``late``      the client hears nothing more, the server gets it when the test says so (``deliver``).
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Final, Literal

__all__ = ["CutLine", "Fault"]

Fault = Literal["request", "answer", "late"]

_CHUNK: Final = 1 << 20
_SYNC: Final = b"S\x00\x00\x00\x04"
_ANSWER_S: Final = 10.0


class CutLine:
    """Forwards connections to ``target``, a unix socket's path, until closed."""

    def __init__(self, target: str, *, host: str = "127.0.0.1") -> None:
        self._target = target
        self.host = host
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._late: tuple[socket.socket, bytes] | None = None
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open = True
        self.down = False
        """While true nobody gets through: connections are closed as soon as they are made."""
        self.frozen = threading.Event()
        """While set, connections stay and nothing passes."""
        self.lost = threading.Event()
        """Set when a fault has happened."""
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, fault: Fault, *, then_down: bool = False) -> None:
        """Lose the next thing that a client sends, or its answer; afterwards nobody gets through, if so wished."""
        self.lost.clear()
        with self._lock:
            self._fault, self._then_down = fault, then_down

    def cut(self) -> None:
        """Cut every connection."""
        for pair in self._pairs:
            _end(*pair)

    def deliver(self) -> bytes:
        """Hand the server what was kept back; return its answer."""
        assert self._late is not None, "nothing was kept back"
        server, data = self._late
        server.sendall(data)
        answer = _answer_of(server, data)
        server.close()
        return answer

    def close(self) -> None:
        """Cut everything and listen no more."""
        self._open = False
        # Closing alone would not wake the thread that waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                client.close()
                server.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        keep_server = False
        try:
            while self._open:
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if self.frozen.is_set():
                    continue
                for side in ready:
                    data = side.recv(_CHUNK)
                    if not data:
                        return
                    if side is server:
                        client.sendall(data)
                        continue
                    fault = self._take_fault()
                    if fault is None:
                        server.sendall(data)
                        continue
                    keep_server = self._do(fault, server, data)
                    return
        except (OSError, ValueError):
            return
        finally:
            _end(client)
            if not keep_server:
                _end(server)
            if keep_server or self._fault is None:
                self.lost.set()

    def _take_fault(self) -> Fault | None:
        with self._lock:
            fault, self._fault = self._fault, None
            if fault is not None:
                self.down = self._then_down
            return fault

    def _do(self, fault: Fault, server: socket.socket, data: bytes) -> bool:
        """Do a fault; return whether the server's side stays open."""
        if fault == "answer":
            server.sendall(data)
            _answer_of(server, data)
        elif fault == "late":
            self._late = (server, data)
            return True
        return False


def _answer_of(server: socket.socket, asked: bytes) -> bytes:
    """Return what the server says until it is ready for the next statement."""
    server.settimeout(_ANSWER_S)
    if not asked.endswith(_SYNC):
        return server.recv(_CHUNK)  # a statement was only prepared: the server says so and waits for more
    answer = b""
    while b"Z\x00\x00\x00\x05" not in answer:
        data = server.recv(_CHUNK)
        if not data:
            break
        answer += data
    return answer


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
