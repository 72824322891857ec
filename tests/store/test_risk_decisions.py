"""The read model of the loss offset's decisions, checked against what an engine journalled."""

from __future__ import annotations

from contextlib import closing

from protocol.offset import OffsetDecided, OffsetEnded, OffsetRepeated, OffsetStepEnded
from store.projector import Projector
from store.sqlite_journal import MEMORY, open_journal
from store.tables.opening import Where
from store.views.risk_decisions import DecisionRow
from tests.actors.cast import D
from tests.actors.offset_rig import ENGINE
from tests.actors.test_offset_recovery import EVENTS
from tests.store.trading import ModelGroup, Script


def decisions(tables_at: Where, **query: object) -> list[DecisionRow]:
    """Return what a query finds of the first worked plan's run."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        for event in EVENTS:
            script.add(ENGINE, event)
        script.add(ENGINE, OffsetRepeated(account="acc", decision_id="d1", repeats=7, last_at=99, at=99))
        projector.catch_up(journal)
        return projector.views().risk_decisions(**query)  # type: ignore[arg-type]


def test_a_decision_holds_plan_steps_and_result(tables_at: Where) -> None:
    """EX-1025: reasons, ranking, plan, closes, booked USD, status and duration stand in one row."""
    [row] = decisions(tables_at, plans=True)
    decided = next(event for event in EVENTS if isinstance(event, OffsetDecided) and event.plan_id)
    ended = next(event for event in EVENTS if isinstance(event, OffsetEnded))
    assert (row.engine, row.account, row.decision_id, row.plan_id) == (ENGINE, "acc", decided.decision_id, "p1")
    assert (row.reasons, row.losses, row.ranked, row.plan) == (
        decided.reasons,
        decided.losses,
        decided.ranked,
        decided.plan,
    )
    assert (row.outcome, row.code, row.booked_usd, row.status) == ("done", "", D(0), "active")
    assert row.duration_ns == ended.at - decided.at
    steps = [event for event in EVENTS if isinstance(event, OffsetStepEnded)]
    assert [(step.step_id, step.qty, step.booked_usd, step.loser) for step in row.steps] == [
        (event.step_id, event.qty, event.booked_usd, event.loser) for event in steps
    ]


def test_repeats_are_counted_in_the_row(tables_at: Where) -> None:
    """EX-1025: a decision that came out the same is one row with a count and the time of the last one."""
    row = next(row for row in decisions(tables_at) if row.decision_id == "d1")
    assert (row.repeats, row.last_at) == (7, 99)


def test_decisions_are_searched(tables_at: Where) -> None:
    """EX-1616: by account, by a group they name, by a word of reasons or plan; newest first, page by page."""
    everything = decisions(tables_at)
    assert [row.position for row in everything] == sorted((row.position for row in everything), reverse=True)
    assert decisions(tables_at, account="other") == []
    assert decisions(tables_at, group_id="nobody") == []
    assert decisions(tables_at, group_id="l") == everything
    assert {row.plan_id for row in decisions(tables_at, text="loss_too_small")} <= {""}
    [first] = decisions(tables_at, limit=1)
    assert decisions(tables_at, before=first.position) == everything[1:]


def test_decisions_are_found_by_who_their_groups_were(tables_at: Where) -> None:
    """EX-1616: a decision says pair, timeframe and side of its groups, also of closed ones, and is found by them."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        ModelGroup(script, "l")
        for event in EVENTS:
            script.add(ENGINE, event)
        projector.catch_up(journal)
        views = projector.views()
        [row] = views.risk_decisions(plans=True)
        assert row.named["l"] == "BTC/USDT 1h long"
        assert views.risk_decisions(text="btc/usdt LONG 1h", plans=True) == [row]
        assert views.risk_decisions(text="btc/usdt short") == []
        assert [
            line.text for line in views.events() if line.code == "OffsetStarted" and "BTC/USDT 1h long" in line.text
        ]
