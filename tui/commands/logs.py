"""The log of one group (EX-1614)."""

from __future__ import annotations

from typing import Final

from tui.commands.finding import group_choices
from tui.seat import Argument, Command, Seat, Sent

__all__ = ["COMMANDS"]


async def _group_log(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the logs with this group's lines; without a panel of logs the group itself, which has them too."""
    ident = given[0].split()[0] if given else ""
    logs = seat.open_panel("logs")
    if logs is not None:
        logs.search(ident)
        return
    positions = seat.open_panel("positions")
    positions.show_group(ident)


async def _ack(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    await seat.send(Sent("/v1/alerts/ack", {"all": True}, lambda _: "alerts are acknowledged"))


COMMANDS: Final = (
    Command(
        name="group-log", help="Open the log of a group", run=_group_log, arguments=(Argument("group", group_choices),)
    ),
    Command(name="ack", help="Acknowledge every alert as it stands", run=_ack, writes=True),
)
"""Commands of the log."""
