"""Notifications: what operators are told of, kept once for every screen and for the phone (DS-720 to DS-726).

The *notifier* makes them of the journal's events, keeps and counts them; screens and the phone ask it ``ListNotices`` and
tell it what was seen. It publishes ``NoticesKept`` and ``NoticesRepeated`` on the bus once they are journalled.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from protocol.messages import Event, Message, Request, Value
from protocol.values import Instant, Name, Scope, Side, Text

__all__ = [
    "NOTICES",
    "NOTIFIER",
    "DayFigures",
    "DaySummaryKept",
    "DismissNotices",
    "GroupNamed",
    "ListNotices",
    "Notice",
    "NoticeList",
    "NoticeSeverity",
    "NoticesDismissed",
    "NoticesKept",
    "NoticesRead",
    "NoticesRepeated",
    "ReadNotices",
]

NOTIFIER: Final = "/operators/notifier"
"""Where the notifier lives."""

NOTICES: Final = "notices"
"""Bus topic of ``NoticesKept`` and ``NoticesRepeated``."""

_Seq = Annotated[int, Meta(ge=0)]


class NoticeSeverity(StrEnum):
    """How loudly a notice is delivered (DS-720)."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Notice(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One notification (DS-721).

    ``type`` is a dotted word (``order.filled``), ``link`` what it is about (``group:g1``, ``order:...``), ``key`` its dedupe
    key. ``position`` is the journal record it was made of, 0 for none. ``pinned`` ones stand in the alert strip too and are
    repeated until somebody acknowledges them (EX-1406, DK-261). ``count`` is how many events a summary stands for.
    """

    seq: int
    at: Instant
    severity: NoticeSeverity
    type: Name
    title: Text
    body: Text = ""
    link: str = ""
    key: str = ""
    position: int = 0
    pinned: bool = False
    count: int = 1
    read: bool = False
    dismissed: bool = False


class GroupNamed(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Who a group is, for what is said of it later; ``hash`` is how the ids of its orders name it."""

    hash: Name
    symbol: Name
    timeframe: Name
    side: Side


# --- journal events ---------------------------------------------------------------------------------------------------


class NoticesKept(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """New notices, or summaries that count more than before. ``through`` is how far in the journal was looked.

    ``folded`` are the sequences that went into a summary among ``notices``; ``groups`` are those that began.
    """

    notices: tuple[Notice, ...] = ()
    folded: tuple[int, ...] = ()
    groups: tuple[GroupNamed, ...] = ()
    through: int
    at: Instant


class NoticesRead(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """These were shown to an operator (DS-722), or their alerts acknowledged; ``by`` is who."""

    seqs: tuple[int, ...]
    by: Name
    at: Instant


class NoticesDismissed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """These were put away, which also reads them (DS-722)."""

    seqs: tuple[int, ...]
    by: Name
    at: Instant


class NoticesRepeated(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """These critical notices still wait to be acknowledged and are said again (DK-261)."""

    seqs: tuple[int, ...]
    titles: tuple[str, ...] = ()
    at: Instant


class DayFigures(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What a local calendar day came to in one scope, in USD; best and worst symbol are None when nothing was realized."""

    scope: Scope
    groups_closed: int
    fills: int
    volume_usd: Decimal
    net_pnl: Decimal
    best_symbol: Name | None = None
    worst_symbol: Name | None = None


class DaySummaryKept(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What a local calendar day (ISO 8601) came to, in words and by scope (EX-1716)."""

    day: Name
    text: Text
    figures: tuple[DayFigures, ...] = ()
    at: Instant


# --- asking -----------------------------------------------------------------------------------------------------------


class NoticeList(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Kept notices in the order of their sequence; ``unread`` and ``last_seq`` are of all of them."""

    notices: tuple[Notice, ...]
    unread: int
    last_seq: int


class ListNotices(Request[NoticeList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Ask for what is kept and not dismissed after a sequence, oldest first; ``limit`` keeps the newest of them."""

    LANE: ClassVar[str] = "control"

    after: _Seq = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 500


class ReadNotices(Request[NoticeList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator has seen these, and all up to ``through`` (0: none); answered with how it stands then."""

    LANE: ClassVar[str] = "control"

    by: Name
    seqs: tuple[_Seq, ...] = ()
    through: _Seq = 0


class DismissNotices(Request[NoticeList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Put these away, and all up to ``through`` (0: none)."""

    LANE: ClassVar[str] = "control"

    by: Name
    seqs: tuple[_Seq, ...] = ()
    through: _Seq = 0
