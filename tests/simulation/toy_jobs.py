"""Work for campaigns that needs no house: it must be importable by name, as the workers are processes of their own."""

from __future__ import annotations

import os
import signal
from threading import Event

from simulation.campaign import Job, Outcome
from simulation.verdict import Coverage, Verdict, Violation

__all__ = ["work"]


def work(job: Job) -> Outcome:
    """Fail seeds that end in 7, die in seed 13, hang in seed 99."""
    if job.seed == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.seed == 99:
        Event().wait(60)
    broken = [Violation("no-sevens", job.seed, "it ends in 7")] if job.seed % 10 == 7 else []
    coverage = Coverage()
    coverage.injected["kill"] = job.seed
    coverage.checked["no-sevens"] = 1
    coverage.handled["gateway", "WebhookRequest"] = 2
    verdict = Verdict(job.seed, violations=broken, coverage=coverage, hours=job.hours, digest=f"d{job.seed}")
    verdict.counts["events"] = 10
    return Outcome(job, verdict)
