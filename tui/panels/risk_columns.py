"""The columns of losing groups and of decision records (EX-1615, EX-1616)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.commands.risk import plan_in_words
from tui.grid import Align, Column, Row
from tui.panels.position_columns import side_cell

__all__ = ["DECISIONS", "LOSERS", "said_of"]


def _loss(name: str) -> Any:
    return lambda row: cells.signed(row[name])


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
    why = row["left_out"] or next(iter(row["reasons"]), "")
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
    Column(
        name="pair",
        title="Pair",
        width=10,
        stretch=6,
        fixed=True,
        cell=lambda r: Cell(r["symbol"], "strong"),
        value=lambda r: r["symbol"],
    ),
    Column(
        name="tf", title="TF", width=3, fixed=True, cell=lambda r: Cell(r["timeframe"]), value=lambda r: r["timeframe"]
    ),
    Column(name="side", title="Side", width=7, need=5, cell=lambda r: side_cell(r["side"]), value=lambda r: r["side"]),
    Column(
        name="account",
        title="Account",
        width=8,
        need=6,
        cell=lambda r: Cell(r["account"]),
        value=lambda r: r["account"],
    ),
    Column(
        name="percent",
        title="Loss %",
        width=7,
        align=_RIGHT,
        cell=_loss("loss_percent"),
        value=lambda r: cells.number(r["loss_percent"]),
    ),
    Column(
        name="loss",
        title="Loss USD",
        width=10,
        align=_RIGHT,
        cell=_loss("loss_usd"),
        value=lambda r: cells.number(r["loss_usd"]),
    ),
    Column(name="timer", title="Timer", width=11, align=_RIGHT, cell=_timer, value=_timer_value, help="remaining"),
    Column(
        name="pyramids",
        title="Pyramids",
        width=8,
        need=1,
        cell=_pyramids,
        value=lambda r: (r["pyramids_ok"], r["received"]),
        help="reached, received / required",
    ),
    Column(name="age", title="Age ok", width=8, need=4, cell=_age, value=lambda r: r["age_minutes"]),
    Column(
        name="winners",
        title="Wins",
        width=4,
        need=3,
        align=_RIGHT,
        cell=lambda r: Cell(str(r["winners"])),
        value=lambda r: r["winners"],
        help="winners that could pay",
    ),
    Column(
        name="able",
        title="Able USD",
        width=10,
        need=3,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["winners_usd"]),
        value=lambda r: cells.number(r["winners_usd"]),
        help="what winners could pay",
    ),
    Column(name="plan", title="Plan", width=18, need=7, stretch=8, cell=_plan_cell, value=lambda r: _plan_cell(r).text),
    Column(
        name="reason",
        title="Waits for",
        width=15,
        stretch=12,
        cell=_reason,
        value=lambda r: _reason(r).text,
        help="first reason that fails",
    ),
    Column(
        name="id",
        title="Id",
        width=14,
        optional=True,
        cell=lambda r: Cell(r["group_id"]),
        value=lambda r: r["group_id"],
    ),
)
"""Every column of a losing group."""


def said_of(decision: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a decision in words: the plan, or for each losing group the first reason against it."""
    if decision["plan"]:
        said = f"{decision['plan']['loser']}: {plan_in_words(decision['plan'])}"
    else:
        found = [f"{group} {cells.words(next(iter(why), 'eligible'))}" for group, why in decision["reasons"].items()]
        found += [f"{group} {cells.words(code)}" for group, code in decision["left_out"].items()]
        said = ", ".join(found) or "no group loses"
    for ident, row in groups.items():
        if ident in said:
            said = said.replace(ident, f"{row['symbol']} {row['timeframe']}")
    return said


def _outcome(row: Row) -> Cell:
    text = f"{row['outcome']} {row['code']}".strip()
    return Cell(
        cells.words(text) if text else cells.DASH, "dim" if not text else "gain" if row["outcome"] == "done" else "warn"
    )


DECISIONS: Final = (
    Column(
        name="at",
        title="Time",
        width=14,
        fixed=True,
        cell=lambda r: Cell(cells.day_time(r["last_at"]), "dim"),
        value=lambda r: r["last_at"],
    ),
    Column(
        name="trigger",
        title="Why",
        width=9,
        cell=lambda r: Cell(cells.words(r["trigger"])),
        value=lambda r: r["trigger"],
    ),
    Column(
        name="times",
        title="n",
        width=4,
        need=2,
        align=_RIGHT,
        cell=lambda r: Cell(str(r["repeats"] + 1), "dim"),
        value=lambda r: r["repeats"],
        help="times it came out the same",
    ),
    Column(
        name="decision",
        title="Decision",
        width=28,
        stretch=120,
        cell=lambda r: Cell(r["said"]),
        value=lambda r: r["said"],
    ),
    Column(
        name="booked",
        title="Booked",
        width=9,
        need=1,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["booked_usd"]),
        value=lambda r: cells.number(r["booked_usd"]),
    ),
    Column(name="outcome", title="Outcome", width=12, cell=_outcome, value=lambda r: r["outcome"]),
)
"""Every column of a decision record."""
