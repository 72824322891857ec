"""Venues: connect again, fetch trading rules, compare the books, allow entries (EX-1623)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from tui.connection import TEST_S, outcome_of, steps_of
from tui.seat import Argument, Choice, Command, Question, Seat, Sent

__all__ = ["COMMANDS", "account_choices"]

_LONG_S: Final = 75.0


def account_choices(seat: Seat) -> Sequence[Choice]:
    """Return the accounts there are."""
    status = seat.state.get("status") or {}
    return [Choice(each["account"], each["status"]) for each in status.get("venues", ())]


def _account(seat: Seat, given: tuple[str, ...]) -> str:
    """Return the account that is meant; the only one when none is named; empty when that is said to be wrong."""
    known = [choice.value for choice in account_choices(seat)]
    wanted = given[0] if given else known[0] if len(known) == 1 else ""
    if wanted not in known:
        seat.say(f"there is no account {wanted}; there are {', '.join(known)} [NotFound]", "warn")
        return ""
    return wanted


async def _reconnect(seat: Seat, given: tuple[str, ...]) -> None:
    if not (account := _account(seat, given)):
        return
    path = f"/venues/{account}/session"
    actors = seat.state.rows("actors", "actors")
    shut = any(each["path"] == path and each["state"] == "quarantined" for each in actors)
    effects = (
        ("account", account),
        ("effect", "it is let out of quarantine and connects" if shut else "its session ends and connects anew"),
        ("orders", "stay at the venue; what happened meanwhile is compared"),
    )
    if await seat.confirm(Question("Connect again?", effects, danger=False)):
        address, done = "/v1/release" if shut else "/v1/restart", f"{account} connects anew"
        heard = partial(_compared, account)
        await seat.send(Sent(address, {"path": path}, lambda _: done, timeout_s=_LONG_S, heard=heard))


async def _precision(seat: Seat, given: tuple[str, ...]) -> None:
    if account := _account(seat, given):
        seat.say(f"fetching the rules of {account} …", "dim")
        sent = Sent("/v1/venues/refresh", {"account": account}, _fetched, timeout_s=_LONG_S)
        await seat.send(sent)


def _fetched(said: dict[str, Any]) -> str:
    return f"rules of {said['symbols']} markets of {said['account']} were fetched"


async def _reconcile(seat: Seat, given: tuple[str, ...]) -> None:
    if account := _account(seat, given):
        done = f"{account} compares its books now"
        await seat.send(
            Sent("/v1/venues/reconcile", {"account": account}, lambda _: done, heard=partial(_compared, account))
        )


def _compared(account: str, item: Mapping[str, Any]) -> bool:
    """Tell whether an event is the end of a comparison of an account's books, or a difference in it."""
    return item.get("type") in ("Reconciled", "DifferenceFound") and item["event"].get("account") == account


async def _allow(seat: Seat, given: tuple[str, ...]) -> None:
    if not (account := _account(seat, given)):
        return
    effects = (("account", account), ("effect", "entries leave again; first stop the other engine"))
    if await seat.confirm(Question("Allow this account's entries again?", effects)):
        await seat.send(
            Sent("/v1/venues/allow-entries", {"account": account}, lambda _: f"entries of {account} are allowed")
        )


async def _test(seat: Seat, given: tuple[str, ...]) -> None:
    """Try to reach an account beside its running session, and show how each step went."""
    if not (account := _account(seat, given)):
        return
    drafted = (seat.state.get("config") or {}).get("draft") is not None
    seat.say(f"testing {account} …", "accent")
    body = {"account": account, "draft": drafted}
    found = await seat.send(Sent("/v1/venues/test", body, outcome_of, timeout_s=TEST_S))
    if found is not None:
        seat.show_page(f"Connection of {account}", steps_of(found))


async def _ask_restart(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    seat.open_command_line("restart ")


_ACCOUNT: Final = Argument("account", account_choices, required=False)

COMMANDS: Final = (
    Command(
        name="reconnect",
        help="End a venue's session and connect anew",
        run=_reconnect,
        arguments=(_ACCOUNT,),
        writes=True,
    ),
    Command(
        name="precision",
        help="Fetch the trading rules of a venue now",
        run=_precision,
        arguments=(_ACCOUNT,),
        writes=True,
    ),
    Command(
        name="reconcile",
        help="Compare the books with the venue now",
        run=_reconcile,
        arguments=(_ACCOUNT,),
        writes=True,
    ),
    Command(
        name="allow-entries",
        help="Let entries leave again that another engine had stopped",
        run=_allow,
        arguments=(_ACCOUNT,),
        writes=True,
    ),
    Command(
        name="test-connection",
        help="Try to reach a venue and log in, beside its running session",
        run=_test,
        arguments=(_ACCOUNT,),
        writes=True,
    ),
    Command(name="ask-restart", help="Write which actor is restarted", run=_ask_restart),
)
"""Commands of venues."""
