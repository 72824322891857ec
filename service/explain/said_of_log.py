"""Sentences about what operators did and saw, and about venues: mostly those of the event log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.event_log import EventsAcknowledged, OperatorActed
from protocol.performance import EquityMarked
from service.explain.story import Story
from store.views.lines import line_of

__all__ = ["OF_LOG"]


def _as_in_the_log(event: Any, _: Story) -> str:
    line = line_of(event)
    said = line.text.rstrip(".") if line is not None else ""
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _acted(e: OperatorActed, _: Story) -> str:
    given = ", ".join(f"{name} {value}" for name, value in e.arguments.items())
    change = f", from {e.before or 'nothing'} to {e.after or 'nothing'}" if e.before or e.after else ""
    why = f", because {e.reason}" if e.reason else ""
    return (
        f"{e.operator} sent {e.command}{f' with {given}' if given else ''} from {e.origin}: {e.outcome}{change}{why}."
    )


def _acknowledged(e: EventsAcknowledged, _: Story) -> str:
    what = f"every alert up to event {e.through}" if e.through else f"{len(e.positions)} alerts"
    return f"{e.operator} acknowledged {what}."


def _silent(_event: EquityMarked, _: Story) -> str:
    return ""


def _nothing(_event: Any, _: Story) -> str:
    return ""


OF_LOG: Final[dict[str, Callable[[Any, Story], str]]] = {
    "BracketOrderMoved": _nothing,
    "BracketStepTaken": _as_in_the_log,
    "BracketWanted": _as_in_the_log,
    "AccountArmed": _as_in_the_log,
    "AccountPaused": _as_in_the_log,
    "AccountResumed": _as_in_the_log,
    "AccountStopped": _as_in_the_log,
    "ApprovalAsked": _as_in_the_log,
    "ApprovalEnded": _as_in_the_log,
    "DaySummaryKept": _as_in_the_log,
    "EntriesAllowed": _as_in_the_log,
    "EntriesStopped": _as_in_the_log,
    "EquityMarked": _silent,
    "EventLogged": _as_in_the_log,
    "EventsAcknowledged": _acknowledged,
    "IncidentCleared": _as_in_the_log,
    "IncidentRaised": _as_in_the_log,
    "OperatorActed": _acted,
    "NoticesDismissed": _nothing,
    "NoticesKept": _nothing,
    "NoticesRead": _nothing,
    "NoticesRepeated": _nothing,
    "PhoneDropped": _as_in_the_log,
    "PhoneBotChanged": _nothing,
    "PhoneEnded": _nothing,
    "PhoneMoved": _as_in_the_log,
    "PhoneQueued": _nothing,
    "PhoneSending": _nothing,
    "PhoneSent": _nothing,
    "PhoneStrangers": _as_in_the_log,
    "PhoneTaken": _nothing,
    "RecoveryStep": _as_in_the_log,
    "RulesFetchFailed": _as_in_the_log,
    "RulesFetched": _as_in_the_log,
    "VenueStatusChanged": _as_in_the_log,
}
"""Event type -> its sentence."""
