"""The settings of the made-up house: enough keys to show every kind, a draft that keeps what is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.demo.world import World

__all__ = ["do_config", "shown", "versions"]

_KEYS: Final[tuple[tuple[str, Any, str, str, str, dict[str, str], str], ...]] = (
    ("app.mode", "paper", "one of live, paper, dry_run", "", "restart", {}, "Whether real money moves."),
    ("app.read_only", False, "true or false", "", "now", {}, "Refuse every command that trades."),
    ("app.timezone", "UTC", "text", "", "now", {}, "Zone of calendar days."),
    ("exchange.binance.enabled", True, "true or false", "", "restart", {}, "Use this exchange."),
    ("exchange.binance.api_key", None, "secret", "", "restart", {}, "What the account logs in with."),
    ("exchange.binance.api_secret", None, "secret", "", "restart", {}, "What requests are signed with."),
    ("precision.refresh_interval_min", 60, "whole number", "min", "now", {"at_least": "5"}, "Time between two looks."),
    ("execution_pool.max_open_groups", 10, "whole number", "", "now", {"at_least": "1", "at_most": "500"}, "Slots."),
    ("execution_pool.count_pyramids", False, "true or false", "", "now", {}, "Whether a pyramid takes a slot."),
    ("waiting_rule.max_queue_size", 50, "whole number", "", "now", {"at_least": "0"}, "Entries that may wait."),
    ("risk_engine.loss_threshold_percent", "-5", "number", "%", "now", {"below": "0"}, "Loss that starts the timer."),
    ("risk_engine.timer_minutes", 30, "whole number", "min", "now", {"at_least": "1"}, "Time before an offset."),
    ("risk_engine.max_winners", 3, "whole number", "", "now", {"at_least": "1", "at_most": "20"}, "Winners of a plan."),
    (
        "tp_mode.mode",
        "per_leg",
        "one of per_leg, aggregate, hybrid, pyramid_aggregate",
        "",
        "group",
        {},
        "How targets are placed; open groups keep theirs.",
    ),
    ("tp_mode.default_tp_percent", "1.5", "number", "%", "group", {"above": "0"}, "Target of a layer without its own."),
    ("dca_grid_config.layers", 5, "whole number", "", "group", {"at_least": "1", "at_most": "20"}, "Layers a pyramid."),
    ("logging.keep_days", 14, "whole number", "d", "now", {"at_least": "1"}, "Days the log is kept."),
    ("ui.theme", "dark", "one of dark, light", "", "now", {}, "Colours."),
    ("ui.realtime_update_ms", 500, "whole number", "ms", "now", {"at_least": "100", "at_most": "10000"}, "Refresh."),
    ("ui.font_size", 14, "whole number", "px", "now", {"at_least": "8", "at_most": "32"}, "Letters in a browser."),
)
_NAMES: Final = ("key", "default", "type", "unit", "applies", "bounds", "meaning")


def shown(world: World, query: Mapping[str, Any]) -> Any:  # noqa: ARG001 - every answer has this shape
    """Answer ``/v1/config``."""
    effective = []
    for each in _KEYS:
        row = dict(zip(_NAMES, each, strict=True))
        name = row["key"]
        row["value"] = world.settings.get(name, row["default"])
        effective.append(
            {**row, "from": "document" if name in world.settings else "default", "secret": row["type"] == "secret"}
        )
    return {
        "version": world.settings_version,
        "author": "demo",
        "base": world.settings_version,
        "document": dict(world.settings),
        "draft": None if world.draft is None else dict(world.draft),
        "effective": effective,
        "changes": _changes(world),
        "draft_mistakes": [],
        "later": [],
    }


def _changes(world: World) -> list[dict[str, Any]]:
    draft = world.draft if world.draft is not None else world.settings
    keys = sorted(draft.keys() | world.settings.keys())
    return [
        {"key": key, "before": world.settings.get(key), "after": draft.get(key)}
        for key in keys
        if draft.get(key) != world.settings.get(key)
    ]


def versions(world: World, query: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """Answer ``/v1/config/versions``."""
    newest = world.settings_version
    rows = [
        {
            "version": number,
            "at": world.began - (newest - number) * 86_400_000_000_000,
            "author": "demo",
            "changes": [{"key": "ui.theme"}],
        }
        for number in range(newest, 0, -1)
    ]
    return {"versions": rows}


def do_config(world: World, what: str, body: Mapping[str, Any]) -> Any:
    """Do what is asked of the settings; return what the daemon would."""
    if what == "draft":
        base = world.draft if world.draft is not None else world.settings
        changed = {**base, **body["values"]}
        world.draft = {key: value for key, value in changed.items() if value is not None}
    elif what == "load":
        world.draft = dict(body.get("document") or {})
    elif what == "discard":
        world.draft = None
    elif what == "apply" and world.draft is not None:
        world.settings, world.draft = world.draft, None
        world.settings_version += 1
    elif what == "preview":
        return _preview(world)
    return shown(world, {})


def _preview(world: World) -> dict[str, Any]:
    holds = {each[0]: each[4] for each in _KEYS}
    changes = [
        {
            "key": each["key"],
            "before": "" if each["before"] is None else str(each["before"]),
            "after": "" if each["after"] is None else str(each["after"]),
            "holds": holds.get(each["key"], "now"),
            "actors": [],
        }
        for each in _changes(world)
    ]
    restarts = [each["key"] for each in changes if each["holds"] == "restart"]
    return {
        "errors": [],
        "changes": changes,
        "pools": [],
        "offsets": [],
        "ladders": _ladders(world),
        "pruned": [],
        "restarts": restarts,
    }


def _ladders(world: World) -> list[dict[str, Any]]:
    draft = world.draft or {}
    before, after = int(world.settings.get(_LAYERS, 5)), int(draft.get(_LAYERS, 5))
    if before == after:
        return []
    sample = {"symbol": "BTC/USDT", "timeframe": "15m", "side": "long"}
    return [{"sample": sample, "before": _ladder(before), "after": _ladder(after)}]


_LAYERS: Final = "dca_grid_config.layers"


def _ladder(count: int) -> dict[str, Any]:
    price = 67_400.0
    layers = [
        {
            "layer": number,
            "price": f"{price * (1 - 0.01 * number):.2f}",
            "qty": f"{500 / count / price:.6f}",
            "target": f"{price * (1 - 0.01 * number) * 1.015:.2f}",
            "blocked": "",
        }
        for number in range(count)
    ]
    return {"layers": layers, "funds": "500.00", "refusal": "", "watched": []}
