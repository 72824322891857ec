"""Classification of signals (EX-310 to EX-316)."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from protocol.signals import Problem, SignalKind
from protocol.values import Side
from rules.signals import Classification, classify_signal

ACTIONS = ("buy", "sell", "long", "short")
POSITIONS = (None, "long", "short", "flat")


def tell(kind: str, action: str, after: Any = None, before: Any = None, sizes: str = "", **more: Any) -> str:
    """Return a classification in words (``reduce long 0.6 flip``), or the refusal's code; sizes as ``after/before``."""
    size, _, prev = sizes.partition("/")
    clean = {
        "execution_intent.type": kind,
        "tv.action": action,
        "tv.market_position": after,
        "tv.prev_market_position": before,
        "tv.market_position_size": size or None,
        "tv.prev_market_position_size": prev or None,
        "tv.order_size": more.pop("order_size", None),
    }
    found = classify_signal(clean, **more)
    if isinstance(found, Problem):
        return found.code
    words = [found.kind.value, found.side.value]
    words += [str(found.fraction)] if found.fraction is not None else []
    words += [f"amount {found.amount}"] if found.amount is not None else []
    return " ".join(words + (["flip"] if found.flip else []))


@pytest.mark.parametrize(
    ("kind", "action", "after", "before", "sizes", "expected"),
    [
        # the table of the specification
        ("signal", "buy", "long", "flat", "2.5/0", "entry long"),
        ("signal", "buy", "long", "long", "5/2.5", "entry long"),
        ("signal", "sell", "long", "long", "2/5", "reduce long 0.6"),
        ("signal", "sell", "flat", "long", "0/5", "exit long 1"),
        ("signal", "sell", "short", "long", "2/5", "entry short flip"),
        ("signal", "sell", "long", "flat", "2/0", "SideConflict"),
        ("signal", "buy", "flat", "flat", "", "AmbiguousSignal"),
        ("exit", "buy", "flat", "long", "", "SideConflict"),
        ("exit", "long", None, None, "", "exit long 1"),
        ("reduce", "sell", "long", "long", "1/4", "reduce long 0.75"),
        ("reverse", "sell", "short", "long", "1/1", "reverse short flip"),
        # type signal without positions
        ("signal", "buy", None, None, "", "entry long"),
        ("signal", "short", None, None, "", "entry short"),
        ("signal", "buy", None, "short", "", "entry long flip"),
        ("signal", "sell", "short", "short", "5/2", "entry short"),
        # reductions told by sizes
        ("signal", "buy", "short", "short", "1/4", "reduce short 0.75"),
        ("signal", "sell", "long", "long", "0/5", "exit long 1"),
        ("signal", "sell", "long", "long", "5/5", "SideConflict"),
        ("signal", "sell", "long", "long", "6/5", "SideConflict"),
        ("signal", "sell", "long", "long", "", "SideConflict"),
        ("signal", "short", "long", "long", "2/5", "SideConflict"),
        ("signal", "sell", "long", None, "2/5", "SideConflict"),
        ("signal", "buy", "short", "long", "2/5", "SideConflict"),
        # flat
        ("signal", "buy", "flat", "short", "", "exit short 1"),
        ("signal", "long", "flat", "long", "", "exit long 1"),
        ("signal", "buy", "flat", "long", "", "SideConflict"),
        ("signal", "short", "flat", "long", "", "SideConflict"),
        ("signal", "sell", "flat", None, "", "AmbiguousSignal"),
        # exits
        ("exit", "sell", None, None, "", "exit long 1"),
        ("exit", "buy", None, None, "", "exit short 1"),
        ("exit", "short", None, None, "", "exit short 1"),
        ("exit", "sell", "long", None, "", "exit long 1"),
        ("exit", "sell", "short", "long", "", "exit long 1"),
        ("exit", "sell", "long", "long", "1/4", "exit long 1"),
        ("exit", "sell", "short", "flat", "", "SideConflict"),
        ("exit", "sell", "flat", "flat", "", "exit long 1"),
        # reductions
        ("reduce", "buy", "short", None, "", "MissingReduceAmount"),
        ("reduce", "sell", None, "long", "1/4", "reduce long 0.75"),
        ("reduce", "sell", "flat", "long", "0/4", "exit long 1"),
        ("reduce", "long", None, None, "2/3", "reduce long 0.333333333333333333"),
        ("reduce", "buy", "long", "long", "1/4", "SideConflict"),
        ("reduce", "buy", "short", "long", "1/4", "SideConflict"),
        # reversals
        ("reverse", "sell", None, None, "", "reverse short"),
        ("reverse", "buy", "long", "short", "", "reverse long flip"),
        ("reverse", "buy", "short", "long", "", "SideConflict"),
        ("reverse", "long", "long", "long", "", "reverse long"),
    ],
)
def test_table(kind: str, action: str, after: Any, before: Any, sizes: str, expected: str) -> None:
    """EX-310, EX-311, EX-312, EX-313, EX-314, EX-315, EX-316: each combination is told as the tables say."""
    assert tell(kind, action, after, before, sizes) == expected


def test_a_reduction_without_fraction_takes_the_amount() -> None:
    """EX-313: with unknown, equal or growing sizes the order size is the amount; with a known fraction it is not."""
    assert tell("reduce", "sell", order_size="0.5") == "reduce long amount 0.5"
    for sizes in ("4/", "/4", "4/4", "5/4", "0/0"):
        assert tell("reduce", "sell", "long", "long", sizes, order_size="0.5") == "reduce long amount 0.5"
    assert tell("reduce", "sell", "long", "long", "1/4", order_size="0.5") == "reduce long 0.75"


def test_the_switch_for_flat_positions() -> None:
    """EX-311: with the switch off a flat position tells nothing; explicit exits are not touched by it."""
    assert tell("signal", "sell", "flat", "long", "0/5", infer_exit_from_flat=False) == "AmbiguousSignal"
    assert tell("exit", "sell", "flat", "long", "0/5", infer_exit_from_flat=False) == "exit long 1"


def test_fractions_are_rounded_once_half_even() -> None:
    """EX-107: a fraction has 18 places, and one that rounds to nothing is not known."""
    assert tell("signal", "sell", "long", "long", "1/3") == "reduce long 0.666666666666666667"
    assert tell("signal", "sell", "long", "long", "1e-30/100") == "exit long 1"
    assert tell("signal", "sell", "long", "long", "99999999999999999/99999999999999999.00000001") == "SideConflict"


@pytest.mark.parametrize("kind", ["signal", "exit", "reduce", "reverse"])
def test_every_combination_is_told_or_refused_and_mirrors(kind: str) -> None:
    """EX-315: no combination is left open, and long and short are treated alike."""
    mirror = {"buy": "sell", "sell": "buy", "long": "short", "short": "long", "flat": "flat", None: None}
    for action, after, before, sizes in product(ACTIONS, POSITIONS, POSITIONS, ("", "1/4", "4/1", "0/4")):
        found = tell(kind, action, after, before, sizes)
        other = tell(kind, mirror[action] or "", mirror[after], mirror[before], sizes)
        assert other == " ".join(mirror.get(word) or word for word in found.split())


@pytest.mark.parametrize("kind", ["exit", "reduce", "signal"])
def test_a_sell_never_closes_a_short(kind: str) -> None:
    """EX-310, EX-315: whatever positions are claimed, a closing order has the side that closes."""
    closing = {"sell": Side.LONG, "long": Side.LONG, "buy": Side.SHORT, "short": Side.SHORT}
    for action, after, before, sizes in product(ACTIONS, POSITIONS, POSITIONS, ("", "1/4", "0/4")):
        clean = {
            "execution_intent.type": kind,
            "tv.action": action,
            "tv.market_position": after,
            "tv.prev_market_position": before,
            "tv.market_position_size": sizes[:1] or None,
            "tv.prev_market_position_size": sizes[2:] or None,
            "tv.order_size": Decimal(1),
        }
        found = classify_signal(clean)
        if isinstance(found, Classification) and found.kind in (SignalKind.EXIT, SignalKind.REDUCE):
            assert found.side is closing[action]
