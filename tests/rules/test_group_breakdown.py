"""A group's profit in parts: by pyramid, by leg, by exit reason."""

from __future__ import annotations

from decimal import Decimal

from rules.group.breakdown import ProfitLine, breakdown
from tests.rules.group_bench import filled, grid, reduce

D = Decimal


def test_parts_of_targets_slices_and_exits() -> None:
    """Each fill counts once in each view: its realized profit, what it closed, its fees by currency (EX-710)."""
    bench = filled(0, grid("0", "-1"))
    bench.fill(bench.entry("p0.l0"), fee=D("0.1"))
    bench.fill(bench.entry("p0.l1"), fee=D("0.2"))
    bench.pyramid("98", "s1")
    bench.fill(bench.entry("p1.l0"), fee=D("0.3"))
    bench.fill(bench.target("p0.l0"), fee=D("0.4"))
    bench.tell(reduce("0.5"))
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="99", fee=D("0.03"))
    bench.close()
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="97", fee=D("0.05"))
    found = breakdown(bench.journal)
    assert [line.name for line in found.by_pyramid] == ["p0", "p1"]
    assert [line.name for line in found.by_leg] == ["p0.l0", "p0.l1", "p1.l0"]
    assert [(line.name, line.qty) for line in found.by_reason] == [
        ("entry", 0),
        ("leg_tp", 1),
        ("reduce", 1),
        ("exit_signal", 1),
    ]
    assert found.by_leg[0] == ProfitLine(name="p0.l0", qty=D(1), realized_quote=D(1), fees={"USDT": D("0.5")})
    assert found.total.realized_quote == bench.view.realized_quote
    assert found.total.fees == bench.view.fees == {"USDT": D("1.08")}
    for lines in (found.by_pyramid, found.by_leg, found.by_reason):
        assert sum(line.realized_quote for line in lines) == found.total.realized_quote
        assert sum(line.fees["USDT"] for line in lines) == D("1.08")


def test_a_group_without_fills_has_nothing_to_show() -> None:
    """Nothing closed, nothing paid: the total is there, the parts are empty."""
    found = breakdown(filled(0).journal)
    assert (found.total, found.by_leg, found.by_reason) == (ProfitLine(name="group"), (), ())
