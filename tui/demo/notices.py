"""The made-up shelf of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.demo.world import World

__all__ = ["dismiss", "listed", "read", "tell"]

_SECOND: Final = 1_000_000_000
_BEGAN: Final = (
    # seconds ago, severity, type, title, body, link, count, read
    (9_400, "info", "run.finished", "Nightly check of the day's books", "341 trades, no difference", "", 1, True),
    (
        7_260,
        "warning",
        "link.reconnecting",
        "perp connects again",
        "VenueDown: 502 Bad Gateway",
        "actor:/venues/perp/session",
        1,
        True,
    ),
    (
        5_100,
        "critical",
        "order.filled",
        "Entry rejected",
        "INJ/USDT 1h short: insufficient margin",
        "group:g09injm7aq",
        1,
        True,
    ),
    (
        2_940,
        "warning",
        "alert.triggered",
        "Slippage",
        "DOGE/USDT market close slipped 0.84 %, limit 1 %",
        "group:g07dogv7aq",
        1,
        False,
    ),
    (1_500, "info", "order.submitted", "Orders submitted", "24 within a minute", "", 24, False),
    (
        412,
        "critical",
        "exit.failing",
        "Entry rejected",
        "ARB/USDT 15m long: PRICE_FILTER",
        "group:g10arbw7aq",
        1,
        False,
    ),
)


def _shelf(world: World) -> list[dict[str, Any]]:
    if not world.notices:
        world.notices = [
            _notice(number, world.began - row[0] * _SECOND, row[1:]) for number, row in enumerate(_BEGAN, 1)
        ]
    return world.notices


def _notice(seq: int, at: int, row: tuple[Any, ...]) -> dict[str, Any]:
    severity, kind, title, body, link, count, seen = row
    return {
        "seq": seq,
        "at": at,
        "severity": severity,
        "type": kind,
        "title": title,
        "body": body,
        "link": link,
        "key": "",
        "position": 0,
        "pinned": severity == "critical",
        "count": count,
        "read": seen,
        "dismissed": False,
    }


def tell(world: World, severity: str, title: str, body: str, link: str = "") -> None:
    """Put a new notification on the shelf and tell who follows."""
    shelf = _shelf(world)
    found = _notice(
        max((each["seq"] for each in shelf), default=0) + 1,
        world.now,
        (severity, "alert.triggered", title, body, link, 1, False),
    )
    shelf.append(found)
    world.position += 1
    item = {
        "kind": "notification",
        "type": "NoticesKept",
        "position": world.position,
        "at": world.now,
        "severity": "debug",
    }
    world.happened({**item, "text": title, "group_id": "", "event": {"notices": [found]}})


def listed(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept after a sequence, oldest first."""
    shelf = _shelf(world)
    kept = [each for each in shelf if each["seq"] > int(query.get("after") or 0) and not each["dismissed"]]
    unread = sum(not each["read"] and not each["dismissed"] for each in shelf)
    return {
        "notifications": [dict(each) for each in kept],
        "unread": unread,
        "last_seq": max(each["seq"] for each in shelf),
    }


def read(world: World, body: Mapping[str, Any], *, dismissed: bool = False) -> dict[str, Any]:
    """Mark as read, or put away as well."""
    seqs, through = set(body.get("seqs") or ()), int(body.get("through") or 0)
    for each in _shelf(world):
        if each["seq"] in seqs or each["seq"] <= through:
            each["read"] = True
            each["dismissed"] = each["dismissed"] or dismissed
    return listed(world, {})


def dismiss(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Put away."""
    return read(world, body, dismissed=True)
