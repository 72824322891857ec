"""Panel G: the system console: connections, API use, trading rules, webhook, disk, version (EX-1622, EX-1623)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from tui import cells
from tui.grid import Grid
from tui.lines import Lines
from tui.panels.base import BROAD, Panel, PanelKey
from tui.panels.venue_columns import COLUMNS
from tui.state import State
from tui.text import line, lines

__all__ = ["SystemPanel"]

_HOURS: Final = 12
_WIDE: Final = 24
_NARROW: Final = 12
"""Cells of the bar of an hour, as far as there is room."""


class SystemPanel(Panel):
    """Venues above; webhook, storage and process beneath."""

    ident: ClassVar[str] = "system"
    key: ClassVar[str] = "7"
    title: ClassVar[str] = "System"
    topics: ClassVar[tuple[str, ...]] = ("console", "actors")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("r", "reconnect", "Reconnect"),
        PanelKey("p", "precision", "Fetch precision"),
        PanelKey("c", "reconcile", "Reconcile"),
        PanelKey("y", "allow-entries", "Allow entries"),
        PanelKey("R", "ask-restart", "Restart actor", target=False),
        PanelKey("d", "dead-letters", "Dead letters", target=False),
    )
    DEFAULT_CSS = """
    SystemPanel #venues { height: 1fr; min-height: 4; max-height: 9; }
    SystemPanel #system-scroll { height: 3fr; padding: 0 1; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the venues and the facts."""
        yield Grid(COLUMNS, ident="account", empty="there is no account", id="venues")
        with VerticalScroll(id="system-scroll", can_focus=False):
            yield Lines(id="system-facts")

    @property
    def grid(self) -> Grid | None:
        """Return the table of venues."""
        found = self.query("#venues")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected account."""
        row = self.query_one("#venues", Grid).selected
        return "" if row is None else str(row["account"])

    def draw(self, state: State) -> None:
        """Draw the console."""
        found = state.get("console")
        if found is None:
            return
        rows = [{**each, "now": found["now"]} for each in found["venues"]]
        self.query_one("#venues", Grid).take(rows, stale=state.stale("console"))
        actors, wide = state.rows("actors", "actors"), _WIDE if self.size.width >= BROAD else _NARROW
        self.query_one("#system-facts", Lines).put(lines(*_facts(found, state.get("status"), actors, wide)))

    def details(self) -> None:
        """Show the actors of the selected account."""
        account = self.target()
        panel = self.seat.open_panel("actors")
        if panel is not None and account:
            panel.search(f"/venues/{account}")


def _facts(
    found: Mapping[str, Any], status: Mapping[str, Any] | None, actors: Sequence[Mapping[str, Any]], wide: int
) -> Iterator[Content]:
    yield from _process(found, status, actors)
    yield line("")
    yield from _webhook(found["webhook"]["hours"], wide)
    yield line("")
    yield from _storage(found["storage"])


def _process(
    found: Mapping[str, Any], status: Mapping[str, Any] | None, actors: Sequence[Mapping[str, Any]]
) -> Iterator[Content]:
    up = cells.span(status["uptime_s"]) if status is not None else cells.DASH
    off = [str(each["path"]) for each in actors if each["state"] != "running"]
    yield line(
        ("PROCESS   ", "title"),
        ("version ", "dim"),
        str(found["version"]),
        ("   up ", "dim"),
        up,
        ("   memory ", "dim"),
        _size(found["memory_bytes"]),
        ("   journal ", "dim"),
        f"{found['journal']['head']:,} events",
        (f"  {found['journal']['error']}", "alarm"),
    )
    yield line(
        ("ACTORS    ", "title"),
        f"{len(actors)}",
        ("   restarts ", "dim"),
        f"{sum(int(each['restarts']) for each in actors)}",
        ("   waiting ", "dim"),
        f"{sum(int(each['mailbox']) for each in actors)} messages",
        (f"   not running: {', '.join(off[:3])}", "alarm") if off else ("   ✓ all run", "gain"),
        ("   0 shows the tree", "dim"),
    )


def _webhook(hours: Sequence[Mapping[str, Any]], wide: int) -> Iterator[Content]:
    """Yield a bar an hour, the newest first, and what was rejected by code."""
    codes: Counter[str] = Counter()
    for each in hours:
        codes.update(each["codes"])
    accepted = sum(each["accepted"] for each in hours)
    repeated = sum(each["duplicates"] for each in hours)
    yield line(
        ("WEBHOOK   ", "title"),
        ("24 h: ", "dim"),
        (f"{accepted:,} accepted", "gain"),
        (f"   {repeated:,} duplicates", "dim"),
        (f"   {sum(codes.values()):,} rejected", "warn" if codes else "dim"),
        ("   " + "  ".join(f"{code} {count}" for code, count in codes.most_common(5)), "dim"),
    )
    most = max([1, *(each["accepted"] + each["duplicates"] + each["rejected"] for each in hours)])
    for each in hours[:_HOURS]:
        total = each["accepted"] + each["duplicates"] + each["rejected"]
        yield line(
            (f"  {cells.clock_time(each['at'])[:5]} ", "dim"),
            (cells.bar(total / most, wide), "track-warn" if each["rejected"] else "track-accent"),
            f" {each['accepted']:>5} accepted",
            (f" {each['duplicates']:>4} duplicates", "dim"),
            (f" {each['rejected']:>4} rejected", "warn" if each["rejected"] else "dim"),
            ("  " + " ".join(f"{code} {count}" for code, count in each["codes"].items()), "dim"),
        )


def _storage(storage: Mapping[str, Any]) -> Iterator[Content]:
    free, total = int(storage["disk_free"]), max(1, int(storage["disk_total"]))
    used = 1 - free / total
    yield line(
        ("STORAGE   ", "title"),
        ("disk ", "dim"),
        (cells.bar(used, 24), "track-alarm" if used > 0.95 else "track-warn" if used > 0.85 else "track"),
        f" {used * 100:.0f} % used, {_size(free)} free",
    )
    for each in storage["parts"]:
        size = "on the server" if each["bytes"] is None else _size(each["bytes"])
        yield line((f"  {each['name']:<12} ", "dim"), f"{size:>13}", (f"  {each['where']}", "dim"))


def _size(value: Any) -> str:
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1_000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1_000
    raise AssertionError("the last unit takes everything")
