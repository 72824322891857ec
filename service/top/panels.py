"""The parts of the live view, each drawn into the rows and columns it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.cli.views import STATE_STYLES, age, clock_time, duration, severity_mark, size

__all__ = [
    "Row",
    "actors_panel",
    "events_panel",
    "groups_panel",
    "header",
    "health_line",
    "money",
    "orders_panel",
    "plain",
]

Row = Mapping[str, Any]

_BORDER: Final = 2
_HEAD: Final = 1


def money(value: str | None, *, signed: bool = True) -> Text:
    """Return an amount of quote currency with two places, green above zero and red below; a dash when unknown."""
    if value is None:
        return Text("-", style="dim")
    amount = Decimal(value)
    style = "" if not signed else "green" if amount > 0 else "red" if amount < 0 else "dim"
    return Text(f"{amount:+,.2f}" if signed else f"{amount:,.2f}", style=style)


def plain(value: str | None, places: int = 8) -> str:
    """Return a number without trailing zeros, at most so many places; a dash when unknown."""
    if value is None:
        return "-"
    text = f"{Decimal(value):.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def header(data: Row, problem: str) -> RenderableType:
    """Return the two lines on top: what runs on which prices; whether entries are allowed and what came of it."""
    status = data["status"]
    first = Text.assemble((" bulkhead ", "bold reverse"), f" {status['version']}  ")
    source = status["source"]
    made_up = "SYNTHETIC" in source
    first.append(f" {source}{' MARKET' if made_up else ''} ", style="bold black on yellow" if made_up else "bold cyan")
    engine = status["engine"]
    running = engine["status"] == "running"
    reason = f": {engine['reason']}" if engine["reason"] else ""
    first.append("  engine ")
    first.append(f"{engine['status']}{reason}", style="bold green" if running else "bold white on red")
    if status["mode"] == "dry_run":
        first.append("  DRY RUN", style="bold black on yellow")
    for venue in status["venues"]:
        if venue["text"]:
            first.append(f"  {venue['account']}: {venue['text']}", style="bold white on red")
    first.append(f"  {status['scope']}  up {duration(status['uptime_s'])}", style="dim")
    if problem:
        first.append(f"  {problem}", style="bold white on red")
    return _two_lines(first, _results(data))


def _results(data: Row) -> Text:
    status, counts = data["status"], data["status"]["counts"]
    line = Text(" ")
    for account in data["equity"]:
        line.append("equity ").append_text(money(account["equity"], signed=False)).append(f" {account['currency']}  ")
    several = len({venue["scope"] for venue in status["venues"]}) > 1
    for (quote, scope), net in _net_by_quote(data["pnl"]).items():
        line.append(f"{scope} " if several else "").append("realised ").append_text(money(str(net))).append(
            f" {quote}  "
        )
    for scope, result in _open_results(data["groups"]).items() or [("", Decimal(0))]:
        line.append(f"{scope} " if several else "").append("unrealised ").append_text(money(str(result))).append("  ")
    line.append(f"slots {counts['slots_taken']}/{counts['slots']}  events {status['journal']['head']}", style="dim")
    line.append(f"  {size(status['memory_bytes'])}", style="dim")
    if status["dead_letters"]["total"]:
        line.append(f"  {status['dead_letters']['total']} dead letters", style="yellow")
    if status["journal"]["error"]:
        line.append("  THE JOURNAL CANNOT BE WRITTEN", style="bold white on red")
    return line


def _net_by_quote(rows: Iterable[Row]) -> dict[tuple[str, str], Decimal]:
    """Return what was earned by quote currency and scope: neither ever mix."""
    net: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = row["quote"], row["scope"]
        net[key] = net.get(key, Decimal(0)) + Decimal(row["net_quote"])
    return net


def _open_results(groups: Iterable[Row]) -> dict[str, Decimal]:
    """Return what open groups are ahead or behind, by scope."""
    found: dict[str, Decimal] = {}
    for group in groups:
        if group["unrealized_quote"]:
            found[group["scope"]] = found.get(group["scope"], Decimal(0)) + Decimal(group["unrealized_quote"])
    return found


def _two_lines(first: Text, second: Text) -> RenderableType:
    grid = Table.grid(expand=True)
    for line in (first, second):
        line.no_wrap = True
        line.overflow = "ellipsis"
        grid.add_row(line)
    return grid


def health_line(rows: Sequence[Row]) -> Text:
    """Return all actors in one line: how many run, and by name those that do not."""
    sick = [row for row in rows if row["state"] != "running"]
    restarts = sum(row["restarts"] for row in rows)
    line = Text(f" {len(rows) - len(sick)} actors run", style="green" if not sick else "")
    line.append(f", {restarts} restarts", style="yellow" if restarts else "dim")
    for row in sick[:3]:
        letter, style = STATE_STYLES.get(row["state"], ("?", ""))
        line.append(f"  {letter} {row['path']} {row['state']}", style=style)
    line.no_wrap = True
    line.overflow = "ellipsis"
    return line


def actors_panel(rows: Sequence[Row], height: int) -> RenderableType:
    """Return the tree of actors; what does not fit is left out from the healthy leaves first."""
    space = height - _BORDER
    shown = _most_telling(rows, space)
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(justify="right", no_wrap=True)
    for row in shown:
        grid.add_row(_actor(row), _load(row))
    left_out = len(rows) - len(shown)
    title = f"actors, {left_out} more below" if left_out else "actors"
    return Panel(grid, title=title, title_align="left", border_style="dim", padding=(0, 1))


def _most_telling(rows: Sequence[Row], space: int) -> list[Row]:
    if len(rows) <= space:
        return list(rows)
    sick = {row["path"] for row in rows if row["state"] != "running" or row["restarts"]}
    by_worth = sorted(rows, key=lambda row: (row["path"] not in sick, row["path"].count("/")))
    kept = {row["path"] for row in by_worth[: max(0, space)]}
    return [row for row in rows if row["path"] in kept]


def _actor(row: Row) -> Text:
    letter, style = STATE_STYLES.get(row["state"], ("?", ""))
    path = row["path"]
    depth = 0 if path == "/" else path.count("/")
    name = (path.rpartition("/")[2] or "/").partition("~")[0]  # a group's id stands in the list of groups
    text = Text.assemble("  " * depth, (letter, style), " ", (name, "bold" if depth < 2 else ""))
    if row["state"] != "running":
        text.append(f" {row['state']}", style=style)
    if row["detail"]:
        text.append(f"  {row['detail']}", style="dim")
    return text


def _load(row: Row) -> Text:
    text = Text()
    if row["restarts"]:
        text.append(f"{row['restarts']} restarts ", style="yellow")
    if row["mailbox"]:
        text.append(f"{row['mailbox']} waiting {age(row['oldest_ms'])}", style="cyan")
    return text


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    for name, justify in columns:
        # The last column takes what is left; the others are as wide as what they hold.
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True, overflow="ellipsis")
    return table


def _panel(table: Table, title: str, count: int, space: int) -> RenderableType:
    hidden = f", {count - space} more" if count > space else ""
    return Panel(
        table, title=f"{title}{hidden}", title_align="left", border_style="dim", box=box.ROUNDED, padding=(0, 1)
    )


def groups_panel(groups: Sequence[Row], height: int, width: int) -> RenderableType:
    """Return the open position groups."""
    space = max(0, height - _BORDER - _HEAD)
    wide = width >= 112
    columns = [("symbol", ""), ("side", ""), ("state", ""), ("layers", "right"), ("qty", "right")]
    columns += [("average", "right")] + ([("mark", "right")] if wide else [])
    results = ("unrealised", "realised") if wide else ("unreal.", "real.")
    columns += [(name, "right") for name in results] + ([("group", "")] if wide else [])
    table = _table(*columns)
    for group in groups[:space]:
        table.add_row(*_group_cells(group, wide=wide))
    return _panel(table, f"groups {len(groups)} open", len(groups), space)


def _group_cells(group: Row, *, wide: bool) -> list[str | Text]:
    side = Text(group["side"], style="green" if group["side"] == "long" else "red")
    cells: list[str | Text] = [
        Text(f"{group['symbol']} {group['timeframe']}", style="bold"),
        side,
        _state(group, wide=wide),
        f"{group['legs_filled']}/{group['legs']}",
        plain(group["open_qty"]),
        plain(group["avg_entry"], 2),
    ]
    cells += [plain(group["mark"], 2)] if wide else []
    cells += [money(group["unrealized_quote"]), money(group["realized_quote"])]
    return cells + ([Text(group["group_id"], style="dim")] if wide else [])


def _state(group: Row, *, wide: bool) -> str | Text:
    """Return the state of a group; while its venue is away, that is what counts (EX-106)."""
    if group["venue_trouble"]:
        return Text(group["venue_trouble"], style="bold red")
    state = group["state"] or ""
    return state.replace("_", " ") if wide else state.replace("partially_filled", "part filled")


def orders_panel(orders: Sequence[Row], height: int, width: int) -> RenderableType:
    """Return the working orders, newest first."""
    space = max(0, height - _BORDER - _HEAD)
    columns = [("symbol", ""), ("for", ""), ("side", ""), ("qty", "right"), ("price", "right"), ("state", "")]
    wide = width >= 100
    table = _table(*columns, *([("filled", "right"), ("order", "")] if wide else []))
    for order in orders[:space]:
        side = Text(order["side"], style="green" if order["side"] == "buy" else "red")
        cells: list[str | Text] = [
            Text(order["symbol"], style="bold"),
            f"{order['purpose']} {order['leg_id']}".strip(),
            side,
            plain(order["qty"]),
            plain(order["price"], 2) if order["price"] else "market",
            Text(order["state"].replace("_", " "), style="bold red" if order["state"] == "unknown" else ""),
        ]
        cells += [plain(order["filled_qty"]), Text(order["client_order_id"], style="dim")] if wide else []
        table.add_row(*cells)
    return _panel(table, f"orders {len(orders)} working", len(orders), space)


def events_panel(events: Sequence[Row], height: int) -> RenderableType:
    """Return the newest events, oldest of them on top."""
    space = max(0, height - _BORDER)
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for event in reversed(events[:space]):
        text = Text(f"{event['identity']} " if event["identity"] else "", style="bold")
        letter, style = severity_mark(event["severity"])
        text.append(event["text"], style=style)
        grid.add_row(Text(clock_time(event["at"])[:8], style="dim"), Text(letter, style=style), text)
    return Panel(grid, title="events", title_align="left", border_style="dim", padding=(0, 1))
