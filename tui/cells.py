"""Values as a trader reads them: text and the name of its style. Nothing else in the room formats a number.

Style names: ``gain``, ``loss``, ``warn``, ``alarm``, ``dim``, ``strong``, ``accent``, and empty for plain text. Colour never
speaks alone: gains and losses carry their sign, states a letter (EX-1604).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

__all__ = [
    "DASH",
    "Cell",
    "age",
    "amount",
    "bar",
    "clock_time",
    "day",
    "day_time",
    "money",
    "number",
    "percent",
    "pointed",
    "price",
    "short_money",
    "signed",
    "span",
    "sparkline",
    "timer",
    "words",
]

DASH: Final = "\N{EN DASH}"
"""What stands where nothing is known."""

_NANOS: Final = 1_000_000_000
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_TICKS: Final = "▁▂▃▄▅▆▇█"


class Cell(NamedTuple):
    """A text and the name of its style."""

    text: str
    style: str = ""


_UNKNOWN: Final = Cell(DASH, "dim")


def number(value: Any) -> float | None:
    """Return a number of an answer, None where there is none; what is drawn needs no exact money."""
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def signed(value: Any, places: int = 2, unit: str = "") -> Cell:
    """Return an amount with its sign, in the style of a gain or a loss."""
    found = number(value)
    if found is None:
        return _UNKNOWN
    text = f"{found:+,.{places}f}"
    zero = not text.strip("+-0.,")
    style = "dim" if zero else "gain" if found > 0 else "loss"
    return Cell((f"{0:.{places}f}" if zero else text) + unit, style)


def money(value: Any, places: int = 2) -> Cell:
    """Return an amount without a sign of its own (equity, notional)."""
    found = number(value)
    return _UNKNOWN if found is None else Cell(f"{found:,.{places}f}")


def short_money(value: Any) -> str:
    """Return an amount in at most six places: 99.99, 999, 12.3k, 4.6M."""
    found = number(value)
    if found is None:
        return DASH
    for limit, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(found) >= limit:
            return f"{found / divisor:,.1f}{unit}"
    return f"{found:,.2f}" if abs(found) < 100 else f"{found:,.0f}"


def percent(value: Any, places: int = 2) -> Cell:
    """Return a percentage with its sign, without the unit: the column's title has it."""
    return signed(value, places)


def price(value: Any) -> Cell:
    """Return a price as it was quoted, with thousands separated: its places are the market's."""
    if value is None or value == "":
        return _UNKNOWN
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return _UNKNOWN
    places = max(0, -int(exact.as_tuple().exponent)) if isinstance(exact.as_tuple().exponent, int) else 0
    if places > 8 or (places > 2 and abs(exact) >= 1_000):
        places = 2 if abs(exact) >= 1_000 else 8 if abs(exact) < 1 else 4
    return Cell(f"{exact:,.{places}f}")


def amount(value: Any, places: int = 8) -> Cell:
    """Return a quantity without trailing zeros."""
    found = number(value)
    if found is None:
        return _UNKNOWN
    text = f"{found:,.{places}f}"
    return Cell(text.rstrip("0").rstrip(".") if "." in text else text)


def pointed(texts: Sequence[str]) -> list[str]:
    """Return numbers as wide as each other, their points beneath one another; what is no number stands left."""
    parts = {text: text.partition(".") for text in texts if text[-1:].isdigit()}
    before = max((len(whole) for whole, _, _ in parts.values()), default=0)
    shown = [f"{parts[text][0]:>{before}}{text[len(parts[text][0]) :]}" if text in parts else text for text in texts]
    width = max(map(len, shown), default=0)
    return [text.ljust(width) for text in shown]


def span(seconds: float) -> str:
    """Return a duration in two units at most: 45s, 12m, 3h05, 2d04."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m"
    if whole < 86_400:
        return f"{whole // 3_600}h{whole % 3_600 // 60:02d}"
    return f"{whole // 86_400}d{whole % 86_400 // 3_600:02d}"


def age(at: Any, now: int) -> Cell:
    """Return how long ago an instant (nanoseconds) was."""
    found = number(at)
    return _UNKNOWN if not found else Cell(span((now - found) / _NANOS))


def timer(seconds: float) -> str:
    """Return what is left of a timer as minutes and seconds: 04:59, 75:00."""
    whole = max(0, int(seconds))
    return f"{whole // 60:02d}:{whole % 60:02d}"


def clock_time(at: Any) -> str:
    """Return the time of day of an instant (nanoseconds), UTC."""
    found = number(at)
    return DASH if not found else f"{datetime.fromtimestamp(found / _NANOS, UTC):%H:%M:%S}"


def day_time(at: Any) -> str:
    """Return date and time of an instant (nanoseconds), UTC."""
    found = number(at)
    return DASH if not found else f"{datetime.fromtimestamp(found / _NANOS, UTC):%m-%d %H:%M:%S}"


def day(at: Any) -> str:
    """Return month and day of an instant (nanoseconds), UTC."""
    return day_time(at)[:5]


def words(name: Any) -> str:
    """Return a name of the protocol as words."""
    return DASH if name in (None, "") else str(name).replace("_", " ")


def bar(share: float, width: int) -> str:
    """Return a share of 0 to 1 as a bar of eighths, padded with a track to ``width`` cells."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    return drawn + " " * (width - len(drawn))


def sparkline(values: list[float], width: int) -> str:
    """Return numbers as ticks, the newest right; each tick is the last of its stretch."""
    if not values or width <= 0:
        return ""
    if len(values) > width:
        values = [values[(place + 1) * len(values) // width - 1] for place in range(width)]
    low, high = min(values), max(values)
    reach = high - low
    return "".join(_TICKS[3 if reach == 0 else round((value - low) / reach * 7)] for value in values)
