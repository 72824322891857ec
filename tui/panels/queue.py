"""Panel D: what waits for a slot, best first, and why it stands there (EX-1617, EX-1618)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.content import Content

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Grid, Row
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.panels.position_columns import side_cell
from tui.state import State
from tui.text import line, lines

__all__ = ["COLUMNS", "QueuePanel"]

_NANOS: Final = 1_000_000_000
_MINUTE_S: Final = 60
_INSTANT_DIGITS: Final = 15


def _key(row: Row, rule: str) -> str:
    return next((str(key["value"]) for key in row["keys"] if key["rule"] == rule), "")


def _reason(row: Row) -> Cell:
    if row["hold"]:
        return Cell(f"hold: {cells.words(row['hold'])}", "warn")
    text = cells.words(row["reason"])
    return Cell(f"{text}, pyramid" if row["continuation"] else text)


def _loss(row: Row) -> Cell:
    return cells.signed(row["loss_percent"])


def _waited(row: Row) -> Cell:
    return Cell(f"{max(0, row['waited_s']) / _MINUTE_S:,.0f}")


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    Column(
        name="rank",
        title="#",
        width=3,
        fixed=True,
        align=_RIGHT,
        cell=lambda r: Cell(str(r["rank"]), "strong"),
        value=lambda r: r["rank"],
    ),
    Column(
        name="pair",
        title="Pair",
        width=10,
        stretch=6,
        fixed=True,
        cell=lambda r: Cell(r["symbol"], "strong"),
        value=lambda r: r["symbol"],
    ),
    Column(
        name="tf", title="TF", width=3, fixed=True, cell=lambda r: Cell(r["timeframe"]), value=lambda r: r["timeframe"]
    ),
    Column(name="side", title="Side", width=7, cell=lambda r: side_cell(r["side"]), value=lambda r: r["side"]),
    Column(
        name="account",
        title="Account",
        width=8,
        need=6,
        cell=lambda r: Cell(r["account"]),
        value=lambda r: r["account"],
    ),
    Column(
        name="reason",
        title="Waits for",
        width=14,
        stretch=10,
        cell=_reason,
        value=lambda r: _reason(r).text,
        help="reason, or what holds it",
    ),
    Column(
        name="loss",
        title="Loss %",
        width=7,
        need=1,
        align=_RIGHT,
        cell=_loss,
        value=lambda r: cells.number(r["loss_percent"]),
        help="first key: the deeper the earlier",
    ),
    Column(
        name="replaced",
        title="Repl",
        width=4,
        need=2,
        align=_RIGHT,
        cell=lambda r: Cell(str(r["replacements"])),
        value=lambda r: r["replacements"],
        help="times a newer signal replaced it",
    ),
    Column(
        name="profit",
        title="Expect",
        width=9,
        need=3,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["expected_profit"]),
        value=lambda r: cells.number(r["expected_profit"]),
        help="expected profit USD",
    ),
    Column(
        name="waited",
        title="Min",
        width=5,
        align=_RIGHT,
        cell=_waited,
        value=lambda r: r["waited_s"],
        help="minutes in the queue",
    ),
    Column(
        name="queued",
        title="Queued",
        width=8,
        need=5,
        cell=lambda r: Cell(cells.clock_time(r["queued_at"]), "dim"),
        value=lambda r: r["queued_at"],
    ),
    Column(
        name="entry",
        title="Entry",
        width=11,
        need=4,
        align=_RIGHT,
        cell=lambda r: cells.price(r["entry_price"]),
        value=lambda r: cells.number(r["entry_price"]),
    ),
    Column(
        name="now",
        title="Now",
        width=11,
        need=1,
        align=_RIGHT,
        cell=lambda r: cells.price(r["current_price"]),
        value=lambda r: cells.number(r["current_price"]),
        help="current price",
    ),
    Column(
        name="pyramid",
        title="Cont",
        width=4,
        need=7,
        cell=lambda r: Cell(_key(r, "pyramid_continuation") or cells.DASH, "dim"),
        value=lambda r: _key(r, "pyramid_continuation"),
        help="continues a live group",
    ),
    Column(
        name="why",
        title="Why here",
        width=24,
        need=8,
        stretch=60,
        cell=lambda r: Cell(r["why"], "dim"),
        value=lambda r: r["why"],
    ),
    Column(
        name="id", title="Id", width=6, optional=True, cell=lambda r: Cell(r["queue_id"]), value=lambda r: r["queue_id"]
    ),
    Column(
        name="signal",
        title="Signal",
        width=12,
        optional=True,
        cell=lambda r: Cell(r["signal_id"]),
        value=lambda r: r["signal_id"],
    ),
    Column(
        name="expires",
        title="Expires",
        width=14,
        optional=True,
        cell=lambda r: Cell(cells.day_time(r["expires_at"]), "dim"),
        value=lambda r: r["expires_at"],
    ),
)
"""Every column of a waiting entry."""


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
        yield Grid(COLUMNS, ident="row", empty="nothing waits", id="queue")
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
        rows = (
            {
                **entry,
                "account": report["account"],
                "row": f"{report['account']}:{entry['queue_id']}",
                "waited_s": (report["at"] - entry["queued_at"]) // _NANOS,
            }
            for report in queues
            for entry in report["entries"]
        )
        self.query_one("#queue", Grid).take(rows, stale=state.stale("queue"))
        self.query_one("#why", Lines).put(lines(*_why(self.query_one("#queue", Grid).selected)))

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Say why the entry under the cursor stands where it does."""
        self.query_one("#why", Lines).put(lines(*_why(event.row)))


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
