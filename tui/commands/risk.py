"""The loss offset: run it, leave groups out of it (EX-1616)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tui import cells
from tui.commands.finding import group_choices, group_names, group_of, worth_of
from tui.seat import Argument, Command, Question, Seat, Sent

__all__ = ["COMMANDS", "plan_in_words"]

_LONG_S: Final = 30.0

_CONDITIONS: Final = {
    "pyramids_incomplete": "not all required pyramids have come in",
    "timer_not_started": "its timer has not started",
    "timer_running": "its timer still runs",
    "loss_too_small": "its loss is above the threshold",
    "too_young": "it is too young",
    "skip_once": "it is to be skipped once",
}


def plan_in_words(plan: Mapping[str, Any] | None, names: Mapping[str, str]) -> str:
    """Return a plan as a sentence: winners with quantity and USD, loser and quantity, net; ``names`` are by group."""
    if plan is None:
        return "no plan"
    if plan["status"] == "not_executable":
        return f"nothing: {cells.words(plan['reason'])}"
    payers = ", ".join(
        f"{_size(each['full'], each['qty'])} of {names.get(each['group_id']) or each['group_id']} "
        f"{cells.signed(each['profit_usd']).text}"
        for each in plan["winners"]
    )
    loser = f"{_size(plan['loser_full'], plan['loser_close_qty'])} of {names.get(plan['loser']) or plan['loser']}"
    return f"close {payers}; then {loser}; net {cells.signed(plan['net_usd']).text} USD"


def _size(full: bool, qty: Any) -> str:
    return "all" if full else cells.amount(qty).text


async def _run_now(seat: Seat, given: tuple[str, ...]) -> None:
    """Check what a run would do, ask with that, and do it."""
    ident = ""
    if given:
        row = group_of(seat, given[0])
        if row is None:
            return
        ident = str(row["group_id"])
    address, body = "/v1/risk/run-now", {"group": ident}
    checked = await seat.send(Sent(address, {**body, "check": True}, lambda _: "", ident))
    if checked is None:
        return
    planned = [run for run in checked["runs"] if run["plan"] and run["plan"]["winners"]]
    names = group_names(seat)
    if not planned:
        why = next(
            (plan_in_words(run["plan"], names) for run in checked["runs"] if run["plan"]),
            "no group is to be offset now",
        )
        seat.say(f"run now: {why}", "warn")
        return
    effects = [effect for run in planned for effect in _effects(seat, run)]
    if await seat.confirm(Question("Offset the loss now?", effects)):
        await seat.send(Sent(address, body, partial(_said, names), ident, _LONG_S))


def _effects(seat: Seat, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    plan, rows = run["plan"], {row["group_id"]: row for row in seat.state.rows("groups", "groups")}
    found = [("close", _closing(rows.get(plan["loser"]), plan["loser"], plan["loser_close_qty"], "the loser"))]
    for each in plan["winners"]:
        gain = f"{cells.signed(each['profit_usd']).text} USD"
        found.append(("close", _closing(rows.get(each["group_id"]), each["group_id"], each["qty"], gain)))
    found.append(("net", f"{cells.signed(plan['net_usd']).text} USD"))
    if run["skipped"]:
        found.append(("passed over", "; ".join(_CONDITIONS.get(each, each) for each in run["skipped"])))
    return found


def _closing(row: Mapping[str, Any] | None, ident: str, qty: Any, what: str) -> str:
    """Return what of a group a plan closes: pair, quantity, estimated USD (EX-1603)."""
    if row is None:
        return f"{cells.amount(qty).text} of {ident}, {what}"
    size = f"{cells.amount(qty).text} {row['base']} {worth_of(qty, row)}"
    return f"{row['side']} {row['symbol']} {row['timeframe']} on {row['account']}: {size}, {what}"


def _said(names: Mapping[str, str], done: Mapping[str, Any]) -> str:
    begun = [run for run in done["runs"] if run["plan_id"]]
    if not begun:
        return "nothing was begun"
    return "; ".join(f"plan {run['plan_id']} has begun: {plan_in_words(run['plan'], names)}" for run in begun)


async def _flag(seat: Seat, given: tuple[str, ...], *, address: str, said: str, question: str) -> None:
    row = group_of(seat, given[0] if given else "")
    if row is None:
        return
    ident = str(row["group_id"])
    effects = (("pair", f"{row['side']} {row['symbol']} {row['timeframe']} on {row['account']}"), ("group", ident))
    if question and not await seat.confirm(Question(question, effects, danger=False)):
        return
    await seat.send(
        Sent(f"/v1/risk/{address}", {"group": ident}, lambda _: f"{row['symbol']} {row['timeframe']} {said}", ident)
    )


_GROUP: Final = Argument("group", group_choices)


async def _older(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    """Show decisions that were made before those on screen."""
    panel = seat.open_panel("risk")
    if not panel.before:
        seat.say("there are no older decisions", "dim")
        return
    found = await seat.ask("/v1/risk/decisions", limit=200, before=panel.before, **seat.state.narrowed("decisions"))
    if found is not None:
        panel.add_older(found)
        seat.say(f"{len(found['decisions'])} older decisions", "dim")


COMMANDS: Final = (
    Command(name="older-decisions", help="Show older decisions of the loss offset", run=_older),
    Command(
        name="run-now",
        help="Run the loss offset now, for one group or with the normal rules for all",
        run=_run_now,
        arguments=(Argument("group", group_choices, required=False),),
        writes=True,
    ),
    Command(
        name="skip-once",
        help="Leave a group out of the next offset",
        run=partial(_flag, address="skip-once", said="will be skipped once", question=""),
        arguments=(_GROUP,),
        writes=True,
    ),
    Command(
        name="block",
        help="Exempt a group from the loss offset, as loser and as winner",
        run=partial(_flag, address="block", said="is blocked", question="Exempt this group from the loss offset?"),
        arguments=(_GROUP,),
        writes=True,
    ),
    Command(
        name="unblock",
        help="End a group's exemption",
        run=partial(_flag, address="unblock", said="is not blocked", question="End this group's exemption?"),
        arguments=(_GROUP,),
        writes=True,
    ),
)
"""Commands of the loss offset."""
