"""The group against a second writing of its requirements: random scripts as a venue could tell them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.rules.group_script import Script
from tests.rules.reference_group import Group
from tests.rules.vectors import cases

SCRIPTS, BATCH = 600, 100


def group_of(dice: Random) -> dict[str, Any]:
    """Return a group of one to three pyramids in any mode, with ordinary or awkward minimums."""
    side = dice.choice(["long", "long", "short"])
    legs = []
    for pyramid in range(dice.randint(1, 3)):
        for layer in range(dice.randint(1, 3)):
            price = 100 - (1 if side == "long" else -1) * (3 * pyramid + layer)
            legs.append(
                {
                    "id": f"p{pyramid}.l{layer}",
                    "pyramid": pyramid,
                    "leg": layer,
                    "qty": dice.choice(["1", "2", "0.05", "0.04", "0.013"]),
                    "price": str(price),
                    "tp_percent": dice.choice(["1", "2", "0.5"]),
                }
            )
    tp: dict[str, Any] = {"tp_aggregate_percent": dice.choice(["1", "3"])}
    if dice.random() < 0.5:
        tp["pyramid_scope"] = dice.choice(["combined", "per_pyramid"])
    if dice.random() < 0.5:
        tp["pyramid_tp_percents"] = {"1": "2"}
    return {
        "side": side,
        "mode": dice.choice(["per_leg", "leg", "aggregate", "hybrid", "pyramid_aggregate", "pyramid_aggregate"]),
        "legs": legs,
        "tp": tp,
        "flat_policy": dice.choice(["close", "close", "keep"]),
        "rules": {
            "tick_size": dice.choice(["0.01", "0.05"]),
            "step_size": dice.choice(["0.001", "0.001", "0.01"]),
            "min_qty": dice.choice(["0.001", "0.02"]),
            "min_notional": dice.choice(["0", "5", "5"]),
        },
    }


def text(value: Fraction) -> str:
    """Return a terminating number in digits."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def part_of(dice: Random, whole: Fraction, step: Fraction) -> Fraction:
    """Return all of a quantity, or some steps of it."""
    steps = whole // step
    return whole if steps < 2 or dice.random() < 0.6 else step * dice.randint(1, int(steps) - 1)


def event_of(dice: Random, group: Group) -> dict[str, Any]:
    """Return something that can happen now: fills of what works, answers to cancels, prices, triggers."""
    ways: list[tuple[int, dict[str, Any]]] = []
    for leg in group.legs.values():
        if leg.gross < leg.qty and leg.entry in ("working", "cancelled"):
            late = leg.entry == "cancelled"
            qty = part_of(dice, leg.qty - leg.gross, Fraction("0.001"))
            event = {"type": "fill", "leg": leg.id, "qty": text(qty), "price": text(near(dice, group))}
            if group.sign > 0 and dice.random() < 0.2:
                event["fee_base"] = text(qty / 1000)
            ways.append((1 if late else 8, event))
            if leg.entry == "working" and not leg.gross and not leg.cancelling:
                ways.append((1, {"type": "reject", "leg": leg.id}))
        if leg.cancelling and leg.entry == "working":
            ways.append((12, {"type": "cancel_ack", "order": f"entry:{leg.id}"}))
        if leg.target is not None:
            qty = part_of(dice, leg.target[0], group.step)
            ways.append((4, {"type": "tp_fill", "leg": leg.id, "qty": text(qty), "price": text(leg.target[1])}))
            if leg.target_cancelling:
                ways.append((12, {"type": "cancel_ack", "order": f"tp:{leg.id}"}))
    for scope in {each["scope"] for each in group.sent}:
        close = next(each for each in group.sent if each["scope"] == scope)
        qty = part_of(dice, sum(close["parts"].values()), group.step)
        ways.append((14, {"type": "close_fill", "qty": text(qty), "price": text(near(dice, group)), "scope": scope}))
    watched = [target for _, target in group.watched()] or [Fraction(100)]
    ways.append((6, {"type": "price", "price": text(near(dice, group))}))
    ways.append((5, {"type": "price", "price": text(group.sign * Fraction("0.001") + dice.choice(watched))}))
    ways.append((2, {"type": "reduce", "fraction": dice.choice(["0.5", "0.3333333333", "0.999", "0.01", "1"])}))
    ways.append((2, {"type": "risk_partial", "qty": dice.choice(["0.01", "0.5", "1.25"])}))
    ways.append((1, {"type": "exit", "reason": dice.choice(["exit_signal", "operator", "stop", "risk_close"])}))
    pair = [{"reason": reason} for reason in dice.sample(["aggregate_tp", "exit_signal", "stop", "operator"], 2)]
    ways.append((1, {"type": "batch", "triggers": pair}))
    return dice.choices([event for _, event in ways], [weight for weight, _ in ways])[0]


def near(dice: Random, group: Group) -> Fraction:
    """Return a price about the layers."""
    del group
    return Fraction(dice.randint(9300, 10800), 100)


@pytest.mark.parametrize("batch", range(SCRIPTS // BATCH))
def test_scripts_come_to_what_the_reference_says(batch: int) -> None:
    """Effects of each event, and the end, are those of the second writing (EX-604 to EX-616, EX-701 to EX-711, EX-802)."""
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        dice = Random(seed)
        given = group_of(dice)
        script, group = Script(given), Group(given)
        told: list[dict[str, Any]] = []
        for _ in range(25):
            event = event_of(dice, group)
            told.append(event)
            wanted = group.run(event)
            found = script.run(event)
            assert plain(found) == plain(wanted), (seed, given, told, found, wanted)
            assert plain(script.final()) == plain(group.final()), (seed, given, told)


@pytest.mark.parametrize("case", cases("exits", "group_script"))
def test_the_reference_gives_the_golden_effects(case: dict[str, Any]) -> None:
    """The second writing itself comes to the golden scripts."""
    group = Group(case["input"]["group"])
    for event, wanted in zip(case["input"]["events"], case["expected"]["steps"], strict=True):
        assert plain(group.run(event)) == plain(wanted["effects"])
    found, golden = plain(group.final()), plain(case["expected"]["final"])
    assert found == golden


def plain(value: Any) -> Any:
    """Return a structure with every number in one form; ``found`` and ``wanted`` then compare."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, Decimal | Fraction):
        return f"{round(Fraction(value) * 10**15)}e-15"
    if isinstance(value, str):
        try:
            return f"{round(Fraction(value) * 10**15)}e-15"
        except ValueError:
            return value
    return value
