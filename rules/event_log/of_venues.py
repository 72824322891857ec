"""What an operator reads of venues, their reconciliations and their trading rules (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.precision import RulesFetched, RulesFetchFailed
from protocol.venue import DifferenceFound, EntriesAllowed, EntriesStopped, Reconciled, RecoveryStep, VenueStatusChanged
from rules.event_log.line import ERROR, INFO, WARNING, Line, LineOf, Source

__all__ = ["OF_VENUES"]


def _difference(e: DifferenceFound) -> Line:
    said = f"{e.account}: {e.detail}" + (f"; {e.correction}" if e.correction else "")
    pinned = e.code in ("PositionMismatch", "ForeignEngine")
    return Line(Source.SYSTEM, WARNING, e.code, said, client_order_id=e.client_order_id, pinned=pinned)


def _reconciled(e: Reconciled) -> Line:
    said = (
        f"{e.account} reconciled: {e.open_orders} open orders, {e.fills_seen} fills, "
        f"{e.fills_missed} of them missed, {e.differences} differences"
    )
    return Line(Source.SYSTEM, INFO, "Reconciled", said)


def _stopped(e: EntriesStopped) -> Line:
    return Line(Source.ORDER, ERROR, e.code, f"{e.account} takes no entries: {e.reason}", pinned=True)


def _allowed(e: EntriesAllowed) -> Line:
    return Line(Source.ORDER, INFO, "EntriesAllowed", f"{e.account} takes entries again")


def _venue(e: VenueStatusChanged) -> Line:
    why = ": ".join(each for each in (e.code, e.reason) if each)
    severity = {"down": WARNING, "stopped": ERROR}.get(e.status.value, WARNING if e.code else INFO)
    if e.code == "Maintenance" and severity is WARNING:
        severity = INFO  # it was announced
    said = f"{e.account} {e.status.value}" + (f": {why}" if why else "")
    return Line(Source.SYSTEM, severity, e.code or "VenueStatusChanged", said, pinned=severity is not INFO)


def _step(e: RecoveryStep) -> Line:
    counts = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in e.counts.items())
    said = f"{e.account} recovery {e.number}: {e.step.replace('_', ' ')}" + (f" ({counts})" if counts else "")
    return Line(Source.SYSTEM, INFO, "RecoveryStep", said)


def _rules(e: RulesFetched) -> Line:
    gone = f", {len(e.gone)} gone" if e.gone else ""
    said = f"{e.account}: rules of {e.symbols} markets, {len(e.changed)} new or changed{gone}"
    return Line(Source.PRECISION, INFO, "RulesFetched", said)


def _rules_failed(e: RulesFetchFailed) -> Line:
    said = f"{e.account}: the markets' rules cannot be had: {e.error}; again in {e.retry_after_s} s"
    return Line(Source.PRECISION, WARNING, "RulesFetchFailed", said, pinned=True)


OF_VENUES: Final[dict[str, LineOf]] = {
    "DifferenceFound": _difference,
    "EntriesAllowed": _allowed,
    "EntriesStopped": _stopped,
    "Reconciled": _reconciled,
    "RecoveryStep": _step,
    "RulesFetchFailed": _rules_failed,
    "RulesFetched": _rules,
    "VenueStatusChanged": _venue,
}
"""Event type -> its line."""
