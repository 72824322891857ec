"""Why an actor is as it is: its state, what its supervisor did with it and why, what it could not handle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from protocol.control import ActorRow, ReportContext, SupervisorReport
from runtime.dead_letters import DeadLetter
from service.explain.sentences import Sentence

__all__ = ["explain_actor"]

_STATES: Final = {
    "running": "It runs and handles messages.",
    "starting": "It is starting.",
    "stopping": "It is stopping in order.",
    "waiting": "It is down and waits for its supervisor to start it again.",
    "quarantined": "It is quarantined: it crashed more often than its budget allows, does nothing more, and waits for "
    "an operator (bulkhead release PATH). Its orders at the venue stay.",
    "down": "It is down.",
}

_CONTEXTS: Final = {
    ReportContext.START_ERROR: "It could not be started",
    ReportContext.CHILD_TERMINATED: "It ended",
    ReportContext.SHUTDOWN_ERROR: "It did not end in order",
    ReportContext.RESTART: "Its supervisor started it again",
    ReportContext.ESCALATED: "Its supervisor gave up and failed itself, so that the next one above decides",
    ReportContext.QUARANTINED: "It was put into quarantine",
    ReportContext.RELEASED: "It was let out of quarantine",
}


def explain_actor(row: ActorRow, reports: Iterable[SupervisorReport], letters: Iterable[DeadLetter]) -> list[Sentence]:
    """Return what is known about an actor, oldest first, its present state last. Kept in memory only: since the start."""
    said = [(each.at, "SupervisorReport", _report(each)) for each in reports]
    said += [(each.at, "DeadLetter", _letter(each)) for each in letters]
    said.sort()
    found = [Sentence(0, at, name, text) for at, name, text in said]
    return [*found, Sentence(0, found[-1].at if found else 0, "ActorRow", _present(row))]


def _report(report: SupervisorReport) -> str:
    delay = f", after a wait of {report.delay_s:.1f} s" if report.delay_s else ""
    count = f"; restart {report.restarts}" if report.context is ReportContext.RESTART and report.restarts else ""
    return f"{_CONTEXTS[report.context]}{delay}{count}: {report.reason}."


def _letter(letter: DeadLetter) -> str:
    name = type(letter.envelope.message).__name__
    sender = f" from {letter.envelope.sender}" if letter.envelope.sender else ""
    error = f": {letter.error}" if letter.error else ""
    parked = f" It is kept as dead letter {letter.id} and can be handed over again." if letter.poison else ""
    return f"It did not handle {name}{sender}, because {letter.reason}{error}.{parked}"


def _present(row: ActorRow) -> str:
    state = _STATES.get(row.state, f"It is {row.state}.")
    restarts = f" It was restarted {row.restarts} times." if row.restarts else " It was never restarted."
    waiting = f" {row.mailbox} messages wait, the oldest for {row.oldest_ms:.0f} ms." if row.mailbox else ""
    return f"{state}{restarts} It handled {row.handled} messages, {row.failed} failed.{waiting} {row.detail}".rstrip()
