"""What the made-up house answers to the addresses of the API that look; an address that is added for a panel goes here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tui.demo import keeping, notices, results, settings, tree
from tui.demo.groups import GAPS, TARGETS, WEIGHTS, Group, Leg
from tui.demo.log import found, log_segments
from tui.demo.offset import decisions, pictures
from tui.demo.prices import text_of
from tui.demo.stories import entry_order
from tui.demo.world import SLOTS, World

__all__ = ["ANSWERS", "Query", "detail", "history"]

_SECOND: Final = 1_000_000_000

Query = Mapping[str, Any]


def _status(world: World, query: Query) -> Any:  # noqa: ARG001 - every answer has this shape
    waiting = sum(leg.state == "open" for group in world.groups for leg in group.legs)
    return {
        "version": "demo",
        "pid": 0,
        "scope": "paper",
        "mode": "paper",
        "venues": [
            {"account": name, "scope": "paper", "status": "up", "code": "", "reason": "", "text": ""}
            for name in ("main", "perp")
        ],
        "accounts": ["main", "perp"],
        "source": "DEMO",
        "feeds": [],
        "engine": {
            "status": world.status,
            "reason": world.reason,
            "permit": 1,
            "held": [{"account": name, "code": "AccountPaused", "why": why} for name, why in world.held.items()],
        },
        "settings": {"version": 4, "author": "demo", "draft": []},
        "start": {"run": 3, "clean": True, "down_s": 0},
        "started_at": world.began - 183_600 * _SECOND,
        "uptime_s": 183_600 + (world.now - world.began) / _SECOND,
        "now": world.now,
        "journal": {"path": "", "head": world.position, "commits": world.position // 4, "error": ""},
        "counts": {
            "signals": 871,
            "open_groups": len(world.groups),
            "closed_groups": 341,
            "working_orders": waiting,
            "incidents": 0,
            "unread_incidents": 0,
            "slots_taken": len(world.groups),
            "slots": sum(SLOTS.values()),
            "position": world.position,
        },
        "dead_letters": {"kept": 0, "total": 0},
        "memory_bytes": 91_226_112,
    }


def _groups(world: World, query: Query) -> Any:  # noqa: ARG001
    return {"groups": [group.row(world.now) for group in world.groups]}


def _queue(world: World, query: Query) -> Any:  # noqa: ARG001
    return {"queues": world.queues()}


def _risk(world: World, query: Query) -> Any:  # noqa: ARG001
    return {"accounts": pictures(world)}


def _decisions(world: World, query: Query) -> Any:
    return decisions(world, query)


def _alerts(world: World, query: Query) -> Any:  # noqa: ARG001
    pinned = [line for line in reversed(world.log) if line["pinned"] and not line["acknowledged_at"]]
    return {"count": len(pinned), "others": max(0, len(pinned) - 3), "alerts": pinned[:3]}


def _log(world: World, query: Query) -> Any:
    return {"events": found(world, query)}


def _segments(world: World, query: Query) -> Any:  # noqa: ARG001
    return {"folder": "~/.local/share/bulkhead/logs", "segments": log_segments()}


def _signals(world: World, query: Query) -> Any:  # noqa: ARG001
    at = world.now - (world.now // _SECOND % 23) * _SECOND
    return {
        "signals": [
            {
                "signal_id": "s00000871",
                "received_at": at,
                "outcome": "accepted",
                "symbol": "SUI/USDT",
                "timeframe": "15m",
                "kind": "entry",
                "side": "long",
                "routed": "queued",
            }
        ]
    }


def detail(world: World, group: Group) -> Any:
    """Return a group whole, as ``/v1/group/ID`` does."""
    row = group.row(world.now)
    legs = [_leg(group, leg) for leg in group.legs]
    pyramids = [
        {"index": index, "entry_price": price, "size": "500", "closed": False} for index, price in _entries(group)
    ]
    shown = {
        **row,
        "version": group.version,
        "frozen": group.frozen,
        "config": {"tp_mode": group.mode, "max_pyramids_per_group": 5, "tp_aggregate_percent": "1.2"},
        "instrument": {"quote": "USDT", "base": group.market.base},
        "pyramids": pyramids,
        "legs": legs,
        "orders": [_target_order(group, leg) for leg in group.legs if leg.held],
        "watches": _watches(group),
        "closes": [{"reason": "operator", "scope": "group"}] if group.closing_at else [],
        "superseded": [],
    }
    by_pyramid = [
        {"name": f"p{index}", "qty": "0", "realized_quote": f"{_realized(group, index):.4f}", "fees": {}}
        for index in range(group.pyramids)
    ]
    venue = {"status": "up", "code": "", "reason": "", "text": ""}
    return {
        "group": shown,
        "pnl": {"by_pyramid": by_pyramid, "by_leg": [], "by_reason": []},
        "path": "",
        "venue": venue,
    }


def _realized(group: Group, pyramid: int) -> float:
    """Return what a pyramid has brought: all of it came of the legs that reached their targets."""
    hit = [leg.pyramid for leg in group.legs if leg.hit]
    return group.realized * hit.count(pyramid) / len(hit) if hit else 0.0


def _entries(group: Group) -> Iterator[tuple[int, str]]:
    for leg in group.legs:
        if leg.layer == 0:
            yield leg.pyramid, text_of(leg.price, group.market.places)


def _leg(group: Group, leg: Leg) -> dict[str, Any]:
    price, filled = text_of(leg.price, group.market.places), leg.qty if leg.filled else 0.0
    return {
        "leg_id": leg.leg_id,
        "pyramid": leg.pyramid,
        "layer": leg.layer,
        "price": price,
        "qty": f"{leg.qty:.4f}",
        "gap_percent": f"{GAPS[leg.layer]:g}",
        "weight_percent": f"{WEIGHTS[leg.layer]:g}",
        "tp_percent": f"{TARGETS[leg.layer]:g}",
        "state": leg.state,
        "entry_order": entry_order(group, leg) if leg.state != "pending" else "",
        "target_order": f"t-{leg.leg_id}" if leg.held else "",
        "filled": f"{filled:.4f}",
        "cost": f"{filled * leg.price:.4f}",
        "realized": f"{leg.qty * leg.price * 0.01:.4f}" if leg.hit else "0",
        "open_qty": f"{leg.held:.4f}",
        "avg_fill": price if leg.filled else None,
    }


def _target_price(group: Group, leg: Leg) -> float:
    return leg.price * (1 + group.sign * TARGETS[leg.layer] / 100)


def _target_order(group: Group, leg: Leg) -> dict[str, Any]:
    request = {
        "client_order_id": f"t-{leg.leg_id}",
        "side": "sell" if group.side == "long" else "buy",
        "qty": f"{leg.held:.4f}",
        "price": text_of(_target_price(group, leg), group.market.places),
    }
    return {"request": request, "purpose": "tp", "scope": f"leg:{leg.leg_id}", "leg_id": leg.leg_id, "state": "open"}


def _watches(group: Group) -> list[dict[str, Any]]:
    stop = group.row(group.opened_at)["stop_price"]
    return [{"reason": "stop", "scope": "group", "above": group.side == "short", "price": stop}] if stop else []


def history(group: Group) -> Any:
    """Return a group's versions, as ``/v1/group/ID/history`` does."""
    opened = {
        "at": group.opened_at,
        "type": "GroupOpened",
        "version": 1,
        "by": "signal",
        "changes": ["opened by a signal"],
    }
    hits = [
        {"at": group.opened_at + (900 + 60 * leg.layer) * _SECOND, "trigger": "leg_tp", "scope": f"leg:{leg.leg_id}"}
        for leg in group.legs
        if leg.hit
    ]
    triggers = [{**each, "came": "filled"} for each in hits]
    return {"group_id": group.group_id, "history": [opened, *group.changes], "triggers": triggers}


ANSWERS: Final[dict[str, Callable[[World, Query], Any]]] = {
    "/v1/status": _status,
    "/v1/groups": _groups,
    "/v1/queue": _queue,
    "/v1/risk": _risk,
    "/v1/risk/decisions": _decisions,
    "/v1/alerts": _alerts,
    "/v1/log": _log,
    "/v1/log/segments": _segments,
    "/v1/notifications": notices.listed,
    "/v1/ps": lambda world, _: {"actors": tree.actors(world)},
    "/v1/actor": tree.actor,
    "/v1/messages": tree.messages,
    "/v1/console": lambda world, _: tree.console(world),
    "/v1/incidents": tree.incidents,
    "/v1/dead-letters": lambda _, __: {"total": 0, "dead_letters": []},
    "/v1/signals": _signals,
    "/v1/performance": results.figures,
    "/v1/performance/days": results.days,
    "/v1/performance/trades": results.trades,
    "/v1/config": settings.shown,
    "/v1/secrets": keeping.secrets,
    "/v1/backups": keeping.backups,
    "/v1/config/versions": settings.versions,
    "/v1/me": lambda _, __: {"name": "demo", "kind": "local", "scopes": ["read", "trade", "admin"], "until": 0},
}
"""Answers to addresses that name nobody."""
