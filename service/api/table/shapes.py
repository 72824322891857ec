"""Answers that are put together of several types, as clients get them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from protocol.configuration import VersionRow
from protocol.control import ActorRow
from protocol.notifications import Notice
from protocol.offset import RiskCommandDone, RiskPicture
from protocol.pool import QueueAnswer, QueueReport
from service.api.table.routes import shape, with_more
from service.explain.chain import Node
from service.explain.sentences import Sentence
from store.incident_folder import IncidentLine
from store.views.rows import (
    EventRow,
    FillRow,
    GroupRow,
    IncidentRow,
    OrderRow,
    PnlRow,
    PositionRow,
    QueueRow,
    SignalRow,
)

__all__ = [
    "ACTORS",
    "ALERTS",
    "CHAIN",
    "CONFIG",
    "CONSOLE",
    "ENGINE",
    "ERROR",
    "EVENTS",
    "FIGURES",
    "FILLS",
    "GROUP",
    "GROUPS",
    "GROUP_HISTORY",
    "INCIDENTS",
    "INSPECTED",
    "LETTERS",
    "MESSAGES",
    "NODES",
    "NOTICES",
    "ORDERS",
    "OVERVIEW",
    "PNL",
    "POSITIONS",
    "PREVIEW",
    "QUEUES",
    "QUEUE_DONE",
    "QUEUE_HISTORY",
    "REPORTS",
    "RISK",
    "RISK_DONE",
    "RUNS",
    "SEGMENTS",
    "SENTENCES",
    "SIGNALS",
    "SIGNAL_ANSWER",
    "STATUS",
    "VENUES",
    "VENUE_RULES",
    "VERSIONS",
    "GroupShown",
    "Held",
    "Item",
    "Segment",
]

ERROR: Final = shape(
    "error",
    "What is wrong: a stable code, where in the request, in words, and the value that was given.",
    code=str,
    path=str,
    message=str,
    value=str,
)

# --- the daemon -------------------------------------------------------------------------------------------------------


class Held(msgspec.Struct, frozen=True, gc=False):
    """An account whose entries an operator holds: AccountPaused or AccountStopped, and why."""

    account: str
    code: str
    why: str


ENGINE: Final = shape(
    "engine", "Whether entries are allowed, and why not.", status=str, reason=str, permit=int, held=list[Held]
)
STATUS: Final = shape(
    "status",
    "The daemon in one look. Instants are nanoseconds UTC.",
    version=str,
    pid=int,
    scope=str,
    mode=str,
    venues=list[dict[str, Any]],
    accounts=list[str],
    source=str,
    feeds=list[dict[str, str]],
    engine=ENGINE,
    settings=dict[str, Any],
    start=dict[str, Any],
    started_at=int,
    uptime_s=float,
    now=int,
    journal=dict[str, Any],
    cache=dict[str, Any],
    self_check=dict[str, Any],
    webhook_url=str,
    socket=str,
    api_url=str,
    counts=dict[str, int],
    dead_letters=dict[str, int],
    memory_bytes=int,
)
ACTORS: Final = shape("actors", "Every actor, parents before children.", actors=list[ActorRow])


class Item(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something that happened. ``position`` is its place in the journal, 0 for what is in none."""

    kind: str
    position: int
    at: int
    stream: str
    type: str
    severity: str
    source: str
    code: str
    text: str
    group_id: str
    client_order_id: str
    signal_id: str
    symbol: str
    correlation_id: int
    event: dict[str, Any]


INSPECTED: Final = shape(
    "Inspected",
    "One actor: what waits for it, what it wrote last, what it takes, its failures; all newest first.",
    actor=ActorRow,
    waiting=list[str],
    events=list[dict[str, Any]],
    takes=list[str],
    letters=list[Item],
    reports=list[Item],
    incidents=list[IncidentLine],
)
MESSAGES: Final = shape("Messages", "Message types that can be sent.", messages=list[dict[str, Any]])
CONSOLE: Final = shape(
    "Console",
    "The system in figures. Instants are nanoseconds UTC.",
    now=int,
    version=str,
    memory_bytes=int,
    venues=list[dict[str, Any]],
    webhook=dict[str, Any],
    storage=dict[str, Any],
    journal=dict[str, Any],
)
LETTERS: Final = shape("dead letters", "Messages nobody handled.", total=int, dead_letters=list[Item])
REPORTS: Final = shape("reports", "What supervisors did, newest first.", reports=list[Item])
FIGURES: Final = shape(
    "figures",
    "What the process holds, counted.",
    actors=int,
    tasks=int,
    timers=int,
    asks=int,
    threads=int,
    waiting=int,
    oldest_ms=float,
    subscriptions=int,
    handled=int,
    failed=int,
    restarts=int,
    loop=dict[str, Any] | None,
    memory_bytes=int,
    blocks=int,
    dead_letters=int,
    committed=int,
)
NODES: Final = shape(
    "nodes", "The daemons that share a cache.", node=str, fresh=bool, cache=dict[str, Any], nodes=list[dict[str, Any]]
)

# --- trading ----------------------------------------------------------------------------------------------------------


class GroupShown(GroupRow, frozen=True, gc=False, kw_only=True):
    """A position group with its live price; what is not known at present is null."""

    avg_entry: Decimal | None
    legs: int
    legs_filled: int
    qty_planned: Decimal
    mark: Decimal | None
    unrealized_quote: Decimal | None
    venue_trouble: str


GROUPS: Final = shape("groups", "Position groups, newest first.", groups=list[GroupShown])
GROUP: Final = shape(
    "group",
    "One group whole: settings, legs, orders at work, what it came to.",
    group=dict[str, Any],
    pnl=Any,
    path=str,
    venue=dict[str, Any],
)
GROUP_HISTORY: Final = shape(
    "group history",
    "What became of a group: its versions, and what triggered in it, oldest first.",
    group_id=str,
    history=list[dict[str, Any]],
    triggers=list[dict[str, Any]],
)
ORDERS: Final = shape("orders", "Orders, newest first.", orders=list[OrderRow])
FILLS: Final = shape("fills", "Fills, newest first.", fills=list[FillRow])
SIGNALS: Final = shape("signals", "Signals as they came, newest first.", signals=list[SignalRow])
POSITIONS: Final = shape("positions", "What is held, by account and symbol.", positions=list[PositionRow])
SIGNAL_ANSWER: Final = shape(
    "signal outcome answer",
    "What the gateway said; `routed` is null until it is known what became of it.",
    status=int,
    outcome=str,
    signal_id=str,
    routed=str | None,
    reasons=list[str],
)
QUEUES: Final = shape("queues", "Each account's waiting entries, best first.", queues=list[QueueReport])
QUEUE_HISTORY: Final = shape("queue history", "Entries that waited, newest first.", entries=list[QueueRow])
RISK: Final = shape("risk", "How each account's loss offset stands.", accounts=list[RiskPicture])
RISK_DONE: Final = with_more(RiskCommandDone, "risk done", account=str)
RUNS: Final = shape("runs", "What each run of the loss offset came to.", runs=list[RISK_DONE])  # type: ignore[valid-type]
QUEUE_DONE: Final = with_more(QueueAnswer, "queue done", account=str)
PNL: Final = shape("pnl", "Realizations added up.", by=str, rows=list[PnlRow], other_fees=list[dict[str, Any]])
VENUES: Final = shape("venues", "How each account's connection stands.", venues=list[dict[str, Any]])
VENUE_RULES: Final = shape(
    "venue rules",
    "Trading rules of an account's markets, and how old they are.",
    account=str,
    symbols=int,
    fetched_at=int | None,
    failed_at=int | None,
    error=str,
    fetching=bool,
)
OVERVIEW: Final = shape(
    "overview",
    "What a screen shows at once.",
    groups=list[GroupShown],
    orders=list[OrderRow],
    events=list[EventRow],
    pnl=list[PnlRow],
    equity=list[dict[str, Any]],
    status=STATUS,
    ps=list[ActorRow],
)

# --- log, configuration -----------------------------------------------------------------------------------------------

EVENTS: Final = shape("events", "Lines of the event log, newest first.", events=list[EventRow])
ALERTS: Final = shape(
    "alerts", "Pinned lines that nobody has acknowledged.", count=int, others=int, alerts=list[EventRow]
)


class Segment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A file of the log."""

    segment: str
    number: int
    day: str
    bytes: int
    kept: bool
    open: bool


SEGMENTS: Final = shape("segments", "The files of the log.", folder=str, segments=list[Segment])
INCIDENTS: Final = shape(
    "incidents",
    "What stands, and the files that crashes left.",
    incidents=list[IncidentRow],
    files=list[IncidentLine],
    read=int,
)
NOTICES: Final = shape(
    "notices", "Notifications after a sequence, oldest first.", notifications=list[Notice], unread=int, last_seq=int
)
SENTENCES: Final = shape("explained", "Why it is so, in sentences.", id=str, kind=str, sentences=list[Sentence])
CHAIN: Final = shape("traced", "The chain of causes.", id=str, kind=str, trace=list[Node])
CONFIG: Final = shape(
    "config shown",
    "Settings in force, the draft, and what it changes; secrets are masked.",
    version=int,
    author=str,
    base=int,
    document=dict[str, Any],
    draft=dict[str, Any] | None,
    changes=list[dict[str, Any]],
    draft_author=str,
    unreadable=str,
)
VERSIONS: Final = shape("config versions shown", "Versions that are kept, newest first.", versions=list[VersionRow])
PREVIEW: Final = shape(
    "config preview",
    "What a draft would do.",
    errors=list[dict[str, Any]],
    changes=list[dict[str, Any]],
    pools=Any,
    offsets=Any,
    ladders=list[dict[str, Any]],
    pruned=list[str],
    restarts=list[str],
    backups=list[str],
    layers=dict[str, Any],
)
