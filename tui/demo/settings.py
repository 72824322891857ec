"""The settings of the made-up house: a draft that keeps what is typed, what it would do, versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tui.demo.ladders import DEFAULT, ladders_of, layers_of, mistakes_in
from tui.demo.world import World

__all__ = ["KEYS", "do_config", "shown", "versions"]

_NAMES: Final = ("key", "default", "type", "applies", "bounds", "meaning")
_FEW: Final[tuple[tuple[str, Any, str, str, dict[str, str], str], ...]] = (
    ("app.mode", "paper", "one of live, paper, dry_run", "restart", {}, "Whether real money moves."),
    ("app.read_only", False, "true or false", "now", {}, "Refuse every command that trades."),
    ("market.symbols", ["BTC/USDT", "ETH/USDT"], "list of text", "restart", {}, "Markets whose prices are shown."),
    ("accounts", [{"name": "main"}, {"name": "perp"}], "list of table", "restart", {}, "Accounts."),
    ("exchange.name", "binance", "one of binance, bybit, okx", "now", {}, "Exchange of manual signals."),
    ("exchange.binance.enabled", True, "true or false", "restart", {}, "Insist on its credentials."),
    ("exchange.binance.api_key", None, "secret", "restart", {}, "What the account logs in with."),
    ("exchange.binance.api_secret", None, "secret", "restart", {}, "What requests are signed with."),
    ("precision.refresh_seconds", 172_800, "whole number", "now", {"at_least": "60"}, "Time between two looks."),
    (
        "execution_pool.max_open_groups",
        10,
        "whole number",
        "now",
        {"at_least": "1", "at_most": "500"},
        "Slots per user.",
    ),
    ("waiting_rule.max_queue_minutes", 1440, "whole number", "now", {"at_least": "0"}, "Expiry of waiting entries."),
    (
        "waiting_rule.selection_priority",
        ["pyramid_continuation", "highest_loss_percent", "fifo"],
        "list of text",
        "now",
        {},
        "Order of the ranking rules.",
    ),
    ("risk_engine.loss_threshold_percent", "-5", "number", "now", {"below": "0"}, "Loss that makes a group eligible."),
    (
        "grid_strategy.max_pyramids_per_group",
        5,
        "whole number",
        "group",
        {"at_least": "1", "at_most": "50"},
        "Entries per group.",
    ),
    ("grid_strategy.levels", None, "list of table", "group", {}, "Layers; unset: five of them."),
    ("grid_strategy.pyramid_specific_levels", {}, "table of list of table", "group", {}, "Layers of single pyramids."),
    ("grid_strategy.dca_count", None, "whole number", "group", {"at_least": "1"}, "Shorthand: number of layers."),
    ("grid_strategy.dca_gap_percent", None, "number", "group", {"above": "0"}, "Shorthand: distance between them."),
    ("grid_strategy.tp_mode", "per_leg", "one of per_leg, aggregate, hybrid", "group", {}, "How profit is taken."),
    ("grid_strategy.tp_percent", "1", "number", "group", {"above": "0"}, "Target of shorthand layers."),
    ("grid_strategy.overrides", [], "list of table", "group", {}, "Other values for some groups."),
    ("sizing.fixed_quote", "100", "number", "group", {"above": "0"}, "Quote amount of a pyramid."),
    ("logging.keep_days", 14, "whole number", "now", {"at_least": "1"}, "Days the log is kept."),
    ("ui.theme", "dark", "one of dark, light", "now", {}, "Colours."),
    ("ui.realtime_update_ms", 500, "whole number", "now", {"at_least": "100", "at_most": "10000"}, "Refresh."),
    ("ui.font_size", 14, "whole number", "now", {"at_least": "8", "at_most": "32"}, "Letters in a browser."),
    ("ui.autosave_config", False, "true or false", "now", {}, "Save drafts while editing."),
)
KEYS: Final = tuple(
    {**dict(zip(_NAMES, each, strict=True)), "unit": "", "secret": each[2] == "secret", "from": "default"}
    for each in _FEW
)
"""Some keys of every kind; whoever starts the demo with all that there are gives them."""


def shown(world: World, query: Mapping[str, Any]) -> Any:  # noqa: ARG001 - every answer has this shape
    """Answer ``/v1/config``."""
    in_force = world.settings
    effective = [
        {
            **each,
            "value": in_force.get(each["key"], each["default"]),
            "from": "document" if each["key"] in in_force else "default",
        }
        for each in world.keys
    ]
    return {
        "version": world.settings_version,
        "author": "demo",
        "base": world.settings_version,
        "document": dict(in_force),
        "draft": None if world.draft is None else dict(world.draft),
        "draft_author": "demo" if world.draft is not None else "",
        "effective": effective,
        "changes": _changes(in_force, world.draft if world.draft is not None else in_force),
        "draft_mistakes": [] if world.draft is None else mistakes_in(world.draft),
        "unreadable": "",
        "later": [],
    }


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = sorted(before.keys() | after.keys())
    return [
        {"key": key, "before": before.get(key), "after": after.get(key)}
        for key in keys
        if before.get(key) != after.get(key)
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
        world.draft = _over(world, body["values"])
        world.note("info", "DraftChanged", "", "the draft was edited", kind="DraftChanged")
    elif what == "load":
        world.draft = dict(body.get("document") or {})
    elif what == "discard":
        world.draft = None
    elif what == "apply" and world.draft is not None:
        world.settings, world.draft = world.draft, None
        world.settings_version += 1
    elif what == "preview":
        return _preview(world, _over(world, body.get("edits") or {}), body)
    return shown(world, {})


def _over(world: World, edits: Mapping[str, Any]) -> dict[str, Any]:
    base = world.draft if world.draft is not None else world.settings
    return {key: value for key, value in {**base, **edits}.items() if value is not None}


def _preview(world: World, draft: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    holds = {each["key"]: each["applies"] for each in world.keys}
    changes = [
        {
            "key": each["key"],
            "before": "" if each["before"] is None else json.dumps(each["before"]),
            "after": "" if each["after"] is None else json.dumps(each["after"]),
            "holds": holds.get(each["key"], "now"),
            "actors": [],
        }
        for each in _changes(world.settings, draft)
    ]
    errors = mistakes_in(draft)
    return {
        "errors": errors,
        "changes": changes,
        "pools": [],
        "offsets": [],
        "ladders": [] if errors else ladders_of(world.settings, draft, sample),
        "pruned": [],
        "backups": [],
        "restarts": [each["key"] for each in changes if each["holds"] == "restart"],
        "layers": {} if errors else {"0": layers_of(draft, 0) or DEFAULT},
    }
