"""Panel D: what waits for a slot, best first, and why it stands there (EX-1617, EX-1618)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.content import Content

from tui import cells
from tui.grid import Grid, Row
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.panels.queue_columns import COLUMNS
from tui.state import State
from tui.text import line, lines

__all__ = ["QueuePanel"]

_NANOS: Final = 1_000_000_000
_QUEUE_ID: Final = re.compile(r"\bq\d+\b")
_INSTANT_DIGITS: Final = 15
_EMPTY: Final = "nothing waits: entries come here while no slot is free, or while something holds them"


class QueuePanel(Panel):
    """The entries that wait, and the reason of the selected one."""

    ident: ClassVar[str] = "queue"
    key: ClassVar[str] = "4"
    title: ClassVar[str] = "Queue"
    topics: ClassVar[tuple[str, ...]] = ("queue",)
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("p", "promote", "Promote"),
        PanelKey("f", "force-add", "Force add"),
        PanelKey("x", "remove", "Remove"),
    )
    DEFAULT_CSS = """
    QueuePanel #queue-summary { height: auto; max-height: 6; }
    QueuePanel #queue { height: 1fr; }
    QueuePanel #why { height: 2; padding: 0 1; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        """Lay out slots and rules, the entries, the reason of the selected one."""
        yield Lines(id="queue-summary")
        yield Grid(COLUMNS, ident="row", empty=_EMPTY, id="queue")
        yield Lines(id="why")

    @property
    def grid(self) -> Grid | None:
        """Return the table of entries."""
        found = self.query("#queue")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected entry, with its account."""
        row = self.query_one("#queue", Grid).selected
        return "" if row is None else str(row["row"])

    def draw(self, state: State) -> None:
        """Draw every account's queue."""
        queues = state.rows("queue", "queues")
        self.query_one("#queue-summary", Lines).put(lines(*_summaries(queues)))
        rows = (row for report in queues for row in _rows(report))
        self.query_one("#queue", Grid).take(rows, stale=state.stale("queue"))
        self.query_one("#why", Lines).put(lines(*_why(self.query_one("#queue", Grid).selected)))

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Say why the entry under the cursor stands where it does."""
        self.query_one("#why", Lines).put(lines(*_why(event.row)))


def _rows(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an account's entries; why one stands before another is said with what that one is, not with its id."""
    names = {entry["queue_id"]: f"{entry['symbol']} {entry['timeframe']}" for entry in report["entries"]}
    for entry in report["entries"]:
        yield {
            **entry,
            "account": report["account"],
            "row": f"{report['account']}:{entry['queue_id']}",
            "waited_s": (report["at"] - entry["queued_at"]) // _NANOS,
            "why": _QUEUE_ID.sub(lambda found: names.get(found[0], found[0]), cells.words(entry["why"])),
        }


def _summaries(queues: Sequence[Mapping[str, Any]]) -> Iterator[Content]:
    """Yield how full each account's pool is, and the order of promotion, once where all have the same."""
    width = max((len(each["account"]) for each in queues), default=0)
    orders = {tuple(each["rules"]) for each in queues}
    for report in queues:
        yield _summary(report, width)
        if len(orders) > 1:
            yield _order(report["rules"])
    if len(orders) == 1:
        yield _order(next(iter(orders)))


def _summary(report: Mapping[str, Any], width: int) -> Content:
    taken, most = int(report["occupied"]), int(report["maximum"])
    style = "track-alarm" if taken > most else "track-warn" if taken == most else "track"
    return line(
        (f" {report['account']:<{width}}  ", "strong"),
        ("free ", "dim"),
        (f"{report['free']:>2}", "strong"),
        (" of ", "dim"),
        f"{most:>2} slots ",
        (cells.bar(taken / most if most else 0.0, 16), style),
        ("  waiting ", "dim"),
        f"{len(report['entries'])} of {report['queue_limit']}",
        (f"   Ⅱ entries are stopped: {report['paused']}" if report["paused"] else "", "warn"),
    )


def _order(rules: Sequence[str]) -> Content:
    return line((" promoted by  ", "dim"), (" ▸ ".join(cells.words(rule) for rule in rules) or "id", "dim"))


def _why(row: Row | None) -> tuple[Content, ...]:
    if row is None:
        return (line(""),)
    keys = "  ".join(f"{cells.words(key['rule'])} {_value(key['value'])}" for key in row["keys"])
    return line((f"#{row['rank']} ", "strong"), row["why"]), line((keys, "dim"))


def _value(value: Any) -> str:
    """Return the value of a key; an instant, which is what first come first served goes by, as a time of day."""
    text = str(value)
    return cells.clock_time(text) if text.isdigit() and len(text) > _INSTANT_DIGITS else text
