"""What is measured at one moment, from the operating system and from the daemon's own counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, NamedTuple

import psutil

from benchmarks.soak.daemon import SoakDaemon
from protocol.errors import BulkheadError

__all__ = ["MEGABYTE", "Sample", "Sampler"]

MEGABYTE: Final = 1_048_576


class Sample(NamedTuple):
    """One look. ``at_s`` since the soak began; sizes in megabytes; ``children_mb`` are its helper processes.

    ``live_kblocks`` are thousands of blocks of memory that somebody held after the newest collection of rubbish.
    """

    at_s: float
    pid: int
    rss_mb: float
    live_kblocks: float
    children_mb: float
    fds: int
    threads: int
    tasks: int
    timers: int
    actors: int
    asks: int
    subscriptions: int
    waiting: int
    oldest_ms: float
    lag_p99_ms: float
    lag_worst_ms: float
    dead_letters: int
    restarts: int
    failed: int
    handled: int
    journal_mb: float
    views_mb: float
    cpu_s: float


class Sampler:
    """Looks every ``every_s`` seconds for as long as its task runs; while the daemon is down there is nothing to see.

    Every ``collect_s`` it has the daemon collect rubbish first: what is held then is what can leak.
    """

    def __init__(self, daemon: SoakDaemon, every_s: float, collect_s: float) -> None:
        self._daemon = daemon
        self._every_s = every_s
        self._collect_s = collect_s
        self._collected_at: float | None = None
        self._live_kblocks = 0.0
        self._began = time.monotonic()
        self.samples: list[Sample] = []
        self.figures: dict[str, Any] = {}

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> Sample | None:
        """Look once; None when the daemon is down."""
        try:
            collect = self._collected_at is None or self.elapsed_s - self._collected_at >= self._collect_s
            self.figures = await self._daemon.get("/v1/figures", collect="1" if collect else "")
            if collect:
                self._collected_at = self.elapsed_s
                self._live_kblocks = self.figures["blocks"] / 1_000
            found = self._seen(self.figures)
        except (BulkheadError, psutil.Error, OSError):
            return None
        self.samples.append(found)
        return found

    def _seen(self, figures: dict[str, Any]) -> Sample:
        process = self._daemon.main_process()
        with process.oneshot():
            rss, fds, threads = process.memory_info().rss, process.num_fds(), process.num_threads()
            times = process.cpu_times()
        children = sum(each.memory_info().rss for each in process.children(recursive=True))
        lag = figures["loop"]
        data = self._daemon.config.app.data_dir
        return Sample(
            at_s=self.elapsed_s,
            pid=process.pid,
            rss_mb=rss / MEGABYTE,
            live_kblocks=self._live_kblocks,
            children_mb=children / MEGABYTE,
            fds=fds,
            threads=threads,
            lag_p99_ms=lag["p99_ms"],
            lag_worst_ms=lag["worst_ms"],
            journal_mb=sum(each.stat().st_size for each in data.glob("journal.db*")) / MEGABYTE,
            views_mb=sum(each.stat().st_size for each in data.glob("views.db*")) / MEGABYTE,
            cpu_s=times.user + times.system,
            **{
                name: figures[name]
                for name in ("tasks", "timers", "actors", "asks", "subscriptions", "waiting", "oldest_ms")
            },
            **{name: figures[name] for name in ("dead_letters", "restarts", "failed", "handled")},
        )
