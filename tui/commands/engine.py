"""Stop entries and allow them again: of the engine as a whole, or of one account (EX-1611)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui.seat import Argument, Choice, Command, Question, Seat, Sent

__all__ = ["COMMANDS"]


async def _pause(seat: Seat, given: tuple[str, ...]) -> None:
    body = {"reason": given[0] if given else "from the cockpit"}
    question = Question(
        "Stop new entries?",
        (
            ("accounts", f"all of them: {', '.join(each.value for each in _accounts(seat))}"),
            ("entries", "refused until resume; what waits stays in the queue"),
            ("exits", "targets, stops and cancels go on"),
        ),
        "It survives a restart of the daemon.",
        danger=False,
    )
    if await seat.confirm(question):
        await seat.send(Sent("/v1/pause", body, lambda _: "entries are stopped; exits go on"))


async def _resume(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    waiting = sum(len(each["entries"]) for each in seat.state.rows("queue", "queues"))
    effects = [("entries", "taken again"), ("queue", f"{waiting} waiting may enter as slots allow")]
    effects += [("but not of", f"{each['account']}, held by itself: {each['why']}") for each in _held(seat)]
    if await seat.confirm(Question("Allow entries again?", tuple(effects), danger=False)):
        await seat.send(Sent("/v1/resume", {}, _resumed))


def _resumed(said: Any) -> str:
    if said["status"] == "running":
        return "entries are allowed"
    return f"the engine is in {said['status']}, entries wait: {said['reason']}"


def _held(seat: Seat) -> Sequence[Mapping[str, Any]]:
    held: Sequence[Mapping[str, Any]] = (seat.state.get("status") or {}).get("engine", {}).get("held", ())
    return held


def _accounts(seat: Seat) -> Sequence[Choice]:
    status = seat.state.get("status") or {}
    held = {each["account"]: each["why"] for each in _held(seat)}
    return [Choice(name, held.get(name, "")) for name in status.get("accounts", ())]


async def _pause_account(seat: Seat, given: tuple[str, ...]) -> None:
    account, reason = given[0], given[1] if len(given) > 1 else "from the cockpit"
    question = Question(
        f"Stop new entries of {account}?",
        (("entries", "refused until this account is resumed"), ("exits", "targets, stops and cancels go on")),
        "It survives a restart of the daemon, and resuming the engine does not end it.",
        danger=False,
    )
    if await seat.confirm(question):
        body = {"reason": reason, "account": account}
        await seat.send(Sent("/v1/pause", body, lambda _: f"entries of {account} are stopped; exits go on"))


async def _resume_account(seat: Seat, given: tuple[str, ...]) -> None:
    question = Question(f"Allow entries of {given[0]} again?", (("pause", "of this account is over"),), danger=False)
    if await seat.confirm(question):
        await seat.send(Sent("/v1/resume", {"account": given[0]}, _account_resumed))


def _account_resumed(said: Any) -> str:
    if said["status"] == "running":
        return f"entries of {said['account']} are allowed"
    return f"the pause of {said['account']} is over; its entries still wait: {said['reason']}"


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
    Command(
        name="pause-account",
        help="Stop new entries of one account; exits go on",
        run=_pause_account,
        arguments=(Argument("account", _accounts), Argument("reason", required=False)),
        writes=True,
        always=True,
    ),
    Command(
        name="resume-account",
        help="End the pause of one account",
        run=_resume_account,
        arguments=(Argument("account", _accounts),),
        writes=True,
    ),
    Command(name="toggle", help="Pause when it runs, resume when it is paused", run=_toggle, writes=True, always=True),
)
"""Commands of the engine."""
