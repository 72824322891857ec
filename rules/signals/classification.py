"""Tell what a valid payload asks for (EX-310 to EX-316).

Two meanings of one word: in entries and reversals buy = long = open long. In exits and reductions buy and sell are
order directions (sell closes a long) while long and short name the position to close.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from protocol.messages import Value
from protocol.signals import IntentType, Problem, SignalKind
from protocol.values import Side
from rules.signals.reading import Clean

__all__ = ["Classification", "classify_signal"]

_OPENS: Final = {"buy": Side.LONG, "long": Side.LONG, "sell": Side.SHORT, "short": Side.SHORT}
_CLOSES: Final = {"buy": Side.SHORT, "long": Side.LONG, "sell": Side.LONG, "short": Side.SHORT}
_SIDES: Final = {"long": Side.LONG, "short": Side.SHORT}
_ONE: Final = Decimal(1)
# Sizes carry at most 48 digits, so differences are exact; quotients are rounded once, to 18 places (EX-107).
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_QUANTUM: Final = Decimal("1e-18")


class Classification(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a signal is. ``fraction`` is 1 for exits; ``amount`` only for a reduction without a known fraction."""

    kind: SignalKind
    side: Side
    fraction: Decimal | None = None
    flip: bool = False
    amount: Decimal | None = None


class _Facts:
    """The clean values that classification looks at."""

    def __init__(self, clean: Mapping[str, Clean]) -> None:
        self.action = str(clean["tv.action"])
        self.now = _SIDES.get(str(clean.get("tv.market_position")))
        self.before = _SIDES.get(str(clean.get("tv.prev_market_position")))
        self.flat = clean.get("tv.market_position") == "flat"
        self.fraction = _closed_fraction(
            _number(clean.get("tv.market_position_size")), _number(clean.get("tv.prev_market_position_size"))
        )
        self.order_size = _number(clean.get("tv.order_size"))

    def flips(self, side: Side) -> bool:
        """Whether the position before was on the other side (EX-316)."""
        return self.before is not None and self.before is not side


def classify_signal(clean: Mapping[str, Clean], *, infer_exit_from_flat: bool = True) -> Classification | Problem:
    """Return what the clean values of ``validate_payload`` ask for, or why that cannot be told.

    Codes: ``SideConflict``, ``AmbiguousSignal``, ``MissingReduceAmount``. Absent values may be None or missing.
    """
    facts = _Facts(clean)
    intent = IntentType(str(clean["execution_intent.type"]))
    if intent is IntentType.EXIT:
        return _exit(facts, facts.before or facts.now)
    if intent is IntentType.REDUCE:
        return _reduce(facts)
    if intent is IntentType.REVERSE:
        side = facts.now or _OPENS[facts.action]
        return _opening(SignalKind.REVERSE, facts, side)
    return _signal(facts, infer_exit_from_flat=infer_exit_from_flat)


def _signal(facts: _Facts, *, infer_exit_from_flat: bool) -> Classification | Problem:
    """Decide by the positions before and after (EX-311)."""
    if facts.flat:
        if not infer_exit_from_flat or facts.before is None:
            return Problem(
                "AmbiguousSignal", "tv.market_position", "flat now, and no position before that it could close"
            )
        return _exit(facts, facts.before)
    if facts.now is None or _OPENS[facts.action] is facts.now:
        return _opening(SignalKind.ENTRY, facts, facts.now or _OPENS[facts.action])
    if facts.now is facts.before and _CLOSES[facts.action] is facts.now and facts.fraction is not None:
        return _partial(facts.now, facts.fraction)
    return _conflict(facts, facts.now)


def _opening(kind: SignalKind, facts: _Facts, side: Side) -> Classification | Problem:
    if _OPENS[facts.action] is not side:
        return _conflict(facts, side)
    return Classification(kind, side, flip=facts.flips(side))


def _exit(facts: _Facts, named: Side | None) -> Classification | Problem:
    """Close the whole group; the action must be one that closes this side (EX-312)."""
    side = named or _CLOSES[facts.action]
    if _CLOSES[facts.action] is not side:
        return _conflict(facts, side)
    return Classification(SignalKind.EXIT, side, _ONE)


def _reduce(facts: _Facts) -> Classification | Problem:
    """Close a part, by fraction where both sizes tell it, else by amount (EX-313)."""
    side = facts.now or facts.before or _CLOSES[facts.action]
    if _CLOSES[facts.action] is not side or facts.flips(side):
        return _conflict(facts, side)
    if facts.fraction is not None:
        return _partial(side, facts.fraction)
    if facts.order_size is not None:
        return Classification(SignalKind.REDUCE, side, amount=facts.order_size)
    return Problem("MissingReduceAmount", "tv.order_size", "neither both position sizes nor an order size")


def _partial(side: Side, fraction: Decimal) -> Classification:
    return Classification(SignalKind.EXIT if fraction == 1 else SignalKind.REDUCE, side, fraction)


def _conflict(facts: _Facts, side: Side) -> Problem:
    return Problem("SideConflict", "tv.action", f"does not fit the {side.value} position", facts.action)


def _closed_fraction(size: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Return which part of the position the order closed; None when it is not known or nothing."""
    if size is None or before is None or not size < before:
        return None
    fraction = _WIDE.quantize(_WIDE.divide(_WIDE.subtract(before, size), before), _QUANTUM)
    return _WIDE.normalize(fraction) if fraction > 0 else None


def _number(value: Clean) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) else value
