"""The waiting queue: let an entry in, over the limit if need be, or remove it (EX-1618)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tui import cells
from tui.commands.finding import queue_choices, queued_of
from tui.link import part
from tui.seat import Argument, Command, Question, Seat, Sent

__all__ = ["COMMANDS"]

_LONG_S: Final = 20.0

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
    report_of = await _ladder(seat, report["account"], entry) if name != "remove" else []
    effects = [
        ("pair", f"{entry['side']} {entry['symbol']} {entry['timeframe']} on {report['account']}"),
        ("entry price", f"{cells.price(entry['entry_price']).text}, now {cells.price(entry['current_price']).text}"),
        *report_of,
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


async def _ladder(seat: Seat, account: str, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the entry would place as the daemon rehearses it now: quantities and their worth (EX-1603)."""
    address = f"/v1/signals/{part(str(entry['signal_id']))}/replay"
    said = await seat.send(Sent(address, {"mode": "dry"}, lambda _: "", timeout_s=_LONG_S))
    steps = said["steps"] if said is not None else ()
    details = next((each["details"] for each in steps if each["name"] in (f"{account} ladder", "ladder")), ())
    layers = [each.partition(": ")[2] for each in details if each.startswith("layer ")]
    worth = [each.removeprefix("notional ") for each in details if each.startswith("notional ")]
    placed = [("quantity", "; ".join(layers))] if layers else []
    return [*placed, *(("estimated", f"≈ {each}") for each in worth)]


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
