"""Traces: open the chain of causes of an order, a signal or a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.commands.finding import group_choices
from tui.seat import Argument, Choice, Command, Seat

__all__ = ["COMMANDS"]


async def _trace(seat: Seat, given: tuple[str, ...]) -> None:
    ident = given[0].strip() if given else ""
    ident = _entry_of(seat, ident, given[1]) if len(given) > 1 else ident
    if ident in ("", "-"):
        seat.say("this line names no group, order or signal to trace [NotFound]", "warn")
        return
    here = seat.panel().ident
    seat.open_panel("trace").show(ident, here)


def _entry_of(seat: Seat, group_id: str, leg_id: str) -> str:
    """Return the order that filled a leg of the opened group; the group when it had none, or no leg is meant."""
    found = seat.state.get("group")
    legs = found["group"]["legs"] if found is not None and found["group"]["group_id"] == group_id else ()
    return next((str(leg["entry_order"]) for leg in legs if leg["leg_id"] == leg_id and leg["entry_order"]), group_id)


async def _ask(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    seat.open_command_line("trace ")


async def _log(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the log with what is said about an id."""
    logs = seat.open_panel("logs")
    logs.clear_filters()
    ident = given[0] if given else ""
    logs.set_filter("group" if ident.startswith("g") else "text", ident)


def _ids(seat: Seat) -> Sequence[Choice]:
    """Offer the open groups, and every id that the log on screen names."""
    found = dict.fromkeys(
        row[name]
        for row in seat.state.rows("log", "events")
        for name in ("signal_id", "client_order_id", "group_id")
        if row[name]
    )
    return [*group_choices(seat), *(Choice(each) for each in found)]


COMMANDS: Final = (
    Command(
        name="trace",
        help="Show what led to what around a group, an order or a signal, with times",
        run=_trace,
        arguments=(Argument("id", _ids),),
    ),
    Command(name="ask-trace", help="Write what is to be traced", run=_ask),
    Command(name="trace-log", help="Open the log of what is traced", run=_log, arguments=(Argument("id", _ids),)),
)
"""Commands of traces."""
