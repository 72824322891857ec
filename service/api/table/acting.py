"""Commands: addresses at which something is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.control import ActorStanding
from protocol.event_log import EventsAcknowledged
from protocol.groups.adoption import AdoptAnswer, AdoptPosition
from protocol.groups.editing import GroupEditAnswer
from protocol.incidents import IncidentList
from protocol.risk import EngineStatus
from protocol.signals import SignalReport
from protocol.venue import EntriesAllowed
from service.access.answers import PersonShown, SessionsEnded, TokenShown
from service.access.roles import Scope
from service.api.config import Apply, Edit, Load, Typed, Who
from service.api.groups import CloseWanted, EditWanted
from service.api.incidents import Clear, Seen
from service.api.inspection import Held
from service.api.log import Acknowledge, Keep, Prune
from service.api.login import LoginWanted, RefreshWanted, SessionAnswer
from service.api.notifications import NoticesNamed
from service.api.people import EndSessions, NewPassword, NewPerson, NewRole, NewToken
from service.api.performance import Flow
from service.api.queue import QueueCommand
from service.api.risk import RiskCommand
from service.api.routes import Path, Pause, Resume, SendTo
from service.api.signals import Replay
from service.api.table import parameters as given
from service.api.table import shapes
from service.api.table.results import FLOW
from service.api.table.routes import Route, post, shape
from service.api.trials import TestVenue
from service.api.venues import VenueCommand
from service.venue_trial import TrialResult

__all__ = ["ACTING", "SIGNAL"]

SIGNAL: Final = shape(
    "signal wanted",
    "An operator's signal (EX-260). `side` is the side of the position; without a price the newest is taken. "
    "User and venue may be left out where there is only one.",
    symbol=str,
    timeframe=str,
    side=str,
    kind=str,
)
_ENGINE_SAID: Final = shape(
    "engine said",
    "Whether entries are allowed now: those of the account that was named, else the engine's.",
    type=str,
    status=EngineStatus,
    reason=str,
    number=int,
    account=str,
    told=str,
)
_NOT_TESTED: Final = ("NotFound", "NothingToTest", "TestUnderWay")
_TOLD: Final = shape("told", "Where the message went.", account=str, told=str)


def _wants_preview(body: Mapping[str, Any]) -> bool:
    return body.get("preview") is True


def _wants_edit_preview(body: Mapping[str, Any]) -> bool:
    return body.get("preview", True) is True


def _wants_check(body: Mapping[str, Any]) -> bool:
    return body.get("check") is True


def _wants_dry(body: Mapping[str, Any]) -> bool:
    return bool(body.get("mode", "dry") == "dry")


_IN_AND_OUT = (
    post(
        "/v1/login",
        "Begin a session",
        LoginWanted,
        SessionAnswer,
        scope=None,
        errors=("LoginFailed", "LockedOut"),
        secret=True,
    ),
    post(
        "/v1/refresh",
        "Go on with a session under new tokens",
        RefreshWanted,
        SessionAnswer,
        scope=None,
        errors=("InvalidToken", "TokenReused", "SessionEnded", "LockedOut"),
        secret=True,
    ),
    post("/v1/logout", "End the session", None, shape("ended", "It is over.", ended=bool), scope=None, knows=True),
)
_ENGINE = (
    post("/v1/pause", "Stop entries, of one account or of all; exits go on", Pause, _ENGINE_SAID, errors=("NotFound",)),
    post("/v1/resume", "End the pause of one account, or the engine's", Resume, _ENGINE_SAID, errors=("NotFound",)),
    post(
        "/v1/signal",
        "Send a signal",
        SIGNAL,
        shapes.SIGNAL_ANSWER,
        given.Given("wait", {"type": "number", "minimum": 0, "maximum": 30}, "Seconds to wait for the outcome."),
        errors=("UnknownSymbol", "NoPrice", "UnsupportedVenue"),
    ),
    post("/v1/signals/check", "What would become of a signal; nothing is sent", SIGNAL, SignalReport, scope=Scope.READ),
    post(
        "/v1/signals/{id}/replay",
        "Send a stored signal again, dry unless mode is live",
        Replay,
        SignalReport,
        dry=_wants_dry,
    ),
    post("/v1/release", "Let a quarantined actor go on", Path, ActorStanding, errors=("NotFound", "NotQuarantined")),
    post(
        "/v1/quarantine",
        "Stop an actor in order and keep it down until it is released",
        Held,
        ActorStanding,
        errors=("NotFound", "NoSupervisor"),
    ),
    post("/v1/restart", "Stop an actor in order and start it again", Path, ActorStanding, errors=("NotFound",)),
    post(
        "/v1/dead-letters/{id}/replay",
        "Hand a message to its actor again",
        None,
        shape("letter replayed", "Where it went.", replayed=str, to=str),
        errors=("NotFound", "NotReplayable"),
    ),
    post(
        "/v1/send",
        "Send an actor any message of the protocol",
        SendTo,
        shape("sent", "What a request was answered; null for a message.", sent=str, to=str, answer=Any),
        scope=Scope.ADMIN,
        errors=("NotFound", "NotInjectable", "Unhandled"),
    ),
    post("/v1/stop", "End the daemon in order", None, shape("stopping", "It ends.", stopping=bool), scope=Scope.ADMIN),
)
_TRADING = (
    post(
        "/v1/group/{id}/edit",
        "Change a group; a preview unless preview is false",
        EditWanted,
        GroupEditAnswer,
        errors=("NotFound", "GroupGone"),
        dry=_wants_edit_preview,
    ),
    post(
        "/v1/group/{id}/close",
        "Close a group, or one leg of it",
        CloseWanted,
        shape("closing", "What is being closed.", group_id=str, closing=str),
        errors=("NotFound", "GroupClosing", "GroupGone"),
    ),
    post("/v1/adopt", "Take over a position that was opened by hand", AdoptPosition, AdoptAnswer),
    *(
        post(f"/v1/queue/{{id}}/{name}", text, QueueCommand, shapes.QUEUE_DONE, errors=("NotQueued", "NoFreeSlot"))
        for name, text in (
            ("promote", "Let a waiting entry in, if there is a slot"),
            ("force-add", "Let a waiting entry in beyond its rank"),
            ("remove", "Take a waiting entry out"),
        )
    ),
    post(
        "/v1/risk/run-now",
        "Run the loss offset now; check only says what would be",
        RiskCommand,
        shapes.RUNS,
        dry=_wants_check,
    ),
    *(
        post(f"/v1/risk/{name}", text, RiskCommand, shapes.RISK_DONE, errors=("NotFound",))
        for name, text in (
            ("skip-once", "Leave a group out of the next offset"),
            ("block", "Leave a group out of every offset"),
            ("unblock", "Let a group be offset again"),
        )
    ),
    post(
        "/v1/venues/refresh",
        "Fetch trading rules now",
        VenueCommand,
        shapes.VENUE_RULES,
        errors=("ChildQuarantined", "PrecisionFetchFailed", "VenueDown"),
    ),
    post(
        "/v1/venues/test",
        "Try to reach an account and log in, beside its running session; trades nothing",
        TestVenue,
        TrialResult,
        errors=_NOT_TESTED,
    ),
    post(
        "/v1/venues/reconcile",
        "Compare with the venue now",
        VenueCommand,
        _TOLD,
        errors=("ChildQuarantined", "VenueDown"),
    ),
    post(
        "/v1/venues/allow-entries",
        "Let entries leave again that another engine had stopped",
        VenueCommand,
        EntriesAllowed,
    ),
)
_EARNED = (
    post(
        "/v1/performance/flows",
        "Record a deposit or a withdrawal",
        Flow,
        FLOW,
        errors=("NotFound",),
    ),
)
_LOG = (
    post(
        "/v1/alerts/ack",
        "Take alerts off the strip",
        Acknowledge,
        shape("acknowledged", "How many.", acknowledged=int, event=EventsAcknowledged),
        errors=("NotFound",),
    ),
    post("/v1/incidents/clear", "Say that an incident is over", Clear, IncidentList),
    post(
        "/v1/incidents/seen",
        "Say that incident files were looked at",
        Seen,
        shape("unread", "How many are left.", unread=int),
    ),
    post("/v1/notifications/read", "Mark notifications as read", NoticesNamed, shapes.NOTICES),
    post("/v1/notifications/dismiss", "Put notifications away", NoticesNamed, shapes.NOTICES),
    post("/v1/notifications/dismiss-all", "Put all notifications away", NoticesNamed, shapes.NOTICES),
    post(
        "/v1/log/prune",
        "Remove old segments of the log; preview only says which",
        Prune,
        shape("pruned", "What went, or would go.", preview=bool, removed=list[shapes.Segment]),
        scope=Scope.ADMIN,
        dry=_wants_preview,
    ),
    post(
        "/v1/log/keep",
        "Keep a segment for ever, or no longer",
        Keep,
        shapes.Segment,
        scope=Scope.ADMIN,
        errors=("NotFound",),
    ),
)
_SETTINGS = (
    post("/v1/config/draft", "Change keys of the draft", Edit, shapes.CONFIG, errors=("ConfigConflict",)),
    post(
        "/v1/config/load", "Make a document, or a version, the draft", Load, shapes.CONFIG, errors=("UnknownVersion",)
    ),
    post("/v1/config/discard", "Throw the draft away", Who, shapes.CONFIG),
    post("/v1/config/preview", "What the draft would do", Typed, shapes.PREVIEW, scope=Scope.READ),
    post(
        "/v1/config/apply",
        "Put the draft in force",
        Apply,
        shapes.CONFIG,
        scope=Scope.ADMIN,
        errors=("ConfigConflict", "NothingToApply", "ApplyFailed"),
    ),
    post(
        "/v1/people",
        "Let somebody in",
        NewPerson,
        PersonShown,
        scope=Scope.ADMIN,
        errors=("PersonExists", "WeakPassword"),
    ),
    post(
        "/v1/people/{name}/role",
        "Change what somebody may do",
        NewRole,
        PersonShown,
        scope=Scope.ADMIN,
        errors=("UnknownPerson",),
    ),
    post(
        "/v1/people/{name}/password",
        "Give somebody another password",
        NewPassword,
        PersonShown,
        scope=Scope.ADMIN,
        errors=("UnknownPerson", "WeakPassword"),
    ),
    post(
        "/v1/people/{name}/remove",
        "Let somebody in no more",
        None,
        PersonShown,
        scope=Scope.ADMIN,
        errors=("UnknownPerson",),
    ),
    post(
        "/v1/sessions/end",
        "End every session of somebody, or of everybody, whose access tokens are then signed with another key",
        EndSessions,
        SessionsEnded,
        scope=Scope.ADMIN,
        errors=("UnknownPerson",),
    ),
    post(
        "/v1/tokens",
        "Make a token; it is shown this once",
        NewToken,
        TokenShown,
        scope=Scope.ADMIN,
        errors=("TokenExists",),
        secret=True,
    ),
    post("/v1/tokens/{name}/revoke", "End a token", None, TokenShown, scope=Scope.ADMIN, errors=("UnknownToken",)),
)

ACTING: Final[tuple[Route, ...]] = (*_IN_AND_OUT, *_ENGINE, *_TRADING, *_EARNED, *_LOG, *_SETTINGS)
