"""How answers look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from protocol.legible import legible

__all__ = [
    "age",
    "clock_time",
    "duration",
    "event_line",
    "instant",
    "ps_view",
    "size",
    "standing",
    "status_view",
]

_STATE_STYLES: Final = {
    "running": ("R", "green"),
    "starting": ("S", "cyan"),
    "stopping": ("T", "yellow"),
    "waiting": ("W", "yellow"),
    "down": ("D", "red"),
    "quarantined": ("Q", "bold white on red"),
    "stopped": ("X", "dim"),
    "new": ("N", "dim"),
}
"""State of an actor -> its letter and colour; the letter says the same where there is no colour."""

_SEVERITY_STYLES: Final = {
    "error": "bold red",
    "warning": "dark_orange",
    "risk": "violet",
    "order": "green",
    "info": "bright_blue",
    "debug": "dim",
}
_SEVERITY_LETTERS: Final = {"error": "E", "warning": "W", "risk": "R", "order": "O", "info": "I", "debug": "D"}


def instant(at: int) -> str:
    """Return nanoseconds as ISO 8601 with milliseconds, UTC."""
    moment = datetime.fromtimestamp(at // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at // 1_000_000 % 1000:03d}Z"


def standing(cache: Mapping[str, Any]) -> str:
    """Return how the link to the cache stands, in one line."""
    if cache["state"] == "in_process":
        return "cache: inside this process, no Redis server is configured"
    ping = f", ping {cache['ping_ms']:.1f} ms" if cache["ping_ms"] is not None else ""
    why = f": {cache['reason']}" if cache["reason"] else ""
    return f"cache: {cache['state']} at {cache['address']}{ping}{why}"


def clock_time(at: int) -> str:
    """Return the time of day of an instant, with milliseconds, UTC."""
    return instant(at)[11:-1]


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units."""
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{seconds:.1f} s"


def age(milliseconds: float) -> str:
    """Return a short span, in the unit that fits."""
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f} us"
    return f"{milliseconds:.1f} ms" if milliseconds < 1_000 else duration(milliseconds / 1_000)


def size(number: int) -> str:
    """Return a number of bytes in megabytes."""
    return f"{number / 1_048_576:.0f} MB"


_HELD: Final = {"AccountPaused": "paused", "AccountStopped": "stopped until armed"}


def status_view(found: Mapping[str, Any]) -> RenderableType:
    """Return the answer of ``status``."""
    engine, journal, counts = found["engine"], found["journal"], found["counts"]
    grid = Table.grid(padding=(0, 2))
    rows: list[tuple[str, str | Text]] = [
        ("bulkhead", f"{found['version']}, process {found['pid']}, up {duration(found['uptime_s'])}"),
        ("prices", _loud(found["source"])),
        ("accounts", _accounts_text(found)),
        ("engine", _engine_text(engine)),
        ("start", _start_text(found["start"])),
        ("settings", _settings_text(found["settings"])),
        ("signals", str(counts["signals"])),
        ("groups", f"{counts['open_groups']} open, {counts['slots_taken']} of {counts['slots']} slots taken"),
        ("orders", f"{counts['working_orders']} working"),
        ("journal", f"{journal['head']} events, {journal['commits']} commits, {journal['path']}"),
        ("webhook", found["webhook_url"]),
        ("socket", found["socket"]),
        *([("network", found["api_url"])] if found.get("api_url") else []),
        ("memory", size(found["memory_bytes"])),
    ]
    if found["cache"]["state"] != "in_process":
        rows.append(("cache", _cache_text(found["cache"])))
    checked = found.get("self_check", {})
    if checked.get("day"):
        rows.append(("self-check", Text(checked["text"], style="" if checked["verdict"] == "equal" else "bold red")))
    if journal["error"]:
        rows.append(("", Text(f"the journal cannot be written: {journal['error']}", style="bold red")))
    if counts.get("incidents"):
        rows.append(("incidents", Text(f"{counts['incidents']} stand, see: bulkhead incidents", style="yellow")))
    if counts.get("unread_incidents"):
        said = f"{counts['unread_incidents']} not looked at yet, see: bulkhead incidents"
        rows.append(("crashes", Text(said, style="bold red")))
    if found["dead_letters"]["total"]:
        letters = found["dead_letters"]
        rows.append(("dead letters", Text(f"{letters['total']}, see: bulkhead dead-letters", style="yellow")))
    for name, value in rows:
        grid.add_row(Text(name, style="bold"), value)
    return grid


def _accounts_text(found: Mapping[str, Any]) -> Text:
    """Return each account with its scope and, where its venue is away, that it is."""
    text = Text()
    if found["mode"] == "dry_run":
        text.append("app.mode is dry_run, nothing is opened: ", style="bold red")
    for index, each in enumerate(found["venues"]):
        text.append(f"{', ' if index else ''}{each['account']} ({each['scope']})")
        if each["text"]:
            why = each["reason"] or each["code"]
            text.append(f" {each['text']}: {why}" if why else f" {each['text']}", style="bold red")
        for held in found["engine"]["held"]:
            if held["account"] == each["account"]:
                text.append(f" {_HELD[held['code']]}: {held['why']}", style="bold yellow")
    return text


def _cache_text(cache: Mapping[str, Any]) -> Text:
    away = cache["state"] == "reconnecting"
    text = standing(cache).removeprefix("cache: ")
    return Text(f"{text}; orders go on without it" if away else text, style="yellow" if away else "")


def _settings_text(settings: Mapping[str, Any]) -> str:
    draft = f"; the draft changes {', '.join(settings['draft'])}" if settings["draft"] else ""
    return f"version {settings['version']} by {settings['author'] or 'nobody'}{draft}"


def _loud(source: str) -> Text:
    made_up = "SYNTHETIC" in source
    return Text(f" {source} " if made_up else source, style="bold black on yellow" if made_up else "")


def _start_text(start: Mapping[str, Any]) -> Text:
    if start["clean"]:
        return Text(f"run {start['run']}, the one before ended in order" if start["run"] > 1 else "first run")
    away = duration(start["down_s"])
    return Text(f"run {start['run']}, after an unclean end; nothing was done for {away}", style="yellow")


def _engine_text(engine: Mapping[str, Any]) -> Text:
    running = engine["status"] == "running"
    reason = f" ({engine['reason']})" if engine["reason"] else ""
    return Text(f"{engine['status']}{reason}", style="green" if running else "bold red")


def ps_view(rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return the tree of actors with their states and numbers."""
    nodes: dict[str, Tree] = {}
    root: Tree | None = None
    for row in rows:
        label = _actor_label(row)
        parent = nodes.get(row["path"].rpartition("/")[0] or "/")
        if parent is None or row["path"] == "/":
            root = nodes[row["path"]] = Tree(label, guide_style="dim")
        else:
            nodes[row["path"]] = parent.add(label)
    return root if root is not None else Text("no actors")


def _actor_label(row: Mapping[str, Any]) -> Text:
    letter, style = _STATE_STYLES.get(row["state"], ("?", ""))
    name = row["path"].rpartition("/")[2] or "/"
    text = Text.assemble((letter, style), " ", (name, "bold"))
    if row["state"] != "running":
        text.append(f" {row['state']}", style=style)
    if row["restarts"]:
        text.append(f"  {row['restarts']} restarts", style="yellow")
    if row["mailbox"]:
        text.append(f"  {row['mailbox']} waiting, oldest {age(row['oldest_ms'])}", style="cyan")
    if row["parked"]:
        text.append(f"  {row['parked']} parked", style="red")
    if row["handled"]:
        text.append(f"  {row['handled']} handled, p99 {age(row['handle_p99_ms'])}", style="dim")
    if row["detail"]:
        text.append(f"  {row['detail']}", style="dim italic")
    return text


def event_line(item: Mapping[str, Any]) -> Text:
    """Return one event as a line: time, severity, identity, what happened, the id to ask about."""
    if item["kind"] == "dropped":
        return Text(f"... {item['count']} events left out: this terminal is too slow", style="bold yellow")
    severity = item["severity"]
    text = Text.assemble(
        (clock_time(item["at"]), "dim"),
        " ",
        (_SEVERITY_LETTERS.get(severity, "?"), _SEVERITY_STYLES.get(severity, "")),
        " ",
    )
    if item.get("symbol") and not item["text"].startswith(item["symbol"]):
        text.append(f"{item['symbol']} ", style="bold")
    text.append(legible(item["text"]), style=_SEVERITY_STYLES.get(severity, ""))
    ident = item["client_order_id"] or item["group_id"] or item["signal_id"]
    if ident:
        text.append(f"  {ident}", style="dim")
    return text
