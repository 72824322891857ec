"""The screen itself: panels, columns, order, density, colours, help, end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.grid.layout import GAPS
from tui.seat import Argument, Choice, Command, Seat
from tui.themes import THEMES

__all__ = ["COMMANDS"]


async def _go(seat: Seat, given: tuple[str, ...]) -> None:
    if not given or seat.open_panel(given[0]) is None:
        seat.say(
            f"there is no panel {given[0] if given else ''}: {', '.join(each.value for each in _panels(seat))}", "warn"
        )


async def _theme(seat: Seat, given: tuple[str, ...]) -> None:
    if given and given[0] in THEMES:
        seat.set_preference("theme", given[0])
    else:
        seat.say(f"themes are {', '.join(THEMES)}", "warn")


async def _density(seat: Seat, given: tuple[str, ...]) -> None:
    if given and given[0] in GAPS:
        seat.set_preference("density", given[0])
    else:
        seat.say(f"densities are {', '.join(GAPS)}", "warn")


async def _columns(seat: Seat, given: tuple[str, ...]) -> None:
    """Show these columns in this order; none: what fits."""
    grid = seat.panel().current_grid
    if grid is None:
        seat.say("this panel has no columns", "warn")
        return
    wanted = given[0].replace(",", " ").split() if given else []
    known = {column.name for column in grid.columns}
    if unknown := [name for name in wanted if name not in known]:
        seat.say(f"no column is {', '.join(unknown)}; there are {', '.join(sorted(known))}", "warn")
        return
    seat.panel().set_columns(tuple(wanted))
    seat.say(f"columns: {', '.join(wanted) or 'what fits'}", "dim")


async def _sort(seat: Seat, given: tuple[str, ...]) -> None:
    grid = seat.panel().current_grid
    name, _, way = (given[0] if given else "").partition(" ")
    if grid is None or name not in {column.name for column in grid.columns}:
        known = ", ".join(column.name for column in grid.columns) if grid is not None else "none here"
        seat.say(f"columns are: {known}", "warn")
        return
    seat.panel().set_order(name, descending=way.startswith("d"))


async def _filter(seat: Seat, given: tuple[str, ...]) -> None:
    seat.panel().search(given[0] if given else "")


def _panels(seat: Seat) -> Sequence[Choice]:  # noqa: ARG001 - every completion has this shape
    from tui.panels import PANELS

    return [Choice(panel.ident, panel.title) for panel in PANELS]


def _column_names(seat: Seat) -> Sequence[Choice]:
    grid = seat.panel().current_grid
    return [Choice(column.name, column.help or column.title) for column in grid.columns] if grid is not None else ()


COMMANDS: Final = (
    Command(name="go", help="Open a panel", run=_go, arguments=(Argument("panel", _panels),)),
    Command(
        name="sort",
        help="Sort by a column: sort NAME [desc]",
        run=_sort,
        arguments=(Argument("column", _column_names),),
    ),
    Command(
        name="filter",
        help="Show only rows with these words; none: all",
        run=_filter,
        arguments=(Argument("words", required=False),),
    ),
    Command(
        name="columns",
        help="Show these columns in this order; none: what fits",
        run=_columns,
        arguments=(Argument("names", _column_names, required=False),),
    ),
    Command(
        name="density",
        help="Set how far columns stand apart",
        run=_density,
        arguments=(Argument("density", lambda _: [Choice(name) for name in GAPS]),),
    ),
    Command(
        name="theme",
        help="Choose the colours",
        run=_theme,
        arguments=(Argument("theme", lambda _: [Choice(name, theme.hint) for name, theme in THEMES.items()]),),
    ),
)
"""Commands of the screen."""
