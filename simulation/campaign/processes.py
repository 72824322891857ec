"""Run jobs on processes of this machine, one job at a time each.

A worker that dies, or does not come back within its limit, costs its own seed: that seed counts as failed, and a new worker
goes on with the next.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any, Final, Generic, TypeVar

from runtime.clock import NANOS, WallClock

__all__ = ["JOB_LIMIT_S", "on_processes"]

J = TypeVar("J")
R = TypeVar("R")

JOB_LIMIT_S: Final = 900.0
"""Seconds after which a seed counts as one that hangs."""

_LOOK_EVERY_S: Final = 1.0


def on_processes(
    jobs: Iterable[J],
    work: Callable[[J], R],
    *,
    lost: Callable[[J, str], R],
    workers: int,
    limit_s: float = JOB_LIMIT_S,
) -> Generator[R, None, None]:
    """Yield the result of each job as it comes, in any order. Closing the iterator ends the workers.

    ``work`` must be importable by its name; ``lost`` makes the result of a job whose process did not come back, with the
    reason. Jobs are drawn from ``jobs`` only when a worker is free.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(jobs)
    team: list[_Worker[J, R]] = []
    try:
        while True:
            while len(team) < max(1, workers) and (job := next(waiting, None)) is not None:
                team.append(_Worker(context, work, job, lost, limit_s))
            if not team:
                return
            for worker in _that_said_something(team):
                yield worker.outcome()
                following = next(waiting, None)
                if following is None:
                    worker.end()
                    team.remove(worker)
                elif not worker.take(following):
                    team.remove(worker)
                    team.append(_Worker(context, work, following, lost, limit_s))
    finally:
        for worker in team:
            worker.end()


def _that_said_something(team: list[_Worker[J, R]]) -> list[_Worker[J, R]]:
    """Wait until a worker is done, dead or late."""
    heard = set(wait([worker.pipe for worker in team], timeout=_LOOK_EVERY_S))
    return [worker for worker in team if worker.pipe in heard or worker.late]


class _Worker(Generic[J, R]):
    def __init__(
        self, context: SpawnContext, work: Callable[[J], R], job: J, lost: Callable[[J, str], R], limit_s: float
    ) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()  # so that its end is heard here
        self._clock = WallClock()
        self._limit_s = limit_s
        self._lost = lost
        self._job = job
        self.take(job)

    def take(self, job: J) -> bool:
        """Give it a job; False when it does not live any more."""
        self._job, self._since = job, self._clock.now()
        try:
            self.pipe.send(job)
        except OSError:
            self.end()
            return False
        return True

    @property
    def late(self) -> bool:
        """Whether its job takes longer than any may."""
        return self._clock.now() - self._since > self._limit_s * NANOS

    def outcome(self) -> R:
        """Return what it said of its job, or how it ended."""
        if not self.pipe.poll() and self.late:
            self.end()
            return self._lost(self._job, f"it did not end within {self._limit_s:g} s")
        try:
            said: R = self.pipe.recv()
        except (EOFError, OSError):
            self.end()
            return self._lost(self._job, f"its process died with exit code {self._process.exitcode}")
        return said

    def end(self) -> None:
        """End the process at once and let go of its pipe."""
        self.pipe.close()
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection[Any, Any], work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which says what is known so far
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(work(job))
