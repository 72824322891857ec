"""What a payload may say beyond the table of EX-202: the bar it fired on, its own largest age, delayed data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

from protocol.signals import Problem
from rules.identity.errors import shown
from rules.signals.reading import Refused, is_absent, is_placeholder, number, time_text
from rules.signals.times import instant_of

__all__ = ["Extras", "read_extras"]

_DELAYED: Final = ("_DLY", "_DL")
_seconds: Final = number(above=0)


class Extras(NamedTuple):
    """``payload`` names the exchange itself where its data were marked as delayed; ``bar_at`` is in nanoseconds."""

    payload: object
    bar_at: int | None = None
    max_lag_s: int | None = None
    delayed: bool = False
    problems: tuple[Problem, ...] = ()


def read_extras(payload: object) -> Extras:
    """Read ``tv.bar_time`` (EX-207's forms), ``tv.max_lag_seconds`` and the ending of ``tv.exchange``.

    TradingView marks delayed data by ``_DL`` or ``_DLY`` after the exchange's name.
    """
    section = payload.get("tv") if isinstance(payload, dict) else None
    if not isinstance(section, dict):
        return Extras(payload)
    problems: list[Problem] = []
    bar = _read(section, "bar_time", time_text, problems)
    lag = _read(section, "max_lag_seconds", _seconds, problems)
    payload, delayed = _undelayed(payload, section)
    bar_at = instant_of(bar) if isinstance(bar, str) else None
    max_lag_s = min(int(lag), 10**9) if isinstance(lag, Decimal) else None
    return Extras(payload, bar_at, max_lag_s, delayed, tuple(problems))


def _read(section: dict[str, Any], name: str, read: Any, problems: list[Problem]) -> object:
    value = section.get(name)
    if is_absent(value) or is_placeholder(value):
        return None
    try:
        found: object = read(value.strip() if isinstance(value, str) else value)
    except Refused as refused:
        problems.append(Problem(refused.code, f"tv.{name}", refused.message, shown(str(value))))
        return None
    return found


def _undelayed(payload: Any, section: dict[str, Any]) -> tuple[object, bool]:
    exchange = section.get("exchange")
    if not isinstance(exchange, str):
        return payload, False
    name = exchange.strip()
    for ending in _DELAYED:
        if name.upper().endswith(ending):
            return {**payload, "tv": {**section, "exchange": name[: -len(ending)]}}, True
    return payload, False
