"""The recovery contract: what a group does after an unclean end."""

from __future__ import annotations

import pytest

from protocol.groups import CloseReason, GridConfig, GroupState, RecoveryPolicy
from protocol.groups.recovery import Absence, AccountCompared, CameBack, GroupRecovered
from protocol.orders import Purpose
from rules.group import replay
from rules.group.recovery import flattens
from tests.rules.group_bench import GROUP, Bench, cancels, filled, grid, only, reduce


def back(absence_id: str = "run:2", down_s: int = 30, absence: Absence = Absence.DAEMON) -> CameBack:
    """Return the word that a group lives again."""
    return CameBack(group_id=GROUP, absence=absence, absence_id=absence_id, down_s=down_s)


@pytest.mark.parametrize(
    ("policy", "most_s", "absence", "down_s", "closes"),
    [
        ("resume", 0, "daemon", 1_000_000, False),
        ("resume", 60, "actor", 1_000_000, False),
        ("flatten", 0, "daemon", 0, True),
        ("flatten", 0, "actor", 1_000_000, False),
        ("flatten", 60, "daemon", 60, False),
        ("flatten", 60, "daemon", 61, True),
        ("flatten", 60, "actor", 61, True),
        ("flatten", 60, "actor", 60, False),
    ],
)
def test_the_contract_as_a_table(policy: str, most_s: int, absence: str, down_s: int, closes: bool) -> None:
    """With no longest gap every unclean end of the daemon flattens; with one, what lasted longer."""
    config = GridConfig(on_recovery=RecoveryPolicy(policy), recovery_max_gap_s=most_s)
    assert flattens(config, Absence(absence), down_s) is closes


def test_a_group_closes_itself_once_the_books_were_compared() -> None:
    """Flattening waits for the reconciliation, then is a close like an operator's (EX-703, EX-1204)."""
    bench = filled(1, grid(on_recovery="flatten"))
    (event,) = only(bench.tell(back()), GroupRecovered)
    assert event.flattens
    assert bench.view.state is GroupState.PARTIALLY_FILLED
    events = bench.tell(AccountCompared("a", 9))
    assert cancels(events) == ["entry:p0.l1", "entry:p0.l2", "tp:p0.l0"]
    assert (bench.view.state, bench.view.reason) == (GroupState.CLOSING, CloseReason.RECOVERY)
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="99")
    assert (bench.view.state, bench.view.realized_quote) == (GroupState.CLOSED, -1)


def test_a_group_that_resumes_says_so_and_goes_on() -> None:
    """With resume the absence is journalled and nothing else follows, whatever is compared."""
    bench = filled(1)
    (event,) = bench.tell(back())
    assert isinstance(event, GroupRecovered)
    assert not event.flattens
    assert bench.tell(AccountCompared("a", 9)) == ()


def test_an_absence_counts_once() -> None:
    """The same unclean end told again, after a restart of the actor, changes nothing; the next one counts (EX-1205)."""
    bench = filled(1, grid(on_recovery="flatten"))
    bench.tell(back())
    assert bench.tell(back()) == ()
    assert len(bench.tell(back("run:3"))) == 1
    assert replay(bench.journal) == bench.view


def test_a_crash_before_the_comparison_forgets_nothing() -> None:
    """What the contract decided stands in the journal: a next life closes the group (EX-1205)."""
    bench = filled(1, grid(on_recovery="flatten"))
    bench.tell(back())
    view = replay(bench.journal)
    assert view is not None
    bench.view = view
    bench.tell(AccountCompared("a", 9))
    assert bench.view.state is GroupState.CLOSING


def test_a_closing_group_goes_on_closing() -> None:
    """A close in progress is not begun anew, and keeps its reason (EX-1204)."""
    bench = filled(1, grid(on_recovery="flatten"))
    bench.close()
    assert bench.tell(back()) == ()
    assert bench.tell(AccountCompared("a", 9)) == ()
    assert bench.view.reason is CloseReason.EXIT_SIGNAL


def test_a_slice_in_progress_is_overtaken() -> None:
    """Flattening takes over from a partial close and sells what that one has not ordered (EX-707)."""
    bench = filled(2, grid("0", "-1", on_recovery="flatten"))
    bench.tell(reduce("0.5"))
    bench.tell(back())
    bench.tell(AccountCompared("a", 9))
    bench.ack_cancels()
    for order in bench.working(Purpose.CLOSE):
        bench.fill(order.request.client_order_id, price="100")
    assert (bench.view.state, bench.view.open_qty) == (GroupState.CLOSED, 0)
    assert bench.view.reason is CloseReason.RECOVERY


def test_a_group_without_a_position_gives_its_slot_back() -> None:
    """Flattening a group whose layers wait cancels them and closes it."""
    bench = Bench(grid(on_recovery="flatten"))
    bench.tell(back())
    bench.tell(AccountCompared("a", 9))
    bench.ack_cancels()
    assert (bench.view.state, bench.view.released) == (GroupState.CLOSED, True)
