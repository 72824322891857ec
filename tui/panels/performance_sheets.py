"""What stands on the pages of performance: contents only, from an answer of ``/v1/performance`` (EX-1701 to EX-1720)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from textual.content import Content
from textual.geometry import Size

from tui import cells
from tui.cells import DASH, Cell
from tui.chart import Curve, chart
from tui.flows import without_flows
from tui.panels.results_bar import CURVES
from tui.text import clickable, line, lines, padded

__all__ = ["allocation", "curves", "days", "extremes", "figures", "heatmap", "histogram", "summary"]

_Answer = Mapping[str, Any]

_NARROW: Final = 34
_TWO: Final = 74
"""Cells from which on figures stand in two columns."""

_WITH_COUNT: Final = 9
"""Cells from which on a field of the heatmap has room for the number of trades."""

_INFINITE: Final = "∞"

_STYLES: Final = {"closed": "strong", "total": "accent", "realized": "gain"}
"""Curves and their looks in the order in which they are drawn: what differs least lies beneath."""

_CLOSE: Final = 10.0
_HUGE: Final = 1e9
_SHALLOW: Final = -2.0
"""Worst drawdown, percent, above which a label has two places: with one they would all read the same."""


def _title(text: str, *right: Cell | tuple[str, str], width: int = 0) -> Content:
    left = line((text, "title"))
    return padded(left, line(*right), width) if right else left


# --- curves -------------------------------------------------------------------------------------------------------------


def curves(found: _Answer, size: Size, chosen: str) -> Content:
    """Return equity with the days money came or went, and beneath it how far it stood below its peak.

    ``chosen`` is one of ``CURVES``: all three together, or one alone on a scale of its own (EX-1705).
    """
    made = found["curves"]
    drawn = {
        name: without_flows(made[name], made["flows"]) for name in _STYLES if made[name] and chosen in (name, CURVES[0])
    }
    below = max(4, size.height // 3)
    above = max(4, size.height - below - 2)
    equity = chart(
        [Curve(points, _STYLES[name]) for name, points in drawn.items()],
        size.width,
        above,
        label=_equity_of([value for points in drawn.values() for _, value in points]),
        marks=[each[0] for each in made["flows"]],
        dates=False,
    )
    falls = found["dashboard"]["drawdown"]
    worst, now = falls["max_drawdown_percent"], falls["current_drawdown_percent"]
    places = 2 if (worst or 0.0) > _SHALLOW else 1
    under = chart(
        [Curve(made["drawdown"], "loss")], size.width, below, label=lambda value: f"{value:.{places}f}%", zero=True
    )
    said = [("worst ", "dim"), _points(worst), ("  now ", "dim"), _points(now)]
    return lines(
        padded(line(("EQUITY ", "title")), _legend(found, chosen, size.width - 7), size.width),
        equity if drawn else _nothing_drawn(above),
        _title("DRAWDOWN", *said, width=size.width),
        under,
    )


def _legend(found: _Answer, chosen: str, width: int) -> Content:
    """Return each curve with its newest value; a click draws it alone, a second one all again."""
    made, pieces = found["curves"], []
    for name in CURVES[1:]:
        if made[name]:
            style = _STYLES[name]
            there = chosen in (name, CURVES[0])
            action = f"app.run('curve {CURVES[0] if chosen == name else name}')"
            pieces += [
                clickable("━ ", style if there else "dim", action),
                clickable(f"{name} ", "dim", action),
                clickable(f"{_equity_of(())(made[name][-1][1])}  ", "" if there else "dim", action),
            ]
    if not made["flows"]:
        return Content("").join(pieces)
    count = len(made["flows"])
    flows = line((f"╎ {count} flow{'s' if count > 1 else ''}", "dim"))
    whole = Content("").join([*pieces, flows, line((f" {found['net_flows']:+,.0f}", "dim"))])
    return whole if whole.cell_length <= width else Content("").join([*pieces, flows])


def _nothing_drawn(height: int) -> Content:
    said = line(("no equity was noted in this range: it is marked at each fill, and from time to time between", "dim"))
    return lines(said, *[line("")] * (height - 1))


def _equity_of(values: Sequence[float]) -> Callable[[float], str]:
    """Return how equity is written: with cents where what is drawn lies close together."""
    places = 2 if values and max(values) - min(values) < _CLOSE else 0
    return lambda value: f"{value:,.{places}f}" if abs(value) < _HUGE else cells.short_money(value)


def _points(value: Any) -> Cell:
    found = cells.percent(value)
    return Cell(f"{found.text}%", found.style) if found.text != DASH else found


# --- figures ------------------------------------------------------------------------------------------------------------


def summary(found: _Answer, width: int) -> Content:
    """Return what a trader asks first in one line."""
    sums, stats = found["dashboard"]["pnl"], found["dashboard"]["stats"]
    left = line(
        (" total ", "dim"),
        cells.signed(found["total_pnl"]),
        " ",
        _points(found["total_pnl_percent"]),
        ("  realized ", "dim"),
        cells.signed(sums["all"]),
        ("  open ", "dim"),
        cells.signed(found["unrealized"]),
        ("  trades ", "dim"),
        (str(stats["trades"]), "strong"),
        ("  won ", "dim"),
        _share(stats["win_rate_percent"]),
    )
    return left.truncate(width, ellipsis=True)


def _share(value: Any) -> Cell:
    return Cell(DASH, "dim") if value is None else Cell(f"{value:.1f}%")


def _plain(value: Any, places: int = 2) -> Cell:
    return Cell(DASH, "dim") if value is None else Cell(f"{value:,.{places}f}")


def _factor(stats: _Answer) -> Cell:
    """Return the profit factor; without a loss it has no end (EX-1714)."""
    if stats["profit_factor"] is None and stats["wins"]:
        return Cell(_INFINITE)
    return _plain(stats["profit_factor"])


def figures(found: _Answer, size: Size) -> Content:
    """Return every figure: of all trades, of long and of short ones beside each other."""
    beside = size.width >= _TWO
    width = max(_NARROW, min(size.width // 2 - 2 if beside else size.width, 46))
    money, trades, risk = _money(found, width), _trades(found["dashboard"], width), _risk(found["dashboard"], width)
    if not beside:
        return lines(*money, line(""), *trades, line(""), *risk)
    left, right = [*money, line(""), *risk], trades
    rows = max(len(left), len(right))
    left += [line("")] * (rows - len(left))
    right += [line("")] * (rows - len(right))
    return lines(*(padded(one, other, width * 2 + 4) for one, other in zip(left, right, strict=True)))


def _money(found: _Answer, width: int) -> list[Content]:
    sums = found["dashboard"]["pnl"]
    windows = [("today", sums["day"]), ("week", sums["week"]), ("month", sums["month"]), ("range", sums["all"])]
    rows = [_pair(name, cells.signed(value), width) for name, value in windows]
    rows.append(_pair("open", cells.signed(found["unrealized"]), width))
    # What was paid in an exchange's own coin is in none of these: its worth is not known.
    rows += [
        _pair("fees apart", Cell(f"{amount} {currency}", "warn"), width)
        for currency, amount in found["unvalued_fees"].items()
    ]
    return [line(("REALIZED", "title")), *rows]


def _trades(made: _Answer, width: int) -> list[Content]:
    sides = (made["stats"], made["long"], made["short"])
    each = (width - 13) // 3
    head = line(("TRADES".ljust(13), "title"), *((f"{name:>{each}}", "dim") for name in ("all", "▲ long", "▼ short")))
    rows: list[tuple[str, Sequence[Cell]]] = [
        ("trades", [Cell(str(stats["trades"])) for stats in sides]),
        ("won", [_share(stats["win_rate_percent"]) for stats in sides]),
        ("net", [_short(stats["net_pnl"]) for stats in sides]),
        ("avg win", [_short(stats["average_win"]) for stats in sides]),
        ("avg loss", [_short(stats["average_loss"]) for stats in sides]),
        ("reward/risk", [_plain(stats["rr_ratio"]) for stats in sides]),
        ("profit fact.", [_factor(stats) for stats in sides]),
        ("expectancy", [_short(stats["expectancy"]) for stats in sides]),
    ]
    drawn = [(name, [Cell(f"{cell.text:>{each}}", cell.style) for cell in row]) for name, row in rows]
    return [head, *(line((name.ljust(13), "dim"), *row) for name, row in drawn)]


def _risk(made: _Answer, width: int) -> list[Content]:
    return [
        line(("RISK", "title")),
        _pair("Sharpe", _plain(made["sharpe"]), width),
        _pair("Sortino", _plain(made["sortino"]), width),
        _pair("worst drawdown", _points(made["drawdown"]["max_drawdown_percent"]), width),
        _pair("drawdown now", _points(made["drawdown"]["current_drawdown_percent"]), width),
    ]


def _short(value: Any) -> Cell:
    found = cells.signed(value)
    if found.text == DASH:
        return found
    return Cell(f"{'+' if value > 0 else ''}{cells.short_money(value)}", found.style)


def _pair(name: str, cell: Cell, width: int) -> Content:
    return padded(line((name, "dim")), line(cell), width)


# --- shapes -------------------------------------------------------------------------------------------------------------


def histogram(found: _Answer, size: Size) -> Content:
    """Return how often which return came out, losses left of gains (EX-1708)."""
    made = found["dashboard"]["histogram"]
    edges, counts = made["edges"], made["counts"]
    if not counts:
        return lines(_title("RETURNS"), line(("no trade has closed in this range", "dim")))
    most, room = max(counts), max(4, size.width - 26)
    shown = [_title("RETURNS", ("trades a bin", "dim"), width=size.width)]
    for number, count in enumerate(counts[: max(1, size.height - 1)]):
        low, high = edges[number], edges[min(number + 1, len(edges) - 1)]
        style = "loss" if high <= 0 else "gain" if low >= 0 else "dim"
        span = f"{low:+7.2f} .. {high:+7.2f}"
        shown.append(
            line(
                (f"{span} ", "dim"),
                (cells.bar(count / most, room).rstrip(), style),
                (f" {count}", "strong" if count else "dim"),
            )
        )
    return lines(*shown)


def heatmap(found: _Answer, size: Size) -> Content:
    """Return net results by pair and timeframe: the deeper the colour the larger, losses as negative as gains positive."""
    made = found["dashboard"]["heatmap"]
    if not made:
        return lines(_title("PAIR BY TIMEFRAME"), line(("no trade has closed in this range", "dim")))
    frames = sorted({frame for row in made.values() for frame in row}, key=_minutes)
    largest = max((abs(cell["net_pnl"]) for row in made.values() for cell in row.values()), default=0.0) or 1.0
    each = max(6, min(12, (size.width - 11) // max(1, len(frames))))
    shown = [
        _title("PAIR BY TIMEFRAME", (f"net USD{' and trades' if each >= _WITH_COUNT else ''}", "dim"), width=size.width)
    ]
    shown.append(line((" " * 11, ""), *((f"{frame:>{each}}", "dim") for frame in frames)))
    totals = {pair: sum(cell["net_pnl"] for cell in row.values()) for pair, row in made.items()}
    best_first = sorted(made, key=lambda name: -totals[name])[: max(1, size.height - 2)]
    shown += [
        line((f"{pair:<11}"[:11], "strong"), *(_heat(made[pair].get(frame), largest, each) for frame in frames))
        for pair in best_first
    ]
    return lines(*shown)


def _heat(cell: _Answer | None, largest: float, width: int) -> Content:
    if cell is None or not cell["trades"]:
        return line((f"{'·':>{width}}", "dim"))
    value = cell["net_pnl"]
    text = cells.signed(value, 0).text + (f" {cell['trades']}" if width >= _WITH_COUNT else "")
    depth = round(70 * min(1.0, abs(value) / largest)) + 10
    colour = "$gain" if value > 0 else "$loss" if value < 0 else "$surface"
    return line(" ") + Content.styled(f"{text:>{width - 1}}", f"on {colour} {depth}%")


def _minutes(frame: str) -> tuple[int, str]:
    units = {"m": 1, "h": 60, "d": 1_440, "w": 10_080, "M": 43_200}
    head, unit = frame[:-1], frame[-1:]
    return (int(head) * units[unit], frame) if head.isdigit() and unit in units else (1 << 30, frame)


# --- trades, capital, days ----------------------------------------------------------------------------------------------


def extremes(found: _Answer, which: str, size: Size) -> Content:
    """Return the ten best or worst trades (EX-1710)."""
    title = "TEN BEST" if which == "best" else "TEN WORST"
    rows = found["trades"][which][: max(1, size.height - 1)]
    shown = [_title(title, ("net USD", "dim"), ("        %  closed", "dim"), width=size.width)]
    for row in rows:
        name = f"{row['symbol']} {row['timeframe']}"
        mark = "▲" if row["side"] == "long" else "▼"
        net, share = cells.signed(row["net_pnl"]), cells.percent(row["return_percent"])
        right = line(
            Cell(f"{net.text:>11}", net.style),
            Cell(f"{share.text:>9}", share.style),
            (f"  {cells.day_time(row['closed_at'])[:5]}", "dim"),
        )
        shown.append(padded(line((f"{mark} ", "gain" if mark == "▲" else "loss"), name), right, size.width))
    return lines(*shown) if rows else lines(shown[0], line(("no trade has closed in this range", "dim")))


def allocation(found: _Answer, size: Size) -> Content:
    """Return the capital gauge and what each pair holds of equity (EX-1715, EX-1717)."""
    made = found["allocation"]
    share, room = made["gauge_percent"], max(8, size.width - 10)
    over = share is not None and share > 100
    shown = Cell(DASH, "dim") if share is None else Cell(f"{share:6.1f}%", "alarm" if over else "strong")
    text = [
        _title("CAPITAL", ("committed of equity", "dim"), width=size.width),
        line(shown, " ", (cells.bar((share or 0.0) / 100, room), "track-alarm" if over else "track-accent")),
        _pair("equity", cells.money(found["equity"]), size.width),
        _pair("committed", cells.money(made["gauge_committed_usd"]), size.width),
        _pair("free", cells.money(made["gauge_free_usd"]), size.width),
        _pair("locked in waiting layers", _share(made["locked_dca_percent"]), size.width),
        _pair("slots taken", _share(made["pool_used_percent"]), size.width),
        line(""),
        _title("EXPOSURE", ("of equity", "dim"), width=size.width),
    ]
    pairs = sorted(made["exposure"].items(), key=lambda each: -each[1]["usd"])
    most = max((each["usd"] for _, each in pairs), default=0.0) or 1.0
    for name, each in pairs[: max(0, size.height - len(text))]:
        bar = cells.bar(each["usd"] / most, max(4, size.width - 34)).rstrip()
        right = line((f"{each['usd']:>12,.2f}", ""), (f"{each['percent'] or 0.0:>7.1f}%", "dim"))
        text.append(padded(line((f"{name:<12}"[:12] + " ", "strong"), (bar, "accent")), right, size.width))
    return lines(*text)


def days(rows: Sequence[_Answer], size: Size) -> Content:
    """Return what each day came to, the newest first (EX-1716)."""
    wide = size.width >= 66
    head = f"{'day':<11}{'closed':>7}{'fills':>7}{'volume':>10}{'net':>12}" + ("  best        worst" if wide else "")
    shown = [_title("DAYS"), line((head, "dim"))]
    for row in rows[: max(0, size.height - 2)]:
        net = cells.signed(row["net_pnl"])
        ends = f"  {row['best_symbol'] or DASH:<12}{row['worst_symbol'] or DASH}" if wide else ""
        shown.append(
            line(
                f"{row['day']:<11}{row['groups_closed']:>7}{row['fills']:>7}{cells.short_money(row['volume_usd']):>10}",
                Cell(f"{net.text:>12}", net.style),
                (ends, "dim"),
            )
        )
    return lines(*shown) if rows else lines(shown[0], line(("nothing happened on any day of this range", "dim")))
