"""Every combination of a signal's words and sizes, against a second telling of the rules (EX-310 to EX-316)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from protocol.signals import Problem
from rules.signals import classify_signal
from tests.rules.reference_classification import classify

ACTIONS = ("buy", "sell", "long", "short")
POSITIONS = (None, "long", "short", "flat")
SIZES = (
    (None, None),
    ("0", "5"),
    ("2", "5"),
    ("5", "5"),
    ("5", "2.5"),
    ("0", "0"),
    (None, "5"),
    ("2", None),
    ("1", "0"),
)


@pytest.mark.parametrize("kind", ["signal", "exit", "reduce", "reverse"])
@pytest.mark.parametrize("infer", [True, False])
def test_every_combination(kind: str, infer: bool) -> None:
    """EX-310 to EX-316: kind, side, fraction, flip, amount or the refusal, for all of them, switch on and off."""
    for action, after, before, sizes, amount in product(ACTIONS, POSITIONS, POSITIONS, SIZES, (None, "2.5")):
        given: dict[str, Any] = {
            "execution_intent.type": kind,
            "tv.action": action,
            "tv.market_position": after,
            "tv.prev_market_position": before,
            "tv.market_position_size": sizes[0],
            "tv.prev_market_position_size": sizes[1],
            "tv.order_size": amount,
        }
        found = classify_signal(given, infer_exit_from_flat=infer)
        told = (
            found.code
            if isinstance(found, Problem)
            else (found.kind.value, found.side.value, found.fraction, found.flip, found.amount)
        )
        assert told == classify(given, infer=infer), given
        present = {name: value for name, value in given.items() if value is not None}
        assert classify_signal(present, infer_exit_from_flat=infer) == found
