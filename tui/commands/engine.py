"""The engine as a whole: stop entries, allow them again (EX-1611)."""

from __future__ import annotations

from typing import Final

from tui.seat import Argument, Command, Question, Seat, Sent

__all__ = ["COMMANDS"]


async def _pause(seat: Seat, given: tuple[str, ...]) -> None:
    body = {"reason": given[0] if given else "from the cockpit"}
    question = Question(
        "Stop new entries?",
        (("entries", "refused or queued until resume"), ("exits", "targets, stops and cancels go on")),
        "It survives a restart of the daemon.",
        danger=False,
    )
    if await seat.confirm(question):
        await seat.send(Sent("/v1/pause", body, lambda _: "entries are stopped; exits go on"))


async def _resume(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    waiting = sum(len(each["entries"]) for each in seat.state.rows("queue", "queues"))
    effects = (("entries", "taken again"), ("queue", f"{waiting} waiting may enter as slots allow"))
    if await seat.confirm(Question("Allow entries again?", effects, danger=False)):
        await seat.send(Sent("/v1/resume", {}, lambda _: "entries are allowed"))


async def _toggle(seat: Seat, given: tuple[str, ...]) -> None:
    status = seat.state.get("status") or {}
    running = status.get("engine", {}).get("status") == "running"
    await (_pause if running else _resume)(seat, given)


COMMANDS: Final = (
    Command(
        name="pause",
        help="Stop new entries; exits go on",
        run=_pause,
        arguments=(Argument("reason", required=False),),
        writes=True,
        always=True,
    ),
    Command(name="resume", help="Allow entries again", run=_resume, writes=True),
    Command(name="toggle", help="Pause when it runs, resume when it is paused", run=_toggle, writes=True, always=True),
)
"""Commands of the engine."""
