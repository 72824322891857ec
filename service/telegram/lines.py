"""How the phone writes groups, queue and figures: short lines, the market first, ids last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from protocol.errors import BulkheadError
from protocol.telegram import Button
from rules.identity.timeframes import timeframe_seconds
from rules.money import result_of
from rules.notation import words
from runtime.clock import NANOS

__all__ = ["LIVE_S", "age", "count", "group_lines", "group_name", "listed", "moment", "number", "typing"]

LIVE_S: Final = 5
"""Prices younger than this are live: a status that changes with each second would be edited for ever."""

_LINES: Final = 40
"""Lines of a list; what is left out is counted."""


def typing(label: str, *command: str) -> Button:
    """Return a button that types a command; it is judged as if somebody had."""
    return Button(label, f"t:{' '.join(each for each in command if each)}")


def group_name(group: Mapping[str, Any]) -> str:
    """Return who a group is: market, timeframe, side."""
    return f"{group['symbol']} {group['timeframe']} {group['side']}"


def group_lines(group: Mapping[str, Any], now: int, account: str = "") -> str:
    """Say a group in three lines: what it stands at, what is open at which price, how long, whose, its id."""
    stands = group["unrealized_quote"]
    result = "nothing filled yet" if stands is None else result_of(Decimal(stands), group["quote"])
    average = f" at {number(group['avg_entry'])}" if group["avg_entry"] else ""
    stop = f"; stop {number(group['stop_price'])}" if group["stop_price"] else ""
    target = f"; target {number(group['target_price'])}" if group["target_price"] else ""
    state = words(str(group["state"] or "new"))
    return "\n".join(
        (
            f"{group_name(group)}: {result}",
            f"  {number(group['open_qty'])}{average}{stop}{target}",
            "  " + ", ".join(filter(None, (_held(group, now), state, account, group["group_id"]))),
        )
    )


def _held(group: Mapping[str, Any], now: int) -> str:
    """Say for how many bars a group is open."""
    seconds = max(0, now - int(group["first_fill_at"] or group["opened_at"])) // NANOS
    try:
        bars = seconds // timeframe_seconds(group["timeframe"])
    except BulkheadError:
        return age(seconds)
    return count(bars, "bar")


def count(number_of: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{number_of} {noun}{'' if number_of == 1 else 's'}"


def age(seconds: float) -> str:
    """Return a span in the unit that fits."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(at: int, now: int, zone: tzinfo) -> str:
    """Return an instant as a clock shows it, with its day when that is not today."""
    then, today = (datetime.fromtimestamp(each / NANOS, zone) for each in (at, now))
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%d %b %H:%M}"


def number(value: Any) -> str:
    """Return a price or a quantity: thousands parted, no needless zeros."""
    text = f"{Decimal(value):,.8f}".rstrip("0").rstrip(".")
    return text or "0"


def listed(lines: Sequence[str]) -> str:
    """Return a list, cut where it grows too long."""
    more = [f"and {len(lines) - _LINES} more"] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more])
