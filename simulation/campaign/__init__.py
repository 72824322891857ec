"""Many seeds at once: the jobs, the places where they run (processes, a Ray cluster), and what came of all of them.

What must not live here: a single run (``simulation.run``), and how results are shown (``simulation.report``).
"""

from __future__ import annotations

from simulation.campaign.campaign import Campaign, run_campaign
from simulation.campaign.jobs import Job, Outcome, carry_out
from simulation.campaign.processes import on_processes
from simulation.campaign.ray_cluster import ExecutorUnavailable, on_ray

__all__ = ["Campaign", "ExecutorUnavailable", "Job", "Outcome", "carry_out", "on_processes", "on_ray", "run_campaign"]
