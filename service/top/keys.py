"""Hear single keys from a terminal without waiting for Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self

__all__ = ["Keys"]


class Keys:
    """The terminal's keys while the block runs; the terminal is as before afterwards, whatever happens."""

    def __init__(self) -> None:
        self._file = sys.stdin.fileno()
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def read(self, timeout_s: float) -> str:
        """Return the next key, empty when none is pressed in time; ``q`` when the terminal is gone."""
        ready, _, _ = select.select([self._file], [], [], timeout_s)
        if not ready:
            return ""
        return os.read(self._file, 1).decode("ascii", "ignore") or "q"
