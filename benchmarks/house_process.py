"""A real daemon in a process of its own, for measurements from outside: wall clock, paper account, synthetic prices.

``python -m benchmarks.house_process FOLDER [--layers N] [--groups N]`` says on standard output, as lines of JSON, when it
is ready, and when that many groups are up and the account has been reconciled. SIGTERM stops it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from actors.gateway import GatewaySettings
from protocol.venue import Reconciled
from rules.signals import DuplicateWindows
from service.account_paths import AccountPaths
from service.config import Config, open_webhook_secrets, parse
from service.daemon import Daemon, run_daemon
from store.opening import open_reader

__all__ = ["ACCOUNT", "SYMBOLS", "configured", "running_house", "said_by"]

ACCOUNT: Final = "paper"
SYMBOLS: Final = {"BTC/USDT": 60_000, "ETH/USDT": 3_000, "SOL/USDT": 150}
"""Symbols of the synthetic market and where their prices begin."""
RATE_PER_MINUTE: Final = 60_000
"""Ten times what a configuration may allow: the measurement is to reach the house, not its limit."""
_LOOK_S: Final = 0.01
_NEWEST: Final = 5_000
ROOT: Final = Path(__file__).resolve().parents[1]


def configured(folder: Path, layers: int, *, record: bool = True) -> Config:
    """Return the daemon's configuration: ``layers`` a ladder, of which the first trades at once and the others rest.

    ``record`` keeps the record of inputs, as every daemon does by default.
    """
    gaps = [0 if layer == 0 else -10 - 5 * layer for layer in range(layers)]
    levels = ", ".join(f"{{ gap_percent = {gap}, weight_percent = {100 / layers}, tp_percent = 50 }}" for gap in gaps)
    text = f"""
[app]
data_dir = "{folder}"
[market]
source = "synthetic"
liveliness = 0.1
[webhook]
port = 0
[signal]
near_duplicate_window_seconds = 0
[execution_pool]
max_open_groups = 1000
[grid_strategy]
max_pyramids_per_group = 50
levels = [{levels}]
[demo]
signals = false
[self_check]
record = {str(record).lower()}
[[accounts]]
name = "{ACCOUNT}"
latency_ms = 0
balances = {{ USDT = 100000000 }}
"""
    return parse(text, {})


def _wide_open(settings: GatewaySettings) -> GatewaySettings:
    return replace(settings, rate_per_minute=RATE_PER_MINUTE, windows=DuplicateWindows(near_s=0))


def _say(what: str, **facts: Any) -> None:
    print(json.dumps({"said": what, **facts}), flush=True)


def _ready(daemon: Daemon, groups: int) -> None:
    secrets = open_webhook_secrets(daemon.config)
    _say("ready", url=daemon.webhook_url, secret=secrets.secret.reveal())
    if groups:
        daemon.system.run_task(_recovered(daemon, groups), "benchmark")


async def _recovered(daemon: Daemon, groups: int) -> None:
    paths = AccountPaths(ACCOUNT)
    house = daemon.system.cell_of(paths.groups)
    assert house is not None, "the groups' supervisor is part of every house"
    while True:
        if sum(child.was_ready for child in house.children.values()) >= groups:
            found = _reconciled(daemon, paths.desk)
            if found is not None:
                _say("recovered", groups=groups, open_orders=found.open_orders, differences=found.differences)
                return
        await asyncio.sleep(_LOOK_S)


def _reconciled(daemon: Daemon, desk: str) -> Reconciled | None:
    """Return the first reconciliation that the desk has journalled since this start."""
    since = daemon.system.journal.start_number() << 40
    newest = getattr(_actor(daemon, desk), "sequence", 0)
    with closing(open_reader(daemon.config.journal_path, check=False)) as reader:
        for record in reader.read(desk, max(0, newest - _NEWEST)):
            if isinstance(record.event, Reconciled) and record.message_id > since:
                return record.event
    return None


def _actor(daemon: Daemon, path: str) -> Any:
    cell = daemon.system.cell_of(path)
    return cell.actor if cell is not None else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.house_process", description="a daemon to be measured")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--groups", type=int, default=0)
    parser.add_argument("--no-record", action="store_true", help="keep no record of inputs")
    options = parser.parse_args(arguments)
    config = configured(options.folder, options.layers, record=not options.no_record)
    return run_daemon(config, on_ready=lambda daemon: _ready(daemon, options.groups), gateway=_wide_open)


@contextmanager
def running_house(
    folder: Path, *, layers: int, groups: int = 0, record: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """Run it inside the block and stop it in order, unless it was killed; raise RuntimeError when it ends with an error."""
    command = [sys.executable, "-m", "benchmarks.house_process", str(folder)]
    command += ["--layers", str(layers), "--groups", str(groups), *([] if record else ["--no-record"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.terminate()
            code = process.wait(60)
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"the house ended with exit code {code}")


def said_by(process: subprocess.Popen[str], what: str) -> dict[str, Any]:
    """Wait for one of its lines; raise RuntimeError when it ends before."""
    assert process.stdout is not None, "opened with a pipe"
    for line in process.stdout:
        fact: dict[str, Any] = json.loads(line)
        if fact["said"] == what:
            return fact
    raise RuntimeError(f"the house ended before it was {what}")


if __name__ == "__main__":
    raise SystemExit(main())
