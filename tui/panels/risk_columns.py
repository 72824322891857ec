"""The columns of losing groups and of decision records (EX-1615, EX-1616)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.commands.risk import plan_in_words
from tui.grid import Align, Row
from tui.panels.columns import PAIR, TIMEFRAME, account, column, instant, number, side, text

__all__ = ["DECISIONS", "LEFT_OUT", "LOSERS", "said_of"]

LEFT_OUT: Final = {"StaleMark": "no fresh price", "QuoteRateMissing": "no USD rate"}
"""Why a group has no place among those that lose, in words."""


def _timer(row: Row) -> Cell:
    if row["timer"] == "running":
        return Cell(cells.timer(row["remaining_s"]))
    return Cell(cells.words(row["timer"]), "warn" if row["timer"] == "expired" else "dim")


def _timer_value(row: Row) -> float | None:
    return {"expired": -1.0, "running": row["remaining_s"]}.get(row["timer"])


def _pyramids(row: Row) -> Cell:
    return Cell(
        f"{'yes' if row['pyramids_ok'] else 'no '} {row['received']}/{row['required']}",
        "" if row["pyramids_ok"] else "dim",
    )


def _age(row: Row) -> Cell:
    if row["age_ok"] is None:
        return Cell("off", "dim")
    minutes = cells.DASH if row["age_minutes"] is None else f"{row['age_minutes']}m"
    return Cell(f"{'yes' if row['age_ok'] else 'no '} {minutes}", "" if row["age_ok"] else "dim")


def _reason(row: Row) -> Cell:
    if row["blocked"]:
        return Cell("B blocked", "warn")
    if row["skip_once"]:
        return Cell("S skip once", "warn")
    if row["left_out"]:
        return Cell(LEFT_OUT.get(row["left_out"], cells.words(row["left_out"])), "warn")
    why = next(iter(row["reasons"]), "")
    return Cell(cells.words(why), "dim") if why else Cell("● ready", "gain")


def _plan_cell(row: Row) -> Cell:
    plan = row["plan"]
    if plan is None:
        return Cell(cells.DASH, "dim")
    if plan["status"] == "not_executable":
        return Cell(cells.words(plan["reason"]), "dim")
    return Cell(f"{len(plan['winners'])} pay, net {cells.signed(plan['net_usd']).text}", "accent")


_RIGHT: Final = Align.RIGHT

LOSERS: Final = (
    PAIR,
    TIMEFRAME,
    side(need=5),
    account(),
    number("percent", "Loss %", 7, cells.signed, field="loss_percent"),
    number("loss", "Loss USD", 10, cells.signed, field="loss_usd"),
    column("timer", "Timer", 11, _timer, _timer_value, align=_RIGHT, help="remaining"),
    column(
        "pyramids",
        "Pyramids",
        8,
        _pyramids,
        lambda row: (row["pyramids_ok"], row["received"]),
        need=1,
        help="reached, received / required",
    ),
    column("age", "Age ok", 9, _age, lambda row: row["age_minutes"], need=4, help="older than required, minutes"),
    number("winners", "Wins", 4, need=3, help="winners that could pay"),
    number("able", "Able USD", 10, cells.signed, field="winners_usd", need=3, help="what winners could pay"),
    column("plan", "Plan", 18, _plan_cell, need=7, stretch=8),
    column("reason", "Waits for", 15, _reason, stretch=12, help="first reason that fails"),
    text("id", "Id", 14, field="group_id", optional=True),
)
"""Every column of a losing group."""


def said_of(decision: Mapping[str, Any]) -> str:
    """Return a decision in words: the plan, or for each losing group the first reason against it."""
    names = decision["named"]
    if decision["plan"]:
        loser = names.get(decision["plan"]["loser"]) or decision["plan"]["loser"]
        return f"{loser}: {plan_in_words(decision['plan'], names)}"
    found = [
        f"{names.get(group) or group} {cells.words(next(iter(why), 'eligible'))}"
        for group, why in decision["reasons"].items()
    ]
    found += [f"{names.get(group) or group} {LEFT_OUT.get(code, code)}" for group, code in decision["left_out"].items()]
    return ", ".join(found) or "no group loses"


def _outcome(row: Row) -> Cell:
    said = f"{row['outcome']} {row['code']}".strip()
    return Cell(cells.words(said), "dim" if not said else "gain" if row["outcome"] == "done" else "warn")


def _booked(row: Row) -> Cell:
    return cells.signed(row["booked_usd"]) if row["plan_id"] else Cell(cells.DASH, "dim")


DECISIONS: Final = (
    instant("at", "Time", field="last_at", fixed=True),
    text("trigger", "Why", 9, shown=cells.words),
    column(
        "times",
        "n",
        4,
        lambda row: Cell(str(row["repeats"] + 1), "dim"),
        lambda row: row["repeats"],
        need=2,
        align=_RIGHT,
        help="times it came out the same",
    ),
    column("decision", "Decision", 28, lambda row: Cell(row["said"]), stretch=120),
    column("booked", "Booked", 9, _booked, lambda row: cells.number(row["booked_usd"]), need=1, align=_RIGHT),
    column("outcome", "Outcome", 12, _outcome, lambda row: row["outcome"]),
    text("account", "Account", 8, optional=True),
    text("id", "Id", 8, field="decision_id", optional=True),
)
"""Every column of a decision record."""
