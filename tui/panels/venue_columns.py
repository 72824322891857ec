"""Columns of the accounts' venues in the system console."""

from __future__ import annotations

from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Row
from tui.panels.columns import column

__all__ = ["COLUMNS", "STATUS", "status_of"]

STATUS: Final = {
    "up": ("● up", "gain"),
    "connecting": ("◌ connecting", "accent"),
    "down": ("✖ down", "alarm"),
    "stopped": ("■ stopped", "alarm"),
}
"""How a connection's status is said."""

_FAR_MS: Final = 500.0
_SLOW_MS: Final = 1_000.0


def status_of(row: Row) -> Cell:
    """Return how an account's connection stands."""
    text, style = STATUS.get(str(row["status"]), (str(row["status"]), "warn"))
    if row["status"] == "connecting" and row["step"] and row["session"] is None:
        return Cell("✖ no session", "alarm")  # quarantined, or between two lives: nobody is about to connect
    if row["status"] == "connecting" and row["step"]:
        text = f"◌ {row['step']}"
    if row["status"] == "up" and not row["entries"]:
        return Cell("● entries wait", "warn")
    return Cell(text, style)


def _net(row: Row) -> Cell:
    if row["testnet"]:
        return Cell("TEST", "accent")
    return Cell(str(row["scope"]).upper(), "alarm" if row["scope"] == "live" else "")


def _ms(value: Any) -> Cell:
    found = cells.number(value)
    return Cell(cells.DASH, "dim") if found is None else Cell(f"{found:,.0f}", "warn" if found >= _SLOW_MS else "")


def _clock(row: Row) -> Cell:
    found = cells.number((row["session"] or {}).get("clock_ms"))
    return Cell(cells.DASH, "dim") if found is None else Cell(f"{found:+,.0f}", "warn" if abs(found) >= _FAR_MS else "")


def _rate(row: Row) -> Cell:
    session = row["session"] or {}
    if not session.get("limit"):
        return Cell("no limit" if session else cells.DASH, "dim")
    used, limit = int(session["used"]), int(session["limit"])
    waiting = f" +{session['waiting']}" if session["waiting"] else ""
    style = "alarm" if session["paused_until"] > row["now"] else "warn" if used > 0.8 * limit or waiting else ""
    return Cell(f"{used}/{limit}{waiting}", style)


def _rules(row: Row) -> Cell:
    rules = row["rules"]
    if rules["fetched_at"] is None:
        return Cell("fetching …" if rules["fetching"] else "never", "warn")
    return Cell(
        f"{rules['symbols']} · {cells.age(rules['fetched_at'], row['now']).text}", "warn" if rules["error"] else ""
    )


def _next(row: Row) -> Cell:
    at = row["rules"]["next_at"]
    return Cell(cells.DASH, "dim") if at is None else Cell(cells.span((at - row["now"]) / 1e9), "dim")


def _error(row: Row) -> Cell:
    if row["code"]:
        return Cell(f"{row['code']}: {row['reason']}", "alarm")
    calls = row["calls"]
    if not calls["last_error"]:
        return Cell("none", "dim")
    return Cell(f"{cells.age(calls['last_error_at'], row['now']).text} ago {calls['last_error']}", "warn")


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    column("account", "Account", 10, lambda row: Cell(row["account"], "strong"), fixed=True),
    column("venue", "Venue", 9, lambda row: Cell(row["venue"]), need=4),
    column("net", "Net", 5, _net, help="live, paper, or the venue's test network"),
    column("status", "Connection", 14, status_of),
    column("last", "Last ms", 7, lambda row: _ms(row["calls"]["last_ms"]), align=_RIGHT, need=3),
    column("median", "Median", 6, lambda row: _ms(row["calls"]["median_ms"]), align=_RIGHT, need=1, help="ms a call"),
    column("clock", "Clock ms", 8, _clock, align=_RIGHT, need=2, help="how far the venue's clock is ahead of ours"),
    column("rate", "API calls", 10, _rate, align=_RIGHT, help="used of the window's limit, and how many wait"),
    column("breaker", "Breaker", 9, lambda row: Cell((row["session"] or {}).get("breaker", cells.DASH), "dim"), need=6),
    column("rules", "Precision", 12, _rules, need=2, help="markets whose rules are known, and since when"),
    column("next", "Next", 6, _next, need=5, help="until the rules are fetched again"),
    column("error", "Last error", 16, _error, stretch=80),
)
"""Every column of an account's venue."""
