"""The rows of the settings: groups and parts that open and close, their keys, accounts with their secrets, tasks (EX-1620).

Each row is a dictionary: ``key`` names it, ``kind`` says what Enter does with it (group, part, key, account, task),
``level`` how far it is moved in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tui import cells
from tui.panels.settings_groups import Group, Part, groups_of
from tui.panels.venue_columns import status_of
from tui.settings_values import brief, holder_of, shown

__all__ = ["MASK", "Known", "rows_of"]

MASK: Final = "••••••"
_NOTHING: Final = object()
_CLOSED: Final = "exchange."
"""Parts that are closed until somebody opens them: most of six exchanges is of no interest."""


class Known(NamedTuple):
    """What rows are made of: the daemon's answers, and which groups and parts the operator opened or closed."""

    config: Mapping[str, Any]
    secrets: Sequence[Mapping[str, Any]] = ()
    venues: Sequence[Mapping[str, Any]] = ()
    toggled: frozenset[str] = frozenset()
    every: bool = False
    """Show what is inside of all of them, for a search."""

    def is_open(self, ident: str, *, group: bool) -> bool:
        """Tell whether a group or part shows what is in it."""
        first = not group and not ident.startswith(f"part:{_CLOSED}")
        return self.every or (ident in self.toggled) != first


def rows_of(known: Known) -> list[dict[str, Any]]:
    """Return what is to be seen, from the top down."""
    found: list[dict[str, Any]] = []
    for group, parts in groups_of(known.config["effective"]):
        several = len(parts) > 1
        keys = {part.ident: [_key_row(each, part, known, several=several) for each in part.keys] for part in parts}
        opened = known.is_open(group.ident, group=True)
        every = [row for rows in keys.values() for row in rows]
        found.append(_head(group.ident, group.title, every, opened=opened, level=0))
        if opened:
            found += _tasks(group, known)
            found += _inside(parts, keys, known)
    return found


def _inside(parts: Sequence[Part], keys: Mapping[str, list[dict[str, Any]]], known: Known) -> Iterator[dict[str, Any]]:
    for part in parts:
        rows = keys[part.ident]
        if len(parts) == 1 or len(rows) == 1:
            yield from rows
            continue
        ident = f"part:{part.ident}"
        opened = known.is_open(ident, group=False)
        yield _head(ident, part.ident.removeprefix(_CLOSED).replace("_", " "), rows, opened=opened, level=1)
        if opened:
            yield from ({**row, "level": 2} for row in rows)


def _head(ident: str, title: str, inside: Sequence[Mapping[str, Any]], *, opened: bool, level: int) -> dict[str, Any]:
    changed = sum(bool(row["changed"]) for row in inside)
    set_here = sum(row["from"] == "document" for row in inside)
    return {
        "key": ident,
        "kind": "part" if level else "group",
        "title": title,
        "level": level,
        "opened": opened,
        "value": f"{len(inside)} key{'s' if len(inside) > 1 else ''}" + (f", {set_here} set" if set_here else ""),
        "style": "dim",
        "changed": f"{changed} changed" if changed else "",
        "wrong": next((row["wrong"] for row in inside if row["wrong"]), ""),
        "applies": "",
        "meaning": "",
    }


# --- what stands above the keys of a group ------------------------------------------------------------------------------


def _tasks(group: Group, known: Known) -> Iterator[dict[str, Any]]:
    for task in group.tasks:
        yield _task(task.command, task.title, "", task.meaning)
    if group.ident == "exchange":
        for each in known.venues:
            yield _account(each, [one for one in known.secrets if one["holder"] == each["account"]])
    if group.ident == "precision":
        for each in known.venues:
            said = "Ask this venue for tick, step and minimums of its markets now."
            yield _task(f"precision {each['account']}", f"Rules of {each['account']}", _rules(each["rules"]), said)


def _task(command: str, title: str, value: str, meaning: str) -> dict[str, Any]:
    return _row(f"task:{command}", "task", f"▶ {title}", value, meaning) | {"command": command}


def _account(venue: Mapping[str, Any], secrets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an account: how its connection stands, and the mask of each of its secrets."""
    name = str(venue["account"])
    status, style = status_of(venue)
    net = "test network" if venue["testnet"] else str(venue["scope"])
    masks = "  ".join(f"{each['field']} {each['masked']}" for each in secrets)
    meaning = f"{venue['venue']}, {net}.  {masks}" if masks else f"{venue['venue']}, {net}."
    row = _row(f"account:{name}", "account", f"◆ {name}", f"{status}  {venue['venue']} {net}", meaning)
    return row | {"account": name, "secrets": list(secrets), "style": style}


def _rules(rules: Mapping[str, Any]) -> str:
    if rules["fetching"]:
        return "being fetched …"
    if rules["fetched_at"] is None:
        return str(rules["error"] or "not fetched yet")
    following = f", next {cells.clock_time(rules['next_at'])}" if rules.get("next_at") else ""
    return f"{rules['symbols']} markets at {cells.clock_time(rules['fetched_at'])}{following}"


def _row(ident: str, kind: str, title: str, value: str, meaning: str) -> dict[str, Any]:
    return {
        "key": ident,
        "kind": kind,
        "title": title,
        "level": 1,
        "value": value,
        "style": "",
        "changed": "",
        "wrong": "",
        "applies": "",
        "meaning": meaning,
        "from": "",
    }


# --- keys ---------------------------------------------------------------------------------------------------------------


def _key_row(key: Mapping[str, Any], part: Part, known: Known, *, several: bool) -> dict[str, Any]:
    name, config = str(key["key"]), known.config
    document: Mapping[str, Any] = config.get("document") or {}
    draft: Mapping[str, Any] = config["draft"] if config.get("draft") is not None else document
    changed = draft.get(name, _NOTHING) != document.get(name, _NOTHING)
    wanted = draft[name] if name in draft else key.get("default")
    wrong = next((str(e["message"]) for e in config.get("draft_mistakes") or () if _is_about(str(e["path"]), name)), "")
    row = _row(
        name,
        "key",
        name if several and len(part.keys) == 1 else _title(name, part),
        brief(name, key["value"]),
        str(key["meaning"]),
    )
    return row | {
        **{
            each: key.get(each) for each in ("type", "unit", "default", "bounds", "secret", "from", "applies", "inside")
        },
        "value": _mask(name, key, known) if key.get("secret") else row["value"],
        "style": "" if key["from"] == "document" else "dim",
        "changed": brief(name, wanted) if changed else "",
        "in_force": key["value"],
        "wanted": wanted if changed else key["value"],
        "wrong": wrong,
    }


def _title(name: str, part: Part) -> str:
    """Return a key without what its part says already, as far as that leaves something."""
    return name.removeprefix(f"{part.ident}.").removeprefix("priority_rules_enabled.")


def _is_about(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}[", f"{name}."))


def _mask(name: str, key: Mapping[str, Any], known: Known) -> str:
    """Return the mask of a secret as the daemon shows it to admins, else only whether it is set."""
    holder = holder_of(name)
    kept = next((each for each in known.secrets if (each["holder"], each["field"]) == holder), None)
    if kept is not None:
        return str(kept["masked"])
    return "(not set)" if key["value"] is None else shown(MASK)
