"""A host of its own for a process under test: a network namespace, and one cable to this machine that a test can pull out.

A pulled cable is the partition as it really is: nothing is refused and nothing is closed, packets just stop; and when it is
plugged in again TCP sends what it still has to send. Needs the right to make namespaces; skips where there is none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

__all__ = ["Host", "a_host"]


class Host:
    """A namespace with one cable. ``inside`` is its address, ``outside`` this machine's at the other end."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.outside, self.inside = (f"10.213.{number}.{last}" for last in (1, 2))
        self._cable = f"{name}-out"

    @property
    def prefix(self) -> Sequence[str]:
        """What is put before a command to run it there."""
        return ["ip", "netns", "exec", self.name]

    def make(self) -> None:
        """Make the namespace and its cable; raise CalledProcessError when that is not allowed."""
        far = f"{self.name}-in"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", far, "netns", self.name)
        _ip("addr", "add", f"{self.outside}/30", "dev", self._cable)
        _ip("-n", self.name, "addr", "add", f"{self.inside}/30", "dev", far)
        for place in (["-n", self.name, "link", "set", "lo"], ["-n", self.name, "link", "set", far]):
            _ip(*place, "up")
        self.plug_in()

    def pull_out(self) -> None:
        """Partition the host from everybody."""
        _ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        """Connect the host again."""
        _ip("link", "set", self._cable, "up")

    def remove(self) -> None:
        """Take it all away; its cable goes with it."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)


@contextmanager
def a_host() -> Iterator[Host]:
    """Have a host for the block."""
    if shutil.which("ip") is None:
        pytest.skip("no partition without the command ip (package iproute2)")
    host = Host(f"bh{os.getpid()}", os.getpid() % 250)
    try:
        host.make()
    except subprocess.CalledProcessError as error:
        host.remove()
        pytest.skip(f"no network namespaces here: {error.stderr.decode(errors='replace').strip()}")
    try:
        yield host
    finally:
        host.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=60)
