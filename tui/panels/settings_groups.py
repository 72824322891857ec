"""How settings are grouped on the screen: the operator's groups, each of one or more parts (EX-1620)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["GROUPS", "Group", "Part", "Task", "groups_of", "part_of"]

_Key = Mapping[str, Any]


class Task(NamedTuple):
    """Something to do that stands among the keys: the command that does it, and what it is for."""

    command: str
    title: str
    meaning: str


class Group(NamedTuple):
    """One group: its parts are beginnings of keys; ``tasks`` stand above them."""

    ident: str
    title: str
    beginnings: tuple[str, ...]
    tasks: tuple[Task, ...] = ()


class Part(NamedTuple):
    """Keys of one beginning; ``ident`` is that beginning."""

    ident: str
    keys: tuple[_Key, ...]


GROUPS: Final[tuple[Group, ...]] = (
    Group("exchange", "Exchange API", ("accounts", "exchange")),
    Group("precision", "Precision control", ("precision",)),
    Group("execution_pool", "Execution pool and queue", ("execution_pool", "priority_rules", "waiting_rule")),
    Group("risk_engine", "Risk engine", ("risk_engine",)),
    Group("grid_strategy", "Take profit and layers", ("grid_strategy", "sizing")),
    Group(
        "storage",
        "Storage and backup",
        ("ui.autosave_config", "backups", "journal", "database", "redis"),
        (
            Task("ask-backup", "Back up the settings", "Write what differs from the defaults into a file; no secrets."),
            Task("ask-restore", "Restore settings", "Make such a file the draft."),
            Task("config-reset", "Reset to defaults", "Make the defaults the draft."),
            Task("config-versions", "Versions", "The last fifty; any of them can be the draft again."),
            Task("full-backup", "Full backup", "Settings, journal, read models and log in one archive, read back."),
            Task("backups", "Full backups", "Those that there are, which are marked, which go with the next."),
        ),
    ),
    Group("ui", "Theme and UI", ("ui",)),
    Group("signal", "Signals and security", ("signal", "security", "webhook", "approvals")),
    Group("logging", "Logging", ("logging",)),
    Group("performance", "Performance", ("performance",)),
    Group("app", "App", ("app", "market", "self_check", "supervision", "demo")),
    Group("telegram", "Phone", ("telegram",)),
    Group("api", "API and browser", ("api",)),
    Group("deployment", "Deployment", ("deployment",)),
)
"""Every group in its order; a section that stands in none has one of its own, so that every key is reachable (EX-1621)."""


def groups_of(keys: Sequence[_Key]) -> list[tuple[Group, tuple[Part, ...]]]:
    """Return the groups that have keys, with their parts."""
    strangers = dict.fromkeys(str(each["key"]).partition(".")[0] for each in keys if not _home(str(each["key"])))
    groups = (*GROUPS, *(Group(name, name.replace("_", " ").capitalize(), (name,)) for name in strangers))
    found: dict[str, dict[str, list[_Key]]] = {group.ident: {} for group in groups}
    for each in keys:
        name = str(each["key"])
        group = _home(name) or name.partition(".")[0]
        found[group].setdefault(part_of(name), []).append(each)
    return [(group, _parts(group, found[group.ident])) for group in groups if found[group.ident]]


def _parts(group: Group, found: Mapping[str, list[_Key]]) -> tuple[Part, ...]:
    """Return the parts of a group in the order of its beginnings."""

    def place(ident: str) -> int:
        fitting = [at for at, each in enumerate(group.beginnings) if _begins(ident, each) or _begins(each, ident)]
        return fitting[0] if fitting else len(group.beginnings)

    return tuple(Part(ident, tuple(found[ident])) for ident in sorted(found, key=place))


def part_of(key: str) -> str:
    """Return the part that a key stands in: its section, and of an exchange that exchange."""
    section, _, rest = key.partition(".")
    return f"{section}.{rest.partition('.')[0]}" if section == "exchange" and "." in rest else section


def _home(key: str) -> str:
    """Return the group a key belongs to, empty for none; the longest beginning counts."""
    fitting = [(len(each), group.ident) for group in GROUPS for each in group.beginnings if _begins(key, each)]
    return max(fitting)[1] if fitting else ""


def _begins(key: str, beginning: str) -> bool:
    return key == beginning or key.startswith(f"{beginning}.")
