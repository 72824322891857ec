"""Run a soak: ``python -m benchmarks.soak --minutes 5``; ends with exit code 1 when something grew or was lost.

The daemon runs as the product starts it (wall clock, synthetic prices made lively, SQLite, read models, control socket);
alerts come over real HTTP, the venue misbehaves by script, actors are restarted, and the process is killed without
warning: ``--kills`` times in the first part, so that the rest is one life to be measured, and once more at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from benchmarks.soak.audit import Check, audit
from benchmarks.soak.daemon import SoakDaemon
from benchmarks.soak.page import Report, as_text, write_page
from benchmarks.soak.sampling import Sampler
from benchmarks.soak.traffic import Traffic
from benchmarks.soak.trend import judged
from benchmarks.soak.trouble import Trouble
from protocol.errors import BulkheadError
from service.incidents import incidents_folder
from store.incident_folder import IncidentFolder

__all__ = ["main"]

QUIET_S: Final = 60.0
"""Longest wait for the house to come to rest at the end."""


async def soak(folder: Path, options: argparse.Namespace) -> Report:
    """Run it; return everything that was seen."""
    daemon = SoakDaemon(folder)
    sampler = Sampler(daemon, options.sample_s, options.collect_s)
    traffic, trouble = Traffic(daemon, options.rate, options.seed), Trouble(daemon, options.trouble_s, options.seed)
    seconds = options.minutes * 60
    try:
        await daemon.start()
        load = [asyncio.create_task(traffic.run())]
        if options.trouble_s:
            load.append(asyncio.create_task(trouble.run()))
        for _ in range(options.kills):
            await asyncio.sleep(options.kill_after_s)
            _say(f"{sampler.elapsed_s:.0f} s: kill -9")
            await daemon.end(signal.SIGKILL)
            await daemon.start()
        watch = asyncio.create_task(_watched(sampler, load))
        await asyncio.sleep(max(1.0, seconds - sampler.elapsed_s))
        watch.cancel()
        await _stopped([*load, watch])
        rest = await _to_rest(daemon, sampler)
        letters = await _letters(daemon)
        await daemon.end(signal.SIGKILL)
        await daemon.start()
        rest += await _to_rest(daemon, sampler, last=True)
        code = await daemon.end()
    finally:
        daemon.kill_left_over()
    _say("reading the journal ...")
    checks = await asyncio.to_thread(audit, daemon.config.journal_path)
    checks += [
        Check(
            "messages handled, none a dead letter",
            int(sampler.samples[-1].handled),
            [f"{letters} letters"] * bool(letters),
        ),
        Check("ends in order and at rest", 1, [*rest, *([f"exit code {code}"] if code else [])]),
    ]
    return Report(
        options=options,
        samples=sampler.samples,
        verdicts=judged(sampler.samples, options.warm_up_s),
        checks=checks,
        made=trouble.made,
        refused=trouble.refused,
        answers=traffic.answers,
        starts=daemon.starts,
        commit=_commit(),
        incidents=_incidents(daemon),
    )


def _incidents(daemon: SoakDaemon) -> Counter[str]:
    """Count what the daemon wrote a file about, by kind, place and error."""
    counts: Counter[str] = Counter()
    for each in IncidentFolder(incidents_folder(daemon.config.app.data_dir)).lines():
        counts[f"{each.kind.value} {each.path}: {each.error.type}"] += 1 + each.more
    return counts


async def _watched(sampler: Sampler, load: list[asyncio.Task[None]]) -> None:
    """Sample, say now and then how it stands, and end with the error of a load that ended."""
    looking = asyncio.create_task(sampler.run())
    try:
        while True:
            await asyncio.wait([looking, *load], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            for task in (looking, *load):
                if task.done():
                    task.result()
            newest = sampler.samples[-1] if sampler.samples else None
            if newest is not None:
                _say(
                    f"{newest.at_s:.0f} s: {newest.rss_mb:.1f} MB, {newest.fds} files, {newest.tasks} tasks, "
                    f"{newest.actors} actors, lag {newest.lag_p99_ms:.1f} ms, journal {newest.journal_mb:.1f} MB"
                )
    finally:
        looking.cancel()
        await _stopped([looking])


async def _stopped(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def _to_rest(daemon: SoakDaemon, sampler: Sampler, *, last: bool = False) -> list[str]:
    """Wait until nothing waits, nothing is down and nothing was committed for a while; return what is not at rest."""
    until = time.monotonic() + QUIET_S
    committed, quiet = -1, 0
    while time.monotonic() < until:
        await asyncio.sleep(1)
        try:
            figures, rows = await daemon.get("/v1/figures"), (await daemon.get("/v1/ps"))["actors"]
            status = await daemon.get("/v1/status")
        except BulkheadError as error:
            return [f"no answer: {error}"]
        sampler.figures = figures
        down = [row["path"] for row in rows if row["state"] != "running"]
        up = all(each["status"] == "up" for each in status["venues"])
        # Targets fill and ladders trade for as long as prices move: what must be still is what waits and who is down.
        quiet = quiet + 1 if not down and up and figures["waiting"] == 0 else 0
        if quiet >= (8 if last else 4):
            return []
        committed = figures["committed"]
    return [f"{len(down)} actors down {down[:5]}, {figures['waiting']} messages wait, {committed} commits"]


async def _letters(daemon: SoakDaemon) -> list[str]:
    """Name the dead letters of a life."""
    try:
        kept = (await daemon.get("/v1/dead-letters"))["dead_letters"]
    except BulkheadError as error:
        return [f"no answer: {error}"]
    return [each["text"] for each in kept]


def _commit() -> str:
    head = Path(__file__).resolve().parents[2] / ".git"
    return os.environ.get("SOAK_COMMIT", "") or ("" if not head.exists() else _git())


def _git() -> str:
    import subprocess

    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description="run the daemon for long, with faults"
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long alerts are sent")
    parser.add_argument("--rate", type=float, default=2.0, help="alerts a second")
    parser.add_argument("--trouble-s", type=float, default=8.0, help="seconds between two faults; 0: none")
    parser.add_argument("--kills", type=int, default=1, help="kill -9 and start again so often at the beginning")
    parser.add_argument("--kill-after-s", type=float, default=20.0, help="seconds of each of those first lives")
    parser.add_argument(
        "--warm-up-s", type=float, default=0.0, help="seconds before growth counts; 0: 40 %% of the time"
    )
    parser.add_argument("--sample-s", type=float, default=2.0, help="seconds between two looks")
    parser.add_argument("--collect-s", type=float, default=15.0, help="seconds between two counts of what is held")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--nice", type=int, default=0, help="run everything with this niceness")
    parser.add_argument("--folder", type=Path, help="keep the daemon's folder here")
    parser.add_argument("--page", type=Path, help="write the report as a Markdown page with a picture beside it")
    options = parser.parse_args(arguments)
    options.warm_up_s = options.warm_up_s or 0.4 * options.minutes * 60
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak and print its table; return 0 when everything stayed flat and nothing was lost."""
    options = _options(arguments)
    if options.nice:
        psutil.Process().nice(options.nice)
    with tempfile.TemporaryDirectory() as scratch:
        report = asyncio.run(soak(options.folder or Path(scratch) / "house", options))
    print(as_text(report))
    if options.page is not None:
        write_page(report, options.page)
    return 0 if report.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
