"""The made-up chain of causes: webhook, signal, group, pyramids, orders, fills, targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from protocol.groups.naming import leg_name
from tui.demo.groups import Group, Leg
from tui.demo.world import World
from tui.link import LinkRefused

__all__ = ["entry_order", "explain", "trace"]

_MS: Final = 1_000_000
_SECOND: Final = 1_000_000_000


def _group_of(world: World, ident: str) -> Group:
    wanted = unquote(ident)
    found = [group for group in world.groups if wanted in (group.group_id, _signal(group), *_orders(group))]
    if not found:
        raise LinkRefused(404, {"code": "NotFound", "message": f"the demo's journal has nothing of the id {wanted}"})
    return found[0]


def _signal(group: Group) -> str:
    return f"s{600 + group.opened_at // _SECOND % 200:08d}"


def entry_order(group: Group, leg: Leg) -> str:
    """Return the id of a leg's entry."""
    return f"bh4{group.group_id[:7]}{leg.leg_id.replace('.', '')}"


def _orders(group: Group) -> list[str]:
    return [entry_order(group, leg) for leg in group.legs]


def trace(world: World, ident: str) -> dict[str, Any]:
    """Return the chain of a group."""
    group = _group_of(world, ident)
    at, places = group.opened_at, iter(range(21_400 + int(group.group_id[1:3]) * 90, 1 << 40))
    named = f"{group.market.symbol} {group.timeframe} {group.side}"
    pyramids = []
    for pyramid in range(group.pyramids):
        began = at + 61 * _MS + pyramid * 1_460 * _SECOND
        legs = [leg for leg in group.legs if leg.pyramid == pyramid]
        orders = [_order(group, leg, began, next(places), next(places), next(places)) for leg in legs]
        pyramids.append(
            _node(
                "pyramid",
                f"p{pyramid}",
                f"{len(legs)} layers from {legs[0].price}",
                next(places),
                began,
                3 * _MS,
                (),
                orders,
            )
        )
    steps = (_step(next(places), at + 58 * _MS, 4 * _MS, "SlotTaken", f"slot of {group.account}: best of 1 waiting"),)
    opened = _node(
        "group",
        group.group_id,
        f"{named} on {group.account}, {group.mode}",
        next(places),
        at + 54 * _MS,
        12 * _MS,
        steps,
        pyramids,
    )
    routed = (_step(next(places), at + 55 * _MS, 13 * _MS, "SignalRouted", "opened"),)
    signal = _node("signal", _signal(group), f"entry {named}", next(places), at + 42 * _MS, 42 * _MS, routed, [opened])
    webhook = _node("webhook", "", "alert from 52.89.214.238, secret and time good", next(places), at, 0, (), [signal])
    _renumber(webhook, iter(range(21_400, 1 << 40)))
    return {"id": unquote(ident), "kind": "group", "trace": [webhook]}


def _renumber(node: dict[str, Any], numbers: Iterator[int]) -> None:
    """Let positions go with the chain."""
    node["position"] = next(numbers)
    for step in node["steps"]:
        step["position"] = next(numbers)
    for child in node["children"]:
        _renumber(child, numbers)


def _order(group: Group, leg: Any, began: int, first: int, second: int, third: int) -> dict[str, Any]:
    at = began + 4 * _MS + leg.layer * _MS
    took = (38 + leg.layer * 7) * _MS
    steps = [_step(first, at + took, took, "OrderAcknowledged", "open at the venue")]
    fills = []
    if leg.filled:
        later = took + leg.layer * 190 * _SECOND + 2 * _SECOND
        fills = [_node("fill", f"f{first}", f"{leg.qty} at {leg.price}", second, at + later, later, (), [])]
    title = f"{leg_name(leg.leg_id)} limit {leg.qty} at {leg.price}"
    return _node("order", entry_order(group, leg), title, third, at, 4 * _MS, steps, fills)


def _node(
    kind: str, ident: str, title: str, position: int, at: int, latency: int, steps: Any, children: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": ident,
        "title": title,
        "position": position,
        "at": at,
        "latency_ns": latency,
        "steps": list(steps),
        "children": children,
    }


def _step(position: int, at: int, latency: int, kind: str, text: str) -> dict[str, Any]:
    return {"position": position, "at": at, "latency_ns": latency, "type": kind, "text": text}


def explain(world: World, ident: str) -> dict[str, Any]:
    """Return the same in sentences."""
    group = _group_of(world, ident)
    named = f"{group.market.symbol} {group.timeframe} {group.side}"
    texts = (
        f"An alert came from the webhook: enter {named}. Its secret was good and it was 0.4 s old.",
        f"It became signal {_signal(group)}; no other of the last hour was like it.",
        f"The pool of {group.account} had a free slot and no entry that waited ranked higher.",
        f"Group {group.group_id} was opened with 5 layers of 15, 20, 20, 20, 25 % at gaps 0, -0.6, -1.2, -2.0, -3.0 %.",
        f"{sum(leg.filled for leg in group.legs)} of {len(group.legs)} layers have filled; each has a target of its own.",
    )
    sentences = [
        {"position": 21_400 + number, "at": group.opened_at + number * 20 * _MS, "type": "Said", "text": text}
        for number, text in enumerate(texts)
    ]
    return {"id": unquote(ident), "kind": "group", "sentences": sentences}
