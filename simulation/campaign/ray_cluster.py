"""Run jobs on a Ray cluster that is named: results are those of the processes here, and nothing falls back silently."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterable
from importlib import import_module
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from protocol.errors import BulkheadError, FeatureUnavailable
from simulation.campaign.jobs import Job, Outcome, broken_off

__all__ = ["ExecutorUnavailable", "on_ray"]

_KNOCK_S: Final = 5.0


class ExecutorUnavailable(BulkheadError):
    """The place where jobs are to run cannot be reached; nothing was run anywhere else (DS-602)."""


def on_ray(jobs: Iterable[Job], work: Callable[[Job], Outcome], *, address: str) -> Generator[Outcome, None, None]:
    """Yield the outcome of each job as it comes, in any order.

    Raises FeatureUnavailable when Ray is not installed, ExecutorUnavailable when no cluster answers at the address.
    """
    ray = _connected(address)
    try:
        remote = ray.remote(work)
        waiting = iter(jobs)
        most = max(1, int(ray.cluster_resources().get("CPU", 1)))
        under_way: dict[Any, Job] = {}
        while True:
            for job in islice(waiting, most - len(under_way)):
                under_way[remote.remote(job)] = job
            if not under_way:
                return
            done, _ = ray.wait(list(under_way), num_returns=1)
            for each in done:
                yield _outcome(ray, each, under_way.pop(each))
    finally:
        ray.shutdown()


def _outcome(ray: Any, reference: Any, job: Job) -> Outcome:
    try:
        found: Outcome = ray.get(reference)
    except ray.exceptions.RayError as error:
        return broken_off(job, f"its worker died: {error}")
    return found


def _connected(address: str) -> Any:
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise FeatureUnavailable("ray", "running on a Ray cluster") from error
    _knock(address)
    try:
        ray.init(address=address, log_to_driver=False)
    except Exception as error:
        raise ExecutorUnavailable(f"no Ray cluster answers at {address}: {error}") from error
    return ray


def _knock(address: str) -> None:
    """Look whether anybody listens at ``host:port``: Ray itself goes on trying for minutes."""
    place = urlsplit(address if "://" in address else f"ray://{address}")
    if place.port is None:
        return  # "auto" and the like: Ray knows where to look
    try:
        socket.create_connection((place.hostname or "", place.port), _KNOCK_S).close()
    except OSError as error:
        raise ExecutorUnavailable(f"no Ray cluster answers at {address}: {error}") from error
