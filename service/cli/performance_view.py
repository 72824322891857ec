"""How figures, trades and days look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rules.notation import plain
from service.cli.output import table
from service.report.numbers import (
    DASH,
    count,
    day,
    duration,
    factor,
    fees_apart,
    moment,
    money,
    percent,
    plain_percent,
    ratio,
    zone_named,
)

__all__ = ["days_view", "figures_view", "trades_view"]


def figures_view(found: Mapping[str, Any]) -> RenderableType:
    """Return the figures of one answer: a heading, what matters most, the sides, results by key."""
    span = found["range"]
    begins = f"{span['from']} to {span['to']}" if span["from"] else f"until {span['to']}"
    filters = " ".join(word for word in found["filters"].values() if word)
    heading = Text.assemble((f" {found['scope']} ", "bold reverse"), f" {begins} {filters}")
    parts: list[RenderableType] = [heading, _first(found), _sides(found["dashboard"])]
    for key, name in (("strategy", "strategy"), ("symbol", "pair"), ("timeframe", "timeframe")):
        if found["breakdown"][key]:
            parts.append(_breakdown(found["breakdown"][key], name))
    if not found["unrealized_complete"]:
        parts.append(Text("a price is missing: unrealized results are not complete", style="yellow"))
    if fees := fees_apart(found["unvalued_fees"]):
        parts.append(Text(f"fees of {fees} are in no result: what they were worth is not known here", style="yellow"))
    return Group(*parts)


def _first(found: Mapping[str, Any]) -> RenderableType:
    figures, zone = found["dashboard"], zone_named(found["range"]["timezone"])
    pnl, fall, capital = figures["pnl"], figures["drawdown"], found["allocation"]
    dates = (
        ""
        if fall["trough_at"] is None
        else f"{day(fall['peak_at'], zone)} to {day(fall['trough_at'], zone)}, "
        + (f"recovered {day(fall['recovered_at'], zone)}" if fall["recovered_at"] is not None else "not recovered")
    )
    rows = (
        ("result", _toned(found["total_pnl"]), percent(found["total_pnl_percent"])),
        (
            "realized",
            _toned(pnl["all"]),
            f"today {money(pnl['day'])}, week {money(pnl['week'])}, month {money(pnl['month'])}",
        ),
        ("unrealized", _toned(found["unrealized"]), f"{count(found['open_groups'])} open"),
        ("equity", f"{found['equity']:,.2f}", f"{money(found['net_flows'])} in and out" if found["net_flows"] else ""),
        ("max drawdown", percent(fall["max_drawdown_percent"]), dates),
        ("drawdown now", percent(fall["current_drawdown_percent"]), ""),
        ("Sharpe, Sortino", f"{ratio(figures['sharpe'])}, {ratio(figures['sortino'])}", ""),
        (
            "capital used",
            plain_percent(capital["gauge_percent"]),
            f"{capital['gauge_committed_usd']:,.2f} committed, {capital['gauge_free_usd']:,.2f} free",
        ),
    )
    return table(("", "USD", ""), rows, right=("USD",))


def _sides(figures: Mapping[str, Any]) -> RenderableType:
    columns = [figures["stats"], figures["long"], figures["short"]]
    rows = (
        ("trades", [count(each["trades"]) for each in columns]),
        ("win rate", [plain_percent(each["win_rate_percent"]) for each in columns]),
        ("net", [_toned(each["net_pnl"]) for each in columns]),
        ("average win, loss", [f"{money(each['average_win'])}, {money(each['average_loss'])}" for each in columns]),
        ("win to loss", [ratio(each["rr_ratio"]) for each in columns]),
        ("profit factor", [factor(each["profit_factor"], each["wins"]) for each in columns]),
        ("expectancy", [money(each["expectancy"]) for each in columns]),
    )
    return table(("", "all", "long", "short"), [(name, *cells) for name, cells in rows], right=("all", "long", "short"))


def _breakdown(found: Sequence[Mapping[str, Any]], name: str) -> RenderableType:
    ordered = sorted(found, key=lambda row: (-row["realized"], row["key"]))
    rows = [
        (
            row["key"] or DASH,
            _toned(row["realized"]),
            money(row["unrealized"]),
            count(row["stats"]["trades"]),
            plain_percent(row["stats"]["win_rate_percent"]),
            factor(row["stats"]["profit_factor"], row["stats"]["wins"]),
        )
        for row in ordered
    ]
    columns = (name, "realized", "unrealized", "trades", "won", "factor")
    return table(columns, rows, right=columns[1:])


def trades_view(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return closed groups, one a line."""
    rows = [
        (
            moment(row["closed_at"]),
            f"{row['symbol']} {row['timeframe']}",
            row["side"],
            row["strategy"],
            _price(row["entry_price"]),
            _price(row["exit_price"]),
            row["reason"],
            duration(row["closed_at"] - row["opened_at"]),
            _toned(float(row["net_quote"]), row["quote"]),
            money(float(row["fees_quote"])).lstrip("+"),
            percent(row["return_percent"]),
            f"{_marked(row['worst_percent'])} {_marked(row['best_percent'])}",
            row["group_id"],
        )
        for row in found
    ]
    columns = (
        *("closed, UTC", "pair", "side", "strategy", "entry", "exit", "why", "open for", "result", "fees", "return"),
        *("worst, best", "group"),
    )
    return table(columns, rows, right=("entry", "exit", "open for", "result", "fees", "return", "worst, best"))


def _price(text: str | None) -> str:
    """Return a price for the eye: eight figures, and all of those before the point."""
    if text is None:
        return DASH
    value = Decimal(text)
    places = max(7 - value.adjusted(), 0)
    return format(Decimal(plain(round(value, places))), ",f")


def _marked(value: str | None) -> str:
    return percent(None if value is None else float(value), 1)


def days_view(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the summaries of days, one a line."""
    rows = [
        (
            row["day"],
            row["scope"],
            count(row["groups_closed"]),
            count(row["fills"]),
            f"{float(row['volume_usd']):,.2f}",
            _toned(float(row["net_pnl"])),
            row["best_symbol"] or DASH,
            row["worst_symbol"] or DASH,
        )
        for row in found
    ]
    columns = ("day", "scope", "closed", "fills", "volume, USD", "net, USD", "best", "worst")
    return table(columns, rows, right=columns[2:6])


def _toned(value: float, unit: str = "") -> Text:
    """Return a result with its sign, green or red."""
    return Text(f"{money(value)} {unit}".strip(), style="green" if value > 0 else "red" if value < 0 else "")
