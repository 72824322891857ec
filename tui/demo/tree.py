"""The made-up tree of actors: how each stands, one of them closely, and the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tui.demo.prices import noise
from tui.demo.world import World
from tui.link import LinkRefused

__all__ = ["TYPES", "actor", "actors", "console", "incident", "incidents", "messages", "stand"]

_SECOND: Final = 1_000_000_000
_HOUR: Final = 3_600 * _SECOND
_MONEY: Final = ("main", "perp")
_TAKES: Final = {
    "RiskCoordinator": ("PauseEngine", "ResumeEngine"),
    "Pool": ("QueueSnapshot",),
    "Reconciler": ("ReconcileNow",),
    "Gateway": ("CheckSignal", "InjectSignal", "ReplaySignal"),
    "PositionGroup": ("CloseGroup",),
}

TYPES: Final[dict[str, dict[str, Any]]] = {
    "PauseEngine": {
        "purpose": "Stop new entries; exits go on.",
        "answer": "EngineStatusIs",
        "fields": (("reason", "text", '""', ()), ("account", "text", '""', ())),
    },
    "ResumeEngine": {
        "purpose": "Allow entries again.",
        "answer": "EngineStatusIs",
        "fields": (("account", "text", '""', ()),),
    },
    "QueueSnapshot": {"purpose": "Ask for what waits, best first.", "answer": "QueueReport", "fields": ()},
    "ReconcileNow": {"purpose": "Compare the books with the venue now.", "answer": "", "fields": ()},
    "ReplaySignal": {
        "purpose": "Send a stored request again, by the id it got.",
        "answer": "SignalReport",
        "fields": (
            ("signal_id", "text", None, ()),
            ("mode", "one of dry, live", "dry", ("dry", "live")),
            ("reprice", "true or false", "False", ("true", "false")),
            ("confirm", "text", '""', ()),
        ),
    },
    "CloseGroup": {
        "purpose": "Close a group at the market.",
        "answer": "",
        "fields": (
            ("group_id", "text", None, ()),
            ("reason", "one of operator, stop, target", "operator", ("operator", "stop", "target")),
        ),
    },
    "CheckSignal": {
        "purpose": "Say what would become of a signal.",
        "answer": "SignalReport",
        "fields": (("signal", "InjectSignal", None, ()),),
    },
    "InjectSignal": {
        "purpose": "An operator's signal: the payload's fields, typed.",
        "answer": "SignalAnswer",
        "fields": (
            ("user", "text", None, ()),
            ("venue", "text", None, ()),
            ("symbol", "text", None, ()),
            ("timeframe", "text", None, ()),
            ("kind", "one of entry, exit, reduce, reverse", "entry", ("entry", "exit", "reduce", "reverse")),
            ("side", "one of long, short", None, ("long", "short")),
            ("price", "decimal or null", "None", ()),
            ("size", "decimal or null", "None", ()),
            ("size_type", "one of contracts, base, quote", "base", ("contracts", "base", "quote")),
            ("fraction", "decimal or null", "None", ()),
            ("stop_loss", "decimal or null", "None", ()),
            ("take_profit", "decimal or null", "None", ()),
        ),
    },
}
"""Message types of the demo: a default of None must be given."""


def _tree(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield path, kind and what each actor says of itself, parents first."""
    yield "/", "Supervisor", ""
    yield "/store", "Supervisor", ""
    yield "/store/inputs", "InputKeeper", "2.1 MB today"
    yield "/store/events", "EventLog", "266 lines"
    yield "/store/projector", "ReadModelProcess", f"at {world.position:,}, 0 behind"
    yield "/store/equity", "EquityKeeper", ""
    yield "/risk", "Supervisor", ""
    yield "/risk/coordinator", "RiskCoordinator", world.status
    for account in _MONEY:
        yield f"/risk/pool-{account}", "Pool", "10 of 10 slots, 7 wait" if account == "main" else "2 of 3 slots"
        yield f"/risk/offset-{account}", "OffsetEngine", "idle"
    yield "/venues", "Supervisor", ""
    for account in _MONEY:
        yield f"/venues/{account}", "Supervisor", ""
        yield f"/venues/{account}/desk", "OrderDesk", "21 working orders" if account == "main" else "6 working orders"
        yield f"/venues/{account}/session", "VenueSession", "412 markets, breaker closed, 214/1200 calls used"
        yield f"/venues/{account}/feed", "MarketFeed", "18 markets, newest 0.2 s"
        yield f"/venues/{account}/reconciler", "Reconciler", "compared 34 s ago: no difference"
        yield f"/venues/{account}/precision", "PrecisionCache", "412 markets, 12 m old"
    yield "/trading", "Supervisor", ""
    yield "/trading/gateway", "Gateway", "871 signals"
    yield "/trading/groups", "Supervisor", ""
    for account in _MONEY:
        yield f"/trading/groups/{account}", "GroupHouse", ""
        for group in (each for each in world.groups if each.account == account):
            name = f"{group.market.symbol.replace('/', '')}:{group.timeframe}:{group.side}~{group.group_id}"
            yield f"/trading/groups/{account}/{name}", "PositionGroup", group.state.replace("_", " ")
    yield "/operators", "Supervisor", ""
    for name, kind in (
        ("config", "ConfigStore"),
        ("webhook", "WebhookListener"),
        ("api", "ApiServer"),
        ("notifier", "Notifier"),
    ):
        yield f"/operators/{name}", kind, ""


def actors(world: World) -> list[dict[str, Any]]:
    """Return a row for each actor."""
    return [_row(world, place, *each) for place, each in enumerate(_tree(world))]


def _row(world: World, place: int, path: str, kind: str, detail: str) -> dict[str, Any]:
    seconds = (world.now - world.began) // _SECOND
    lively = {"MarketFeed": 40, "Pool": 3, "OrderDesk": 2, "PositionGroup": 5, "EventLog": 4}.get(kind, 0)
    mail = int(max(0.0, noise(place, seconds // 2)) * lively * 0.6)
    handled = 0 if kind == "Supervisor" else 1_000 + place * 317 + int(seconds * lively)
    stood = world.stands.get(path, "running")
    above = any(path.startswith(f"{each}/") and state == "quarantined" for each, state in world.stands.items())
    restarts = {"/venues/perp/session": 2, "/venues/perp/feed": 1}.get(path, 0) + world.restarted.get(path, 0)
    state = "down" if above else stood
    return {
        "path": path,
        "kind": kind if state == "running" else "-",
        "state": state,
        "restarts": restarts,
        "mailbox": mail if state == "running" else mail + 3,
        "oldest_ms": 0.0 if not mail else 2.0 + mail * 3.1,
        "handled": handled,
        "failed": restarts,
        "parked": 0,
        "handle_p99_ms": 0.0 if not handled else round(0.08 + abs(noise(place, 3)) * 1.7, 2),
        "detail": detail,
    }


def _row_of(world: World, path: str) -> dict[str, Any]:
    row = next((each for each in actors(world) if each["path"] == path), None)
    if row is None:
        raise LinkRefused(404, {"code": "NotFound", "message": f"no actor lives at {path}"})
    return row


def actor(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return one actor closely."""
    row = _row_of(world, str(query.get("actor") or ""))
    group = str(row["path"]).rpartition("~")[2] if "~" in str(row["path"]) else ""
    events = [line for line in reversed(world.log) if group and line["group_id"] == group] or (
        list(reversed(world.log))[:6] if row["kind"] in ("EventLog", "OrderDesk", "Pool") else []
    )
    files = incidents(world, {"under": row["path"]})["files"] if row["failed"] else []
    return {
        "actor": row,
        "waiting": ["PriceMoved"] * min(3, int(row["mailbox"])),
        "events": [{"at": each["at"], "type": each["code"], "text": each["text"]} for each in events[:12]],
        "takes": list(_TAKES.get(str(row["kind"]), ())),
        "letters": [],
        "reports": [
            {
                "at": world.began - 7_260 * _SECOND,
                "text": f"{row['path']}: restart: VenueDown: 502 Bad Gateway, again in 1.0 s",
            }
        ]
        if row["failed"]
        else [],
        "incidents": files,
    }


def incidents(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the incident files there are."""
    line: dict[str, Any] = {
        "id": "i7kq2f",
        "kind": "crash",
        "at": world.began - 7_261 * _SECOND,
        "path": "/venues/perp/session",
        "actor": "VenueSession",
        "error": {"type": "VenueDown", "text": "502 Bad Gateway"},
        "decision": {"said": "restarted after 1.0 s", "action": "restart"},
        "more": 1,
        "run": 3,
        "unread": True,
    }
    return {
        "incidents": [],
        "files": [line] if line["path"].startswith(str(query.get("under") or "")) else [],
        "read": 0,
    }


def incident(world: World, ident: str) -> dict[str, Any]:
    """Return an incident file whole."""
    line = next((each for each in incidents(world, {})["files"] if each["id"] == ident), None)
    if line is None:
        raise LinkRefused(404, {"code": "NotFound", "message": f"there is no incident file {ident}"})
    trace = ('File "venues/crypto/venue.py", line 212, in place', '    raise VenueDown(self.name, "502 Bad Gateway")')
    return {
        **line,
        "error": {**line["error"], "trace": trace, "causes": ()},
        "message": {
            "type": "PlaceAtVenue",
            "sender": "/venues/perp/desk",
            "outcome": "given back to the desk: the order is unknown until the venue was asked",
            "fields": {"client_order_id": "bh4nxmz", "symbol": "XRP/USDT", "qty": "412.0"},
        },
        "state": {"breaker": "closed", "tries": 0, "markets": 412},
        "calls": [{"call": "place", "answer": "VenueDown: 502 Bad Gateway", "ms": 1_204.0, "failed": True}],
    }


def messages(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the types that an actor takes, or all."""
    path = str(query.get("actor") or "")
    names = _TAKES.get(str(_row_of(world, path)["kind"]), ()) if path else tuple(TYPES)
    return {"messages": [_type(name) for name in sorted(names)]}


def _type(name: str) -> dict[str, Any]:
    found = TYPES[name]
    fields = [
        {"name": each, "type": kind, "required": default is None, "default": default or "", "choices": list(choices)}
        for each, kind, default, choices in found["fields"]
    ]
    return {
        "name": name,
        "conversation": "demo",
        "purpose": found["purpose"],
        "answer": found["answer"],
        "fields": fields,
    }


def stand(world: World, what: str, path: str) -> dict[str, Any]:
    """Restart, quarantine or release an actor."""
    row = _row_of(world, path)
    if what == "release" and row["state"] != "quarantined":
        raise LinkRefused(409, {"code": "NotQuarantined", "message": f"{path} is {row['state']}, not quarantined"})
    if what == "restart" and row["state"] == "quarantined":
        raise LinkRefused(409, {"code": "ChildQuarantined", "message": f"{path} is quarantined; release it"})
    world.stands[path] = "quarantined" if what == "quarantine" else "running"
    world.restarted[path] = world.restarted.get(path, 0) + (what == "restart")
    world.note("info", "ActorStands", "", f"{path}: {what} by an operator", kind="SupervisorReport")
    state = "quarantined" if what == "quarantine" else "up"
    return {"path": path, "state": state, "restarts": row["restarts"] + (what == "restart")}


def console(world: World) -> dict[str, Any]:
    """Return the console."""
    hours = [_hour(world.now, ago) for ago in range(24)]
    parts = (("journal", 148.3), ("read models", 61.2), ("log", 3.9), ("inputs", 12.8), ("incidents", 0.02))
    return {
        "now": world.now,
        "version": "demo",
        "memory_bytes": 91_226_112,
        "venues": [_venue(world, account) for account in _MONEY],
        "webhook": {"url": True, "hours": hours},
        "storage": {
            "disk_free": 61_900_000_000,
            "disk_total": 103_000_000_000,
            "parts": [
                {"name": name, "where": f"~/.local/share/bulkhead/{name.replace(' ', '-')}", "bytes": int(size * 1e6)}
                for name, size in parts
            ],
        },
        "journal": {"head": world.position, "error": ""},
    }


def _hour(now: int, ago: int) -> dict[str, Any]:
    at = (now // _HOUR - ago) * _HOUR
    many = abs(noise(at // _HOUR, 3))
    codes = {"InvalidSecret": 2} if ago == 5 else {"TooOld": 1, "UnknownSymbol": 1} if ago == 2 else {}
    return {
        "at": at,
        "accepted": int(many * 42) + 6,
        "duplicates": int(many * 5),
        "rejected": sum(codes.values()),
        "codes": codes,
    }


def _venue(world: World, account: str) -> dict[str, Any]:
    seconds, main = world.now // _SECOND, account == "main"
    used = int(214 + 160 * noise(seconds // 3, 8 + main))
    fetched = world.began - (742 if main else 2_100) * _SECOND
    calls = {
        "calls": 40,
        "failed": 0 if main else 1,
        "last_ms": 41 + 22 * noise(seconds, 1 + main),
        "median_ms": 38.0 if main else 71.0,
        "p95_ms": 92.0 if main else 164.0,
    }
    return {
        "account": account,
        "venue": "binance" if main else "bybit",
        "scope": "paper",
        "testnet": not main,
        "status": "up",
        "step": "ready",
        "since": world.began - 7_260 * _SECOND,
        "retry_at": None,
        "code": "",
        "reason": "",
        "entries": True,
        "calls": {
            **calls,
            "last_error": "" if main else "place: VenueDown: 502 Bad Gateway",
            "last_error_at": None if main else world.began - 7_261 * _SECOND,
        },
        "session": {
            "breaker": "closed",
            "limit": 1_200 if main else 600,
            "used": used,
            "window_s": 60.0,
            "waiting": 0,
            "paused_until": 0,
            "clock_ms": 12.4 if main else -83.0,
        },
        "rules": {
            "symbols": 412,
            "fetched_at": fetched,
            "next_at": fetched + 3_600 * _SECOND,
            "error": "",
            "fetching": False,
        },
    }
