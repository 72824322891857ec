"""One group down to its legs: the ladder, its references, what triggered (EX-1613)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from protocol.groups.naming import leg_name, scope_name
from tui import cells
from tui.cells import Cell, pointed
from tui.grid import Grid
from tui.lines import Lines
from tui.panels.leg_columns import COLUMNS, leg_rows
from tui.panels.position_columns import percent_of
from tui.state import State
from tui.text import line, lines

__all__ = ["GroupDetail"]

_EVENTS: Final = 30
_CAME: Final = {"running": "warn", "filled": "gain", "given_up": "alarm", "too_late": "warn", "skipped": "warn"}


class GroupDetail(Vertical):
    """The opened group; there is none while ``group_id`` is empty."""

    DEFAULT_CSS = """
    GroupDetail { display: none; height: 1fr; layout: grid; grid-size: 1; grid-rows: 2 1fr 1fr; }
    GroupDetail.-open { display: block; layout: grid; }
    GroupDetail #group-head { height: 2; background: $surface; padding: 0 1; }
    GroupDetail #group-facts { padding: 0 1; }
    GroupDetail #facts { }
    """
    BINDINGS: ClassVar = []

    def __init__(self) -> None:
        super().__init__(id="group-detail")
        self.group_id = ""

    def compose(self) -> ComposeResult:
        """Lay out head, legs and facts."""
        yield Lines(id="group-head")
        yield Grid(COLUMNS, ident="leg_id", empty="reading …", id="legs")
        with VerticalScroll(id="group-facts", can_focus=False):
            yield Lines(id="facts")

    @property
    def selected_leg(self) -> str:
        """Return the id of the selected leg."""
        row = self.query_one("#legs", Grid).selected
        return "" if row is None else str(row["leg_id"])

    @property
    def has_focus_within(self) -> bool:
        """Tell whether the keys go to the legs."""
        return self.query_one("#legs", Grid).has_focus

    def open(self, group_id: str) -> None:
        """Show a group."""
        if group_id != self.group_id:
            self.query_one("#legs", Grid).take(())
            self.query_one("#facts", Lines).put(line(""))
        self.group_id = group_id
        self.add_class("-open")

    def close(self) -> None:
        """Show none."""
        self.group_id = ""
        self.remove_class("-open")

    def draw(self, state: State) -> None:
        """Draw the group as of the newest answer."""
        if not self.group_id:
            return
        found = state.get("group")
        live = next((row for row in state.rows("groups", "groups") if row["group_id"] == self.group_id), None)
        head = self.query_one("#group-head", Lines)
        if found is None:
            problem = state.pieces["group"].error
            head.put(line((f"{self.group_id}: {problem or 'reading …'}", "dim")))
            return
        group = found["group"]
        mark = live["mark"] if live is not None else None
        head.put(lines(*_head(group, live, found["venue"])))
        self.query_one("#legs", Grid).take(leg_rows(group, mark), stale=state.stale("group"))
        events = state.rows("group_log", "events")
        self.query_one("#facts", Lines).put(lines(*_facts(found, state.get("group_history"), events)))


def _head(group: Mapping[str, Any], live: Mapping[str, Any] | None, venue: Mapping[str, Any]) -> Iterator[Content]:
    yield line(
        (f"{'▲' if group['side'] == 'long' else '▼'} {group['side']} {group['symbol']} {group['timeframe']}", "strong"),
        (f"  {group['account']}  {cells.words(group['state'])}", ""),
        (f"  ✖ {venue['text']}" if venue["text"] else "", "alarm"),
        (f"  ✖ frozen: {group['frozen']}" if group.get("frozen") else "", "alarm"),
        (f"  v{group['version']}  {group['group_id']}  {group['strategy']}", "dim"),
    )
    yield line(
        *_result(live),
        ("  realized ", "dim"),
        cells.signed(group["realized_quote"]),
        ("  mark ", "dim"),
        cells.price(live["mark"] if live is not None else None),
        ("  average ", "dim"),
        cells.price(_short(group["avg_entry"], group["base_entry_price"])),
        ("  open ", "dim"),
        cells.amount(group["open_qty"]),
    )


def _result(live: Mapping[str, Any] | None) -> list[Cell]:
    """Return what is unrealized, first of all figures: a small screen cuts the last ones, and hides the table of groups."""
    if live is None:
        return [Cell("closed", "dim")]
    return [
        Cell("unrealized ", "dim"),
        cells.signed(live["unrealized_quote"]),
        Cell(" "),
        cells.signed(percent_of(live), unit="%"),
    ]


def _short(average: Any, like: Any) -> str | None:
    found = cells.number(average)
    return None if found is None else f"{found:.{min(8, len(str(like).partition('.')[2]))}f}"


def _facts(found: Mapping[str, Any], past: Mapping[str, Any] | None, events: list[Any]) -> Iterator[Content]:
    group, pnl = found["group"], found["pnl"]
    yield line(
        ("PYRAMIDS", "title"), (f"  {len(group['pyramids'])} of {group['config']['max_pyramids_per_group']}", "dim")
    )
    yield from _pyramids(group, {each["name"]: each["realized_quote"] for each in pnl["by_pyramid"]})
    yield from _section("REFERENCES", _references(group))
    yield from _section("PENDING TARGETS", _targets(group))
    yield from _section("WATCHED PRICES", _watches(group))
    yield from _section("TRIGGERS", _triggers(past["triggers"] if past is not None else ()))
    yield from _section("VERSIONS", _versions(past["history"] if past is not None else ()))
    yield from _section("LOG", _log(events))


def _pyramids(group: Mapping[str, Any], realized: Mapping[str, Any]) -> Iterator[Content]:
    """Yield each pyramid with its totals (EX-1613)."""
    pyramids = group["pyramids"]
    legs = [[leg for leg in group["legs"] if leg["pyramid"] == each["index"]] for each in pyramids]
    paid = pointed([f"{sum(cells.number(leg['cost']) or 0.0 for leg in each):,.2f}" for each in legs])
    entries = pointed([cells.price(each["entry_price"]).text for each in pyramids])
    results = [cells.signed(realized.get(f"p{each['index']}")) for each in pyramids]
    booked = pointed([each.text for each in results])
    for place, pyramid in enumerate(pyramids):
        filled = sum(bool(cells.number(leg["filled"])) for leg in legs[place])
        yield line(
            (leg_name(f"p{pyramid['index']}"), "strong"),
            (f"  {filled}/{len(legs[place])}   in ", "dim"),
            entries[place],
            ("  paid ", "dim"),
            paid[place],
            ("  ", "dim"),
            (booked[place], results[place].style),
        )


def _section(title: str, rows: Iterator[Content]) -> Iterator[Content]:
    found = list(rows)
    if found:
        yield Content("")
        yield line((title, "title"))
        yield from found


def _references(group: Mapping[str, Any]) -> Iterator[Content]:
    yield line(
        ("take profit ", "dim"),
        cells.words(group["config"]["tp_mode"]),
        ("  stop ", "dim"),
        cells.price(group["stop_price"]),
        ("  target ", "dim"),
        cells.price(group["target_price"]),
    )


def _targets(group: Mapping[str, Any]) -> Iterator[Content]:
    orders = [order for order in group["orders"] if order["purpose"] != "entry"]
    requests = [order["request"] for order in orders]
    sizes = pointed([cells.amount(each["qty"]).text for each in requests])
    prices = pointed([cells.price(each["price"]).text if each["price"] else "market" for each in requests])
    for order, size, price in zip(orders, sizes, prices, strict=True):
        yield line(
            (f"{leg_name(order['leg_id']) or scope_name(order['scope']):<8}", "strong"),
            (f" {cells.words(order['purpose'])} {order['request']['side']} ", "dim"),
            size,
            (" at ", "dim"),
            price,
            (f"  {cells.words(order['state'])}", "dim"),
        )


def _watches(group: Mapping[str, Any]) -> Iterator[Content]:
    for watch in group["watches"]:
        way = "at or above" if watch["above"] else "at or below"
        yield line(
            (f"{cells.words(watch['reason'])} of {scope_name(watch['scope'])} {way} ", "dim"),
            cells.price(watch["price"]),
        )


def _triggers(found: Sequence[Mapping[str, Any]]) -> Iterator[Content]:
    """Yield what triggered, the newest first: what it was for, and what came of it."""
    for each in reversed(found[-_EVENTS:]):
        yield line(
            (f"{cells.clock_time(each['at'])}  ", "dim"),
            f"{cells.words(each['trigger'])} of {scope_name(each['scope'])}  ",
            (cells.words(each["came"]), _CAME.get(each["came"], "dim")),
        )


def _versions(history: Sequence[Mapping[str, Any]]) -> Iterator[Content]:
    for entry in reversed(history[-5:]):
        text = "; ".join(entry.get("changes") or ()) or str(entry["type"])
        yield line((f"{cells.clock_time(entry['at'])}  ", "dim"), f"v{entry['version']} {entry['by']} {text}")


def _log(events: list[Any]) -> Iterator[Content]:
    for event in events[:_EVENTS]:
        letter = str(event["severity"])[:1].upper()
        style = {"E": "alarm", "W": "warn"}.get(letter, "")
        yield line(
            (f"{cells.clock_time(event['at'])} ", "dim"), (f"{letter} ", style or "dim"), (str(event["text"]), style)
        )
