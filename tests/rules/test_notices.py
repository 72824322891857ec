"""Notifications: how loud and how long, one shelf, what a screen is told again, crowds, repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.event_log import EventLogged
from protocol.notifications import (
    Notice,
    NoticesDismissed,
    NoticeSeverity,
    NoticesKept,
    NoticesRead,
    NoticesRepeated,
)
from protocol.orders import FillRecorded
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.values import OrderSide
from rules.notices.client import Screen, received, shown
from rules.notices.of_events import draft_of
from rules.notices.repeats import Merger, due_again, next_due
from rules.notices.shelf import CROWD, MOST_KEPT, Draft, Shelf, fold, keep, unread, visible
from rules.notices.types import KEPT_NS, SEVERITIES, severity_of

S = 10**9
_FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "discovery" / "ops.json"


def _vectors() -> list[Any]:
    if not _FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {_FILE}"))]
    cases = json.loads(_FILE.read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if "notify" in case["id"]]


class Rig:
    """A shelf and a screen, driven by the steps of a vector."""

    def __init__(self) -> None:
        self.shelf, self.screen, self.now = Shelf(), Screen(), 0

    def take(self, *drafts: Draft) -> NoticesKept:
        kept = keep(self.shelf, drafts, through=0, now=self.now)
        fold(self.shelf, kept)
        if self.screen.connected:
            received(self.screen, kept.notices, self.now)
        return kept

    def step(self, step: dict[str, Any]) -> None:
        self.now = int(step["t"] * S)
        match step["op"]:
            case "event":
                self.take(Draft(step["type"], step["type"], key=step.get("key", "")))
            case "open":
                seqs = tuple(each.seq for each in self.seen())
                fold(self.shelf, NoticesRead(seqs=seqs, by="op", at=self.now))
            case "dismiss":
                fold(self.shelf, NoticesDismissed(seqs=(step["seq"],), by="op", at=self.now))
            case "dismiss_all":
                seqs = tuple(each.seq for each in self.seen())
                fold(self.shelf, NoticesDismissed(seqs=seqs, by="op", at=self.now))
            case "disconnect":
                self.screen.connected = False
            case "connect":
                self.screen.connected = True
                received(self.screen, reversed(visible(self.shelf, self.now)), self.now)

    def seen(self) -> list[Notice]:
        return shown(self.screen, visible(self.shelf, self.now))


@pytest.mark.parametrize("case", _vectors())
def test_the_vectors(case: dict[str, Any]) -> None:
    """DS-720 to DS-723: final view after the steps of each vector."""
    rig = Rig()
    for step in case["input"]["steps"]:
        rig.step(step)
    found = rig.seen()
    assert {
        "visible": [each.seq for each in found],
        "unread": sum(not each.read for each in found),
        "toasts": rig.screen.toasts,
        "last_seq": rig.screen.last_seq,
        "indicator": rig.screen.indicator,
    } == case["expected"]


def test_an_unknown_type_is_info() -> None:
    """DS-721: a type that nobody knows is INFO; those of the requirement are what it says."""
    assert severity_of("never.heard") is NoticeSeverity.INFO
    assert severity_of("exit.failing") is NoticeSeverity.CRITICAL
    assert severity_of("pdt.warning") is NoticeSeverity.WARNING
    assert set(SEVERITIES.values()) == set(NoticeSeverity)


@pytest.mark.parametrize(
    ("severity", "type_"), [(severity_of(t), t) for t in ("order.filled", "pdt.warning", "run.finished")]
)
def test_present_until_the_instant_it_expires(severity: NoticeSeverity, type_: str) -> None:
    """DS-721: present while now < time + kept; at that instant it is gone."""
    rig = Rig()
    rig.take(Draft(type_, "x"))
    assert visible(rig.shelf, KEPT_NS[severity] - 1)
    assert not visible(rig.shelf, KEPT_NS[severity])


def test_the_same_key_is_kept_once_while_the_first_is_kept() -> None:
    """DS-721: a dedupe key counts while its notice is kept, also a dismissed one, and not longer."""
    rig = Rig()
    rig.take(Draft("run.finished", "a", key="k"), Draft("run.finished", "b", key="k"))
    fold(rig.shelf, NoticesDismissed(seqs=(1,), by="op", at=0))
    assert rig.take(Draft("run.finished", "c", key="k")).notices == ()
    rig.now = KEPT_NS[NoticeSeverity.INFO]
    assert [each.title for each in rig.take(Draft("run.finished", "d", key="k")).notices] == ["d"]


def test_500_are_kept_the_oldest_go_first() -> None:
    """DS-721: at most 500."""
    rig = Rig()
    for number in range(MOST_KEPT + 7):
        rig.take(Draft("order.filled", str(number)))
    assert len(rig.shelf.notices) == MOST_KEPT
    assert min(rig.shelf.notices) == 8


def test_a_crowd_becomes_one_summary_with_its_count() -> None:
    """DS-726: the 21st INFO of a type within a minute folds them all into one item that goes on counting."""
    rig = Rig()
    for number in range(CROWD):
        rig.now = number * S
        rig.take(Draft("mover.detected", f"m{number}"))
    assert len(visible(rig.shelf, rig.now)) == CROWD
    rig.take(Draft("mover.detected", "m20"))
    (summary,) = visible(rig.shelf, rig.now)
    assert (summary.seq, summary.count) == (CROWD + 1, CROWD + 1)
    rig.take(Draft("mover.detected", "m21"), Draft("pattern.discovered", "p"))
    assert [(each.type, each.count) for each in visible(rig.shelf, rig.now)] == [
        ("pattern.discovered", 1),
        ("mover.detected", CROWD + 2),
    ]


def test_critical_ones_never_fold() -> None:
    """DS-726 is about INFO: each fill stays an item of its own."""
    rig = Rig()
    rig.take(*(Draft("order.filled", str(number)) for number in range(30)))
    assert len(visible(rig.shelf, 0)) == 30


@given(st.lists(st.tuples(st.sampled_from(sorted(SEVERITIES)), st.integers(0, 200)), max_size=80))
def test_nothing_is_lost_and_sequences_only_grow(steps: list[tuple[str, int]]) -> None:
    """DS-721, DS-726: visible counts add up to what came within a day, sequences are unique and increasing."""
    rig = Rig()
    last = 0
    for type_, wait in steps:
        rig.now += wait * S
        for notice in rig.take(Draft(type_, "t")).notices:
            assert notice.seq <= rig.shelf.last_seq
        assert rig.shelf.last_seq >= last
        last = rig.shelf.last_seq
    assert sum(each.count for each in visible(rig.shelf, rig.now)) == len(steps)
    assert unread(rig.shelf, rig.now) == len(visible(rig.shelf, rig.now))


def test_an_old_critical_one_raises_no_toast() -> None:
    """DS-723: after a reconnect critical ones up to 5 minutes old raise toasts, older ones only fill the list."""
    rig = Rig()
    rig.step({"t": 0, "op": "disconnect"})
    rig.step({"t": 0, "op": "event", "type": "order.filled"})
    rig.step({"t": 1, "op": "event", "type": "order.filled"})
    rig.step({"t": 301, "op": "connect"})
    assert rig.screen.toasts == [2]
    assert [each.seq for each in rig.seen()] == [2, 1]


def test_pinned_ones_are_said_again_every_half_hour_until_seen() -> None:
    """DK-261: critical alerts repeat every 30 min until somebody acknowledges them."""
    rig = Rig()
    rig.take(Draft("alert.pinned", "venue down", pinned=True), Draft("order.filled", "a fill"))
    assert next_due(rig.shelf) == 1_800 * S
    assert due_again(rig.shelf, 1_800 * S - 1) == ()
    assert due_again(rig.shelf, 1_800 * S) == (1,)
    fold(rig.shelf, NoticesRepeated(seqs=(1,), at=1_800 * S))
    assert next_due(rig.shelf) == 3_600 * S
    fold(rig.shelf, NoticesRead(seqs=(1,), by="ann", at=1_900 * S))
    assert next_due(rig.shelf) is None


def test_the_same_words_within_a_quarter_hour_are_only_counted() -> None:
    """DK-261: the same alert within 15 min is counted, not sent again."""
    merger = Merger()

    def notice(at: int, title: str = "t") -> Notice:
        return Notice(seq=1, at=at, severity=NoticeSeverity.CRITICAL, type="alert.pinned", title=title)

    assert [merger.admit(notice(at * S)) for at in (0, 60, 899, 900)] == [True, False, False, True]
    assert merger.admit(notice(901 * S, "other"))
    assert merger.admit(notice(300 * S, "other")), "a clock that was put back hides no alert"


def test_a_storm_of_notices_costs_each_a_look_at_few() -> None:
    """DK-261: thousands of different words within 15 min are remembered, and forgotten, without a look at all for each."""
    looks = 0

    class Counting(dict[str, tuple[int, int]]):
        def __iter__(self) -> Iterator[str]:
            nonlocal looks
            for each in super().__iter__():
                looks += 1
                yield each

        def items(self) -> Any:
            return [(each, self[each]) for each in self]

    merger = Merger(sent=Counting())

    def notice(at: int) -> Notice:
        return Notice(seq=1, at=at * S, severity=NoticeSeverity.CRITICAL, type="order.filled", title=f"fill {at}")

    assert all(merger.admit(notice(at)) for at in range(1_000, 3_000))
    assert type(merger.sent) is Counting, "what is made anew is a look at each"
    assert len(merger.sent) == 900
    assert looks < 5 * 2_000
    assert not merger.admit(notice(2_999))
    assert merger.admit(notice(1_000)), "the clock was put back"


def test_a_stop_that_comes_again_after_it_was_over_is_news() -> None:
    """DK-261: the same words are the same alert only while nothing ended it; a second stop within 15 min is told."""
    merger = Merger()

    def notice(at: int, type_: str) -> Notice:
        return Notice(seq=1, at=at * S, severity=NoticeSeverity.CRITICAL, type=type_, title="stopped")

    assert merger.admit(notice(0, "kill_switch.activated"))
    assert not merger.admit(notice(1, "kill_switch.activated"))
    merger.passes(notice(2, "engine.running"))
    assert merger.admit(notice(3, "kill_switch.activated"))
    merger.passes(notice(4, "order.submitted"))
    assert not merger.admit(notice(5, "kill_switch.activated"))


def test_what_of_the_journal_becomes_a_notice() -> None:
    """DS-720, EX-1406: fills and pinned lines are critical, loud ones warnings, what nobody needs to know nothing."""
    fill = FillRecorded(
        client_order_id="c",
        trade_id="t",
        symbol="BTC/USDT",
        side=OrderSide.BUY,
        qty=Decimal(1),
        price=Decimal(1),
        fee=Decimal(0),
        fee_currency="USDT",
        maker=False,
        at=5,
    )
    assert (made := draft_of(fill)) is not None
    assert (made.type, made.link) == ("order.filled", "order:c")
    paused = EngineStatusChanged(1, EngineStatus.PAUSED, "by ann", 7)
    draft = draft_of(paused, position=9, at=7)
    assert draft is not None
    assert (draft.type, draft.key, draft.position) == ("kill_switch.activated", "j9", 9)

    def logged(**more: Any) -> Draft | None:
        return draft_of(
            EventLogged(**{"source": "system", "severity": "info", "code": "X", "text": "x", "at": 1, **more})
        )

    assert logged() is None
    assert (found := logged(severity="warning")) is not None
    assert found.type == "alert.triggered"
    assert (found := logged(pinned=True)) is not None
    assert (found.type, found.pinned) == ("alert.pinned", True)
