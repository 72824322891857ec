"""A program in a real terminal: tmux gives it one, presses keys on it and says what stands there."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

__all__ = ["Terminal", "terminal"]

WITHIN_S = 20.0


class Terminal:
    """One tmux server with one window."""

    def __init__(self) -> None:
        self._name = f"bulkhead-{uuid.uuid4().hex[:8]}"

    def tmux(self, *arguments: str) -> str:
        """Have tmux do something; return what it prints, empty when it has ended."""
        command = ["tmux", "-L", self._name, "-f", "/dev/null", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S).stdout

    def press(self, *keys: str) -> None:
        """Press keys, named as tmux names them."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Have a text come in one piece, as a script or a line that catches up hands it in."""
        self.tmux("send-keys", "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Make the window larger or smaller."""
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def text(self) -> str:
        """Return what stands on the screen."""
        return self.tmux("capture-pane", "-p")

    @property
    def ended(self) -> bool:
        """Tell whether the program is over."""
        return not self.tmux("list-sessions")

    def sees(self, *words: str, gone: Sequence[str] = (), other_than: str = "") -> str:
        """Wait until these words stand on the screen, none of ``gone``, and not that text; return the screen."""
        end = time.monotonic() + WITHIN_S
        while True:
            text = self.text
            moved = not other_than or other_than not in text
            if moved and all(each in text for each in words) and not any(each in text for each in gone):
                return text
            if time.monotonic() > end:
                pytest.fail(f"not on the screen within {WITHIN_S:g} s: {words}, without {gone}\n{text}")


@contextmanager
def terminal(command: Sequence[str], *, size: tuple[int, int], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command in a terminal for the block; skip where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: no real terminal to try the cockpit in")
    found = Terminal()
    given = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    found.tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *given, *command)
    try:
        yield found
    finally:
        found.tmux("kill-server")
