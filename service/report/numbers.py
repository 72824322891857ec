"""Numbers and instants as people read them: with their sign, thousands parted, a dash for what is not defined (EX-1714)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from math import floor, log10
from typing import Final
from zoneinfo import ZoneInfo

from protocol.values import Instant

__all__ = [
    "DASH",
    "axis_percent",
    "axis_words",
    "count",
    "day",
    "duration",
    "factor",
    "fees_apart",
    "moment",
    "money",
    "percent",
    "plain_percent",
    "ratio",
    "short",
    "trades_closed",
    "whole_if_large",
    "zone_named",
]

DASH: Final = "\u2014"
_MINUS: Final = "\u2212"
_NANOS: Final = 1_000_000_000


def money(value: float | None, places: int = 2) -> str:
    """Return a result in USD with its sign: ``+1,234.50``."""
    return _signed(value, places)


def whole_if_large(values: Iterable[float]) -> int:
    """Return the places of results that stand together where there is little room: none unless they are cents."""
    return 0 if max(map(abs, values), default=0.0) >= 100 else 2


def trades_closed(number: int) -> str:
    """Return how many trades, in words."""
    return f"{count(number)} trade{'' if number == 1 else 's'}"


def percent(value: float | None, places: int = 2) -> str:
    """Return percent points with their sign: ``-9.09 %``, with a true minus."""
    return DASH if value is None else f"{_signed(value, places)}\u202f%"


def plain_percent(value: float | None, places: int = 1) -> str:
    """Return a share in percent, which has no sign."""
    return DASH if value is None else f"{value:,.{places}f}\u202f%"


def ratio(value: float | None) -> str:
    """Return a ratio at two places."""
    return DASH if value is None else f"{value:,.2f}".replace("-", _MINUS)


def factor(value: float | None, wins: int) -> str:
    """Return a profit factor: infinite when there were wins and no losses (EX-1714)."""
    return "\u221e" if value is None and wins else ratio(value)


def count(value: int) -> str:
    """Return a whole number."""
    return f"{value:,}"


def fees_apart(fees: Mapping[str, str]) -> str:
    """Say which fees are in no result (``0.02 BNB, 1.5 KCS``); empty without any."""
    return ", ".join(f"{amount} {currency}" for currency, amount in fees.items())


def short(value: float) -> str:
    """Return a number for an axis: ``12.5k``, without a sign unless it is below zero."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:,.4g}{unit}".replace("-", _MINUS)
    return f"{value:,.{_places(value)}f}".replace("-", _MINUS)


def axis_words(levels: Sequence[float]) -> Callable[[float], str]:
    """Return how the numbers of one axis are written: all in the same unit, and no two of them alike."""
    step = min((abs(right - left) for left, right in pairwise(levels) if right != left), default=0.0)
    most = max((abs(each) for each in levels), default=0.0)
    size, unit = next(((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")) if most >= size), (1.0, ""))
    scale = 1e3 if unit == "k" else size
    if unit and 0 < step < scale / 100:
        places = max(0, -floor(log10(step)))
        return lambda value: f"{value:,.{places}f}".replace("-", _MINUS)
    return lambda value: f"{value / scale:,.5g}{unit}".replace("-", _MINUS) if unit and value else short(value)


def axis_percent(value: float) -> str:
    """Return percent on an axis, with the places it has."""
    return f"{value:,.6g}\u202f%".replace("-", _MINUS)


def _places(value: float) -> int:
    if value == 0 or abs(value) >= 100 or float(value).is_integer():
        return 0
    return min(max(1 - floor(log10(abs(value))), 1), 6)


def _signed(value: float | None, places: int) -> str:
    if value is None:
        return DASH
    rounded = round(value, places)
    if rounded == 0:
        return f"{0:.{places}f}"
    return f"{rounded:+,.{places}f}".replace("-", _MINUS)


def zone_named(name: str) -> tzinfo:
    """Return a zone by the name an answer carries."""
    return UTC if name in ("", "UTC") else ZoneInfo(name)


def day(at: Instant | None, zone: tzinfo = UTC) -> str:
    """Return a calendar day, a dash for none."""
    return DASH if at is None else datetime.fromtimestamp(at // _NANOS, zone).strftime("%Y-%m-%d")


def moment(at: Instant | None, zone: tzinfo = UTC) -> str:
    """Return day and minute."""
    return DASH if at is None else datetime.fromtimestamp(at // _NANOS, zone).strftime("%Y-%m-%d %H:%M")


def duration(nanos: int) -> str:
    """Return how long something took in its two largest units: ``3d 4h``."""
    seconds = max(nanos, 0) // _NANOS
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        number, seconds = divmod(seconds, size)
        if number or (unit == "s" and not parts):
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2])
