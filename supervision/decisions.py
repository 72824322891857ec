"""What a supervisor decided about a child that crashed, in words for the incident file."""

from __future__ import annotations

from protocol.incident_files import SupervisorDecision
from supervision.slots import Phase, Slot

__all__ = ["decision"]


def decision(
    supervisor: str, path: str, slot: Slot, *, failed: bool, known: bool, delay_s: float, alone: bool
) -> SupervisorDecision:
    """Return it; ``failed`` says that the supervisor itself gives up, ``known`` that the child is still its child."""
    action, said = "none", "it is not started again"
    if failed:
        action, said = "escalate", f"{supervisor} gives up and fails too; whoever stands above it decides"
    elif slot.phase is Phase.QUARANTINED:
        action, said = "quarantine", f"it stays down, its messages kept, until: bulkhead release {path}"
    elif known and slot.phase is not Phase.DONE:
        action = "restart" if alone else "restart_with_others"
        when = f"after {delay_s:.2g} s" if delay_s > 0 else "at once"
        others = "" if alone else ", with those that depend on it"
        said = f"restart {slot.restarts} {when}{others}" if slot.restarts else f"started again {when}{others}"
    return SupervisorDecision(
        supervisor=supervisor, action=action, restarts=slot.restarts, delay_s=max(0.0, delay_s), said=said
    )
