"""Targets, figures, splits and states against a second writing of their requirements."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import pytest

from protocol.groups import CloseReason, EntryState, FlatPolicy, PyramidScope, TpMode
from protocol.values import Side
from rules.exits import CloseExceedsOpen, allocate_close
from rules.group.states import LegFacts, derive_state
from rules.metrics import group_metrics
from rules.take_profit import Lot, leg_tp_price, tp_plan, tp_progress
from tests.rules.reference_legs import allocate, floor_to

D = Decimal
PLACES = Fraction(1, 10**15)


def near(found: Decimal | None, wanted: Fraction | None) -> bool:
    """Compare a figure with the exact one to 12 digits."""
    if found is None or wanted is None:
        return found is None and wanted is None
    return abs(Fraction(found) - wanted) <= abs(wanted) / 10**12


def lots_of(dice: Random) -> list[Lot]:
    """Return up to six open lots of up to three pyramids."""
    places = sorted({(dice.randint(0, 2), dice.randint(0, 2)) for _ in range(dice.randint(0, 6))})
    return [
        Lot(
            f"p{pyramid}.l{layer}",
            pyramid,
            D(dice.randint(1, 10**6)) / 10 ** dice.randint(0, 8),
            D(dice.randint(1, 10**7)) / 10 ** dice.choice([0, 2, 5, 10]),
            D(dice.choice(["1", "0.5", "2.25", "99"])),
        )
        for pyramid, layer in places
    ]


def resting(side: Side, lot: Lot, tick: Decimal) -> Fraction:
    """EX-602, EX-603."""
    fill, unit = Fraction(lot.price), Fraction(tick)
    target = floor_to(fill * (1 + side.sign * Fraction(lot.tp_percent) / 100), unit)
    if side is Side.LONG:
        return target if target > fill else floor_to(fill, unit) + unit
    return max(target, unit)


def watched(side: Side, lots: list[Lot], percent_of: dict[int, Fraction]) -> tuple[Fraction, ...]:
    """Return quantity, average, percent and target of EX-606 and EX-608."""
    qty = sum((Fraction(lot.qty) for lot in lots), Fraction(0))
    cost = sum((Fraction(lot.qty) * Fraction(lot.price) for lot in lots), Fraction(0))
    percent = sum(Fraction(lot.qty) * Fraction(lot.price) * percent_of[lot.pyramid] for lot in lots) / cost
    return qty, cost / qty, percent, cost / qty * (1 + side.sign * percent / 100)


@pytest.mark.parametrize("mode", TpMode)
@pytest.mark.parametrize("scope", PyramidScope)
@pytest.mark.parametrize("side", Side)
def test_plans_are_those_of_the_reference(mode: TpMode, scope: PyramidScope, side: Side) -> None:
    """Every mode and scope rests and watches what its requirement says, on both sides (EX-601 to EX-609, EX-616)."""
    for seed in range(60):
        dice = Random(seed)
        lots, base = lots_of(dice), D(dice.choice(["1", "0.7"]))
        own = {number: D(3) for number in range(3) if dice.random() < 0.5}
        tick = D(dice.choice(["0.01", "0.05", "0.0025", "1"]))
        plan = tp_plan(mode, side, lots, aggregate_percent=base, pyramid_percents=own, scope=scope, tick=tick)
        wanted = [(lot.leg_id, lot.qty, resting(side, lot, tick)) for lot in lots]
        rests = mode in (TpMode.PER_LEG, TpMode.HYBRID)
        assert [(leg, qty, Fraction(price)) for leg, qty, price in plan.resting] == (wanted if rests else [])
        percents = {
            number: Fraction(own.get(number, base) if mode is TpMode.PYRAMID_AGGREGATE else base) for number in range(3)
        }
        groups: dict[str, list[Lot]] = {}
        for lot in lots if mode is not TpMode.PER_LEG else []:
            alone = mode is TpMode.PYRAMID_AGGREGATE and scope is PyramidScope.PER_PYRAMID
            groups.setdefault(f"pyramid:{lot.pyramid}" if alone else "group", []).append(lot)
        assert [target.scope for target in plan.watch] == sorted(groups)
        for target in plan.watch:
            figures = watched(side, groups[target.scope], percents)
            found = (target.qty, target.avg_entry, target.tp_percent, target.target)
            assert all(near(ours, theirs) for ours, theirs in zip(found, figures, strict=True)), (seed, target)


def test_a_lot_of_nothing_has_no_target() -> None:
    """What is not open is neither watched nor rested, alone or among others (EX-602, EX-606)."""
    none, some = Lot("p0.l0", 0, D(0), D(100), D(1)), Lot("p0.l1", 0, D(1), D(90), D(1))
    for mode in TpMode:
        assert tp_plan(mode, Side.LONG, [none], tick=D("0.01")) == ((), ())
        both, alone = (tp_plan(mode, Side.LONG, lots, tick=D("0.01")) for lots in ([none, some], [some]))
        assert both == alone


@pytest.mark.parametrize(
    ("side", "fill", "percent", "tick", "target"),
    [
        ("long", "99", "1.5", "0.01", "100.48"),
        ("short", "99", "1.5", "0.01", "97.51"),
        ("long", "0.00000012", "0.5", "1e-8", "0.00000013"),
        ("short", "0.00000012", "0.5", "1e-8", "0.00000011"),
        ("short", "0.00000001", "0.5", "1e-8", "0.00000001"),
        ("long", "100.003", "0.001", "0.05", "100.05"),
        ("long", "100", "0.001", "0.05", "100.05"),
        ("short", "100", "99", "2.5", "2.5"),
    ],
)
def test_leg_targets_by_hand(side: str, fill: str, percent: str, tick: str, target: str) -> None:
    """Examples of EX-602 and EX-603 and their like, worked by hand."""
    assert leg_tp_price(Side(side), D(fill), D(percent), D(tick)) == D(target)


@pytest.mark.parametrize(
    ("side", "fill", "target", "price", "percent"),
    [
        ("long", "100", "102", "101.46", "73"),
        ("short", "100", "98", "98.5", "75"),
        ("short", "100", "98", "97", "100"),
        ("long", "100", "102", "100", "0"),
        ("long", "100", "102", "102", "100"),
        ("short", "100", "98", "100.01", "0"),
    ],
)
def test_progress_by_hand(side: str, fill: str, target: str, price: str, percent: str) -> None:
    """Progress of both sides within and beyond its ends (EX-612)."""
    assert tp_progress(Side(side), D(fill), D(target), D(price)) == D(percent)


def test_figures_are_those_of_the_reference() -> None:
    """Quantity, average, percent and USD on both sides, with any rate (EX-1002, EX-108, EX-109)."""
    for seed in range(200):
        dice = Random(seed)
        lots, side = lots_of(dice), dice.choice(list(Side))
        mark, rate = D(dice.randint(1, 10**6)) / 100, dice.choice([D(1), D("0.37"), None])
        found = group_metrics(side, lots, mark, rate)
        if not lots:
            assert found.avg_entry is None
            assert found.unrealized_percent is None
            assert found.open_qty == found.unrealized_usd == 0
            continue
        qty, average, *_ = watched(side, lots, dict.fromkeys(range(3), Fraction(1)))
        gain = side.sign * (Fraction(mark) - average)
        assert near(found.open_qty, qty)
        assert near(found.avg_entry, average)
        assert found.unrealized_percent is not None
        assert abs(Fraction(found.unrealized_percent) - gain / average * 100) < PLACES
        usd = None if rate is None else gain * qty * Fraction(rate)
        assert (found.unrealized_usd is None) is (usd is None)
        if usd is not None and found.unrealized_usd is not None:
            assert abs(Fraction(found.unrealized_usd) - usd) <= abs(Fraction(mark) * qty) / 10**15


# --- EX-710 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "qty", "step", "shares"),
    [
        (["0.003", "0.003", "0.004"], "0.005", "0.001", ["0.002", "0.001", "0.002"]),
        (["10", "20", "30"], "15", "1", ["3", "5", "7"]),
        (["1", "1", "1"], "0.001", "0.001", ["0.001", "0", "0"]),
        (["1", "1", "1"], "0.002", "0.001", ["0.001", "0.001", "0"]),
        (["1", "1", "2"], "1", "1", ["0", "0", "1"]),
        (["1", "1", "1", "1"], "2", "0.5", ["0.5", "0.5", "0.5", "0.5"]),
        (["0.0005", "1.2", "0.3"], "1.5005", "0.001", ["0.0005", "1.2", "0.3"]),
        (["5"], "2.5", "0.1", ["2.5"]),
        (["0.1", "0.2", "0.3"], "0.35", "0.05", ["0.05", "0.1", "0.2"]),
        (["1", "2"], "0", "0.1", ["0", "0"]),
    ],
)
def test_splits_by_hand(held: list[str], qty: str, step: str, shares: list[str]) -> None:
    """Floors, remainders, ties to the lower leg, the full quantity, worked by hand (EX-710)."""
    found = allocate_close({f"p0.l{n}": D(each) for n, each in enumerate(held)}, D(qty), D(step))
    assert list(found.values()) == [D(each) for each in shares]


def test_splits_are_those_of_the_reference() -> None:
    """Random splits in whole steps agree with the second writing; a step too many is refused (EX-710, EX-107)."""
    for seed in range(500):
        dice = Random(seed)
        step = D(dice.choice(["0.001", "0.05", "1", "3"]))
        held = {f"p0.l{n}": step * dice.randint(0, 400) for n in range(dice.randint(1, 6))}
        total = sum(held.values(), D(0))
        qty = step * dice.randint(0, int(total / step))
        found = allocate_close(held, qty, step)
        wanted = allocate({leg: Fraction(each) for leg, each in held.items()}, Fraction(qty), Fraction(step))
        assert {leg: Fraction(each) for leg, each in found.items()} == wanted, (held, qty)
        with pytest.raises(CloseExceedsOpen):
            allocate_close(held, total + step, step)


# --- EX-802 ------------------------------------------------------------------------------------------------------------

ENTRIES: tuple[tuple[str, int, int], ...] = (
    ("working", 0, 0),
    ("working", 1, 0),
    ("working", 1, 1),
    ("done", 1, 0),
    ("done", 1, 1),
    ("cancelled", 0, 0),
    ("cancelled", 1, 0),
    ("cancelled", 1, 1),
    ("rejected", 0, 0),
    ("blocked", 0, 0),
)


def state_of(legs: tuple[tuple[str, int, int], ...], closing: str | None, keep: bool) -> tuple[str, str | None]:
    """EX-802, clause by clause."""
    held = sum(filled - closed for _, filled, closed in legs)
    works = sum(1 for entry, _, _ in legs if entry == "working")
    if closing:
        return ("closing", closing) if held or works else ("closed", closing)
    if not sum(filled for _, filled, _ in legs):
        if works:
            return "live", None
        failed = {entry for entry, _, _ in legs} <= {"rejected", "blocked"}
        return "closed", "entry_failed" if failed else "unfilled_cancelled"
    if held:
        return "partially_filled" if works else "active", None
    if not works:
        return "closed", "take_profit"
    return ("live", None) if keep else ("closing", "take_profit")


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("closing", [None, "exit_signal", "take_profit"])
def test_states_of_every_pair_and_triple_of_legs(closing: str | None, keep: bool) -> None:
    """The state of all combinations of up to three legs is what the clauses of EX-802 say."""
    policy = FlatPolicy.KEEP if keep else FlatPolicy.CLOSE
    reason = CloseReason(closing) if closing else None
    for many in (1, 2, 3):
        for legs in product(ENTRIES, repeat=many):
            facts = [LegFacts(EntryState(entry), D(filled), D(closed)) for entry, filled, closed in legs]
            found: tuple[Any, Any] = derive_state(queued=False, closing=reason, legs=facts, when_flat=policy)
            assert found == state_of(legs, closing, keep), legs
            queued = derive_state(queued=True, closing=reason, legs=facts, when_flat=policy)
            assert queued == ("waiting", None)
