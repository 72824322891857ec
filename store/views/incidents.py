"""Projections of incidents: what stands, and what is over."""

from __future__ import annotations

from protocol.incidents import IncidentCleared, IncidentRaised
from store.views.registry import Writer, insert, projection, run

__all__ = ["incident_cleared", "incident_raised"]


@projection(IncidentRaised)
def incident_raised(writer: Writer, event: IncidentRaised) -> None:
    """Write the incident; raised again after it was over it stands again."""
    insert(
        writer,
        "incidents",
        kind=event.kind,
        subject=event.subject,
        position=writer.record.position,
        severity=event.severity,
        text=event.text,
        proposal=event.proposal,
        signal_id=event.signal_id,
        stream=writer.record.stream,
        at=event.at,
    )


@projection(IncidentCleared)
def incident_cleared(writer: Writer, event: IncidentCleared) -> None:
    """Note that it is over, and why."""
    sql = "UPDATE incidents SET cleared_at = ?, cleared = ? WHERE kind = ? AND subject = ? AND cleared_at IS NULL"
    run(writer, sql, event.at, event.text, event.kind, event.subject)
