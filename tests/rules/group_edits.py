"""Edits of a group on the bench: as an operator writes them, shown, refused, made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from protocol.groups.editing import EditGroup, GroupChanges, GroupEditAnswer
from protocol.messages import Event
from rules.group.edit_preview import effects_of, preview_edit
from tests.rules.group_bench import GROUP, Bench


def edit(**changes: Any) -> EditGroup:
    """Return an edit; the changes are given as an operator writes them."""
    return EditGroup(group_id=GROUP, changes=msgspec.convert(changes, GroupChanges, strict=False), request_id="r1")


def look(bench: Bench, message: EditGroup) -> GroupEditAnswer:
    """Return the preview of an edit."""
    return preview_edit(bench.view, message, bench.now, bench.tick)


def codes(bench: Bench, message: EditGroup) -> list[str]:
    """Return what stands against an edit, and check that nothing happens if it is told all the same."""
    problems = look(bench, message).problems
    assert not problems or bench.tell(message) == ()
    return [problem.code for problem in problems]


def done(bench: Bench, message: EditGroup) -> tuple[Event, ...]:
    """Make an edit with every cancel confirmed; the effects are those of the preview, in order."""
    shown = look(bench, message)
    assert shown.problems == ()
    before = bench.view
    events = bench.tell(msgspec.structs.replace(message, digest=shown.digest))
    events += bench.ack_cancels()
    found = [msgspec.structs.replace(each, after_cancel=False) for each in effects_of(before, events)]
    assert found == [msgspec.structs.replace(each, after_cancel=False) for each in shown.effects]
    assert (bench.view.watches, bench.view.state) == (shown.watched_after, shown.state_after)
    return events


def steps(answer: GroupEditAnswer) -> list[tuple[str, str, str, str]]:
    """Return effects as (step, purpose:leg, quantity, price)."""
    return [(e.step.value, f"{e.purpose}:{e.leg_id}", plain(e.qty), plain(e.price)) for e in answer.effects]


def plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"
