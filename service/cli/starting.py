"""Ways to run the daemon: in the foreground, in the background, below the cockpit."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure, failure_of
from service.cli.output import note, print_json

if TYPE_CHECKING:
    from service.config import Config
    from service.config.sources import Sources
    from service.daemon import Daemon

__all__ = ["READY_S", "STOP_S", "as_child", "in_background", "in_foreground", "log_file", "with_view"]

READY_S: Final = 120.0
"""Longest wait for a daemon to be ready; the recovery of a large journal counts."""

STOP_S: Final = 30.0
"""Longest wait for a daemon's orderly end before it is killed."""

_LARGE_BYTES: Final = 5_000_000


def log_file(config: Config) -> Path:
    """Return where a daemon without a terminal logs."""
    return config.app.data_dir / "bulkhead.log"


def in_foreground(config: Config, sources: Sources, *, as_json: bool) -> int:
    """Run the daemon in this process until Ctrl-C, logging to standard error; ``as_json`` prints when it is ready."""
    run_daemon = _loaded_daemon()
    from service.process_log import begin_process_log

    _keep_to_ourselves()
    begin_process_log(config, sys.stderr)

    def ready(daemon: Daemon) -> None:
        if as_json:
            print_json(_ready(daemon), one_line=True)
        if daemon.active.trouble:
            note(f"engine status Error: {daemon.active.trouble}")
        note(f"bulkhead is ready: {daemon.source_label} prices; control socket {daemon.socket_path}; Ctrl-C stops it")

    return run_daemon(config, sources=sources, on_ready=partial(_soon, ready))


def as_child(config: Config, sources: Sources, ready_fd: int, *, with_parent: bool) -> int:
    """Run the daemon for another process: say on ``ready_fd`` that it is ready, or why it cannot be."""
    run_daemon = _loaded_daemon()
    from service.process_log import begin_process_log

    _keep_to_ourselves()
    begin_process_log(config, sys.stderr)
    if with_parent:
        Thread(target=_end_with_parent, name="parent", daemon=True).start()

    def ready(daemon: Daemon) -> None:
        _say(ready_fd, _ready(daemon))

    def standing_by(holder: str) -> None:
        _say(ready_fd, {"pid": os.getpid(), "standing_by": holder, "trouble": ""}, more=True)

    try:
        return run_daemon(config, sources=sources, on_ready=partial(_soon, ready), on_standby=standing_by)
    except Exception as error:
        logging.getLogger("bulkhead").exception("the daemon could not go on")
        failure = failure_of(error)[0]
        _say(ready_fd, {"failure": failure._asdict()})
        return failure.exit


def _loaded_daemon() -> Callable[..., int]:
    """Load the daemon; all that loading makes stays, and to look through it for rubbish takes a tenth of the time."""
    gc.disable()
    try:
        from service.daemon import run_daemon

        import_module("service.api.server")  # it is loaded with the tree, whose start waits for it
    finally:
        gc.enable()
    return run_daemon


def _keep_to_ourselves() -> None:
    """Have nobody but the owner read what the daemon writes, and nobody at all its memory, where secrets are in plain text.

    One byte, not none: a program that catches dumps is handed them at a limit of none, and not at one (core(5)).
    """
    os.umask(0o077)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (min(1, most) if most != resource.RLIM_INFINITY else 1, most))


def _soon(ready: Callable[[Daemon], None], daemon: Daemon) -> None:
    """Say that the daemon is ready once it also hears signals: whoever reads that may stop it at once."""
    asyncio.get_running_loop().call_soon(ready, daemon)


def _ready(daemon: Daemon) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "source": daemon.source_label,
        "socket": str(daemon.socket_path),
        "trouble": daemon.active.trouble,
    }


def _say(ready_fd: int, document: dict[str, Any], *, more: bool = False) -> None:
    try:
        os.write(ready_fd, json.dumps(document).encode() + b"\n")
        if not more:
            os.close(ready_fd)
    except OSError:
        # Whoever waited has gone, or has heard already; the daemon goes on.
        logging.getLogger("bulkhead").debug("nobody waits for the daemon to be ready")


def _end_with_parent() -> None:
    """Stop when standard input ends: whoever started this daemon is gone, in order or not."""
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def in_background(config: Config, file: Path | None) -> dict[str, Any]:
    """Start a daemon of its own and wait until it is ready; return its process id and where it logs."""
    with _spawn(config, file, "--no-view", stdin=subprocess.DEVNULL) as started:
        return {**started.wait_ready(), "log": str(log_file(config))}


def with_view(config: Config, file: Path | None) -> int:
    """Start the daemon below this process, open the cockpit, and stop the daemon when it is left."""
    from service.api.client import Client
    from service.cli.cockpit import open_beside, prepare

    note("starting ...")
    with _spawn(config, file, "--with-parent", stdin=subprocess.PIPE) as started:
        try:
            prepare()
            said = started.wait_ready()
            while "standing_by" in said:
                note(
                    f"standing by: {said['standing_by']} trades; this daemon takes over when it ends (Ctrl-C gives up)"
                )
                said = started.wait_ready(forever=True)
            open_beside(Client(config.socket_path), alive=lambda: started.process.poll() is None)
        except KeyboardInterrupt:
            note("")
        finally:
            died = started.process.poll()
            code = started.end()
    if died is not None:
        raise CommandFailed(
            Failure(ExitCode.FAILED, "DaemonDied", f"the daemon ended by itself (exit code {died})", _see(config))
        )
    return code


def _see(config: Config) -> str:
    return f"see its log: {log_file(config)}"


class _Started:
    """A daemon in a child process, until it is ready or has been ended."""

    def __init__(self, config: Config, process: subprocess.Popen[bytes], ready_fd: int) -> None:
        self.config = config
        self.process = process
        self._ready_fd = ready_fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ready_fd)

    def wait_ready(self, *, forever: bool = False) -> dict[str, Any]:
        """Return what the daemon says when it is ready or stands by; raise ``CommandFailed`` with its reason otherwise."""
        readable, _, _ = select.select([self._ready_fd], [], [], None if forever else READY_S)
        if not readable:
            self.end()
            raise CommandFailed(
                Failure(ExitCode.TIMEOUT, "NotReady", f"not ready within {READY_S:.0f} s", _see(self.config))
            )
        said = json.loads(os.read(self._ready_fd, 65_536).rpartition(b"\n")[0].rpartition(b"\n")[2] or b"{}")
        if "failure" in said:
            self.process.wait()
            fields = said["failure"]
            raise CommandFailed(Failure(**{**fields, "exit": ExitCode(fields["exit"])}))
        if "pid" not in said:
            code = self.process.wait()
            raise CommandFailed(
                Failure(ExitCode.FAILED, "DaemonDied", f"the daemon ended (exit code {code})", _see(self.config))
            )
        found: dict[str, Any] = said
        return found

    def end(self) -> int:
        """Stop the child in order, then by force; return its exit code."""
        if self.process.stdin is not None:
            self.process.stdin.close()  # tells it to stop; a second word would cut its orderly end short
        elif self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _spawn(config: Config, file: Path | None, mode: str, *, stdin: int) -> _Started:
    config.app.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "service.cli", "up", mode, "--ready-fd", str(write_end)]
    if file is not None:
        command += ["--config", str(file)]
    _begin_anew(log_file(config))
    try:
        with open(log_file(config), "ab", opener=partial(os.open, mode=0o600)) as log:
            # A session of its own: Ctrl-C in this terminal reaches this process, which then stops the daemon in order.
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=stdin, stdout=log, stderr=log, pass_fds=[write_end], start_new_session=True
            )
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    return _Started(config, process, read_end)


def _begin_anew(log: Path) -> None:
    """Put a log that has become large aside; the one before it goes. Rotated files of the same lines lie in logs/process."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LARGE_BYTES:
            log.replace(log.with_name(log.name + ".1"))
