"""The shelf of notices: what is kept, folded into summaries, read and put away (DS-721, DS-722, DS-726).

``keep`` decides, ``fold`` changes the shelf by what was decided; whoever uses them journals in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from protocol.messages import Value
from protocol.notifications import (
    GroupNamed,
    Notice,
    NoticesDismissed,
    NoticeSeverity,
    NoticesKept,
    NoticesRead,
    NoticesRepeated,
)
from rules.notices.sentence import named
from rules.notices.types import KEPT_NS, severity_of

__all__ = [
    "CROWD",
    "CROWD_NS",
    "GROUPS_KNOWN",
    "MOST_KEPT",
    "Draft",
    "Shelf",
    "expire",
    "fold",
    "keep",
    "unread",
    "visible",
]

MOST_KEPT: Final = 500
CROWD: Final = 20
"""INFO notices of one type in ``CROWD_NS`` that are kept one by one; with one more they become a summary."""

CROWD_NS: Final = 60 * 10**9

GROUPS_KNOWN: Final = 2_000
"""Newest groups of which is known who they are; notices about older ones name them by their id."""


class Draft(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is to become a notice; ``group`` is the hash of the group it is about (``rules.notices.sentence.GROUP``)."""

    type: str
    title: str
    body: str = ""
    link: str = ""
    key: str = ""
    position: int = 0
    pinned: bool = False
    at: int = 0
    group: str = ""


class Shelf(msgspec.Struct):
    """Notices by sequence, oldest first; ``through`` is how far in the journal was looked, -1 when never.

    ``repeated`` is when each pinned one was said last, ``keys`` who has a dedupe key, ``expires_at`` when the next one goes.
    """

    notices: dict[int, Notice] = msgspec.field(default_factory=dict)
    last_seq: int = 0
    through: int = -1
    repeated: dict[int, int] = msgspec.field(default_factory=dict)
    keys: dict[str, int] = msgspec.field(default_factory=dict)
    expires_at: int = 0
    day: str = ""
    """The newest day that was summed up."""
    groups: dict[str, GroupNamed] = msgspec.field(default_factory=dict)
    """Who groups are, by hash, the newest last."""


class _Made:
    """What one batch of drafts comes to, before it is journalled."""

    def __init__(self, shelf: Shelf, now: int, groups: Iterable[GroupNamed]) -> None:
        self._shelf, self._now = shelf, now
        self._groups = {each.hash: each for each in groups}
        self.fresh: dict[int, Notice] = {}
        self.folded: dict[int, None] = {}
        self.last = shelf.last_seq
        self._keys: set[str] = set()

    def add(self, draft: Draft) -> None:
        if draft.key and self._is_kept(draft.key):
            return
        draft = self._named(draft)
        severity, at = severity_of(draft.type), draft.at or self._now
        if severity is NoticeSeverity.INFO and self._joins_crowd(draft, at):
            return
        self._new(draft, severity, at, 1)

    def _named(self, draft: Draft) -> Draft:
        group = self._groups.get(draft.group) or self._shelf.groups.get(draft.group)
        ident = draft.link.removeprefix("group:") if draft.link.startswith("group:") else ""
        title, body = (named(text, group, ident) for text in (draft.title, draft.body))
        return msgspec.structs.replace(draft, title=title, body=body)

    def _is_kept(self, key: str) -> bool:
        earlier = self._shelf.notices.get(self._shelf.keys.get(key, 0))
        return key in self._keys or (earlier is not None and _stands(earlier, self._now))

    def _new(self, draft: Draft, severity: NoticeSeverity, at: int, count: int) -> None:
        self.last += 1
        self._keys.add(draft.key)
        self.fresh[self.last] = Notice(
            seq=self.last,
            at=at,
            severity=severity,
            type=draft.type,
            title=draft.title
            if count == 1
            else f"{count} times {draft.type.replace('.', ' ')}; the newest: {draft.title}",
            body=draft.body,
            link=draft.link if count == 1 else "",
            key=draft.key,
            position=draft.position,
            pinned=draft.pinned,
            count=count,
        )

    def _joins_crowd(self, draft: Draft, at: int) -> bool:
        """Fold more than ``CROWD`` of a type within a minute into one summary (DS-726)."""
        near = self._near(draft.type, at)
        summary = next((each for each in reversed(near) if each.count > CROWD), None)
        if summary is not None:
            title = f"{summary.count + 1} times {draft.type.replace('.', ' ')}; the newest: {draft.title}"
            self.fresh[summary.seq] = msgspec.structs.replace(
                summary, count=summary.count + 1, title=title, read=False, position=draft.position
            )
            return True
        if len(near) < CROWD:
            return False
        for each in near:
            self.fresh.pop(each.seq, None)
            self.folded[each.seq] = None
        self._new(draft, NoticeSeverity.INFO, at, len(near) + 1)
        return True

    def _near(self, type_: str, at: int) -> list[Notice]:
        """Return the notices of a type within the last minute, oldest first."""
        found: dict[int, Notice] = {}
        for each in (*reversed(self.fresh.values()), *self._recent(at)):
            if each.type == type_ and each.seq not in self.folded and at - CROWD_NS < each.at <= at:
                found.setdefault(each.seq, each)
        return [found[seq] for seq in sorted(found)]

    def _recent(self, at: int) -> Iterator[Notice]:
        """Yield what is kept, newest first, until it is older than a minute."""
        for each in reversed(self._shelf.notices.values()):
            if each.at <= at - CROWD_NS:
                return
            yield each


def keep(
    shelf: Shelf, drafts: Iterable[Draft], *, through: int, now: int, groups: tuple[GroupNamed, ...] = ()
) -> NoticesKept:
    """Return what drafts come to on this shelf: each once by its dedupe key, crowds of INFO as one summary.

    ``groups`` are those that began meanwhile.
    """
    made = _Made(shelf, now, groups)
    for draft in drafts:
        made.add(draft)
    folded = tuple(seq for seq in made.folded if seq in shelf.notices)
    return NoticesKept(notices=tuple(made.fresh.values()), folded=folded, groups=groups, through=through, at=now)


def fold(shelf: Shelf, event: NoticesKept | NoticesRead | NoticesDismissed | NoticesRepeated) -> None:
    """Change the shelf by an event."""
    match event:
        case NoticesKept():
            for seq in event.folded:
                _drop(shelf, seq)
            for notice in event.notices:
                _put(shelf, notice, event.at)
            shelf.groups.update({each.hash: each for each in event.groups})
            while len(shelf.groups) > GROUPS_KNOWN:
                del shelf.groups[next(iter(shelf.groups))]
            shelf.through = max(shelf.through, event.through)
            expire(shelf, event.at)
        case NoticesRead():
            _mark(shelf, event.seqs, dismissed=False)
        case NoticesDismissed():
            _mark(shelf, event.seqs, dismissed=True)
        case NoticesRepeated():
            shelf.repeated.update(dict.fromkeys(event.seqs, event.at))


def _mark(shelf: Shelf, seqs: Iterable[int], *, dismissed: bool) -> None:
    for seq in seqs:
        notice = shelf.notices.get(seq)
        if notice is not None:
            shelf.notices[seq] = msgspec.structs.replace(notice, read=True, dismissed=notice.dismissed or dismissed)
            shelf.repeated.pop(seq, None)


def _put(shelf: Shelf, notice: Notice, at: int) -> None:
    before = shelf.notices.get(notice.seq)
    if before is not None:
        shelf.keys.pop(before.key, None)
    until = notice.at + KEPT_NS[notice.severity]
    shelf.expires_at = min(shelf.expires_at, until) if shelf.notices else until
    shelf.notices[notice.seq] = notice
    shelf.last_seq = max(shelf.last_seq, notice.seq)
    if notice.key:
        shelf.keys[notice.key] = notice.seq
    if notice.pinned:
        shelf.repeated[notice.seq] = at


def _drop(shelf: Shelf, seq: int) -> None:
    gone = shelf.notices.pop(seq, None)
    shelf.repeated.pop(seq, None)
    if gone is not None and shelf.keys.get(gone.key) == seq:
        del shelf.keys[gone.key]


def expire(shelf: Shelf, now: int) -> None:
    """Forget what was kept for its time, and the oldest beyond ``MOST_KEPT``."""
    if now >= shelf.expires_at:
        for seq in [seq for seq, each in shelf.notices.items() if not _stands(each, now)]:
            _drop(shelf, seq)
        shelf.expires_at = min((each.at + KEPT_NS[each.severity] for each in shelf.notices.values()), default=0)
    while len(shelf.notices) > MOST_KEPT:
        _drop(shelf, min(islice(shelf.notices, 8)))


def _stands(notice: Notice, now: int) -> bool:
    return now < notice.at + KEPT_NS[notice.severity]


def visible(shelf: Shelf, now: int) -> list[Notice]:
    """Return what an operator sees, newest first."""
    kept = sorted((each for each in shelf.notices.values() if _stands(each, now)), key=lambda each: -each.seq)
    return [each for each in kept[:MOST_KEPT] if not each.dismissed]


def unread(shelf: Shelf, now: int) -> int:
    """Return how many are visible and not read."""
    return sum(not each.read for each in visible(shelf, now))
