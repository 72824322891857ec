"""Pictures of tables: bars by a key, pairs by timeframes, years by months."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from service.report.canvas import Look, axes_of, nothing, shortened
from service.report.numbers import DASH, count, money, percent, plain_percent, trades_closed, whole_if_large
from service.report.pieces import frame_length

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["by_key", "heatmap", "months"]

_MOST_BARS: Final = 24
_FEWEST_ROWS: Final = 4
"""Rows that a heat table has room for at least: one alone is not as high as the picture."""

_WIDE: Final = 7
"""Columns of a heat table up to which its cells have room for whole words."""


def _bars(figure: Figure, look: Look, names: Sequence[str], values: Sequence[float], more: Sequence[str]) -> None:
    """Draw horizontal bars from the best to the worst, each with its name, result and what else there is to say."""
    if not names:
        nothing(figure, look)
        return
    axes = axes_of(figure, look, (0.16, 0.075, 0.80, 0.755))
    places = list(range(len(names)))[::-1]
    axes.barh(places, values, height=0.62, color=[look.gain if value >= 0 else look.loss for value in values])
    axes.yaxis.tick_left()
    axes.set_yticks(places, [shortened(name) for name in names], color=look.ink)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color=look.soft, linewidth=1)
    spread = (max([*values, 0]) - min([*values, 0])) or 1.0
    axes.set_xlim(min([*values, 0]) - spread * 0.02, max([*values, 0]) + spread * 0.38)
    axes.set_xticks([])
    axes.set_ylim(min(-0.7, len(names) - 5.3), len(names) - 0.3)  # few of them stand below the heading
    for place, value, words in zip(places, values, more, strict=True):
        # Right of the bar, or of the axis when the bar goes to the left: names stand there.
        said = f"{money(value)}    {words}"
        where = (max(value, 0), place)
        axes.annotate(said, where, textcoords="offset points", xytext=(10, 0), va="center", color=look.ink, fontsize=14)


def by_key(key: str) -> Callable[[Figure, Mapping[str, Any], Look], None]:
    """Return who draws results by a key."""

    def draw(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
        rows = sorted(found["breakdown"][key], key=lambda row: (-row["realized"], row["key"]))
        kept = rows if len(rows) <= _MOST_BARS else [*rows[: _MOST_BARS // 2], *rows[-_MOST_BARS // 2 :]]
        stats = [row["stats"] for row in kept]
        more = [f"{trades_closed(each['trades'])}, {plain_percent(each['win_rate_percent'], 0)} won" for each in stats]
        _bars(figure, look, [row["key"] or DASH for row in kept], [row["realized"] for row in kept], more)

    return draw


def _grid(
    figure: Figure,
    look: Look,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], tuple[float, str]],
) -> None:
    """Draw a heat table: colours symmetric around nothing, the number in each cell (EX-1709)."""
    if not cells:
        nothing(figure, look)
        return
    from matplotlib.patches import FancyBboxPatch

    axes = axes_of(figure, look, (0.045, 0.06, 0.91, 0.77))
    axes.grid(visible=False)
    most = max(abs(value) for value, _ in cells.values()) or 1.0
    places = whole_if_large(value for value, _ in cells.values())
    size = max(9.0, min(15.0, 190 / max(len(columns), 1), 170 / max(len(rows), 1)))
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            known = cells.get((row, column))
            tone = look.grid if known is None else look.gain if known[0] >= 0 else look.loss
            strength = 0.35 if known is None else 0.08 + 0.4 * abs(known[0]) / most
            corner, style = (x + 0.03, y + 0.06), "round,pad=0,rounding_size=0.03"
            box = FancyBboxPatch(corner, 0.94, 0.88, boxstyle=style, color=tone, alpha=strength, linewidth=0)
            axes.add_patch(box)
            words, small = (DASH, "") if known is None else (money(known[0], places), known[1])
            axes.text(
                x + 0.5, y + (0.42 if small else 0.5), words, color=look.ink, ha="center", va="center", fontsize=size
            )
            axes.text(
                x + 0.5, y + 0.7, small, color=look.ink, alpha=0.72, ha="center", va="center", fontsize=size * 0.76
            )
    axes.set_xlim(0, len(columns))
    axes.set_ylim(max(len(rows), _FEWEST_ROWS), 0)
    axes.xaxis.tick_top()
    axes.yaxis.tick_left()
    axes.set_position((0.10, 0.05, 0.86, 0.755))
    axes.set_xticks([x + 0.5 for x in range(len(columns))], columns)
    axes.set_yticks([y + 0.5 for y in range(len(rows))], rows, color=look.ink)


def heatmap(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw pairs by timeframes."""
    table = found["dashboard"]["heatmap"]
    frames = sorted({frame for row in table.values() for frame in row}, key=frame_length)
    trades = trades_closed if len(frames) <= _WIDE else count
    cells = {
        (symbol, frame): (
            cell["net_pnl"],
            f"{trades(cell['trades'])}, {plain_percent(cell['win_rate_percent'], 0)} won",
        )
        for symbol, row in table.items()
        for frame, cell in row.items()
    }
    _grid(figure, look, list(table), frames, cells)


def months(figure: Figure, found: Mapping[str, Any], look: Look) -> None:
    """Draw years by months."""
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    cells = {
        (str(row["year"]), names[row["month"] - 1]): (
            row["realized"],
            "" if row["return_percent"] is None else percent(row["return_percent"], 1),
        )
        for row in found["months"]
    }
    years = sorted({row["year"] for row in found["months"]}, reverse=True)
    _grid(figure, look, [str(year) for year in years], names, cells)
