"""What commands do to the made-up house, with the answers and refusals that the API gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.groups.naming import leg_id_of, leg_name
from tui.demo import keeping, notices
from tui.demo.groups import GAPS, Group, Leg
from tui.demo.log import log_segments
from tui.demo.offset import plan_for
from tui.demo.prices import MARKETS
from tui.demo.settings import do_config
from tui.demo.tree import stand
from tui.demo.world import SLOTS, World
from tui.link import LinkRefused

__all__ = ["Body", "do", "group_of"]

_SECOND: Final = 1_000_000_000

Body = Mapping[str, Any]


def do(world: World, path: str, body: Body) -> Any:
    """Do what a POST asks for; raise ``LinkRefused`` as the daemon would."""
    match path.partition("?")[0].strip("/").split("/")[1:]:
        case ["pause"]:
            return _switch(
                world, "paused", str(body.get("reason") or "by the operator"), str(body.get("account") or "")
            )
        case ["resume"]:
            return _switch(world, "running", "", str(body.get("account") or ""))
        case ["alerts", "ack"]:
            return _acknowledge(world, body)
        case ["log", "prune"]:
            return {"preview": bool(body.get("preview")), "removed": log_segments()[:2]}
        case ["log", "keep"]:
            return {"segment": body.get("segment"), "kept": bool(body.get("keep"))}
        case [("restart" | "quarantine" | "release") as what]:
            return stand(world, what, str(body.get("path")))
        case ["notifications", "read"]:
            return notices.read(world, body)
        case ["notifications", _]:
            return notices.dismiss(world, body)
        case ["config", what]:
            return do_config(world, what, body)
        case ["secrets", "set"]:
            return keeping.keep(world, body)
        case ["backups"]:
            return keeping.back_up(world, str(body.get("name") or ""))
        case ["backups", "prune"]:
            return keeping.prune_backups(world, body)
        case ["backups", "keep"]:
            return keeping.mark_backup(world, body)
        case ["venues", ("test" | "test-credentials")]:
            return keeping.tested(world, str(body.get("account")), body.get("credentials") or {})
        case ["signal"]:
            return _signal(world, body)
        case ["signals", "check"]:
            return _replayed(world, "", {})
        case ["send"]:
            return _sent(world, str(body.get("path")), body.get("message") or {})
        case ["venues", what]:
            return _venue(world, what, str(body.get("account")))
        case ["signals", ident, "replay"]:
            return _replayed(world, ident, body)
        case ["group", ident, what]:
            return _group(world, ident, what, body)
        case ["queue", ident, what]:
            return _queue(world, ident, what)
        case ["risk", "run-now"]:
            return _run_now(world, body)
        case ["risk", what]:
            return _flag(world, str(body.get("group")), what)
    raise _refused(404, "NotFound", f"the demo does not do {path}")


def group_of(world: World, ident: str) -> Group:
    """Return a group; refuse what there is not."""
    found = next((group for group in world.groups if group.group_id == ident), None)
    if found is None:
        raise _refused(404, "NotFound", f"there is no group {ident}")
    return found


def _refused(status: int, code: str, message: str) -> LinkRefused:
    return LinkRefused(status, {"code": code, "message": message, "path": "", "value": ""})


def _switch(world: World, status: str, reason: str, account: str = "") -> Any:
    kind = "EngineStatusChanged"
    if account:
        kind = "AccountPaused" if reason else "AccountResumed"
        world.held = {name: why for name, why in {**world.held, account: reason}.items() if why}
    else:
        world.status, world.reason = status, reason
    whose = f"entries of {account}" if account else "entries"
    world.note("info", kind, "", f"{whose} are {'stopped' if reason else 'allowed'}", kind=kind)
    return {"status": status, "reason": reason, "number": 1, "account": account, "told": "/risk"}


def _acknowledge(world: World, body: Body) -> Any:
    wanted = {int(each) for each in body.get("positions") or ()}
    seen = [line for line in world.log if line["pinned"] and (body.get("all") or line["position"] in wanted)]
    for line in seen:
        line["acknowledged_at"], line["acknowledged_by"] = world.now, "demo"
    world.acknowledged = all(line["acknowledged_at"] for line in world.log if line["pinned"])
    return {"acknowledged": len(seen)}


def _venue(world: World, what: str, account: str) -> Any:
    world.note("info", "VenueCommand", account, f"{what.replace('-', ' ')} by the operator")
    return {"account": account, "symbols": 412, "fetched_at": world.now, "told": f"/venues/{account}/reconciler"}


def _signal(world: World, body: Body) -> Any:
    named = f"{body.get('symbol')} {body.get('timeframe')} {body.get('side')}"
    world.note(
        "info", "SignalAccepted", named, f"{body.get('kind', 'entry')} injected by an operator", kind="SignalReceived"
    )
    world.note("info", "EntryQueued", named, "entry waits for a slot: the pool is full", kind="EntryQueued")
    return {
        "status": 202,
        "outcome": "accepted",
        "signal_id": "s00000873",
        "routed": "queued",
        "reasons": ["pool_full"],
    }


def _sent(world: World, path: str, message: Body) -> Any:
    name = str(message.get("type"))
    if name in ("PauseEngine", "ResumeEngine"):
        reason = str(message.get("reason") or "by the operator") if name == "PauseEngine" else ""
        _switch(world, "paused" if reason else "running", reason, str(message.get("account") or ""))
        return {"sent": name, "to": path, "answer": {"status": world.status, "reason": world.reason}}
    world.note("info", "MessageSent", "", f"{name} was sent to {path} by an operator")
    return {"sent": name, "to": path, "answer": None}


def _replayed(world: World, ident: str, body: Body) -> Any:
    live = body.get("mode") == "live"
    entry = next(
        (each for each in world.queue if each["signal_id"] == ident), {"symbol": "SUI/USDT", "timeframe": "15m"}
    )
    first = float(entry.get("entry_price", 1.2866))
    prices = [first * (1 + gap / 100) for gap in GAPS]
    layers = [f"layer {place}: {120 / price:.4g} at {price:.5g}" for place, price in enumerate(prices)]
    names = (
        ("validation", "passed", ("18 of 18 checks",)),
        ("classification", "entry", ("no position of this identity is open",)),
        ("duplicates", "new", ()),
        ("precision", "rules are 12 minutes old", ("tick 0.01, step 0.00001",)),
        ("main ladder", "placed", (*layers, "notional 600.00 USDT", "expected profit 7.20 USD")),
        ("main slot", "queued", ("0 of 10 slots are free",)),
    )
    if live:
        world.note("info", "SignalReplayed", "", f"{ident} was sent again by an operator", kind="SignalReceived")
    return {
        "status": 200,
        "outcome": "accepted" if live else "would be queued",
        "signal_id": "s00000872" if live else "",
        "group_key": f"trader|binance|{entry['symbol']}|{entry['timeframe']}|long",
        "steps": [{"name": name, "outcome": outcome, "details": list(more)} for name, outcome, more in names],
        "problems": [],
    }


def _named(group: Group) -> str:
    return f"{group.market.symbol} {group.timeframe} {group.side}"


def _group(world: World, ident: str, what: str, body: Body) -> Any:
    group = group_of(world, ident)
    if what == "edit":
        return _edit(world, group, body)
    if group.closing_at:
        raise _refused(409, "GroupClosing", f"group {ident} is closing already")
    leg_id = leg_id_of(str(body.get("leg_id") or ""))
    if not leg_id:
        group.closing_at = world.now + 2 * _SECOND
        world.note(
            "order",
            "CloseWanted",
            _named(group),
            "close of the group sent at the market",
            group=ident,
            kind="GroupClosing",
        )
        return {"group_id": ident, "closing": "group"}
    leg = next((each for each in group.legs if each.leg_id == leg_id), None)
    if leg is None:
        raise _refused(404, "NotFound", f"group {ident} has no leg {leg_id}")
    leg.hit = leg.filled
    world.note(
        "order", "LegClosed", _named(group), f"{leg_name(leg_id)} closed at the market", group=ident, kind="LegClosed"
    )
    return {"group_id": ident, "closing": leg_id}


def _edit(world: World, group: Group, body: Body) -> Any:
    legs = [leg for leg in group.legs if leg.state == "open"]
    effects = [_effect(leg) for leg in legs]
    if not body.get("preview", True):
        for leg in legs:
            leg.cancelled = True
        group.version += 1
        change = {
            "at": world.now,
            "type": "GroupEdited",
            "version": group.version,
            "by": "demo",
            "changes": ["cancel_layers all"],
        }
        group.changes.append(change)
        world.note(
            "order",
            "LayersCancelled",
            _named(group),
            f"{len(legs)} layers cancelled",
            group=group.group_id,
            kind="GroupEdited",
        )
    return {"version": group.version, "digest": "demo", "effects": effects, "notes": [], "problems": []}


def _effect(leg: Leg) -> dict[str, Any]:
    said = {
        "step": "cancel",
        "purpose": "entry",
        "leg_id": leg.leg_id,
        "side": "",
        "order_type": "limit",
        "code": "",
        "text": "",
    }
    return {**said, "qty": f"{leg.qty:g}", "price": f"{leg.price:g}", "after_cancel": False}


def _queue(world: World, ident: str, what: str) -> Any:
    entry = next((each for each in world.queue if each["queue_id"] == ident), None)
    if entry is None:
        raise _refused(404, "NotQueued", f"nothing waits as {ident}")
    if what != "remove" and entry["hold"]:
        raise _refused(409, "HeldEntry", f"{ident} is held: {entry['hold'].replace('_', ' ')}")
    taken = sum(group.account == "main" for group in world.groups)
    if what == "promote" and taken >= SLOTS["main"]:
        raise _refused(409, "NoFreeSlot", f"{taken} of {SLOTS['main']} slots are taken")
    world.queue.remove(entry)
    named = f"{entry['symbol']} {entry['timeframe']} {entry['side']}"
    if what == "remove":
        world.note("info", "QueueRemoved", named, f"{ident} removed from the queue", kind="EntryRemoved")
        return {"outcome": "removed", "account": "main"}
    world.groups.append(_opened(world, entry))
    world.note("order", "GroupOpened", named, f"{ident} promoted and opened", kind="GroupOpened")
    return {"outcome": "promoted:opened", "account": "main"}


def _opened(world: World, entry: Mapping[str, Any]) -> Group:
    market = MARKETS[entry["symbol"]]
    price = round(entry["entry"], market.places)
    legs = [
        Leg(0, layer, round(price * (1 - layer * 0.008), market.places), round(180 / price, 4), filled=layer == 0)
        for layer in range(5)
    ]
    return Group(
        f"g{entry['queue_id']}7aq",
        market,
        entry["timeframe"],
        entry["side"],
        "main",
        "per_leg",
        "from the queue",
        world.now,
        legs,
        1,
    )


def _flag(world: World, ident: str, what: str) -> Any:
    group = group_of(world, ident)
    if what == "skip-once":
        group.skip_once = True
    else:
        group.blocked = what == "block"
    world.note(
        "risk", "RiskFlag", _named(group), f"{what.replace('-', ' ')} by the operator", group=ident, kind="RiskFlagged"
    )
    return {"group_id": ident, "account": group.account, "code": "", "message": ""}


def _run_now(world: World, body: Body) -> Any:
    ident = str(body.get("group") or "")
    losing = sorted(
        (group for group in world.groups if group.result(world.now) < 0), key=lambda each: each.result(world.now)
    )
    group = group_of(world, ident) if ident else next(iter(losing), None)
    plan = plan_for(world, group) if group is not None and group.result(world.now) < 0 else None
    begun = plan is not None and bool(plan["winners"]) and not body.get("check")
    if begun and group is not None and plan is not None:
        world.realized += float(plan["net_usd"])
        group.closing_at = world.now + 3 * _SECOND
        world.note(
            "risk",
            "OffsetPlanned",
            _named(group),
            f"offset plan has begun: net {float(plan['net_usd']):+.2f} USD",
            group=group.group_id,
            kind="RiskPlanStarted",
        )
    run = {
        "group_id": ident,
        "account": "main",
        "plan": plan,
        "plan_id": "p7" if begun else "",
        "skipped": ["timer_running"] if ident else [],
        "message": "",
        "code": "",
    }
    return {"runs": [run]}
