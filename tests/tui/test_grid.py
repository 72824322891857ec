"""The grid: order and filter, columns that fit, cheap updates, keys and mouse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tui.cells import Cell, signed
from tui.grid import Align, Column, Grid, Layout, Rows
from tui.themes import THEMES

COLUMNS = (
    Column(name="name", title="Name", width=8, fixed=True, cell=lambda r: Cell(r["name"]), value=lambda r: r["name"]),
    Column(
        name="pnl", title="PnL", width=8, align=Align.RIGHT, cell=lambda r: signed(r["pnl"]), value=lambda r: r["pnl"]
    ),
    Column(name="note", title="Note", width=20, need=2, cell=lambda r: Cell(r["note"]), value=lambda r: r["note"]),
    Column(name="far", title="Far", width=20, need=1, cell=lambda r: Cell(r["far"]), value=lambda r: r["far"]),
    Column(name="odd", title="Odd", width=4, optional=True, cell=lambda r: Cell("odd"), value=lambda r: None),
)

rows_of = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 40).map(str),
            "name": st.sampled_from(["BTC", "eth", "Sol", "ada"]),
            "pnl": st.none() | st.integers(-5, 5),
            "note": st.sampled_from(["", "held", "live"]),
            "far": st.just("x"),
        }
    ),
    unique_by=lambda row: row["id"],
    max_size=25,
)


def row(ident: int, pnl: float | None = 0, name: str = "BTC", note: str = "live") -> dict[str, Any]:
    """Return a row."""
    return {"id": str(ident), "name": name, "pnl": pnl, "note": note, "far": "away"}


@given(rows_of, st.sampled_from(["name", "pnl", "note"]), st.booleans())
def test_sorting_loses_nothing_and_puts_the_unknown_last(rows: list[dict[str, Any]], by: str, down: bool) -> None:
    """Every row stays, in order of the column, either way round; what is not known comes last in both."""
    shown = Rows(COLUMNS, ident="id")
    shown.order_by(by, descending=down)
    shown.take(rows)
    assert sorted(shown.shown) == sorted(each["id"] for each in rows)
    keys = [shown.columns[by].sort_key(shown.row(ident) or {}) for ident in shown.shown]
    known = [key for key in keys if key[0] == 0]
    assert keys[: len(known)] == known
    assert known == sorted(known, reverse=down)


@given(rows_of, st.sampled_from(["btc", "held", "BTC live", "zzz", ""]))
def test_a_filter_shows_rows_that_have_every_word(rows: list[dict[str, Any]], text: str) -> None:
    """Each word must occur somewhere in the row, whatever its case; no words show all (EX-1612)."""
    shown = Rows(COLUMNS, ident="id")
    shown.search(text)
    shown.take(rows)
    said = {each["id"]: f"{each['name']} {signed(each['pnl']).text} {each['note']} x odd".casefold() for each in rows}
    wanted = [ident for ident, words in said.items() if all(word in words for word in text.casefold().split())]
    assert shown.shown == wanted
    assert shown.total == len(rows)


@given(rows_of, rows_of)
def test_exactly_what_changed_is_named(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """A round names rows that are new or differ, and no other: that is what is drawn again."""
    shown = Rows(COLUMNS, ident="id")
    shown.take(before)
    old = {each["id"]: each for each in before}
    assert shown.take(after) == {each["id"] for each in after if old.get(each["id"]) != each}


@given(st.integers(1, 200), st.integers(1, 3))
def test_columns_fit_or_only_the_needed_ones_are_left(width: int, gap: int) -> None:
    """Columns leave by need until the rest fits; what is needed always stays and scrolls (EX-1604)."""
    layout = Layout.fit(COLUMNS, width, gap=gap)
    names = [place.column.name for place in layout.places]
    assert names[:2] == ["name", "pnl"]
    assert "odd" not in names
    assert layout.width <= width or names == ["name", "pnl"]
    assert ("far" in names) >= ("note" in names)
    starts = [place.start for place in layout.places]
    assert starts == sorted(starts)


def test_columns_that_were_chosen_stand_as_chosen() -> None:
    """An operator's choice and order count, optional ones too; fixed ones lead (EX-1604)."""
    layout = Layout.fit(COLUMNS, 20, chosen=("odd", "pnl", "name", "gone"))
    assert [place.column.name for place in layout.places] == ["name", "odd", "pnl"]


class Table(App[None]):
    """A grid alone."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__()
        self.first = rows
        self.heard: list[tuple[str, Any]] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(THEMES["dark"].theme.variables)

    def compose(self) -> ComposeResult:
        yield Grid(COLUMNS, ident="id", empty="none", id="grid")

    def on_mount(self) -> None:
        self.grid.take(self.first)
        self.grid.focus()

    @property
    def grid(self) -> Grid:
        return self.query_one(Grid)

    def line(self, y: int) -> str:
        return self.grid.render_line(y).text

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        self.heard.append(("chosen", event.row))

    def on_grid_ordered(self, event: Grid.Ordered) -> None:
        self.heard.append(("ordered", event.grid.rows.sort))


@pytest.mark.anyio
async def test_keys_and_mouse_select_sort_and_open() -> None:
    """Arrows, Home and End, < > =, Enter, a click on a row or a title do what they say (EX-1601, EX-1612)."""
    app = Table([row(number, pnl=-number, name=f"N{number}") for number in range(40)])
    async with app.run_test(size=(70, 12)) as pilot:
        await pilot.press("down", "down")
        assert app.grid.selected == app.first[2]
        await pilot.press("end")
        assert app.grid.selected == app.first[39]
        assert "N39" in app.line(app.grid.size.height - 1)
        await pilot.press("home", "enter")
        assert app.heard[-1] == ("chosen", app.first[0])
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert app.heard[-1] == ("ordered", "pnl")
        assert app.grid.selected == app.first[0]
        assert app.grid.rows.shown[0] == "39"
        await pilot.press("equals_sign")
        assert app.grid.rows.shown[0] == "0"
        await pilot.click("#grid", offset=(12, 0))
        assert app.heard[-1] == ("ordered", "pnl")
        await pilot.click("#grid", offset=(3, 4))
        assert app.grid.selected is app.grid.rows.at(3)


@pytest.mark.anyio
async def test_the_selected_row_stays_selected_whatever_moves() -> None:
    """New rows, another order and a filter leave the cursor on its row while that is shown."""
    app = Table([row(number, pnl=number) for number in range(5)])
    async with app.run_test(size=(70, 12)) as pilot:
        app.grid.order_by("pnl", descending=True)
        assert app.grid.select("2")
        app.grid.take([row(9, pnl=9), *(row(number, pnl=-number) for number in range(5))])
        assert app.grid.selected == row(2, pnl=-2)
        app.grid.take([row(9, pnl=9)])
        assert app.grid.selected == row(9, pnl=9)
        await pilot.pause()
        app.grid.search("nothing has this")
        assert app.grid.selected is None
        assert "no row matches" in app.line(2)
        app.grid.take([])
        assert "none" in app.line(2)


@pytest.mark.anyio
async def test_only_cells_that_changed_are_drawn_again() -> None:
    """A price that moves redraws its own cells on its own line; the same rows again redraw nothing."""
    app = Table([row(number, pnl=number) for number in range(6)])
    async with app.run_test(size=(70, 12)) as pilot:
        await pilot.pause()
        drawn: list[Any] = []
        refresh = app.grid.refresh
        app.grid.refresh = lambda *regions, **more: (drawn.extend(regions), refresh(*regions, **more))[1]  # type: ignore[method-assign]
        app.grid.take([row(number, pnl=number) for number in range(6)])
        assert drawn == []
        app.grid.take([row(number, pnl=99 if number == 3 else number) for number in range(6)])
        assert [(region.y, region.height) for region in drawn] == [(4, 1)]
        assert drawn[0].width == 8
        assert "+99.00" in app.line(4)


@pytest.mark.anyio
async def test_a_wide_table_scrolls_beside_its_fixed_columns() -> None:
    """Chosen columns that do not fit scroll sideways; the fixed one stays (EX-1604)."""
    app = Table([row(1, note="a long note", name="BTC")])
    async with app.run_test(size=(30, 8)) as pilot:
        app.grid.set_columns(("name", "note", "far", "pnl"))
        await pilot.pause()
        assert "away" not in app.line(1)
        await pilot.press("right", "right")
        assert app.line(1).startswith("▌BTC")
        assert "away" in app.line(1)
        app.grid.set_columns(density="wide")
        assert app.grid.shown_columns == ("name", "note", "far", "pnl")


@pytest.mark.anyio
async def test_columns_that_found_no_room_are_scrolled_to() -> None:
    """A narrow table says that there are more columns; Right brings them, Left takes them away again (EX-1604)."""
    app = Table([row(1, note="a long note", name="BTC")])
    async with app.run_test(size=(20, 8)) as pilot:
        await pilot.pause()
        few = app.grid.shown_columns
        assert app.line(0).endswith("▸")
        await pilot.press(*["right"] * 6)
        assert set(app.grid.shown_columns) > set(few)
        assert app.line(1).startswith("▌BTC")
        assert not app.line(0).endswith("▸")
        await pilot.press(*["left"] * 7)
        assert app.grid.shown_columns == few
