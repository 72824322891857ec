"""A second, plain telling of EX-310 to EX-316, written from the specification alone; slow, and only for comparison."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

OTHER = {"long": "short", "short": "long"}
OPENS = {"buy": "long", "long": "long", "sell": "short", "short": "short"}
CLOSES = {"sell": "long", "long": "long", "buy": "short", "short": "short"}


def classify(given: dict[str, Any], *, infer: bool = True) -> Any:
    """Return (kind, side, fraction, flip, amount) or the code of the refusal."""
    action = given["tv.action"]
    after, before = given.get("tv.market_position"), given.get("tv.prev_market_position")
    sizes = given.get("tv.market_position_size"), given.get("tv.prev_market_position_size")
    kind = given["execution_intent.type"]
    if kind == "signal":
        return _signal(action, after, before, sizes, infer=infer)
    if kind == "exit":
        side = _first(before, after) or CLOSES[action]
        return _close(action, side, Decimal(1))
    if kind == "reverse":
        side = _first(after) or OPENS[action]
        return ("reverse", side, None, before == OTHER[side], None) if OPENS[action] == side else "SideConflict"
    return _reduce(action, after, before, sizes, given.get("tv.order_size"))


def _first(*positions: str | None) -> str | None:
    """Return the first position that is a side."""
    return next((position for position in positions if position in OTHER), None)


def _signal(action: str, after: Any, before: Any, sizes: Any, *, infer: bool) -> Any:
    if after is None:
        side = OPENS[action]
        return ("entry", side, None, before == OTHER[side], None)
    if after == "flat":
        if not infer or before not in OTHER:
            return "AmbiguousSignal"
        return _close(action, before, Decimal(1))
    if OPENS[action] == after:
        return ("entry", after, None, before == OTHER[after], None)
    part = _part(sizes)
    if before == after and action in ("buy", "sell") and part is not None:
        return _close(action, after, part)
    return "SideConflict"


def _reduce(action: str, after: Any, before: Any, sizes: Any, order_size: Any) -> Any:
    side = _first(after, before) or CLOSES[action]
    if CLOSES[action] != side or before == OTHER[side]:
        return "SideConflict"
    part = _part(sizes)
    if part is not None:
        return _close(action, side, part)
    if order_size is None:
        return "MissingReduceAmount"
    return ("reduce", side, None, False, Decimal(order_size))


def _close(action: str, side: str, fraction: Decimal) -> Any:
    if CLOSES[action] != side:
        return "SideConflict"
    return ("exit" if fraction == 1 else "reduce", side, fraction, False, None)


def _part(sizes: tuple[Any, Any]) -> Decimal | None:
    """Return (prev - size)/prev where both are known and the position became smaller."""
    if None in sizes or not Decimal(sizes[0]) < Decimal(sizes[1]):
        return None
    size, before = (Decimal(each) for each in sizes)
    return (before - size) / before
