"""What all pictures have: the colours of both themes, a heading, axes without a frame, round numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from service.report.numbers import axis_words, day, money, percent, trades_closed, zone_named
from service.report.scales import time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LOOKS", "Look", "axes_of", "dates", "heading", "in_words", "nothing", "said_above", "shortened"]


class Look(NamedTuple):
    """The colours of one theme."""

    page: str
    ink: str
    soft: str
    grid: str
    total: str
    realized: str
    gain: str
    loss: str


LOOKS: Final = {
    "light": Look("#ffffff", "#1a1f26", "#5c6672", "#e6e9eb", "#1f5a92", "#b27a16", "#17764d", "#b3372b"),
    "dark": Look("#11161b", "#e7ebef", "#97a3af", "#222a32", "#6fb1ee", "#e0b45c", "#53c492", "#f0857a"),
}


_TITLES: Final = {
    "equity": "Equity",
    "drawdown": "Drawdown",
    "histogram": "Returns of trades",
    "heatmap": "Result by pair and timeframe",
    "months": "Result by month",
    "by_day": "Result by day",
    "by_pair": "Result by pair",
    "by_timeframe": "Result by timeframe",
    "by_strategy": "Result by strategy",
    "by_side": "Result by side",
}


_SAYS: Final = {
    "drawdown": "percent below the highest total equity so far",
    "histogram": "how many trades had which net return on entry cost",
    "heatmap": "net result in USD",
    "months": "realized in USD, and the return of total equity",
    **dict.fromkeys(("by_day", "by_pair", "by_timeframe", "by_strategy", "by_side"), "realized in USD, net of fees"),
}
"""What the values of a chart are, where it does not say so itself."""

_WIDEST: Final = 110
"""Letters that have room beside the result."""


def heading(figure: Figure, found: Mapping[str, Any], chart: str, look: Look) -> None:
    """Write what it is, of which scope and days, in which unit, and the result."""
    figures = found["dashboard"]
    span, begins = found["range"], found["range"]["from"] or _first_day(found)
    about = (
        f"{found['scope']}  \u00b7  {begins} to {span['to']}"
        if begins
        else f"{found['scope']}  \u00b7  to {span['to']}"
    )
    filters = [shortened(word) for word in found["filters"].values() if word]
    said = "  \u00b7  ".join([about, *filters, *filter(None, [_SAYS.get(chart)])])
    figure.text(0.045, 0.925, _TITLES[chart], color=look.ink, fontsize=25, fontweight="bold", va="center")
    figure.text(0.045, 0.878, said[:_WIDEST], color=look.soft, fontsize=14, va="center")
    total = found["total_pnl"]
    tone = look.gain if total > 0 else look.loss if total < 0 else look.ink
    figure.text(
        0.955, 0.925, f"{money(total)} USD", color=tone, fontsize=25, fontweight="bold", va="center", ha="right"
    )
    words = f"{percent(found['total_pnl_percent'])}  \u00b7  {trades_closed(figures['stats']['trades'])}"
    figure.text(0.955, 0.878, words, color=look.soft, fontsize=14, va="center", ha="right")


def _first_day(found: Mapping[str, Any]) -> str:
    zone = zone_named(found["range"]["timezone"])
    begins = [curve[0][0] for curve in (found["curves"]["total"], found["curves"]["realized"]) if curve]
    return day(int(min(begins)), zone) if begins else ""


def axes_of(
    figure: Figure, look: Look, place: tuple[float, float, float, float] = (0.045, 0.075, 0.875, 0.755)
) -> Axes:
    """Return axes without a frame, values on the right."""
    axes = figure.add_axes(place, facecolor=look.page)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=look.soft, labelsize=13, pad=8)
    axes.yaxis.tick_right()
    axes.grid(axis="y", color=look.grid, linewidth=1)
    axes.set_axisbelow(True)
    return axes


def said_above(axes: Axes, look: Look, words: str, place: float = 0.0) -> None:
    """Write above axes what they show; ``place`` is where, from 0 at their beginning to 1 over the numbers."""
    axes.annotate(
        words,
        (place, 1.0),
        xycoords="axes fraction",
        textcoords="offset points",
        xytext=(8 * place, 8),
        color=look.soft,
        fontsize=12,
    )


def shortened(text: str, most: int = 24) -> str:
    """Return a name in at most so many letters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}\u2026"


def nothing(figure: Figure, look: Look) -> None:
    """Say that there is nothing to draw."""
    figure.text(0.5, 0.45, "nothing in this range", color=look.soft, fontsize=18, ha="center")


def dates(axes: Axes, first: float, last: float, found: Mapping[str, Any]) -> None:
    """Write dates below the time from ``first`` to ``last``."""
    ticks = time_ticks(int(first), int(last), zone_named(found["range"]["timezone"]))
    axes.set_xlim(first, last)
    axes.set_xticks([tick.at for tick in ticks], [tick.text for tick in ticks])


def in_words(axes: Axes) -> None:
    """Write the values of an axis all in one unit."""
    levels = list(axes.get_yticks())
    low, high = axes.get_ylim()
    axes.set_yticks(levels, [axis_words(levels)(each) for each in levels])
    axes.set_ylim(low, high)
