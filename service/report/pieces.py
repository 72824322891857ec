"""Tables of a page: months, sides, pairs by timeframes, keys, trades, falls, capital."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from html import escape
from typing import Any, Final

from service.report.numbers import (
    DASH,
    count,
    day,
    duration,
    factor,
    money,
    percent,
    plain_percent,
    ratio,
    trades_closed,
    whole_if_large,
)

__all__ = ["breakdown", "capital", "falls", "frame_length", "heatmap", "months", "sides", "trades"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONGEST: Final = 0.42
"""Opacity of the strongest cell of a heat table: text stays readable on it."""


def months(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return years by months: result in USD, and the return of the account below it."""
    if not rows:
        return ""
    known = {(row["year"], row["month"]): row for row in rows}
    most = max((abs(row["realized"]) for row in rows), default=0.0)
    lines, places = [], whole_if_large([most])
    for year in sorted({row["year"] for row in rows}, reverse=True):
        cells = "".join(_month(known.get((year, number)), most, places) for number in range(1, 13))
        whole = [row for row in rows if row["year"] == year]
        total = sum(row["realized"] for row in whole)
        grown = 1.0
        for row in whole:
            grown *= 1 + (row["return_percent"] or 0.0) / 100
        known_any = any(row["return_percent"] is not None for row in whole)
        said = percent(100 * (grown - 1), 1) if known_any else DASH
        sum_cell = f'<td class="sum">{money(total, places)}<small>{said}</small></td>'
        lines.append(f'<tr><th scope="row">{year}</th>{cells}{sum_cell}</tr>')
    words = "Realized in USD; below it the return of total equity over completed days"
    return _table("heat", words, _head(("", *_MONTHS, "Year")), lines)


def _month(row: Mapping[str, Any] | None, most: float, places: int) -> str:
    if row is None:
        return f'<td class="none">{DASH}</td>'
    return (
        f'<td style="{_heat(row["realized"], most)}">{money(row["realized"], places)}'
        f"<small>{percent(row['return_percent'], 1)}</small></td>"
    )


def heatmap(cells: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return pairs by timeframes: result, trades and win rate; colours are symmetric around nothing (EX-1709)."""
    if not cells:
        return ""
    frames = sorted({frame for row in cells.values() for frame in row}, key=frame_length)
    most = max(abs(cell["net_pnl"]) for row in cells.values() for cell in row.values())
    places = whole_if_large([most])
    lines = []
    for symbol, row in cells.items():
        inside = "".join(_cell(row.get(frame), most) for frame in frames)
        total = sum(cell["net_pnl"] for cell in row.values())
        closed = sum(cell["trades"] for cell in row.values())
        inside += f'<td class="sum">{money(total, places)}<small>{trades_closed(closed)}</small></td>'
        lines.append(f'<tr><th scope="row">{escape(symbol)}</th>{inside}</tr>')
    words = "Net result in USD, trades and win rate"
    return _table("heat", words, _head(("pair", *frames, "all")), lines)


def _cell(cell: Mapping[str, Any] | None, most: float) -> str:
    if cell is None:
        return f'<td class="none">{DASH}</td>'
    return (
        f'<td style="{_heat(cell["net_pnl"], most)}">{money(cell["net_pnl"])}'
        f"<small>{count(cell['trades'])}, {plain_percent(cell['win_rate_percent'], 0)}</small></td>"
    )


def _heat(value: float, most: float) -> str:
    strength = _STRONGEST * abs(value) / most if most else 0.0
    return f"background:rgb(var(--{'gain' if value >= 0 else 'loss'}-cell) / {strength:.3f})"


def frame_length(frame: str) -> tuple[float, str]:
    """Return by what timeframes are in order: how long they are."""
    sizes = {"s": 1 / 60, "m": 1, "h": 60, "d": 1_440, "w": 10_080, "M": 43_200}
    number, unit = frame[:-1], frame[-1:]
    return (int(number) * sizes[unit], frame) if number.isdigit() and unit in sizes else (float("inf"), frame)


def sides(figures: Mapping[str, Any]) -> str:
    """Return the figures of longs, shorts and both (EX-1707)."""
    columns = [figures["stats"], figures["long"], figures["short"]]
    rows: tuple[tuple[str, Any], ...] = (
        ("Trades", lambda each: count(each["trades"])),
        ("Won, lost, even", lambda each: f"{each['wins']}, {each['losses']}, {each['breakeven']}"),
        ("Win rate", lambda each: plain_percent(each["win_rate_percent"])),
        ("Net result", lambda each: _toned(each["net_pnl"])),
        ("Gross profit", lambda each: money(each["gross_profit"])),
        ("Gross loss", lambda each: money(-each["gross_loss"])),
        ("Average win", lambda each: money(each["average_win"])),
        ("Average loss", lambda each: money(each["average_loss"])),
        ("Win to loss", lambda each: ratio(each["rr_ratio"])),
        ("Profit factor", lambda each: factor(each["profit_factor"], each["wins"])),
        ("Expectancy", lambda each: money(each["expectancy"])),
    )
    lines = [
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{make(each)}</td>" for each in columns)}</tr>'
        for name, make in rows
    ]
    return _table("", "", _head(("USD", "all", "long", "short")), lines)


def breakdown(rows: Sequence[Mapping[str, Any]], name: str, *, short: bool = False) -> str:
    """Return results by a key, the best first (EX-1704); ``short`` leaves out what a narrow place has no room for."""
    if not rows:
        return ""
    ordered = sorted(rows, key=lambda row: (-row["realized"], row["key"]))
    lines = []
    for row in ordered:
        stats = row["stats"]
        cells = [
            _toned(row["realized"]),
            money(row["unrealized"]),
            count(stats["trades"]),
            plain_percent(stats["win_rate_percent"]),
        ]
        if not short:
            cells += [factor(stats["profit_factor"], stats["wins"]), money(stats["expectancy"]), count(row["open"])]
        inside = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{escape(row["key"] or DASH)}</th>{inside}</tr>')
    wide = () if short else ("profit factor", "expectancy", "open")
    return _table("", "", _head((name, "realized", "unrealized", "trades", "won", *wide)), lines)


def trades(rows: Sequence[Mapping[str, Any]], zone: tzinfo) -> str:
    """Return trades with their result, return and how long they were open."""
    lines = [
        f'<tr><th scope="row">{escape(row["symbol"])} '
        f'<span class="quiet">{escape(row["side"])} {escape(row["timeframe"])}</span></th>'
        f"<td>{day(row['closed_at'], zone)}</td><td>{duration(row['closed_at'] - row['opened_at'])}</td>"
        f"<td>{percent(row['return_percent'])}</td><td>{_toned(row['net_pnl'])}</td></tr>"
        for row in rows
    ]
    return _table("", "", _head(("trade", "closed", "open for", "return", "USD")), lines) if lines else ""


def falls(rows: Sequence[Mapping[str, Any]], zone: tzinfo, now: int) -> str:
    """Return the deepest falls with their dates; one that lasts still has lasted until now."""
    lines = []
    for row in rows:
        peak, trough, again = row["peak_at"], row["trough_at"], row["recovered_at"]
        cells = (
            *(percent(row["depth_percent"]), day(peak, zone), day(trough, zone)),
            *(day(again, zone) if again is not None else "not yet", duration((now if again is None else again) - peak)),
        )
        lines.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    names = ("depth", "from the peak of", "deepest on", "recovered on", "lasted")
    return _table("", "", _head(names), lines) if lines else ""


def capital(found: Mapping[str, Any]) -> str:
    """Return where capital is: exposure by pair, locked in waiting entries, free (EX-1715, EX-1717)."""
    rows: list[tuple[str, str, str]] = [
        (symbol, f"{each['usd']:,.2f}", plain_percent(each["percent"])) for symbol, each in found["exposure"].items()
    ]
    rows += [
        ("In open positions", f"{found['deployed_usd']:,.2f}", ""),
        ("Locked in waiting entries", f"{found['locked_usd']:,.2f}", plain_percent(found["locked_dca_percent"])),
        ("Committed", f"{found['gauge_committed_usd']:,.2f}", plain_percent(found["gauge_percent"])),
        ("Free", f"{found['gauge_free_usd']:,.2f}", ""),
        ("Pool used", "", plain_percent(found["pool_used_percent"], 0)),
    ]
    lines = [f'<tr><th scope="row">{escape(name)}</th><td>{usd}</td><td>{share}</td></tr>' for name, usd, share in rows]
    return _table("", "", _head(("", "USD", "of equity")), lines)


def _toned(value: float) -> str:
    kind = "gain" if value > 0 else "loss" if value < 0 else ""
    return f'<span class="{kind}">{money(value)}</span>'


def _head(names: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<tr>{cells}</tr>"


def _table(kind: str, words: str, head: str, lines: Iterable[str]) -> str:
    caption = f"<caption>{escape(words)}</caption>" if words else ""
    of = f' class="{kind}"' if kind else ""
    return f'<div class="scroll"><table{of}>{caption}<thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></div>'
