"""Pictures of curves and distributions: equity, drawdown, returns of trades, results by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from service.report.canvas import Look, axes_of, dates, in_words, nothing, said_above
from service.report.numbers import axis_percent, count, day, money, percent, zone_named
from service.report.scales import jumping, value_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["by_day", "drawdown", "equity", "histogram"]

_UP: Final = "\u25b2"
_DOWN: Final = "\u25bc"


def equity(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw total and realized equity with marks at deposits and withdrawals, drawdown below."""
    curves = found["curves"]
    total, realized = jumping(curves["total"], curves["flows"]), curves["realized"]
    every = [*total, *realized]
    if len(every) < 2:
        nothing(figure, look)
        return
    first, last = min(at for at, _ in every), max(at for at, _ in every)
    axes = axes_of(figure, look, (0.045, 0.33, 0.875, 0.475))
    if total:
        xs, ys = [at for at, _ in total], [value for _, value in total]
        axes.plot(
            xs, ys, color=look.total, linewidth=2.2, label="total, what is open included", solid_joinstyle="round"
        )
    if realized:
        xs, ys = [at for at, _ in [*realized, [last, 0]]], [value for _, value in [*realized, [0, realized[-1][1]]]]
        axes.plot(xs, ys, color=look.realized, linewidth=1.6, drawstyle="steps-post", label="realized")
    axes.margins(y=0.08)
    low = axes.get_ylim()[0]
    if total:
        xs, ys = [at for at, _ in total], [value for _, value in total]
        axes.fill_between(xs, ys, low, color=look.total, alpha=0.09, linewidth=0)
    axes.set_ylim(bottom=low)
    for at, amount in curves["flows"]:
        axes.axvline(at, color=look.soft, linewidth=1, linestyle=(0, (2, 3)))
        words = f"{_UP if amount > 0 else _DOWN} {money(amount, 0)}"
        late = at > last - (last - first) / 8  # the numbers of the axis stand right of it
        where: dict[str, Any] = {"xytext": (-7, 8), "ha": "right"} if late else {"xytext": (7, 8)}
        axes.annotate(words, (at, low), textcoords="offset points", color=look.ink, fontsize=12, **where)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.005, 0.985), ncols=2, frameon=False, labelcolor=look.soft, fontsize=13
    )
    dates(axes, first, last, found)
    axes.tick_params(labelbottom=False)
    in_words(axes)
    said_above(axes, look, "USD", 1.0)
    below = axes_of(figure, look, (0.045, 0.075, 0.875, 0.205))
    said_above(below, look, "drawdown from the highest total equity so far, deposits and withdrawals apart")
    _fall(below, found, look, first, last)


def drawdown(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw how far equity stood below its highest."""
    curve = found["curves"]["drawdown"]
    if len(curve) < 2:
        nothing(figure, look)
        return
    _fall(axes_of(figure, look), found, look, curve[0][0], curve[-1][0])


def _fall(axes: Axes, found: Mapping[str, Any], look: Look, first: float, last: float) -> None:
    curve, deepest = found["curves"]["drawdown"], found["dashboard"]["drawdown"]
    xs, ys = [at for at, _ in curve], [value for _, value in curve]
    axes.fill_between(xs, ys, 0, color=look.loss, alpha=0.22, linewidth=0)
    axes.plot(xs, ys, color=look.loss, linewidth=1.3)
    low = min([*ys, -0.01])
    levels = [each for each in value_ticks(low, 0.0, 4) if each <= 0]
    axes.set_yticks(levels, [axis_percent(each) for each in levels])
    axes.set_ylim(min(levels[0], low * 1.35), 0)
    if deepest["trough_at"] is not None and round(deepest["max_drawdown_percent"], 2) != 0:
        at, depth = deepest["trough_at"], deepest["max_drawdown_percent"]
        late = at > (first + last) / 2
        words = f"{percent(depth)}, {day(at, zone_named(found['range']['timezone']))}"
        axes.plot([at], [depth], "o", color=look.loss, markersize=6)
        where: dict[str, Any] = {"xytext": (0, -8), "va": "top", "ha": "right" if late else "left"}
        axes.annotate(words, (at, depth), textcoords="offset points", color=look.ink, fontsize=13, **where)
    dates(axes, first, last, found)


def histogram(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw how the returns of trades are distributed."""
    edges, counts = found["dashboard"]["histogram"]["edges"], found["dashboard"]["histogram"]["counts"]
    if not counts:
        nothing(figure, look)
        return
    if edges[0] == edges[-1]:
        edges = [edges[0] - 0.5, edges[-1] + 0.5]
    axes = axes_of(figure, look)
    for left, right, number in zip(edges, edges[1:], counts, strict=False):
        tone = look.gain if left >= 0 else look.loss if right <= 0 else look.soft
        axes.bar((left + right) / 2, number, width=(right - left) * 0.92, color=tone)
    axes.axvline(0, color=look.soft, linewidth=1, linestyle=(0, (3, 3)))
    axes.xaxis.set_major_formatter(lambda value, _: axis_percent(value))
    axes.yaxis.set_major_formatter(lambda value, _: count(int(value)) if float(value).is_integer() else "")
    axes.set_xlim(edges[0], edges[-1])


def by_day(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw what was realized each day."""
    rows = found["periods"]["day"]
    if not rows:
        nothing(figure, look)
        return
    axes, width = axes_of(figure, look), 86_400e9
    tones = [look.gain if row["realized"] >= 0 else look.loss for row in rows]
    axes.bar(
        [row["start"] + width / 2 for row in rows], [row["realized"] for row in rows], width=width * 0.82, color=tones
    )
    axes.axhline(0, color=look.soft, linewidth=1)
    first, last = rows[0]["start"], max(rows[-1]["start"] + width, rows[0]["start"] + 7 * width)
    dates(axes, first, last, found)
    axes.margins(y=0.1)
    in_words(axes)
