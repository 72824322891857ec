"""What a query string asks of figures: which groups, of which days, how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, tzinfo
from typing import Final

from protocol.values import Instant, Scope, Side
from rules.notation import whole_number
from rules.performance import RangeName, custom_span, span_of
from service.api.answers import Refused
from service.report.figures import CURVE_POINTS, PARTS
from store.performance import Wanted

__all__ = ["day_named", "parts_of", "points_of", "wanted_of"]

_MOST_POINTS: Final = 20_000


def wanted_of(query: Mapping[str, str], scope: str, now: Instant = 0, zone: tzinfo = UTC) -> Wanted:
    """Return which groups and times a query string asks for; raise ``Refused`` for a word that there is not.

    A range is named (``range=7d``), or begins and ends with days (``from``, ``to``) or instants (``since``, ``until``).
    """
    given, side = query.get("scope", "") or query.get("mode", "") or scope, query.get("side", "")
    for name, word, known in (("scope", given, list(Scope)), ("side", side, ["", *Side])):
        if word not in known:
            raise Refused(
                422, "InvalidEnum", f"{name} is one of {', '.join(filter(None, known))}", path=name, value=word
            )
    since, until = _span_of(query, now, zone)
    return Wanted(
        scope=Scope(given),
        account=query.get("account", ""),
        symbol=query.get("symbol", "") or query.get("pair", ""),
        timeframe=query.get("timeframe", ""),
        strategy=query.get("strategy", ""),
        side=Side(side) if side else None,
        since=since,
        until=until,
        venue=query.get("venue", ""),
    )


def _span_of(query: Mapping[str, str], now: Instant, zone: tzinfo) -> tuple[Instant | None, Instant | None]:
    name = query.get("range", "")
    if name and name not in list(RangeName):
        raise Refused(422, "InvalidEnum", f"range is one of {', '.join(RangeName)}", path="range", value=name)
    times = {key: query.get(key, "") for key in ("since", "until")}
    for key, text in times.items():
        if text and whole_number(text) is None:
            raise Refused(422, "WrongType", f"{key} is an instant in nanoseconds", path=key, value=text)
    if name and name != RangeName.CUSTOM:
        return span_of(RangeName(name), now, zone)
    days = custom_span(day_named(query, "from"), day_named(query, "to"), zone)
    since, until = (int(times[key]) if times[key] else of_day for key, of_day in zip(times, days, strict=True))
    if since is not None and until is not None and until <= since:
        raise Refused(422, "OutOfRange", "the range ends before it begins", path="to", value=query.get("to", ""))
    return since, until


def day_named(query: Mapping[str, str], name: str) -> date | None:
    """Return the day that a query names, None without one; raise ``Refused`` for a word that is none."""
    text = query.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused(422, "WrongType", f"{name} is a date like 2026-02-10", path=name, value=text) from error


def points_of(query: Mapping[str, str]) -> int:
    """Return how many points a curve may have; raise ``Refused`` for a number out of bounds."""
    text = query.get("points", "") or str(CURVE_POINTS)
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 4 <= int(text) <= _MOST_POINTS):
        raise Refused(422, "OutOfRange", f"points is a number from 4 to {_MOST_POINTS}", path="points", value=text)
    return int(text)


def parts_of(query: Mapping[str, str]) -> tuple[str, ...]:
    """Return which parts of the figures are asked for, all when none is named; raise ``Refused`` for one there is not."""
    names = tuple(filter(None, query.get("parts", ",".join(PARTS)).split(",")))
    if unknown := [name for name in names if name not in PARTS and name != "none"]:
        known = ", ".join(PARTS)
        raise Refused(422, "InvalidEnum", f"parts are none, or of {known}", path="parts", value=unknown[0])
    return names
