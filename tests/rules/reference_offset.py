"""The loss offset written a second time, straight from EX-1002 to EX-1022, in plain dictionaries as the vectors have them.

It shares no line with ``rules.offset``: what both say is likely what the requirements say.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

LIVE = ("active", "partially_filled")
DEFAULTS: dict[str, Any] = {
    "loss_threshold_percent": "-5",
    "require_full_pyramids": True,
    "required_pyramids_for_timer": 5,
    "enable_post_full_wait": True,
    "post_pyramids_wait_minutes": 15,
    "timer_start_condition": "after_all_dca_filled",
    "reset_timer_on_replacement": False,
    "use_trade_age_filter": False,
    "age_threshold_minutes": 200,
    "max_winners_to_combine": 3,
    "partial_close_enabled": True,
    "on_insufficient_winners": "partial_loser",
    "min_close_notional": "20",
}


def when(text: str) -> datetime:
    """Return an instant."""
    return datetime.fromisoformat(text)


def eighteen(value: Fraction) -> Fraction:
    """Round half-even to 18 places (EX-107)."""
    return Fraction(round(value * 10**18), 10**18)


def number(group: dict[str, Any], name: str) -> Fraction:
    """Return a figure of a group, exact."""
    return Fraction(group[name])


def decimal(value: Fraction) -> Decimal:
    """Return an exact figure with the digits the comparison needs."""
    with localcontext() as context:
        context.prec = 60
        return Decimal(value.numerator) / Decimal(value.denominator)


def counts(group: dict[str, Any]) -> bool:
    """Whether the group has a position, a price and a rate."""
    return number(group, "open_qty") > 0 and None not in (group["mark"], group["quote_usd"], group["avg_entry"])


def usd(group: dict[str, Any]) -> Fraction:
    """Return s(m - a) x q x quote_usd (EX-1002)."""
    if not counts(group):
        return Fraction(0)
    sign = 1 if group["side"] == "long" else -1
    return (
        sign
        * (number(group, "mark") - number(group, "avg_entry"))
        * number(group, "open_qty")
        * number(group, "quote_usd")
    )


def percent(group: dict[str, Any]) -> Fraction:
    """Return s(m - a) / a x 100 (EX-1002, EX-107)."""
    sign = 1 if group["side"] == "long" else -1
    return eighteen(sign * (number(group, "mark") - number(group, "avg_entry")) * 100 / number(group, "avg_entry"))


def two_places(value: Fraction) -> Decimal:
    """Round half-even to 0.01 (D-24)."""
    return decimal(value).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def reasons(group: dict[str, Any], config: dict[str, Any], now: str) -> list[str]:
    """Return the table of EX-1003."""
    config = {**DEFAULTS, **config}
    found = []
    if group["state"] not in LIVE:
        found.append("not_live")
    if group["blocked"]:
        found.append("blocked")
    if config["require_full_pyramids"] and group["pyramids_received"] < config["required_pyramids_for_timer"]:
        found.append("pyramids_incomplete")
    if group["risk_timer_expires"] is None:
        found.append("timer_not_started")
    elif not when(now) > when(group["risk_timer_expires"]):
        found.append("timer_running")
    if percent(group) > Fraction(config["loss_threshold_percent"]):
        found.append("loss_too_small")
    if config["use_trade_age_filter"]:
        age = when(now) - when(group["opened_at"])
        if age < timedelta(minutes=config["age_threshold_minutes"]):
            found.append("too_young")
    if not found and group["skip_once"]:
        found.append("skip_once")
    return found


def losers(groups: list[dict[str, Any]]) -> list[str]:
    """Return EX-1008's order."""
    return [
        group["id"]
        for group in sorted(groups, key=lambda g: (two_places(percent(g)), usd(g), when(g["opened_at"]), g["id"]))
    ]


def too_small(group: dict[str, Any], qty: Fraction) -> bool:
    """Whether a quantity is below a venue minimum."""
    return qty < number(group, "min_qty") or qty * number(group, "mark") < number(group, "min_notional")


def up(group: dict[str, Any], qty: Fraction) -> Fraction:
    """Return the next multiple of the step."""
    step = number(group, "step_size")
    return math.ceil(qty / step) * step


def smallest(group: dict[str, Any], config: dict[str, Any]) -> Fraction:
    """Return EX-1011's smallest close."""
    least = eighteen(Fraction(config["min_close_notional"]) / (number(group, "mark") * number(group, "quote_usd")))
    venue = eighteen(number(group, "min_notional") / number(group, "mark"))
    return up(group, max(least, venue, number(group, "min_qty")))


def winners(groups: list[dict[str, Any]], loser: str) -> list[dict[str, Any]]:
    """Return EX-1009's order."""
    able = [
        g
        for g in groups
        if g["id"] != loser and g["state"] in LIVE and not g["blocked"] and not g["skip_once"] and usd(g) > 0
    ]
    return sorted(able, key=lambda g: (-usd(g), when(g["opened_at"]), g["id"]))


def plan(loser: dict[str, Any], groups: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Return EX-1010 to EX-1014 as a plan of section 19."""
    config = {**DEFAULTS, **given}
    required = abs(usd(loser))
    skipped: list[dict[str, str]] = []
    if too_small(loser, number(loser, "open_qty")):
        return refused(loser, required, skipped, "loser_below_min")
    taken: list[dict[str, Any]] = []
    remaining = required
    for group in winners(groups, loser["id"]):
        if remaining <= 0 or len(taken) == config["max_winners_to_combine"]:
            break
        qty, mark, rate = number(group, "open_qty"), number(group, "mark"), number(group, "quote_usd")
        bar = max(Fraction(config["min_close_notional"]), number(group, "min_notional") * rate)
        if qty * mark * rate < bar or qty < number(group, "min_qty"):
            skipped.append({"id": group["id"], "reason": "below_min_close"})
            continue
        close, profit = qty, usd(group)
        if profit > remaining and config["partial_close_enabled"]:
            close = max(up(group, eighteen(remaining * qty / profit)), smallest(group, config))
            if close >= qty or too_small(group, qty - close):
                close = qty
        share = profit * close / qty
        remaining -= share
        taken.append(
            {
                "id": group["id"],
                "qty": decimal(close),
                "full": close == qty,
                "profit_usd": decimal(share),
                "notional_usd": decimal(close * mark * rate),
            }
        )
    covered = required - remaining
    if not taken:
        return refused(loser, required, skipped, "no_winners")
    whole = number(loser, "open_qty")
    close = whole
    if covered < required:
        if not config["partial_close_enabled"] or config["on_insufficient_winners"] == "wait":
            return refused(loser, required, skipped, "insufficient_winners")
        step = number(loser, "step_size")
        close = math.floor(eighteen(whole * covered / required) / step) * step
        if close < smallest(loser, config):
            return refused(loser, required, skipped, "loser_slice_below_min")
        if too_small(loser, whole - close):
            close = whole
    return {
        "loser": loser["id"],
        "required_usd": decimal(required),
        "winners": taken,
        "skipped": skipped,
        "covered_usd": decimal(covered),
        "loser_close_qty": decimal(close),
        "loser_full": close == whole,
        "status": "full" if covered >= required else "partial",
        "reason": None,
        "net_usd": decimal(covered - required * close / whole),
    }


def refused(loser: dict[str, Any], required: Fraction, skipped: list[dict[str, str]], reason: str) -> dict[str, Any]:
    """Return a plan that is not executable."""
    return {
        "loser": loser["id"],
        "required_usd": decimal(required),
        "winners": [],
        "skipped": skipped,
        "covered_usd": Decimal(0),
        "loser_close_qty": None,
        "loser_full": False,
        "status": "not_executable",
        "reason": reason,
    }


def cycle(groups: list[dict[str, Any]], config: dict[str, Any], now: str) -> dict[str, Any]:
    """Return one cycle."""
    losing = [group for group in groups if usd(group) < 0]
    why = {group["id"]: reasons(group, config, now) for group in losing}
    by_id = {group["id"]: group for group in groups}
    ranked = losers([group for group in losing if not why[group["id"]]])
    found = None
    for loser in ranked:
        found = plan(by_id[loser], groups, config)
        if found["reason"] not in ("loser_below_min", "loser_slice_below_min"):
            break
    consumed = [name for name, each in why.items() if each == ["skip_once"]]
    return {"reasons": why, "ranked": ranked, "skip_consumed": consumed, "plan": found}


def run_now(groups: list[dict[str, Any]], name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return EX-1021 for one group."""
    loser = next(group for group in groups if group["id"] == name)
    if loser["state"] not in LIVE:
        return {"error": "NotLive", "plan": None}
    if loser["blocked"]:
        return {"error": "GroupBlocked", "plan": None}
    if usd(loser) >= 0:
        return {"error": "NotLosing", "plan": None}
    return {"error": None, "plan": plan(loser, groups, config)}


def timer(config: dict[str, Any], events: list[dict[str, Any]], queries: list[str]) -> dict[str, Any]:
    """Return EX-1005 to EX-1007."""
    settings = {**DEFAULTS, **config}
    wait = timedelta(minutes=settings["post_pyramids_wait_minutes"] if settings["enable_post_full_wait"] else 0)
    expires: datetime | None = None
    after: list[str | None] = []
    for event in events:
        now = when(event["at"])
        starts = (
            not settings["require_full_pyramids"]
            or event["pyramids_received"] >= settings["required_pyramids_for_timer"]
        )
        condition = settings["timer_start_condition"]
        if condition == "after_all_dca_submitted":
            starts = starts and event["all_legs_submitted"]
        elif condition == "after_all_dca_filled":
            starts = starts and event["all_legs_filled"]
        running = expires is not None and now <= expires
        again = event["type"] == "replacement" and settings["reset_timer_on_replacement"] and running
        if not starts:
            expires = None
        elif expires is None or again:
            expires = now + wait
        after.append(None if expires is None else shown(expires))
    answers = []
    for query in queries:
        now = when(query)
        left = None if expires is None else max(0, math.ceil((expires - now).total_seconds()))
        answers.append({"at": query, "timer_expired": expires is not None and now > expires, "remaining_seconds": left})
    return {"expires_after_event": after, "answers": answers}


def shown(at: datetime) -> str:
    """Return an instant as the vectors write it."""
    return at.isoformat().replace("+00:00", "Z")
