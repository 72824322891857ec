"""A campaign as JSON."""

from __future__ import annotations

from typing import Any

from simulation.campaign import Campaign
from simulation.report.coverage import CoverageTable

__all__ = ["as_document"]


def as_document(campaign: Campaign, table: CoverageTable) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "seeds": len(campaign.seeds),
        "simulated_hours": campaign.hours,
        "seconds": round(campaign.seconds, 3),
        "interrupted": campaign.interrupted,
        "digest": campaign.digest,
        "counts": dict(sorted(campaign.counts.items())),
        "faults": {row.name: row.times for row in table.faults},
        "invariants": {row.name: row.times for row in table.invariants},
        "actors": {
            actor.kind: {"handled": {row.name: row.times for row in actor.handled}, "never": list(actor.never)}
            for actor in table.actors
        },
        "never_injected": list(table.never_injected),
        "never_checked": list(table.never_checked),
        "failures": [
            {
                "seed": outcome.job.seed,
                "hours": outcome.job.hours,
                "profile": outcome.job.profile,
                "violations": [
                    {"invariant": each.invariant, "at": each.at, "message": each.message}
                    for each in outcome.verdict.violations
                ],
            }
            for outcome in campaign.failures
        ],
    }
