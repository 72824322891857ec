"""Stop a daemon and wait until its process is gone."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = ["lives", "stop_and_wait"]

_LOOK_EVERY_S: Final = 0.05


def stop_and_wait(client: Client, timeout_s: float) -> int:
    """Return the process id of the daemon that is gone now; raise ``CommandFailed`` when it does not go in time."""
    pid = int(client.get("/v1/status")["pid"])
    client.post("/v1/stop")
    for _ in range(max(1, int(timeout_s / _LOOK_EVERY_S))):
        if not lives(pid):
            return pid
        select.select([], [], [], _LOOK_EVERY_S)
    message = f"process {pid} was told to stop and is still there after {timeout_s:g} s"
    advice = f"wait, or end it by force: kill -9 {pid} (the journal survives that)"
    raise CommandFailed(Failure(ExitCode.TIMEOUT, "StillRunning", message, advice, value=str(pid)))


def lives(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_left_over(pid)


def _is_left_over(pid: int) -> bool:
    """Tell whether only the entry of an ended process is left, which its parent has not taken notice of (Linux)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
