"""Addresses that are looked at; nothing changes."""

from __future__ import annotations

from typing import Any, Final

from protocol.incident_files import IncidentFile
from protocol.incidents import IncidentList
from service.access.roles import Scope
from service.api.health import HealthAnswer, StandingAnswer
from service.api.login import WhoAnswer
from service.api.people import PeopleAnswer, TokensAnswer
from service.api.table import parameters as given
from service.api.table import results, shapes
from service.api.table.routes import Route, get
from service.report.days import DayRow
from store.log.lines import ExportForm

__all__ = ["LOOKING"]

_FORMAT = given.word("format", "As which kind of file.", ExportForm)
_DAEMON = (
    get("/health/live", "Whether the process answers", StandingAnswer, scope=None),
    get("/health/ready", "Whether trading can go on; 503 when it cannot", StandingAnswer, scope=None),
    get("/v1/health", "How each compartment stands", HealthAnswer),
    get("/metrics", "Figures for Prometheus", str, scope=Scope.METRICS, kind="text"),
    get("/v1/me", "Who asks, and what they may do", WhoAnswer, scope=Scope.METRICS),
    get("/v1/openapi.json", "This description", dict[str, Any]),
    get("/v1/status", "The daemon in one look", shapes.STATUS),
    get("/v1/overview", "What a screen shows at once", shapes.OVERVIEW, given.LIMIT),
    get("/v1/ps", "Every actor", shapes.ACTORS),
    get(
        "/v1/actor",
        "One actor: what waits for it, what it wrote last, its failures",
        shapes.INSPECTED,
        given.text("actor", "Its path."),
        errors=("NotFound",),
    ),
    get(
        "/v1/messages",
        "Message types that can be sent, with their fields",
        shapes.MESSAGES,
        given.text("actor", "The path of an actor: only those that it takes."),
        errors=("NotFound",),
    ),
    get("/v1/console", "Venues, trading rules, webhook and disk in figures", shapes.CONSOLE),
    get("/v1/reports", "What supervisors did", shapes.REPORTS, given.LIMIT),
    get("/v1/dead-letters", "Messages nobody handled", shapes.LETTERS),
    get("/v1/figures", "What the process holds, counted", shapes.FIGURES, given.flag("collect", "1: collect first.")),
    get("/v1/nodes", "The daemons that share a cache", shapes.NODES),
    get(
        "/v1/tail",
        "Follow events; what a slow follower misses it is told the number of",
        shapes.Item,
        *given.FOLLOWING,
        given.SINCE,
        given.whole("last", "So many of the past first."),
        given.flag("follow", "0: only the past."),
        kind="stream",
    ),
    get(
        "/v1/stream",
        "Follow events from a position of the journal on, without a gap or a repeat",
        shapes.Item,
        given.AFTER,
        *given.FOLLOWING,
        given.text("kind", "Only these kinds of item, separated by commas."),
        given.flag("bundle", "1: several items a frame, as an array."),
        errors=("PositionAhead",),
        kind="stream",
    ),
)
_TRADING = (
    get(
        "/v1/groups",
        "Position groups with live prices",
        shapes.GROUPS,
        given.OPEN,
        given.ACCOUNT,
        given.SCOPE,
        given.LIMIT,
    ),
    get("/v1/group/{id}", "One group whole", shapes.GROUP, errors=("NotFound",)),
    get("/v1/group/{id}/history", "What became of a group", shapes.GROUP_HISTORY, errors=("NotFound",)),
    get("/v1/orders", "Orders", shapes.ORDERS, given.GROUP, given.OPEN, given.LIMIT),
    get(
        "/v1/fills",
        "Fills",
        shapes.FILLS,
        given.text("client_order_id", "Of this order only."),
        given.text("group_id", "Of this group only."),
        given.SYMBOL,
        given.LIMIT,
    ),
    get("/v1/positions", "What is held", shapes.POSITIONS),
    get("/v1/signals", "Signals as they came", shapes.SIGNALS, given.LIMIT),
    get("/v1/signals/missed", "Signals that should have come and did not", IncidentList),
    get("/v1/queue", "What waits for a slot, best first", shapes.QUEUES, given.ACCOUNT, errors=("NotFound",)),
    get(
        "/v1/queue/history", "Entries that waited, and how each ended", shapes.QUEUE_HISTORY, given.SYMBOL, given.LIMIT
    ),
    get("/v1/risk", "How each account's loss offset stands", shapes.RISK, given.ACCOUNT, errors=("NotFound",)),
    get(
        "/v1/risk/decisions",
        "Decision records of the loss offset",
        results.DECISIONS,
        given.ACCOUNT,
        given.GROUP,
        given.text("text", "Words that stand in the record, or in pair, timeframe and side of its groups."),
        given.flag("plans", "1: only those that began a plan."),
        given.whole("before", "Before this position."),
        given.LIMIT,
        errors=("NotFound",),
    ),
    get("/v1/venues", "How each account's connection stands", shapes.VENUES),
    get("/v1/venues/rules", "Trading rules of an account's markets", shapes.VENUE_RULES, given.ACCOUNT, given.SYMBOL),
    get(
        "/v1/venues/chain",
        "An option chain",
        results.CHAIN,
        given.ACCOUNT,
        given.text("underlying", "Of what."),
        given.text("dte", "Days to expiry: MIN-MAX."),
        given.text("strikes", "Strikes around the price."),
    ),
)
_EARNED = (
    get("/v1/pnl", "Realizations added up", shapes.PNL, *given.PNL, errors=("NotFound",)),
    get(
        "/v1/performance", "Every figure and curve of performance", results.Performance, *given.RECKONING, *given.DRAWN
    ),
    get(
        "/v1/performance/day",
        "One day",
        DayRow,
        given.text("day", "A date such as 2026-02-10; without it today.", format="date"),
        *given.RECKONING,
    ),
    get("/v1/performance/days", "Days on which anything happened", results.DAYS, *given.RECKONING, given.LIMIT),
    get("/v1/performance/flows", "Deposits and withdrawals", results.FLOWS, *given.RECKONING),
    get("/v1/performance/equity", "Equity snapshots", results.EQUITY, *given.RECKONING),
    get(
        "/v1/performance/trades",
        "Closed trades, the newest first",
        results.TRADES,
        *given.RECKONING,
        given.text("reason", "Closed for this only."),
        given.text("text", "Words of pair, timeframe, side, account, venue, strategy, reason or id."),
        given.text("before", "Where the page before ended, as its answer says."),
        given.LIMIT,
    ),
    get("/v1/performance/exports", "What can be taken away", results.EXPORTS),
    get(
        "/v1/performance/export/{what}",
        "A table or curve as a file",
        bytes,
        given.text("format", "csv, json or parquet; without it csv.", enum=["csv", "json", "parquet"]),
        given.text("reason", "Of trades: closed for this only."),
        given.text("text", "Of trades: with these words, as their list takes them."),
        *given.RECKONING,
        kind="file",
        errors=("NotFound", "ExportFailed"),
    ),
    get("/v1/performance/report", "The report as a page of its own", bytes, *given.RECKONING, kind="file"),
    get(
        "/v1/performance/picture/{chart}",
        "A chart as a PNG of 1600 x 900",
        bytes,
        given.text("theme", "light or dark; without it ui.theme.", enum=["light", "dark"]),
        *given.RECKONING,
        kind="file",
        errors=("FeatureUnavailable", "PictureFailed"),
    ),
)
_LOG = (
    get(
        "/v1/events",
        "Newest lines of the log",
        shapes.EVENTS,
        given.word("severity", "Least severe that is wanted.", ("info", "warning", "error")),
        given.GROUP,
        given.text("text", "Words that stand in the line."),
        given.SINCE,
        given.LIMIT,
    ),
    get("/v1/log", "Search the log", shapes.EVENTS, *given.LOG, given.LIMIT),
    get(
        "/v1/log/export",
        "What a search finds, as a file",
        bytes,
        *given.LOG,
        _FORMAT,
        kind="file",
        errors=("ExportFailed",),
    ),
    get("/v1/log/segments", "The files of the log", shapes.SEGMENTS),
    get("/v1/alerts", "Pinned lines that nobody has acknowledged", shapes.ALERTS, given.LIMIT),
    get(
        "/v1/incidents",
        "What stands, and the files that crashes left",
        shapes.INCIDENTS,
        given.text("kind", "Of this kind only."),
        given.text("under", "Of actors below this path only."),
        given.flag("all", "1: also what is over."),
        given.LIMIT,
    ),
    get("/v1/incidents/{id}", "One crash with everything known about it", IncidentFile, errors=("NotFound",)),
    get("/v1/notifications", "Notifications after a sequence", shapes.NOTICES, given.AFTER, given.LIMIT),
    get("/v1/trace/{id}", "The chain of causes of an order, group or signal", shapes.CHAIN, errors=("NotFound",)),
    get("/v1/explain/{id}", "Why it is so, in sentences", shapes.SENTENCES, errors=("NotFound",)),
)
_SETTINGS = (
    get("/v1/config", "Settings in force and the draft", shapes.CONFIG),
    get("/v1/config/versions", "Versions that are kept", shapes.VERSIONS),
    get("/v1/config/versions/{version}", "One version", shapes.CONFIG, errors=("UnknownVersion",)),
    get("/v1/people", "Who may log in", PeopleAnswer, scope=Scope.ADMIN),
    get(
        "/v1/tokens",
        "Tokens of programs, never the tokens themselves",
        TokensAnswer,
        given.flag("all", "1: revoked ones too."),
        scope=Scope.ADMIN,
    ),
)

LOOKING: Final[tuple[Route, ...]] = (*_DAEMON, *_TRADING, *_EARNED, *_LOG, *_SETTINGS)
