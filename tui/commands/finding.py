"""Find the group, queue entry or loser an operator means; offer those there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import cells
from tui.seat import Choice, Seat

__all__ = ["group_choices", "group_names", "group_of", "queue_choices", "queued_of", "worth_of"]


def group_choices(seat: Seat) -> Sequence[Choice]:
    """Return the open groups."""
    return [
        Choice(row["group_id"], f"{row['symbol']} {row['timeframe']} {row['side']}  {row['account']}")
        for row in seat.state.rows("groups", "groups")
    ]


def group_names(seat: Seat) -> Mapping[str, str]:
    """Return what each open group trades, by its id."""
    return {
        row["group_id"]: f"{row['symbol']} {row['timeframe']} {row['side']}"
        for row in seat.state.rows("groups", "groups")
    }


def queue_choices(seat: Seat) -> Sequence[Choice]:
    """Return the entries that wait."""
    return [
        Choice(entry["queue_id"], f"{entry['symbol']} {entry['timeframe']} {entry['side']}  {report['account']}")
        for report in seat.state.rows("queue", "queues")
        for entry in report["entries"]
    ]


def group_of(seat: Seat, given: str) -> Mapping[str, Any] | None:
    """Return the open group meant by an id or by what it trades; says why when it is none or several."""
    rows = seat.state.rows("groups", "groups")
    exact = next((row for row in rows if row["group_id"] == given), None)
    if exact is not None:
        return exact
    words = {word.replace("/", "").casefold() for word in given.split()}
    meant = [row for row in rows if words and words <= _names(row)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        known = ", ".join(
            f"{row['symbol']} {row['timeframe']} {row['account']} ({row['group_id']})" for row in meant[:4]
        )
        seat.say(f"{given} may be {known} [Usage]", "warn")
    else:
        seat.say(f"no open group is {given or 'named'} [NotFound]", "warn")
    return None


def _names(row: Mapping[str, Any]) -> set[str]:
    symbol = str(row["symbol"]).replace("/", "").casefold()
    return {
        symbol,
        symbol.partition(":")[0],
        str(row["base"]).casefold(),
        str(row["timeframe"]).casefold(),
        str(row["side"]),
        str(row["account"]),
    }


def queued_of(seat: Seat, given: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return (report of the account, entry) of a queue id, or of ``account:id``; says so when there is none."""
    account, _, ident = given.rpartition(":")
    for report in seat.state.rows("queue", "queues"):
        for entry in report["entries"]:
            if entry["queue_id"] == ident and account in ("", report["account"]):
                return report, entry
    seat.say(f"nothing waits as {given} [NotQueued]", "warn")
    return None


def worth_of(qty: Any, group: Mapping[str, Any]) -> str:
    """Return what a quantity of a group comes to in USD, in its quote currency while no rate is known (EX-1603)."""
    size, price, paid = (cells.number(each) for each in (qty, group["mark"], group["avg_entry"]))
    each = paid if price is None else price
    if size is None or each is None:
        return "unknown: no price"
    rate = cells.number(group["quote_usd"])
    worth = f"≈ {size * each:,.2f} {group['quote']}" if rate is None else f"≈ {size * each * rate:,.2f} USD"
    return f"{worth}{' at its entry: there is no newest price' if price is None else ''}"
