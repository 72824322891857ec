"""The alert strip: the newest three alerts that nobody has acknowledged, and how many others there are (EX-1406)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from textual.content import Content
from textual.geometry import Size

from tui import cells
from tui.state import State
from tui.text import clickable, line, lines, padded

__all__ = ["SHOWN", "alert_strip", "letter_of"]

SHOWN: Final = 3
"""Alerts that the strip shows; the others it counts."""

_TALL: Final = 30
"""Lines from which on each alert has one of its own; on a smaller screen the second and the third share one."""

_DAY_NS: Final = 86_400_000_000_000


def alert_strip(state: State, size: Size) -> Content | None:
    """Return what is pinned on a screen of a size; None when that is nothing and a small screen has no line for it."""
    found = state.get("alerts")
    alerts = list(found["alerts"])[:SHOWN] if found is not None else []
    if not alerts:
        calm = line((" ✓ no alerts", "dim")) if found is not None else line("")
        return calm if size.height >= _TALL else None
    others = int(found["count"]) - len(alerts)
    right = line(
        (f"  +{others}" if others else "", "strong"),
        "  ",
        clickable("a", "accent", "app.run('ack shown')"),
        clickable(" acknowledge " if size.width >= 100 else " ack ", "dim", "app.run('ack shown')"),
    )
    first, *rest = (_alert(each, state.now()) for each in alerts)
    return lines(padded(first, right, size.width), *_beneath(rest, size))


def _beneath(rest: Sequence[Content], size: Size) -> list[Content]:
    if size.height >= _TALL or len(rest) < 2:
        return [each.truncate(size.width, ellipsis=True) for each in rest]
    half = size.width // 2
    return [line(*(each.truncate(half, ellipsis=True, pad=True) for each in rest))]


def _alert(alert: Mapping[str, Any], now: int) -> Content:
    """Return an alert; a click on its letter acknowledges it, one on its text opens the log."""
    letter, alarming = letter_of(alert)
    return line(
        clickable(
            f" {letter} ", "badge-alarm" if alarming else "badge-warn", f"app.run('ack-line {alert['position']}')"
        ),
        (f" {_when(alert['at'], now)} ", "dim"),
        clickable(str(alert["text"]), "alarm" if alarming else "warn", "app.go('logs')"),
        (f"  {alert['identity']}" if alert.get("identity") else "", "dim"),
        "  ",
    )


def _when(at: int, now: int) -> str:
    """Return the time of day, of an alert that waits for longer the day."""
    return cells.clock_time(at)[:5] if now - at < _DAY_NS else cells.day_time(at)[:5]


def letter_of(event: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the letter of an event's severity, and whether it is an error: colour is never the only mark (EX-1402)."""
    letter = str(event["severity"])[:1].upper()
    return letter, letter in "EC"
