"""What a trader is told of engine, accounts, venues, signals, settings, approvals (DS-720). One function an event type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.approvals import ApprovalAsked, ApprovalEnd, ApprovalEnded
from protocol.configuration import ConfigApplied, ConfigRolledBack
from protocol.event_log import EventLogged
from protocol.groups.recovery import DaemonStarted
from protocol.incidents import IncidentRaised
from protocol.notifications import DaySummaryKept
from protocol.pool import QueueRemoved
from protocol.precision import RulesFetchFailed
from protocol.risk import AccountArmed, AccountPaused, AccountResumed, AccountStopped, EngineStatus, EngineStatusChanged
from protocol.signals import SignalReceived, SignalRouted
from protocol.telegram import PhoneMoved
from protocol.venue import DifferenceFound, EntriesStopped, VenueStatus, VenueStatusChanged
from protocol.webhook import RequestRefused
from rules.notices.sentence import Sentence, SentenceOf, capital, coded, market_of, unnumbered, who

__all__ = ["OF_HOUSE"]

_ENGINE: Final = {
    EngineStatus.RUNNING: "The engine runs",
    EngineStatus.PAUSED: "The engine is paused: no new entries, exits go on",
    EngineStatus.ERROR: "The engine is in Error: no new entries, exits go on",
}
_VENUE: Final = {
    VenueStatus.CONNECTING: "connects to its venue",
    VenueStatus.UP: "is connected to its venue",
    VenueStatus.DOWN: "has lost its venue, which is tried again by itself",
    VenueStatus.STOPPED: "was stopped by its venue: no further try until somebody restarts the session",
}
_ENDED: Final = {
    ApprovalEnd.APPROVED: "Approved",
    ApprovalEnd.REJECTED: "Rejected",
    ApprovalEnd.SUPERSEDED: "Replaced by a newer signal",
    ApprovalEnd.TIMEOUT: "Refused, nobody answered in time",
    ApprovalEnd.WITHDRAWN: "Withdrawn, its group is to be closed",
}


def _because(text: str) -> str:
    return f" ({text})" if text else ""


def _engine(e: EngineStatusChanged) -> Sentence:
    return Sentence(_ENGINE[e.status] + _because(coded(e.reason)))


def _account_paused(e: AccountPaused) -> Sentence:
    return Sentence(f"Account {e.account} is paused: no new entries, exits go on{_because(coded(e.reason))}")


def _account_resumed(e: AccountResumed) -> Sentence:
    return Sentence(f"The pause of account {e.account} is over")


def _account_stopped(e: AccountStopped) -> Sentence:
    by = f"by {who(e.by)}" if e.by else ""
    return Sentence(f"Account {e.account} is stopped: no entries until it is armed{_because(coded(e.reason))}", by)


def _account_armed(e: AccountArmed) -> Sentence:
    return Sentence(f"Account {e.account} is armed: it takes entries again", f"by {who(e.by)}" if e.by else "")


def _phone_moved(e: PhoneMoved) -> Sentence:
    return Sentence(
        "A Telegram group has a new id", f"{e.chat} is {e.to} now and served there; put it into the settings"
    )


def _entries_stopped(e: EntriesStopped) -> Sentence:
    return Sentence(f"Account {e.account} takes no entries: {coded(e.reason or e.code)}")


def _venue(e: VenueStatusChanged) -> Sentence:
    return Sentence(f"Account {e.account} {_VENUE[e.status]}{_because(coded(e.reason or e.code))}")


def _difference(e: DifferenceFound) -> Sentence:
    return Sentence(f"Account {e.account} and its venue disagree: {coded(e.detail)}", coded(e.correction))


def _rules_failed(e: RulesFetchFailed) -> Sentence:
    return Sentence(f"Account {e.account}: the trading rules of its markets cannot be had", f"{e.error}; tried again")


def _received(e: SignalReceived) -> Sentence:
    why = "; ".join(f"{each.path} {each.message}".strip() for each in e.problems)
    said = why or coded(e.outcome.removeprefix("rejected:"))
    return Sentence(f"A signal of {e.user} was refused: {said}", f"from {e.source_address}")


def _routed(e: SignalRouted) -> Sentence:
    why = "; ".join(map(coded, e.reasons)) or coded(e.outcome.removeprefix("rejected:"))
    return Sentence(f"A signal was not followed: {why}", f"account {e.account}" if e.account else "")


def _refused_request(e: RequestRefused) -> Sentence:
    return Sentence(
        f"Requests to the webhook of {e.user} are refused: {coded(e.code)}", f"{e.refused} from {e.address}"
    )


def _unqueued(e: QueueRemoved) -> Sentence:
    said = f"{market_of(e.group_key)[1] or e.queue_id} left the queue without entering: {coded(e.reason)}"
    return Sentence(said, "; ".join(map(coded, e.reasons)))


def _incident(e: IncidentRaised) -> Sentence:
    return Sentence(capital(unnumbered(e.text)), unnumbered(e.proposal))


def _logged(e: EventLogged) -> Sentence:
    return Sentence(capital(unnumbered(e.text)), f"and {e.left_out} more like it" if e.left_out else "")


def _applied(e: ConfigApplied) -> Sentence:
    keys = ", ".join(f"{each.key} is {each.after or 'the default'}" for each in e.changes) or "nothing new"
    return Sentence(f"{capital(who(e.author))} changed the settings: {keys}", f"version {e.version}")


def _rolled_back(e: ConfigRolledBack) -> Sentence:
    return Sentence(f"Settings of version {e.version} could not be put in force and were taken back", coded(e.cause))


def _started(e: DaemonStarted) -> Sentence:
    if e.run == 1:
        return Sentence("bulkhead runs for the first time")
    before = "" if e.clean else "; it had not ended in order, what was under way is compared with the venues"
    return Sentence(f"bulkhead is back after {_span(e.down_s)}{before}")


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _day(e: DaySummaryKept) -> Sentence:
    return Sentence(f"Summary of {e.day}: {e.text}")


def _asked(e: ApprovalAsked) -> Sentence:
    return Sentence(f"Waits for approval: {e.prompt.title}", e.prompt.body)


def _ended(e: ApprovalEnded) -> Sentence:
    return Sentence(f"{_ENDED[e.how]}: {e.title or e.prompt_id}", f"by {who(e.by)}" if e.by else "")


OF_HOUSE: Final[Mapping[str, SentenceOf]] = {
    "AccountArmed": _account_armed,
    "AccountPaused": _account_paused,
    "AccountResumed": _account_resumed,
    "AccountStopped": _account_stopped,
    "ApprovalAsked": _asked,
    "ApprovalEnded": _ended,
    "ConfigApplied": _applied,
    "ConfigRolledBack": _rolled_back,
    "DaemonStarted": _started,
    "DaySummaryKept": _day,
    "DifferenceFound": _difference,
    "EngineStatusChanged": _engine,
    "EntriesStopped": _entries_stopped,
    "EventLogged": _logged,
    "IncidentRaised": _incident,
    "PhoneMoved": _phone_moved,
    "QueueRemoved": _unqueued,
    "RequestRefused": _refused_request,
    "RulesFetchFailed": _rules_failed,
    "SignalReceived": _received,
    "SignalRouted": _routed,
    "VenueStatusChanged": _venue,
}
"""Event type -> what is said of it."""
