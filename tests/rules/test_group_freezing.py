"""Frozen groups: nothing automatic until an operator resolves the difference (EX-1204)."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import (
    AddPyramid,
    CloseForced,
    EntryState,
    FreezeGroup,
    GroupAlert,
    GroupFrozen,
    GroupState,
    PyramidRefused,
    RetryEntry,
    RiskClose,
    RiskStepEnded,
    TriggerHeld,
    UnfreezeGroup,
)
from protocol.orders import OrderState, Purpose
from protocol.signals import SizeType
from rules.group import replay, retries, summary
from tests.rules.group_bench import GROUP, Bench, alerts, cancels, filled, grid, only, reduce, states, wants

FREEZE = FreezeGroup(group_id=GROUP, reason="the venue holds 0.5 less", at=1)
UNFREEZE = UnfreezeGroup(group_id=GROUP, reason="bought it back", at=1)


def frozen(bench: Bench) -> Bench:
    """Freeze a group."""
    bench.tell(FREEZE)
    return bench


def test_freezing_is_journalled_and_pinned() -> None:
    """EX-1204: ``PositionMismatch`` is pinned, the group is shown as frozen; told again nothing changes."""
    bench = filled(1)
    events = bench.tell(FREEZE)
    assert [type(event) for event in events] == [GroupFrozen, GroupAlert]
    (alert,) = only(events, GroupAlert)
    assert (alert.code, alert.pinned) == ("PositionMismatch", True)
    assert "unfreeze" in alert.text
    assert summary(bench.view, 1).frozen
    assert bench.tell(FREEZE) == ()
    assert replay(bench.journal) == bench.view


def test_a_frozen_group_places_no_targets() -> None:
    """EX-1204: a fill is booked, its target waits until the group goes on, and is placed then."""
    bench = frozen(Bench(grid("0", "-1")))
    assert wants(bench.fill(bench.entry("p0.l0"))) == []
    assert bench.view.state is GroupState.PARTIALLY_FILLED
    assert bench.working(Purpose.TP) == []
    events = bench.tell(UNFREEZE)
    assert wants(events) == [("tp:leg:p0.l0", "1", "101.00")]
    assert not summary(bench.view, 1).frozen
    assert bench.tell(UNFREEZE) == ()


def test_a_frozen_group_acts_on_no_price() -> None:
    """EX-1204: watched triggers do not act; after the group goes on the next price does."""
    bench = frozen(filled(1, grid("0", tp_mode="aggregate")))
    assert bench.price("105") == ()
    bench.tell(UNFREEZE)
    assert states(bench.price("105")) == ["closing"]


def test_a_frozen_group_takes_no_pyramid() -> None:
    """EX-1204: no new entries; the refusal says what to do."""
    bench = frozen(filled(1))
    events = bench.tell(
        AddPyramid(
            group_id=GROUP,
            signal_id="s9",
            entry_price=Decimal(95),
            size=Decimal(3),
            size_type=SizeType.BASE,
            config=bench.config,
            instrument=bench.market,
            at=1,
        )
    )
    (refusal,) = only(events, PyramidRefused)
    assert (refusal.code, wants(events)) == ("GroupFrozen", [])
    assert "unfreeze" in refusal.text


def test_an_entry_lost_while_frozen_is_sent_when_the_group_goes_on() -> None:
    """EX-426, EX-1204: an entry that never arrived waits as long as the group is frozen."""
    bench = Bench(grid("0", "-1"))
    bench.update(bench.entry("p0.l0"), OrderState.UNKNOWN)
    frozen(bench)
    events = bench.update(bench.entry("p0.l0"), OrderState.REJECTED)
    assert (wants(events), bench.view.legs["p0.l0"].entry) == ([], EntryState.WORKING)
    assert retries(bench.view, 1) == ()
    assert bench.tell(RetryEntry(GROUP, "p0.l0", 1)) == ()
    assert wants(bench.tell(UNFREEZE)) == [("entry:leg:p0.l0", "1", "100.00")]


def test_a_market_entry_sets_its_anchor_when_the_group_goes_on() -> None:
    """EX-421, EX-1204: the other layers are sent after the group goes on."""
    bench = frozen(Bench(grid("0", "-1", entry_order_type="market"), tick="100"))
    assert wants(bench.fill(bench.entry("p0.l0"), price="100")) == []
    assert [want[0] for want in wants(bench.tell(UNFREEZE))] == ["entry:leg:p0.l1", "tp:leg:p0.l0"]


def test_an_operator_closes_a_frozen_group() -> None:
    """EX-716, EX-1204: an operator's close works to its end; the closed group is no longer frozen."""
    bench = frozen(filled(1))
    assert states(bench.close("operator")) == ["closing"]
    bench.ack_cancels()
    assert states(bench.fill(bench.closing_order(), price="99")) == ["closed"]
    assert not summary(bench.view, 1).frozen
    assert bench.tell(FREEZE) == ()


def test_an_operator_closes_a_leg_of_a_frozen_group() -> None:
    """EX-716, EX-1204: one leg is closed while the rest stays frozen."""
    bench = frozen(filled(2))
    bench.close("operator", leg="p0.l0")
    bench.ack_cancels()
    bench.fill(bench.closing_order())
    assert bench.view.legs["p0.l0"].open_qty == 0
    assert bench.view.frozen


def test_an_exit_is_held_until_the_group_goes_on() -> None:
    """EX-1204: an exit signal for a frozen group is not lost: it closes the group afterwards, once."""
    bench = frozen(filled(1))
    assert [type(event) for event in bench.close()] == [TriggerHeld]
    assert bench.view.state is GroupState.PARTIALLY_FILLED
    assert states(bench.tell(UNFREEZE)) == ["closing"]
    assert bench.view.held == ()


def test_held_triggers_are_ranked() -> None:
    """EX-702, EX-1204: of the triggers held the exit goes first, whatever came first; the reduction is superseded."""
    bench = frozen(filled(1))
    bench.tell(reduce("0.5"))
    bench.close()
    bench.tell(UNFREEZE)
    assert bench.view.reason == "exit_signal"
    assert [late.trigger for late in bench.view.superseded] == ["reduce"]


def test_a_held_reduction_is_made_afterwards() -> None:
    """EX-709, EX-1204: a reduction waits, then sells what is open then."""
    bench = frozen(filled(1))
    assert wants(bench.tell(reduce("0.5"))) == []
    bench.tell(UNFREEZE)
    assert wants(bench.ack_cancels())[-1][:2] == ("close:partial", "0.5")


def test_a_close_in_progress_waits() -> None:
    """EX-703, EX-1204: a group frozen while it closes sends its market order when it goes on."""
    bench = filled(1)
    bench.close()
    frozen(bench)
    assert wants(bench.ack_cancels()) == []
    assert wants(bench.tell(UNFREEZE)) == [("close:group", "1", "None")]


def test_an_operator_has_a_waiting_close_go_on() -> None:
    """EX-716, EX-1204: the close of a frozen group goes on when an operator closes the group too."""
    bench = filled(1)
    bench.close()
    frozen(bench)
    bench.ack_cancels()
    events = bench.close("operator")
    assert len(only(events, CloseForced)) == 1
    assert wants(events) == [("close:group", "1", "None")]
    assert only(bench.close("operator"), CloseForced) == []
    assert replay(bench.journal) == bench.view


def test_a_failed_close_waits_for_the_group_to_go_on() -> None:
    """EX-712, EX-1204: retries of a close stop while the group is frozen, and begin again."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    bench.update(bench.closing_order(), OrderState.REJECTED)
    frozen(bench)
    assert retries(bench.view, 1) == ()
    bench.tell(UNFREEZE)
    assert [wait for wait, _ in retries(bench.view, 1)] == [1]


def test_a_risk_plan_passes_a_frozen_group_by() -> None:
    """EX-1015, EX-1204: a step for a frozen group is skipped, so that the plan does not wait for an operator."""
    bench = frozen(filled(1))
    events = bench.tell(RiskClose(group_id=GROUP, plan_id="r", reply_to="/r", qty=Decimal("0.5"), at=1))
    (ended,) = only(events, RiskStepEnded)
    assert (ended.status, ended.code, cancels(events)) == ("skipped", "GroupFrozen", [])


def test_a_slice_on_its_way_ends_its_step_while_frozen() -> None:
    """EX-1018, EX-1204: the order of a step that left before the group was frozen fills: the plan hears of it at once."""
    bench = filled(1)
    bench.tell(RiskClose(group_id=GROUP, plan_id="r", reply_to="/r", qty=Decimal("0.5"), at=1))
    bench.ack_cancels()
    frozen(bench)
    (ended,) = only(bench.fill(bench.closing_order()), RiskStepEnded)
    assert (ended.status, ended.qty) == ("closed", Decimal("0.5"))


def test_a_frozen_group_that_is_emptied_stays() -> None:
    """EX-615, EX-1204: a target that rested fills; the group is flat but decides nothing until it goes on."""
    bench = filled(1, grid("0", "-1"))
    target = bench.target("p0.l0")
    frozen(bench)
    events = bench.fill(target)
    assert (cancels(events), states(events)) == ([], [])
    assert states(bench.tell(UNFREEZE)) == ["closing"]


def test_a_frozen_group_without_fills_may_end() -> None:
    """EX-802: all entries refused by the venue close a group that holds nothing, frozen or not."""
    bench = frozen(Bench(grid("0")))
    events = bench.update(bench.entry("p0.l0"), OrderState.REJECTED)
    assert (states(events), alerts(events)) == (["closed"], ["OrderRejected"])
