"""``bulkhead up`` in a real terminal: one screen that shows what it started, and takes it along when it is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from service.api.client import Client
from service.config import load
from tests.house.sources import ROOT
from tests.system.process import CONFIG
from tests.system.terminal import Terminal, terminal

pytestmark = pytest.mark.slow(seconds=25)

ASKED = ("Stop bulkhead?", "open groups and orders")


class Up:
    """A folder with a configuration, and the terminal in which it was started."""

    def __init__(self, folder: Path, screen: Terminal) -> None:
        self.folder = folder
        self.screen = screen

    @property
    def daemon(self) -> psutil.Process:
        """Return the daemon's process."""
        client = Client(load(self.folder / "config.toml", {}).socket_path)
        return psutil.Process(client.get("/v1/status")["pid"])


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Start it and wait until the cockpit shows what runs."""
    file = tmp_path / "config.toml"
    file.write_text(
        CONFIG.replace("liveliness = 0.0001", "liveliness = 3").replace("signals = false", "interval_s = 1")
    )
    program = f"cd {tmp_path}; {sys.executable} -m service.cli up --config {file}; echo its code was $?; exec cat"
    environment = {
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
    with terminal(["sh", "-c", program], size=(100, 30), environment=environment) as screen:
        screen.sees("● RUNNING", " SYNTHETIC ", "q stops both")
        yield Up(tmp_path, screen)


def test_it_is_one_screen_that_ends_everything_after_a_yes(up: Up) -> None:
    """A position is seen to come about; q asks; no goes on; yes leaves no process and no socket, in order."""
    daemon, screen = up.daemon, up.screen
    screen.press("2")
    screen.sees("/USDT", "1m", "long")
    for key in ("q", "C-q"):
        screen.press(key)
        screen.sees(*ASKED)
        screen.press("n")
        screen.sees("● RUNNING", gone=ASKED)
    assert daemon.is_running()
    screen.press("q")
    screen.sees(*ASKED)
    screen.press("y")
    screen.sees("its code was 0")
    assert not daemon.is_running()
    assert not list((up.folder / "data").glob("*.sock"))


def test_a_daemon_that_dies_below_it_is_said(up: Up) -> None:
    """There is nothing left to show: the terminal is given back, with where to look."""
    up.daemon.kill()
    text = up.screen.sees("DaemonDied", "its code was 1")
    assert "bulkhead.log" in text.replace("\n", "")  # the path of a test is longer than a line
    assert "Traceback" not in text
