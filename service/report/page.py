"""One HTML page of everything: self-contained, light or dark as the reader's system is, printable (EX-1718)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from service.report import drawings, pieces
from service.report.numbers import (
    count,
    day,
    factor,
    fees_apart,
    moment,
    money,
    percent,
    plain_percent,
    ratio,
    zone_named,
)
from service.report.style import STYLE

__all__ = ["page_of"]

_FILTERS: Final = ("account", "venue", "symbol", "timeframe", "strategy", "side")

_NOTES: Final = (
    "Results are net of fees, in US dollars. A trade is a closed position group with at least one fill; a result counts "
    "when it is realized. Drawdown, Sharpe and Sortino are of total equity with deposits and withdrawals taken out; days "
    "and months are those of {zone}. A dash stands for what is not defined."
)
_NOTES_ALONE: Final = (
    " Equity is noted for whole accounts: with this filter it is drawn as if the account had made only these trades."
)
_NOTES_FEES: Final = " Fees of {fees} are in no result: what they were worth is not known here."


def page_of(found: Mapping[str, Any]) -> str:
    """Return the page for an answer of ``/v1/performance``: everything in one file, nothing is loaded from elsewhere."""
    zone = zone_named(found["range"]["timezone"])
    begins = found["range"]["from"] or _first_day(found)
    title = f"Performance, {begins} to {found['range']['to']}" if begins else "Performance"
    body = [
        _header(found, begins),
        _keys(found),
        _section("Equity", _legend(found) + drawings.equity(found), "nothing was marked or realized in this range"),
        _section("Drawdown", drawings.drawdown(found), "equity never fell in this range"),
        _section("Months", pieces.months(found["months"]), "no month has a result yet"),
        _pair(
            _section("Returns of trades", drawings.histogram(found), "no trade was closed in this range"),
            _section("Long and short", pieces.sides(found["dashboard"]), ""),
        ),
        _section(
            "Pair by timeframe", pieces.heatmap(found["dashboard"]["heatmap"]), "no trade was closed in this range"
        ),
        _section("Strategies", pieces.breakdown(found["breakdown"]["strategy"], "strategy"), "nothing yet"),
        _pair(
            _section("Pairs", pieces.breakdown(found["breakdown"]["symbol"], "pair", short=True), "nothing yet"),
            _section(
                "Timeframes", pieces.breakdown(found["breakdown"]["timeframe"], "timeframe", short=True), "nothing yet"
            ),
        ),
        _pair(
            _section("Best trades", pieces.trades(found["trades"]["best"], zone), "no trade was closed in this range"),
            _section(
                "Worst trades", pieces.trades(found["trades"]["worst"], zone), "no trade was closed in this range"
            ),
        ),
        _section("Deepest falls", pieces.falls(found["falls"], zone, found["at"]), "equity never fell in this range"),
        _section("Capital now", pieces.capital(found["allocation"]), ""),
        _footer(found),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _first_day(found: Mapping[str, Any]) -> str:
    curves = found["curves"]
    zone = zone_named(found["range"]["timezone"])
    begins = [curve[0][0] for curve in (curves["total"], curves["realized"]) if curve]
    return day(int(min(begins)), zone) if begins else ""


def _header(found: Mapping[str, Any], begins: str) -> str:
    scope = escape(found["scope"])
    chosen = [f"{name} {found['filters'][name]}" for name in _FILTERS if found["filters"][name]]
    span = f"{begins} to {found['range']['to']}" if begins else f"until {found['range']['to']}"
    zone = zone_named(found["range"]["timezone"])
    words = ", ".join([span, *chosen])
    said = f"{words}. Made {moment(found['at'], zone)} {found['range']['timezone']}."
    badge = f'<span class="badge {scope}">{scope}</span>'
    return f'<header><h1>Performance</h1>{badge}</header><p class="about">{escape(said)}</p>'


def _keys(found: Mapping[str, Any]) -> str:
    figures = found["dashboard"]
    stats, fall = figures["stats"], figures["drawdown"]
    total = found["total_pnl"]
    unknown = "" if found["unrealized_complete"] else ", prices missing"
    rows = (
        ("Total result, USD", _toned(total, money(total)), f"{percent(found['total_pnl_percent'])} on capital"),
        (
            "Realized",
            _toned(figures["pnl"]["all"], money(figures["pnl"]["all"])),
            f"{count(stats['trades'])} trades closed",
        ),
        (
            "Unrealized",
            _toned(found["unrealized"], money(found["unrealized"])),
            f"{count(found['open_groups'])} open{unknown}",
        ),
        (
            "Equity, USD",
            f"{found['equity']:,.2f}",
            f"{money(found['net_flows'], 0)} in and out" if found["net_flows"] else "",
        ),
        ("Deepest drawdown", percent(fall["max_drawdown_percent"]), f"now {percent(fall['current_drawdown_percent'])}"),
        (
            "Win rate",
            plain_percent(stats["win_rate_percent"]),
            f"{count(stats['wins'])} won, {count(stats['losses'])} lost",
        ),
        ("Profit factor", factor(stats["profit_factor"], stats["wins"]), f"win to loss {ratio(stats['rr_ratio'])}"),
        ("Sharpe", ratio(figures["sharpe"]), f"Sortino {ratio(figures['sortino'])}"),
    )
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{escape(more)}</small></dd></div>" for name, value, more in rows
    )
    return f'<dl class="keys">{cells}</dl>'


def _toned(value: float, text: str) -> str:
    kind = "gain" if value > 0 else "loss" if value < 0 else ""
    return f'<span class="{kind}">{text}</span>'


def _legend(found: Mapping[str, Any]) -> str:
    curves = found["curves"]
    if len(curves["total"]) + len(curves["realized"]) < 2:
        return ""
    flows = "<span>\u25b2 deposit, \u25bc withdrawal</span>" if curves["flows"] else ""
    return (
        '<div class="legend"><span><i style="color:var(--total)"></i>total, what is open included</span>'
        f'<span><i style="color:var(--realized);border-top-width:1.4px"></i>realized</span>{flows}</div>'
    )


def _section(title: str, inside: str, otherwise: str) -> str:
    nothing = f'<p class="nothing">{escape(otherwise)}</p>'
    return f"<section><h2>{title}</h2>{inside or nothing}</section>"


def _pair(left: str, right: str) -> str:
    return f'<div class="pair">{left}{right}</div>'


def _footer(found: Mapping[str, Any]) -> str:
    words = _NOTES.format(zone=found["range"]["timezone"])
    if found["equity_basis"] != "total":
        words += _NOTES_ALONE
    if fees := fees_apart(found["unvalued_fees"]):
        words += _NOTES_FEES.format(fees=fees)
    return f"<footer>{escape(words)}</footer>"
