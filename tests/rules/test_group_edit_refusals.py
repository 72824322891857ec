"""What stands against an edit of a running group, and how versions keep two operators apart."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.rules.group_bench import Bench, filled, grid
from tests.rules.group_edits import codes, edit, look

# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "NothingChanged"),
        ({"tp_percents": {"p0.l9": "1"}}, "NoSuchLeg"),
        ({"cancel_layers": ["p7"]}, "NoSuchLeg"),
        ({"layers": {"p1.l0": {"price": "90"}}}, "NoSuchLeg"),
        ({"layers": {"p0.l0": {"price": "90"}}}, "LayerAlreadyFilled"),
        ({"cancel_layers": ["p0.l0"]}, "LayerAlreadyFilled"),
        ({"layers": {"p0.l2": {"qty": "0.01"}}}, "BelowMinimum"),
        ({"layers": {"p0.l2": {"price": "0.001"}}}, "BelowMinimum"),
        ({"layers": {"p0.l2": {"gap_percent": "1"}}}, "InvalidGapSign"),
        ({"layers": {"p0.l2": {"gap_percent": "-100"}}}, "OutOfRange"),
        ({"layers": {"p0.l2": {"weight_percent": "101"}}}, "OutOfRange"),
        ({"layers": {"p0.l2": {"qty": "0"}}}, "OutOfRange"),
        ({"layers": {"p0.l2": {"price": "-1"}}}, "OutOfRange"),
        ({"layers": {"p0.l2": {"price": "97"}}, "cancel_layers": ["all"]}, "ConflictingChanges"),
        ({"tp_percents": {"all": "0"}}, "OutOfRange"),
        ({"tp_percents": {"all": "1001"}}, "OutOfRange"),
        ({"tp_aggregate_percent": "0"}, "OutOfRange"),
        ({"pyramid_tp_percents": {"9": "1"}}, "OutOfRange"),
        ({"pyramid_scope": "per_pyramid"}, "ConflictingChanges"),
        ({"max_pyramids": 0}, "OutOfRange"),
        ({"max_slippage_percent": "101"}, "OutOfRange"),
        ({"recovery_max_gap_s": -1}, "OutOfRange"),
    ],
)
def test_an_impossible_edit_changes_nothing(changes: dict[str, Any], code: str) -> None:
    """Every mistake has a code, says what to do, and nothing of the edit is made."""
    bench = filled(1, tick="100")
    (problem,) = look(bench, edit(**changes)).problems
    assert problem.code == code
    assert len(problem.message) > 15
    assert codes(bench, edit(**changes)) == [code]


def test_all_mistakes_are_told_at_once() -> None:
    """An operator hears everything that is wrong with an edit, not one mistake after the other."""
    bench = filled(1, tick="100")
    wrong = edit(stop_price="120", max_pyramids=99, layers={"p0.l9": {"price": "1"}})
    assert codes(bench, wrong) == ["OutOfRange", "StopOnWrongSide", "NoSuchLeg"]


def test_a_closing_or_closed_group_takes_no_edit() -> None:
    """``GroupClosing`` answers every edit of a group that is on its way out (EX-703)."""
    bench = filled(1)
    bench.close()
    assert codes(bench, edit(max_pyramids=3)) == ["GroupClosing"]


def test_layers_that_are_over_cannot_be_moved() -> None:
    """A cancelled or closing layer is answered by how it ended."""
    bench = filled(1)
    bench.tell(edit(cancel_layers=["p0.l2"]))
    assert codes(bench, msgspec.structs.replace(edit(layers={"p0.l2": {"price": "9"}}), request_id="r2")) == [
        "LayerEnded"
    ]
    bench.ack_cancels()
    assert codes(bench, msgspec.structs.replace(edit(cancel_layers=["p0.l2"]), request_id="r2")) == ["LayerEnded"]
    bench.close("operator", leg="p0.l1")
    wrong = msgspec.structs.replace(edit(layers={"p0.l1": {"price": "9"}}), request_id="r2")
    assert codes(bench, wrong) in (["LegClosing"], ["LayerEnded"])
    bench.ack_cancels()
    wrong = msgspec.structs.replace(edit(tp_percents={"p0.l1": "9"}), request_id="r3")
    assert codes(bench, wrong) == ["LegClosed"]


def test_layers_wait_for_their_anchor() -> None:
    """A pyramid whose market entry is on its way has no layers to edit yet (EX-421)."""
    bench = Bench(grid(entry_order_type="market"), tick="100")
    assert codes(bench, edit(cancel_layers=["p0"])) == ["PyramidNotAnchored"]


def test_fewer_pyramids_than_there_are_is_refused() -> None:
    """``max_pyramids`` is never below what the group has received (EX-323)."""
    bench = filled(1)
    bench.pyramid("99", "s1")
    assert codes(bench, edit(max_pyramids=1)) == ["OutOfRange"]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_every_edit_is_a_version() -> None:
    """A group begins as version 1; each edit makes the next; an edit of an older version is an ``EditConflict``."""
    bench = filled(1)
    assert bench.view.version == 1
    bench.tell(msgspec.structs.replace(edit(max_pyramids=3), expected_version=1))
    assert bench.view.version == 2
    late = msgspec.structs.replace(edit(max_pyramids=4), expected_version=1, request_id="r2")
    assert codes(bench, late) == ["EditConflict"]


def test_the_same_request_is_made_once() -> None:
    """An edit told again (its answer was lost) changes nothing."""
    bench = filled(1)
    bench.tell(edit(max_pyramids=3))
    assert bench.tell(edit(max_pyramids=3)) == ()
    assert bench.tell(edit(max_pyramids=4)) == ()
    assert bench.view.edits == {"r1": 2}


def test_what_was_agreed_to_is_what_is_done() -> None:
    """When the group moved on between preview and edit, so that other orders would follow, it is an ``EditConflict``."""
    bench = filled(1)
    wanted = edit(cancel_layers=["all"])
    shown = look(bench, wanted)
    bench.fill(bench.entry("p0.l1"))
    agreed = msgspec.structs.replace(wanted, digest=shown.digest)
    assert [problem.code for problem in look(bench, agreed).problems] == ["EditConflict"]


def test_a_note_says_what_fills_at_once() -> None:
    """An order that the newest price has passed is shown before it is sent."""
    bench = filled(1, tick="98.5")
    shown = look(bench, edit(layers={"p0.l2": {"price": "99"}}))
    assert shown.notes == ("entry of P0 DCA2 at 99 fills at once: the price is 98.5",)
