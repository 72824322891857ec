"""The waiting queue: let an entry in, over the limit if need be, or remove it (EX-1618)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from tui import cells
from tui.commands.finding import queue_choices, queued_of
from tui.commands.replays import would_place
from tui.link import part
from tui.seat import Argument, Command, Question, Seat, Sent

__all__ = ["COMMANDS"]

_DOES: Final = {
    "promote": ("Let it in out of turn?", "enters"),
    "force-add": ("Let it in over the limit?", "enters over the limit"),
    "remove": ("Remove it from the queue?", "is removed"),
}


async def _command(seat: Seat, given: tuple[str, ...], *, name: str) -> None:
    found = queued_of(seat, given[0] if given else "")
    if found is None:
        return
    report, entry = found
    title, done = _DOES[name]
    placed = await would_place(seat, entry["signal_id"], report["account"]) if name != "remove" else []
    effects = [
        ("pair", f"{entry['side']} {entry['symbol']} {entry['timeframe']} on {report['account']}"),
        ("entry price", f"{cells.price(entry['entry_price']).text}, now {cells.price(entry['current_price']).text}"),
        *placed,
        ("expected profit", f"{cells.signed(entry['expected_profit']).text} USD"),
        ("slots", f"{report['occupied']} of {report['maximum']} taken"),
    ]
    if name == "remove":
        effects.append(("signal", f"{entry['signal_id']} is not executed"))
    if not await seat.confirm(Question(title, effects, danger=name != "promote")):
        return
    ident = str(entry["queue_id"])

    def said(answered: Any) -> str:
        became = "" if name == "remove" else f": {cells.words(str(answered['outcome']).rpartition(':')[2])}"
        return f"{entry['symbol']} {ident} {done}{became}"

    body = {"account": report["account"], "request_id": ""}
    signal = entry["signal_id"]
    heard = lambda item: item.get("signal_id") == signal  # noqa: E731 - one expression, used once
    await seat.send(Sent(f"/v1/queue/{part(ident)}/{name}", body, said, heard=heard))


_ENTRY: Final = Argument("entry", queue_choices)

COMMANDS: Final = tuple(
    Command(name=name, help=text, run=partial(_command, name=name), arguments=(_ENTRY,), writes=True)
    for name, text in (
        ("promote", "Let one waiting entry in out of turn"),
        ("force-add", "Let one waiting entry in over the limit"),
        ("remove", "Delete one entry from the queue; its signal is not executed"),
    )
)
"""Commands of the queue."""
