"""What a preview says, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

__all__ = ["preview_lines"]

_HOLDS: Final = {
    "now": "at once",
    "group": "for groups and pyramids from then on",
    "start": "when bulkhead starts again",
}


def preview_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the preview of a draft."""
    for error in found["errors"]:
        yield f"mistake: {error['path']}: {error['message']} [{error['code']}]"
    if not found["changes"]:
        yield "the draft changes nothing"
    for each in found["changes"]:
        when = _HOLDS.get(each["holds"]) or f"restarts {', '.join(each['actors'])}"
        yield f"{each['key']}: {each['before'] or 'default'} -> {each['after'] or 'default'} ({when})"
    for pool in found["pools"]:
        yield from _pool(pool)
    for offset in found["offsets"]:
        yield from _offset(offset)
    for ladder in found["ladders"]:
        yield from _ladder(ladder)
    if found["pruned"]:
        yield f"log segments removed: {', '.join(found['pruned'])}"
    if found["backups"]:
        yield f"full backups no longer kept: {', '.join(found['backups'])}"


def _pool(pool: dict[str, Any]) -> Iterator[str]:
    before, after = pool["before"], pool["after"]
    slots = [f"{each['occupied']} of {each['maximum']} slots" for each in (before, after)]
    if slots[0] != slots[1]:
        yield f"pool {before['account']}: {slots[0]} -> {slots[1]}"
    orders = [[entry["group_key"] for entry in each["entries"]] for each in (before, after)]
    if orders[0] != orders[1]:
        yield f"pool {before['account']}: queue {', '.join(orders[0])} -> {', '.join(orders[1])}"
    if pool["entering"]:
        yield f"pool {before['account']}: enters at once: {', '.join(pool['entering'])}"
    if pool["leaving"]:
        yield f"pool {before['account']}: leaves the queue: {', '.join(pool['leaving'])}"


def _offset(offset: dict[str, Any]) -> Iterator[str]:
    for group in offset["groups"]:
        words = [", ".join(group[side]) or "eligible" for side in ("reasons_before", "reasons_after")]
        timer = "" if group["timer_before"] == group["timer_after"] else ", its timer changes"
        yield f"loss offset, group {group['group_id']}: {words[0]} -> {words[1]}{timer}"
    plans = [offset["plan_before"], offset["plan_after"]]
    if plans[0] != plans[1]:
        yield f"loss offset, next plan: {_plan(plans[0])} -> {_plan(plans[1])}"


def _plan(plan: dict[str, Any] | None) -> str:
    if plan is None:
        return "none"
    winners = ", ".join(each["group_id"] for each in plan["winners"])
    return f"close {plan['loser']} out of {winners}" if winners else f"{plan['loser']}: {plan['reason']}"


def _ladder(ladder: dict[str, Any]) -> Iterator[str]:
    sample = ladder["sample"]
    yield f"ladder of {sample['symbol']} {sample['timeframe']} {sample['side']} at {sample['entry_price']}:"
    for name in ("before", "after"):
        side = ladder[name]
        layers = "; ".join(
            f"{each['qty']} at {each['price']}"
            + (f", target {each['target']}" if each["target"] is not None else "")
            + (f", blocked: {each['blocked']}" if each["blocked"] else "")
            for each in side["layers"]
        )
        watched = "".join(f"; target of {scope}: {price}" for scope, price in side["watched"])
        refused = f"; nothing is placed: {side['refusal']}" if side["refusal"] else ""
        yield f"  {name}: needs {side['funds']}: {layers}{watched}{refused}"
