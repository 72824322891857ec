"""Orders refused for their format: new rules, once more, then as any refusal (EX-511, EX-516)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from protocol.groups import (
    EntryState,
    GroupAlert,
    LegState,
    RulesOverdue,
    RulesTaken,
    RulesWanted,
    TakeRules,
)
from protocol.instruments import PrecisionRules
from protocol.messages import Event
from protocol.orders import OrderState, OrderUpdate, Purpose
from protocol.precision import NeedRules
from rules.group import effects, outstanding, replay, retries
from rules.group.new_rules import follows
from tests.rules.group_bench import (
    GROUP,
    RULES,
    SYMBOL,
    Bench,
    alerts,
    filled,
    grid,
    instrument,
    only,
    reduce,
    states,
    wants,
)

COARSE = PrecisionRules(Decimal("0.5"), Decimal("0.3"), Decimal("0.3"), Decimal(5))


def misfit(bench: Bench, order: str) -> tuple[Event, ...]:
    """Have the venue refuse the format of an order."""
    return bench.tell(
        OrderUpdate(
            client_order_id=order,
            state=OrderState.REJECTED,
            reason="filter failure",
            code="PrecisionRejected",
            at=1,
        )
    )


def take(bench: Bench, rules: PrecisionRules = COARSE) -> tuple[Event, ...]:
    """Give the group new rules."""
    return bench.tell(TakeRules(GROUP, instrument(rules), 1))


def overdue(bench: Bench) -> tuple[Event, ...]:
    """Let the wait for rules end."""
    return bench.tell(RulesOverdue(GROUP, 1))


def test_a_refused_format_is_told_and_asked_about() -> None:
    """EX-516: Error ``PrecisionRejected``, pinned; the rules of the symbol are fetched at once, whatever their age."""
    bench = Bench(grid("0", "-1"))
    events = misfit(bench, bench.entry("p0.l0"))
    (alert,) = only(events, GroupAlert)
    assert (alert.code, alert.severity, alert.pinned) == ("PrecisionRejected", "error", True)
    assert len(only(events, RulesWanted)) == 1
    assert effects(events, "/g") == (NeedRules(SYMBOL, at_once=True),)
    assert NeedRules(SYMBOL, at_once=True) in outstanding(bench.view, "/g")
    assert [wait for wait, _ in retries(bench.view, 1)] == [5]


def test_an_entry_is_rebuilt_and_sent_once_more() -> None:
    """EX-516: the layer is rounded by the new rules and sent as the next attempt."""
    bench = Bench(grid("0", "-0.25"))
    old = bench.entry("p0.l1")
    misfit(bench, old)
    events = take(bench)
    assert wants(events) == [("entry:leg:p0.l1", "0.9", "99.5")]
    assert bench.entry("p0.l1") != old
    assert bench.view.legs["p0.l1"].state is LegState.PENDING
    assert bench.view.instrument.rules == COARSE
    assert retries(bench.view, 1) == ()
    assert replay(bench.journal) == bench.view


def test_an_entry_refused_again_is_rejected() -> None:
    """EX-425, EX-516: once more and no more: the second refusal is as any other."""
    bench = Bench(grid("0", "-1"))
    misfit(bench, bench.entry("p0.l0"))
    take(bench)
    events = misfit(bench, bench.entry("p0.l0"))
    assert bench.view.legs["p0.l0"].entry is EntryState.REJECTED
    assert (alerts(events), wants(events)) == (["OrderRejected"], [])


def test_an_entry_of_which_nothing_is_left_is_rejected() -> None:
    """EX-504, EX-516: rebuilt by the new rules it is below a minimum: rejected with that code."""
    bench = Bench(grid("0", "-1"))
    misfit(bench, bench.entry("p0.l0"))
    events = take(bench, PrecisionRules(Decimal(1), Decimal(5), Decimal(5), Decimal(5)))
    leg = bench.view.legs["p0.l0"]
    assert (leg.entry, leg.reason, alerts(events)) == (EntryState.REJECTED, "BelowMinQty", ["OrderRejected"])


def test_the_last_entry_rejected_closes_the_group() -> None:
    """EX-425, EX-516: nothing is left to order: Closed, ``entry_failed``."""
    bench = Bench(grid("0"))
    misfit(bench, bench.entry("p0.l0"))
    events = take(bench, PrecisionRules(Decimal(1), Decimal(5), Decimal(5), Decimal(5)))
    assert (states(events), bench.view.reason) == (["closed"], "entry_failed")


def test_an_entry_waits_for_rules_and_not_longer() -> None:
    """EX-516: no answer in five seconds: the strictest rules known must do."""
    bench = Bench(grid("0", "-1"))
    misfit(bench, bench.entry("p0.l0"))
    (taken,) = only(overdue(bench), RulesTaken)
    assert (taken.fetched, taken.instrument.rules) == (False, RULES)
    assert len(bench.working(Purpose.ENTRY)) == 2
    assert overdue(bench) == ()


def test_the_strictest_rules_known_are_those_of_the_opening_too() -> None:
    """EX-511: rules taken later do not make those the group was opened with forgotten."""
    bench = Bench(grid("0", "-1"))
    fine = PrecisionRules(Decimal("0.001"), Decimal("0.01"), Decimal("0.0001"), Decimal(1))
    misfit(bench, bench.entry("p0.l0"))
    take(bench, fine)
    misfit(bench, bench.entry("p0.l1"))
    overdue(bench)
    strictest = PrecisionRules(Decimal("0.01"), Decimal("0.01"), Decimal("0.001"), Decimal(5))
    assert bench.view.instrument.rules == strictest


def test_a_target_is_watched_until_there_are_rules() -> None:
    """EX-516, EX-605: a leg is never without a target; rebuilt by the new rules it rests again."""
    bench = filled(1, grid("0", "-1"))
    misfit(bench, bench.target("p0.l0"))
    assert bench.view.legs["p0.l0"].deferred_qty == 1
    assert [watch.price for watch in bench.view.watches] == [Decimal(101)]
    assert wants(take(bench)) == [("tp:leg:p0.l0", "0.9", "101.0")]


def test_a_target_refused_again_is_watched_for_good() -> None:
    """EX-516, EX-605: the second refusal leaves the target with the group."""
    bench = filled(1, grid("0", "-1"))
    misfit(bench, bench.target("p0.l0"))
    take(bench)
    events = misfit(bench, bench.target("p0.l0"))
    assert (wants(events), alerts(events)) == ([], ["TargetLost"])
    assert bench.view.legs["p0.l0"].deferred_qty > 0


def test_a_close_is_rebuilt_as_soon_as_there_are_rules() -> None:
    """EX-511, EX-516: the close goes out in the turn of the new rules, by their step."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    assert wants(misfit(bench, bench.closing_order())) == []
    assert wants(take(bench)) == [("close:group", "0.9", "None")]


def test_a_close_never_waits_longer_than_five_seconds() -> None:
    """EX-511: without an answer the close is rebuilt by the rules known."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    misfit(bench, bench.closing_order())
    assert [wait for wait, _ in retries(bench.view, 1)] == [5]
    assert wants(overdue(bench)) == [("close:group", "1", "None")]


def test_a_close_refused_again_is_retried_as_any_other() -> None:
    """EX-516, EX-712: from the second refusal on the close is tried again after 2, 4 ... seconds, without limit."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    misfit(bench, bench.closing_order())
    take(bench, RULES)
    misfit(bench, bench.closing_order())
    assert [wait for wait, _ in retries(bench.view, 1)] == [2]


def test_a_slice_is_rebuilt_too() -> None:
    """EX-516, EX-709: a reduction refused for its format is rounded by the new step."""
    bench = filled(2, grid("0", "-1"))
    bench.tell(reduce("0.5"))
    bench.ack_cancels()
    misfit(bench, bench.closing_order())
    assert ("close:partial", "0.9", "None") in [*wants(take(bench)), *wants(bench.ack_cancels())]


def test_rules_nobody_waits_for() -> None:
    """EX-511: known rules change nothing; others are taken and hold from then on."""
    bench = filled(1, grid("0", "-1"))
    assert take(bench, RULES) == ()
    (taken,) = only(take(bench, COARSE), RulesTaken)
    assert (taken.fetched, bench.view.instrument.rules) == (True, COARSE)


def test_a_group_closed_takes_no_rules() -> None:
    """EX-105: what comes after the end changes nothing."""
    bench = Bench(grid("0"))
    bench.close()
    bench.ack_cancels()
    assert (take(bench), overdue(bench)) == ((), ())


def test_whose_rules_a_group_follows() -> None:
    """EX-510, EX-511: those of the cache it trades by, and any that its own would not obey; forced ones stay."""

    def rules(**changed: Any) -> PrecisionRules:
        return msgspec.structs.replace(RULES, **{name: Decimal(value) for name, value in changed.items()})

    view = filled(1).view
    assert not follows(view, None, RULES)
    assert follows(view, RULES, rules(tick_size="0.001"))
    assert not follows(view, None, rules(tick_size="0.001"))
    assert follows(view, None, rules(tick_size="0.03"))
    assert follows(view, None, rules(step_size="0.002"))
    assert follows(view, None, rules(min_qty="1"))
    assert follows(view, None, rules(min_notional="10"))
