"""Stop a daemon and wait until its process is gone."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = ["stop_and_wait"]

_LOOK_EVERY_S: Final = 0.05


def stop_and_wait(client: Client, timeout_s: float) -> int:
    """Return the process id of the daemon that is gone now; raise ``CommandFailed`` when it does not go in time."""
    pid = int(client.get("/v1/status")["pid"])
    client.post("/v1/stop")
    for _ in range(max(1, int(timeout_s / _LOOK_EVERY_S))):
        if not _lives(pid):
            return pid
        select.select([], [], [], _LOOK_EVERY_S)
    message = f"process {pid} was told to stop and is still there after {timeout_s:g} s"
    advice = f"wait, or end it by force: kill -9 {pid} (the journal survives that)"
    raise CommandFailed(Failure(ExitCode.TIMEOUT, "StillRunning", message, advice, value=str(pid)))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
