"""The made-up loss offset: who loses, what each waits for, who could pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.demo.groups import Group
from tui.demo.world import World

__all__ = ["decisions", "pictures", "plan_for"]

_SECOND: Final = 1_000_000_000
_THRESHOLD: Final = -1.5
_REQUIRED: Final = 3
_WAIT_S: Final = 5_400
_DECISIONS: Final = 450


def plan_for(world: World, loser: Group) -> dict[str, Any]:
    """Return the plan that would close a loser out of winners' profit."""
    required = -loser.result(world.now) * 1.002
    payers: list[dict[str, Any]] = []
    covered = 0.0
    for group in sorted(world.groups, key=lambda each: -each.result(world.now)):
        profit = group.result(world.now)
        if profit <= 0 or covered >= required or group.blocked or len(payers) == 3 or group.account != loser.account:
            continue
        share = min(1.0, (required - covered) / profit)
        paid = profit * share
        covered += paid
        payers.append(
            {
                "group_id": group.group_id,
                "qty": f"{group.held * share:.4f}",
                "full": share == 1.0,
                "profit_usd": f"{paid:.4f}",
            }
        )
    share = min(1.0, covered / required) if required else 0.0
    return {
        "loser": loser.group_id,
        "required_usd": f"{required:.4f}",
        "winners": payers,
        "skipped": [],
        "covered_usd": f"{covered:.4f}",
        "loser_close_qty": f"{loser.held * share:.4f}" if payers else None,
        "loser_full": share == 1.0,
        "status": "executable" if payers else "not_executable",
        "reason": "" if payers else "no_winners",
        "net_usd": f"{covered + loser.result(world.now) * share:.4f}" if payers else None,
    }


def _loser(world: World, group: Group, number: int) -> dict[str, Any]:
    cost, result = group.cost, group.result(world.now)
    percent = 100 * result / cost
    minutes = (world.now - group.opened_at) // (60 * _SECOND)
    enough = group.pyramids >= _REQUIRED
    left = _WAIT_S - (world.now - group.opened_at) / _SECOND * 0.9 + number * 700
    timer = "not_started" if not enough else "running" if left > 0 else "expired"
    reasons = [] if enough else ["pyramids_incomplete"]
    reasons += {"not_started": ["timer_not_started"], "running": ["timer_running"]}.get(timer, [])
    reasons += ["loss_too_small"] if percent > _THRESHOLD else []
    winners = [each for each in world.groups if each.result(world.now) > 0 and each.account == group.account]
    return {
        "group_id": group.group_id,
        "key": group.row(world.now)["key"],
        "symbol": group.market.symbol,
        "timeframe": group.timeframe,
        "side": group.side,
        "state": group.state,
        "loss_percent": f"{percent:.6f}",
        "loss_usd": f"{result:.6f}",
        "timer": timer,
        "expires_at": None,
        "remaining_s": int(left) if timer == "running" else None,
        "received": group.pyramids,
        "required": _REQUIRED,
        "pyramids_ok": enough,
        "age_ok": minutes >= 60,
        "age_minutes": minutes,
        "winners": len(winners),
        "winners_usd": f"{sum(each.result(world.now) for each in winners):.4f}",
        "plan": plan_for(world, group),
        "reasons": reasons,
        "blocked": group.blocked,
        "skip_once": group.skip_once,
        "left_out": "blocked" if group.blocked else "",
    }


def decisions(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return decision records as ``/v1/risk/decisions`` does: searched, and page by page."""
    words = str(query.get("text") or "").casefold().split()
    limit, before = int(query.get("limit") or 200), int(query.get("before") or 1 << 62)
    if not world.decisions:
        losing = [group for group in world.groups if group.result(world.began) < 0][:3]
        why = [(group, _loser(world, group, place)["reasons"]) for place, group in enumerate(losing)]
        world.decisions = [_decision(world, number, why[: 2 + number % 2]) for number in range(_DECISIONS)]
    found = [row for row in world.decisions if row["position"] < before and all(word in _said(row) for word in words)]
    return {"decisions": found[:limit], "before": found[limit - 1]["position"] if len(found) > limit else ""}


def _said(row: Mapping[str, Any]) -> str:
    return " ".join(map(str, (row["named"], row["reasons"], row["plan"], row["outcome"], row["trigger"]))).casefold()


def _decision(world: World, number: int, losing: list[tuple[Group, list[str]]]) -> dict[str, Any]:
    """Return one decision about losers, each with why not, the newest is number 0; each ninth offset one closed by now."""
    ago = (64, 371, 1_202, 2_630)[number % 4] + number // 4 * 4_030
    closed = number % 9 == 3
    plan = _past_plan(number) if closed else None
    return {
        "engine": "/risk/offset-main",
        "decision_id": f"d{_DECISIONS - number}",
        "position": 48_000 - number * 40,
        "account": "main",
        "at": world.began - ago * _SECOND,
        "last_at": world.began - (ago - 40 * (number % 4)) * _SECOND,
        "repeats": 3 * (number % 4),
        "trigger": ("timer", "price", "fill")[number % 3],
        "status": "active" if closed else "idle",
        "reasons": {each.group_id: reasons for each, reasons in losing},
        "losses": {each.group_id: f"{each.result(world.began):.4f}" for each, _ in losing},
        "left_out": {},
        "ranked": [plan["loser"]] if plan else [],
        "named": {each.group_id: f"{each.market.symbol} {each.timeframe} {each.side}" for each, _ in losing}
        | ({"gpast-l": "AVAX/USDT 4h long", "gpast-w": "BNB/USDT 1h long"} if closed else {}),
        "plan": plan,
        "plan_id": f"p{_DECISIONS - number}" if closed else "",
        "forced": False,
        "steps": [],
        "booked_usd": plan["net_usd"] if plan else "0",
        "outcome": "done" if closed else "",
        "code": "",
        "ended_at": None,
    }


def _past_plan(number: int) -> dict[str, Any]:
    paid = f"{41.2 + number:.4f}"
    return {
        "loser": "gpast-l",
        "required_usd": paid,
        "winners": [
            {"group_id": "gpast-w", "qty": "2.5004", "full": False, "profit_usd": paid, "notional_usd": "1490"}
        ],
        "skipped": [],
        "covered_usd": paid,
        "loser_close_qty": "152.2",
        "loser_full": True,
        "status": "executable",
        "reason": "",
        "net_usd": "0.0800",
    }


def pictures(world: World) -> list[dict[str, Any]]:
    """Return each account's picture as ``/v1/risk`` does."""
    found = []
    for account in ("main", "perp"):
        own = [group for group in world.groups if group.account == account and group.held]
        losing = sorted(
            (group for group in own if group.result(world.now) < 0), key=lambda each: each.result(world.now)
        )
        winners = [group for group in own if group.result(world.now) > 0]
        found.append(
            {
                "account": account,
                "enabled": True,
                "status": "idle",
                "why": "no group is to be offset",
                "text": "offset 41.20 of AVAX/USDT out of 2 winners" if account == "main" else "",
                "acted_at": world.began - 4_030 * _SECOND if account == "main" else 0,
                "plan_id": "",
                "losers": [_loser(world, group, number) for number, group in enumerate(losing)],
                "blocked": [group.group_id for group in own if group.blocked],
                "skip_once": [group.group_id for group in own if group.skip_once],
                "winners": len(winners),
                "winners_usd": f"{sum(group.result(world.now) for group in winners):.4f}",
                "at": world.now,
            }
        )
    return found
