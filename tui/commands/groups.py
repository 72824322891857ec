"""Groups: close one or a leg of it, cancel what is unfilled (EX-1614)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from protocol.groups.naming import leg_id_of, leg_name
from tui import cells
from tui.commands.finding import group_choices, group_of, worth_of
from tui.link import part
from tui.seat import Argument, Choice, Command, Question, Seat, Sent

__all__ = ["COMMANDS"]


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['side']} {row['symbol']} {row['timeframe']} on {row['account']}"


async def _close(seat: Seat, given: tuple[str, ...]) -> None:
    row = group_of(seat, given[0] if given else "")
    if row is None:
        return
    unfilled = int(row["legs"]) - int(row["legs_filled"])
    result = cells.signed(row["unrealized_quote"]).text
    effects = (
        ("pair", _named(row)),
        ("quantity", f"{cells.amount(row['open_qty']).text} {row['base']} at the market"),
        ("estimated", worth_of(row["open_qty"], row)),
        ("result now", f"{result} {row['quote']} unrealized"),
        ("unfilled", f"{unfilled} layers are cancelled first"),
    )
    if await seat.confirm(Question("Close the whole group?", effects)):
        ident = str(row["group_id"])
        await seat.send(Sent(_at(ident, "close"), {}, lambda _: f"{_named(row)} is being closed", ident))


async def _close_leg(seat: Seat, given: tuple[str, ...]) -> None:
    group, written = _apart(" ".join(given))
    row = group_of(seat, group)
    if row is None or not written:
        if row is not None:
            seat.say("select a leg first: Enter, Tab; or type close-leg GROUP P0 DCA1 [MissingValue]", "warn")
        return
    ident, leg_id = str(row["group_id"]), leg_id_of(written)
    found = await seat.ask(f"/v1/group/{part(ident)}")
    if found is None:
        return
    leg = next((each for each in found["group"]["legs"] if each["leg_id"] == leg_id), None)
    if leg is None:
        known = ", ".join(leg_name(each["leg_id"]) for each in found["group"]["legs"])
        seat.say(f"the group has no leg {written}; it has {known} [NotFound]", "warn")
        return
    name = leg_name(leg_id)
    if not cells.number(leg["open_qty"]):
        seat.say(f"{row['symbol']} {name} holds nothing to close: it is {cells.words(leg['state'])}", "warn")
        return
    effects = (
        ("pair", _named(row)),
        ("leg", name),
        ("quantity", f"{cells.amount(leg['open_qty']).text} {row['base']} at the market"),
        ("estimated", worth_of(leg["open_qty"], row)),
    )
    if await seat.confirm(Question(f"Close {name}?", effects)):
        body = {"leg_id": leg_id}
        await seat.send(Sent(_at(ident, "close"), body, lambda _: f"{name} of {_named(row)} is being closed", ident))


def _apart(text: str) -> tuple[str, str]:
    """Return group and leg of what was typed (``btc 1h P0 DCA1``); the leg is empty when none is named."""
    words = text.split()
    for count in (2, 1):
        leg_id = leg_id_of(" ".join(words[-count:]))
        if ".l" in leg_id and len(words) > count:
            return " ".join(words[:-count]), leg_id
    return text, ""


async def _cancel(seat: Seat, given: tuple[str, ...]) -> None:
    """Show what cancelling would do as the daemon previews it, ask, and do exactly that."""
    row = group_of(seat, given[0] if given else "")
    if row is None:
        return
    ident, which = str(row["group_id"]), given[1] if len(given) > 1 else "all"
    changes = {"cancel_layers": [which]}
    address = _at(ident, "edit")
    shown = await seat.send(Sent(address, {"changes": changes, "preview": True}, lambda _: "", ident))
    if shown is None:
        return
    cancelled = [each for each in shown["effects"] if each["step"] == "cancel"]
    effects = [("pair", _named(row)), *(_step(each) for each in cancelled[:8])]
    effects += [("and", f"{len(cancelled) - 8} more")] if len(cancelled) > 8 else []
    effects.append(("frees", _freed(cancelled, row)))
    if not cancelled:
        seat.say(f"{_named(row)} has no unfilled layer", "dim")
        return
    if await seat.confirm(Question("Cancel unfilled layers?", effects, "; ".join(shown.get("notes", ())))):
        body = {
            "changes": changes,
            "preview": False,
            "expected_version": shown["version"],
            "digest": shown["digest"],
            "request_id": "",
        }
        await seat.send(
            Sent(
                address,
                body,
                lambda made: f"{_named(row)} is version {made['version']}: {len(cancelled)} layers are cancelled",
                ident,
            )
        )


def _step(effect: Mapping[str, Any]) -> tuple[str, str]:
    qty = f" {effect['qty']}" if effect["qty"] else ""
    at = f" at {effect['price']}" if effect["price"] else ""
    said = " ".join(str(each) for each in (effect["purpose"], leg_name(effect["leg_id"]), effect["text"]) if each)
    return cells.words(effect["step"]), f"{said}{qty}{at}"


def _freed(cancelled: Iterable[Mapping[str, Any]], row: Mapping[str, Any]) -> str:
    """Return what the cancelled entries would have bought for."""
    worth = sum((cells.number(each["qty"]) or 0.0) * (cells.number(each["price"]) or 0.0) for each in cancelled)
    rate = cells.number(row["quote_usd"])
    return f"≈ {worth:,.2f} {row['quote']}" if rate is None else f"≈ {worth * rate:,.2f} USD"


def _at(ident: str, what: str) -> str:
    return f"/v1/group/{part(ident)}/{what}"


def _layers(seat: Seat) -> list[Choice]:  # noqa: ARG001 - every completion has this shape
    return [Choice("all", "every unfilled layer")]


_GROUP: Final = Argument("group", group_choices)

COMMANDS: Final = (
    Command(
        name="close", help="Close a group at the market", run=_close, arguments=(_GROUP,), writes=True, always=True
    ),
    Command(
        name="close-leg",
        help="Close one leg of a group at the market",
        run=_close_leg,
        arguments=(_GROUP, Argument("leg")),
        writes=True,
        always=True,
    ),
    Command(
        name="cancel-unfilled",
        help="Cancel the unfilled layers of a group",
        run=_cancel,
        arguments=(_GROUP, Argument("layers", _layers, required=False)),
        writes=True,
    ),
)
"""Commands of groups."""
