"""How a group, its history and the preview of a change look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from protocol.groups.naming import leg_name, scope_name
from service.cli.group_list import money, plain
from service.cli.output import table
from service.cli.views import instant

__all__ = ["group_view", "held_text", "history_view", "named", "preview_view"]

_WORDS = {
    "cancel": "cancel",
    "place": "place",
    "defer": "watch instead",
    "watch": "watch from now on",
    "unwatch": "watch no longer",
    "end_layer": "end layer",
    "close": "close",
    "state": "group becomes",
}


def preview_view(shown: Mapping[str, Any]) -> RenderableType:
    """Return what a change leads to, in order."""
    parts: list[RenderableType] = [Text(line) for line in shown.get("summary", ())]
    if "at_venue" in shown:
        held = f"the account holds {shown['at_venue']}, our groups count on {shown['in_groups']}"
        parts.append(Text(held))
    rows = [_effect(effect) for effect in shown["effects"]]
    parts.append(table(("step", "what", "quantity", "price", "when"), rows) if rows else Text("no order changes"))
    parts += [Text(f"note: {note}", style="yellow") for note in shown.get("notes", ())]
    return Group(*parts)


def _effect(effect: Mapping[str, Any]) -> Sequence[str]:
    what = " ".join(filter(None, (effect["purpose"], leg_name(effect["leg_id"]), effect["side"], effect["order_type"])))
    said = " ".join(filter(None, (what, effect["code"], effect["text"])))
    when = "after the cancels" if effect["after_cancel"] else "at once"
    return _WORDS[effect["step"]], said, _text(effect["qty"]), _text(effect["price"]), when


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def history_view(entries: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return the versions of a group, oldest first."""
    rows = [
        (_text(entry["version"]), instant(entry["at"]), entry["by"], "\n".join(entry["changes"])) for entry in entries
    ]
    return table(("version", "when", "by", "what"), rows, right=("version",))


def named(group: Mapping[str, Any]) -> str:
    """Return who a group is, in words."""
    return f"{group['side']} {group['symbol']} {group['timeframe']} on {group['account']}"


def held_text(group: Mapping[str, Any]) -> str:
    """Return what a group holds."""
    return f"open {group['open_qty']} at {plain(group['avg_entry'])}"


def group_view(found: Mapping[str, Any], live: Mapping[str, Any] | None = None) -> RenderableType:
    """Return a group whole; ``live`` is its line in the list of open groups, which knows the price."""
    group, pnl = found["group"], found["pnl"]
    config = group["config"]
    head = f"{group['group_id']} {named(group)}: {group['state']}, version {group['version']}"
    settings = (
        f"take profit {config['tp_mode']}, aggregate {config['tp_aggregate_percent']} %, "
        f"stop {group['stop_price'] or 'none'}, target {group['target_price'] or 'none'}, "
        f"pyramids {len(group['pyramids'])} of {config['max_pyramids_per_group']}, "
        f"when flat {config['when_flat_with_pending']}, on recovery {config['on_recovery']}"
    )
    held = f"{held_text(group)}, realised {group['realized_quote']} before fees"
    if live is not None and live["mark"] is not None:
        held += f"; at {plain(live['mark'])} {money(live['unrealized_quote'])} unrealised"
    parts: list[RenderableType] = [Text(head, style="bold"), Text(settings), Text(held)]
    if found["venue"]["text"]:
        parts.append(Text(_venue_text(found["venue"]), style="bold red"))
    if group.get("frozen"):
        parts.append(Text(f"frozen: {group['frozen']}", style="bold red"))
    parts += [
        _legs(group["legs"]),
        _orders(group["orders"]),
        _watches(group["watches"]),
        _closes(group["closes"], group["superseded"]),
    ]
    for name in ("by_pyramid", "by_leg", "by_reason"):
        rows = [
            (leg_name(line["name"]), line["qty"], line["realized_quote"], _fees(line["fees"])) for line in pnl[name]
        ]
        if rows:
            parts.append(
                table(
                    (name.replace("_", " "), "closed", "realised", "fees"), rows, right=("closed", "realised", "fees")
                )
            )
    return Group(*parts)


def _venue_text(venue: Mapping[str, Any]) -> str:
    """Return how a venue that cannot be traded at present stands, and what that means for its groups."""
    why = f" ({venue['reason'] or venue['code']})" if venue["reason"] or venue["code"] else ""
    return f"{venue['text']}{why}: the group keeps its state, exits are made once it is back; see bulkhead venue"


def _legs(legs: Iterable[Mapping[str, Any]]) -> RenderableType:
    columns = ("leg", "state", "price", "quantity", "open", "average", "target %")
    rows = [
        (
            leg_name(leg["leg_id"]),
            leg["state"],
            leg["price"],
            leg["qty"],
            leg["open_qty"],
            plain(leg["avg_fill"]),
            leg["tp_percent"],
        )
        for leg in legs
    ]
    return table(columns, rows, right=columns[2:])


def _orders(orders: Iterable[Mapping[str, Any]]) -> RenderableType:
    rows = [
        (
            order["purpose"],
            leg_name(order["leg_id"]) or scope_name(order["scope"]),
            order["request"]["side"],
            order["request"]["qty"],
            order["request"]["price"] or "market",
            order["state"] + (", cancel asked" if order["cancel_wanted"] else ""),
        )
        for order in orders
    ]
    return (
        table(("order", "for", "side", "quantity", "price", "state"), rows, right=("quantity", "price"))
        if rows
        else Text("no orders at work")
    )


def _watches(watches: Iterable[Mapping[str, Any]]) -> RenderableType:
    rows = [
        (
            watch["reason"],
            scope_name(watch["scope"]),
            ("at or above " if watch["above"] else "at or below ") + watch["price"],
        )
        for watch in watches
    ]
    return table(("watched", "for", "price"), rows) if rows else Text("no watched prices")


def _closes(closes: Iterable[Mapping[str, Any]], late: Iterable[Mapping[str, Any]]) -> RenderableType:
    rows = [(close["reason"], scope_name(close["scope"]), "running", "") for close in closes]
    rows += [(each["trigger"], scope_name(each["scope"]), "too late", instant(each["at"])) for each in late]
    return table(("close", "of", "is", "when"), rows) if rows else Text("no closes")


def _fees(fees: Mapping[str, Any]) -> str:
    return ", ".join(f"{plain(amount)} {currency}" for currency, amount in fees.items()) or "none"
