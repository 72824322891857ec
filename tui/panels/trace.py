"""The trace of an order, signal or group: what led to what, when, how long it took, and why in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Grid, Row
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.state import State
from tui.text import line, lines

__all__ = ["COLUMNS", "TracePanel", "chain_rows", "took"]

_US: Final = 1_000
_MS: Final = 1_000_000
_SECOND: Final = 1_000_000_000


def took(nanos: int) -> str:
    """Return how long something took in the unit that fits: 840 us, 41 ms, 3.2 s, 5m."""
    if nanos <= 0:
        return "·"
    if nanos < _MS:
        return f"{nanos / _US:,.0f} us"
    if nanos < _SECOND:
        return f"{nanos / _MS:,.0f} ms"
    return f"{nanos / _SECOND:,.1f} s" if nanos < 60 * _SECOND else cells.span(nanos / _SECOND)


def chain_rows(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a chain as rows of a drawn tree: each link, beneath it what happened to it later and what followed."""
    rows: list[dict[str, Any]] = []
    for node in nodes:
        _add(rows, node, "", "", int(node["at"]))
    return rows


def _add(rows: list[dict[str, Any]], node: Mapping[str, Any], stem: str, branch: str, began: int) -> None:
    rows.append(_row(rows, node, f"{stem}{branch}{node['kind']}", node["title"], began, link=True))
    inner = stem if not branch else stem + ("│ " if branch == "├ " else "  ")
    children = list(node["children"])
    for step in node["steps"]:
        mark = "│ " if children else "  "
        rows.append(_row(rows, {**step, "id": ""}, f"{inner}{mark}· {step['type']}", step["text"], began, link=False))
    for place, child in enumerate(children, 1):
        _add(rows, child, inner, "└ " if place == len(children) else "├ ", began)


def _row(
    rows: list[dict[str, Any]], of: Mapping[str, Any], tree: str, text: str, began: int, *, link: bool
) -> dict[str, Any]:
    return {
        "row": f"{of['position']}.{len(rows)}",
        "tree": tree,
        "text": text,
        "id": of["id"],
        "at": of["at"],
        "after": int(of["latency_ns"]),
        "since": int(of["at"]) - began,
        "position": of["position"],
        "link": link,
    }


def _after(row: Row) -> Cell:
    slow = row["after"] >= _SECOND and row["link"] and not str(row["tree"]).endswith("fill")
    return Cell(took(row["after"]), "warn" if slow else "dim" if not row["after"] else "")


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    Column(
        name="what",
        title="What led to what",
        width=24,
        stretch=22,
        fixed=True,
        cell=lambda row: Cell(row["tree"], "strong" if row["link"] else "dim"),
        value=lambda row: row["position"],
    ),
    Column(
        name="time",
        title="Time",
        width=14,
        need=2,
        cell=lambda row: Cell(cells.day_time(row["at"]), "dim"),
        value=lambda row: row["at"],
    ),
    Column(
        name="after",
        title="After cause",
        width=11,
        align=_RIGHT,
        cell=_after,
        value=lambda row: row["after"],
        help="since its cause; of what happened later to a link: since that began",
    ),
    Column(
        name="since",
        title="In all",
        width=8,
        need=1,
        align=_RIGHT,
        cell=lambda row: Cell(took(row["since"]), "dim"),
        value=lambda row: row["since"],
        help="since the beginning of the chain",
    ),
    Column(
        name="text", title="", width=30, stretch=90, cell=lambda row: Cell(row["text"]), value=lambda row: row["text"]
    ),
    Column(
        name="id",
        title="Id",
        width=16,
        need=3,
        stretch=14,
        cell=lambda row: Cell(row["id"], "dim"),
        value=lambda row: row["id"],
    ),
    Column(
        name="position",
        title="Journal",
        width=9,
        need=4,
        align=_RIGHT,
        cell=lambda row: Cell(f"{row['position']:,}", "dim"),
        value=lambda row: row["position"],
    ),
)
"""Every column of a chain."""


class TracePanel(Panel):
    """One chain, and beneath it the same in sentences."""

    ident: ClassVar[str] = "trace"
    key: ClassVar[str] = ""
    title: ClassVar[str] = "Trace"
    tab: ClassVar[bool] = False
    topics: ClassVar[tuple[str, ...]] = ("trace", "explain")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("t", "ask-trace", "Another", target=False),
        PanelKey("o", "trace-log", "Log"),
        PanelKey("enter", "trace", "Trace this"),
    )
    DEFAULT_CSS = """
    TracePanel #trace-summary { height: 1; }
    TracePanel #chain { height: 3fr; }
    TracePanel #why-scroll { height: 2fr; padding: 0 1; background: $surface; }
    TracePanel #sentences { text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.traced = ""
        self._from = ""

    def compose(self) -> ComposeResult:
        """Lay out what is traced, the chain, the sentences."""
        yield Lines(id="trace-summary")
        with Container():
            yield Grid(COLUMNS, ident="row", empty="nothing is traced: t names an order, signal or group", id="chain")
            with VerticalScroll(id="why-scroll", can_focus=False):
                yield Lines(id="sentences")

    @property
    def grid(self) -> Grid | None:
        """Return the chain."""
        found = self.query("#chain")
        return found.first(Grid) if found else None

    def show(self, ident: str, come_from: str) -> None:
        """Trace an id; Esc goes back to where it was asked."""
        if come_from != self.ident:
            self._from = come_from
        self.traced = ident
        self.seat.state.focus("traced", ident)
        self.draw(self.seat.state)

    def target(self) -> str:
        """Return the id of the selected link."""
        row = self.query_one("#chain", Grid).selected
        return str(row["id"] or self.traced) if row is not None else self.traced

    def draw(self, state: State) -> None:
        """Draw chain and sentences."""
        found, why = state.get("trace"), state.get("explain")
        rows = chain_rows(found["trace"]) if found is not None and self.traced else []
        self.query_one("#chain", Grid).take(rows)
        self.query_one("#trace-summary", Lines).put(_summary(self.traced, found, rows, state.pieces["trace"].error))
        self.query_one("#sentences", Lines).put(lines(*_sentences(why)))

    def details(self) -> None:
        """Trace the selected link."""
        if (ident := self.target()) and ident != self.traced:
            self.show(ident, self.ident)

    def back(self) -> bool:
        """Undo the filter, else go back to where the trace was asked."""
        if super().back():
            return True
        if self._from:
            self.seat.open_panel(self._from)
            return True
        return False


def _summary(
    traced: str, found: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]], error: Exception | None
) -> Content:
    if not traced:
        return line("")
    if found is None:
        return line((f" {traced} ", "strong"), (str(error), "alarm") if error is not None else ("reading …", "dim"))
    whole = max((row["since"] for row in rows), default=0)
    return line(
        (f" {found['kind']} ", "dim"),
        (str(found["id"]), "strong"),
        (f"   {sum(row['link'] for row in rows)} links, {len(rows)} events, {took(whole)} in all", "dim"),
    )


def _sentences(why: Mapping[str, Any] | None) -> Iterator[Content]:
    yield line(("WHY", "title"))
    for each in why["sentences"] if why is not None else ():
        at = cells.clock_time(each["at"]) if each.get("at") else ""
        yield line((f"{at:<9}", "dim"), str(each["text"]))
