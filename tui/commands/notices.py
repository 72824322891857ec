"""Notifications: read, put away, open what one is about (DS-722)."""

from __future__ import annotations

from typing import Final

from tui.seat import Argument, Command, Seat, Sent

__all__ = ["COMMANDS"]


async def _dismiss(seat: Seat, given: tuple[str, ...]) -> None:
    seq = given[0] if given else ""
    if not seq.isdigit():
        seat.say("name a notification by its number [WrongType]", "warn")
        return
    await seat.send(Sent("/v1/notifications/dismiss", {"seqs": [int(seq)]}, lambda _: "put away"))


async def _dismiss_all(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    """Put away all that the list shows: what came since stays."""
    rows = seat.state.rows("notices", "notifications")
    if not rows:
        seat.say("there is nothing to put away", "dim")
        return
    body = {"through": max(int(each["seq"]) for each in rows)}
    await seat.send(Sent("/v1/notifications/dismiss-all", body, lambda _: f"{len(rows)} put away"))


async def _read(seat: Seat, given: tuple[str, ...]) -> None:
    await seat.send(Sent("/v1/notifications/read", {"through": int(given[0])}, lambda _: ""))


async def _open(seat: Seat, given: tuple[str, ...]) -> None:
    """Open what a notification is about: a group, or the trace of an order or signal."""
    rows = seat.state.rows("notices", "notifications")
    row = next((each for each in rows if given and str(each["seq"]) == given[0]), None)
    kind, _, ident = str(row["link"]).partition(":") if row is not None else ("", "", "")
    if kind == "group" and any(each["group_id"] == ident for each in seat.state.rows("groups", "groups")):
        seat.open_panel("positions").show_group(ident)
    elif kind == "actor":
        seat.run_text(f"actor {ident}")
    elif kind in ("group", "order", "signal") and ident:
        seat.run_text(f"trace {ident}")
    else:
        seat.say("this notification names nothing to open", "dim")


COMMANDS: Final = (
    Command(name="dismiss", help="Put a notification away", run=_dismiss, arguments=(Argument("number"),), writes=True),
    Command(name="dismiss-all", help="Put every notification away that the list shows", run=_dismiss_all, writes=True),
    Command(
        name="read-notices",
        help="Mark notifications as read up to a number",
        run=_read,
        arguments=(Argument("number"),),
    ),
    Command(name="open-notice", help="Open what a notification is about", run=_open, arguments=(Argument("number"),)),
)
"""Commands of notifications."""
