"""What an operator reads of the engine and its reconciliations (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.configuration import ConfigApplied, ConfigRolledBack, DraftChanged
from protocol.event_log import EventLogged, EventsAcknowledged, OperatorActed
from protocol.groups.recovery import DaemonStarted, DaemonStopped
from protocol.incidents import IncidentCleared, IncidentRaised, Severity
from protocol.notifications import DaySummaryKept
from protocol.risk import AccountArmed, AccountPaused, AccountResumed, AccountStopped, EngineStatus, EngineStatusChanged
from rules.event_log.line import ERROR, INFO, WARNING, Line, LineOf, LineSeverity, Source

__all__ = ["OF_SYSTEM"]

_SEVERITY_OF_INCIDENT: Final = {
    Severity.INFO: INFO,
    Severity.WARNING: WARNING,
    Severity.ERROR: ERROR,
    Severity.CRITICAL: ERROR,
}


def _incident(e: IncidentRaised) -> Line:
    said = f"{e.text}; to mend it: {e.proposal}" if e.proposal else e.text
    pinned = e.severity in (Severity.ERROR, Severity.CRITICAL)
    return Line(Source.SYSTEM, _SEVERITY_OF_INCIDENT[e.severity], e.kind, said, signal_id=e.signal_id, pinned=pinned)


def _incident_over(e: IncidentCleared) -> Line:
    why = f" ({e.text})" if e.text else ""
    return Line(Source.SYSTEM, INFO, e.kind, f"no longer: {e.subject}{why}")


def _status(e: EngineStatusChanged) -> Line:
    severity = {EngineStatus.ERROR: ERROR, EngineStatus.PAUSED: WARNING}.get(e.status, INFO)
    said = f"engine {e.status.value}" + (f": {e.reason}" if e.reason else "")
    return Line(Source.SYSTEM, severity, "EngineStatusChanged", said, pinned=e.status is EngineStatus.ERROR)


def _account_paused(e: AccountPaused) -> Line:
    return Line(
        Source.SYSTEM, WARNING, "AccountPaused", f"{e.account} takes no entries until it is resumed: {e.reason}"
    )


def _account_resumed(e: AccountResumed) -> Line:
    return Line(Source.SYSTEM, INFO, "AccountResumed", f"the pause of {e.account} is over")


def _account_stopped(e: AccountStopped) -> Line:
    by = f" by {e.by}" if e.by else ""
    return Line(
        Source.SYSTEM, WARNING, "AccountStopped", f"{e.account} takes no entries until it is armed{by}: {e.reason}"
    )


def _account_armed(e: AccountArmed) -> Line:
    return Line(Source.SYSTEM, INFO, "AccountArmed", f"{e.account} is armed again{f' by {e.by}' if e.by else ''}")


def _logged(e: EventLogged) -> Line:
    more = f" ({e.left_out} more like it)" if e.left_out else ""
    said = e.text if not e.about or e.about in e.text else f"{e.about}: {e.text}"
    source = Source(e.source) if e.source in list(Source) else Source.SYSTEM
    severity = LineSeverity(e.severity) if e.severity in list(LineSeverity) else INFO
    return Line(source, severity, e.code, said + more, e.group_id, pinned=e.pinned)


def _acted(e: OperatorActed) -> Line:
    with_ = ", ".join(f"{name} {value}" for name, value in e.arguments.items())
    change = f", {e.before} -> {e.after}" if e.before or e.after else ""
    why = f", because {e.reason}" if e.reason else ""
    said = f"{e.operator} from {e.origin}: {e.command}{f' ({with_})' if with_ else ''}: {e.outcome}{change}{why}"
    return Line(Source.SYSTEM, INFO, "OperatorActed", said, e.arguments.get("group_id", ""))


def _acknowledged(e: EventsAcknowledged) -> Line:
    what = f"all alerts up to {e.through}" if e.through else f"{len(e.positions)} alerts"
    return Line(Source.SYSTEM, INFO, "EventsAcknowledged", f"{e.operator} acknowledged {what}")


def _config_applied(e: ConfigApplied) -> Line:
    keys = ", ".join(f"{c.key} {c.before or 'default'} -> {c.after or 'default'}" for c in e.changes) or "no change"
    return Line(Source.SYSTEM, INFO, "ConfigApplied", f"settings: version {e.version} by {e.author}: {keys}")


def _draft(e: DraftChanged) -> Line:
    """Say it although nothing trades by a draft: every open cockpit looks at it again then (EX-1306)."""
    said = f"draft edited by {e.author}, from version {e.base}" if e.document else f"no draft any more, by {e.author}"
    return Line(Source.SYSTEM, INFO, "DraftChanged", f"settings: {said}")


def _config_back(e: ConfigRolledBack) -> Line:
    said = f"settings: version {e.version} taken back to {e.back_to}, {e.actor} did not take it: {e.cause}"
    return Line(Source.SYSTEM, ERROR, "ApplyFailed", said, pinned=True)


def _started(e: DaemonStarted) -> Line:
    if e.run == 1:
        return Line(Source.SYSTEM, INFO, "DaemonStarted", "bulkhead started for the first time on this journal")
    before = "ended in order" if e.clean else "did not end in order: what was under way is compared with the venues"
    said = f"bulkhead started, run {e.run}: it was away for {e.down_s} s; the run before {before}"
    return Line(Source.SYSTEM, INFO if e.clean else WARNING, "DaemonStarted", said)


def _stopped(e: DaemonStopped) -> Line:
    return Line(Source.SYSTEM, INFO, "DaemonStopped", f"bulkhead stopped in order, run {e.run}")


def _day(e: DaySummaryKept) -> Line:
    return Line(Source.SYSTEM, INFO, "DaySummary", f"{e.day}: {e.text}")


OF_SYSTEM: Final[dict[str, LineOf]] = {
    "AccountArmed": _account_armed,
    "AccountPaused": _account_paused,
    "AccountResumed": _account_resumed,
    "AccountStopped": _account_stopped,
    "DaemonStarted": _started,
    "DaemonStopped": _stopped,
    "ConfigApplied": _config_applied,
    "ConfigRolledBack": _config_back,
    "DaySummaryKept": _day,
    "DraftChanged": _draft,
    "EventLogged": _logged,
    "EventsAcknowledged": _acknowledged,
    "OperatorActed": _acted,
    "EngineStatusChanged": _status,
    "IncidentCleared": _incident_over,
    "IncidentRaised": _incident,
}
"""Event type -> its line."""
