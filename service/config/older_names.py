"""Names of earlier versions that still mean something (EX-1305)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

__all__ = ["Renamed", "present_name", "renamed_in", "renamed_table"]


class Renamed(NamedTuple):
    """A key was given by an older name."""

    old: str
    new: str


_SECTIONS: Final = {"risk": "risk_engine", "queue": "waiting_rule", "UI": "ui"}

_KEYS: Final = {
    "app.engine_mode": "app.mode",
    "exchange.precision_refresh_sec": "precision.refresh_seconds",
    "precision.precision_refresh_interval": "precision.refresh_seconds",
    "precision.strict_mode": "precision.block_on_missing_metadata",
    "execution_pool.count_pyramids_in_pool": "execution_pool.count_pyramids_toward_pool",
    "waiting_rule.allow_replacement": "waiting_rule.queue_replace_same_symbol",
    "waiting_rule.queue_priority_rules": "waiting_rule.selection_priority",
    "grid_strategy.max_pyramids": "grid_strategy.max_pyramids_per_group",
    "risk_engine.post_full_wait_minutes": "risk_engine.post_pyramids_wait_minutes",
    "risk_engine.loss_percent_trigger": "risk_engine.loss_threshold_percent",
    "risk_engine.age_timer_minutes": "risk_engine.age_threshold_minutes",
    "risk_engine.combine_winners_max": "risk_engine.max_winners_to_combine",
    "logging.max_log_days": "logging.keep_days",
    "logging.log_level": "app.log_level",
    "security.encryption_enabled": "security.store_secrets_encrypted",
    "ui.refresh_rate": "ui.realtime_update_ms",
    "deployment.docker_mode": "deployment.docker_enabled",
}


def present_name(name: str) -> str:
    """Return what a dotted key is called now."""
    section, dot, rest = name.partition(".")
    moved = f"{_SECTIONS.get(section, section)}{dot}{rest}"
    return _KEYS.get(moved, moved)


def renamed_in(file: Path | None) -> list[Renamed]:
    """Return which keys of a readable config.toml stand there under older names."""
    return renamed_table(tomllib.loads(file.read_text(encoding="utf-8")))[1] if file is not None else []


def renamed_table(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[Renamed], list[Renamed]]:
    """Return nested tables under present names, what was renamed, and where old and new name contradict each other."""
    found: dict[str, Any] = {}
    renamed: list[Renamed] = []
    conflicts: list[Renamed] = []
    for section, inner in table.items():
        if not isinstance(inner, Mapping):
            found.setdefault(section, inner)
            continue
        if section not in _SECTIONS:
            found.setdefault(section, {})
        for key, value in inner.items():
            old = f"{section}.{key}"
            new = present_name(old)
            if new != old:
                renamed.append(Renamed(old, new))
            if not _put(found, new, value):
                conflicts.append(Renamed(old, new))
    return found, renamed, conflicts


def _put(found: dict[str, Any], name: str, value: Any) -> bool:
    """Set a key of the second level; False when another value stands there."""
    section, _, key = name.partition(".")
    inner = found.setdefault(section, {})
    if not isinstance(inner, dict):
        return True  # the section itself is no table: the reader says so
    known = inner.setdefault(key, value)
    return known is value or bool(known == value)
