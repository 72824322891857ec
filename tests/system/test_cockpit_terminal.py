"""The cockpit in a real terminal: keys that come in one piece, and a window that is made larger."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tests.system.terminal import terminal

pytestmark = pytest.mark.slow

DEMO = (sys.executable, "-m", "service.cli", "cockpit", "--demo")


def test_keys_in_one_piece_and_a_new_size_reach_the_cockpit(tmp_path: Path) -> None:
    """EX-1601, EX-1604: lines, searches, Esc and digits go where they would one by one; the new width is used at once."""
    home = {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    home |= {"COLUMNS": "80", "LINES": "24"}  # as a shell leaves them, or any program that has loaded readline
    with terminal(DEMO, size=(80, 24), environment=home) as screen:
        screen.sees("● RUNNING")
        screen.type(":go queue\r2/sol\r")
        screen.sees("match “sol”")
        screen.press("Escape", "4")
        screen.sees("Promote")
        screen.type("i")
        screen.sees("Check signal")
        screen.type("xyz")
        screen.press("Escape", "1")
        screen.sees("TOTAL PNL", gone=["Check signal"])
        screen.resize(200, 50)
        screen.sees("1 Dashboard   2 Positions   3 Risk   4 Queue", "TOTAL PNL")
