"""Exports, the page and pictures, over the real routes and from the command line."""

from __future__ import annotations

import csv
import io
import json
import struct
from contextlib import closing
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from protocol.errors import FeatureUnavailable
from service.api.client import DaemonRefused
from service.report import pictures
from service.report.numbers import axis_words, duration, factor, money, percent, short
from service.report.page import page_of
from service.report.pictures import CHARTS, HEIGHT, WIDTH, PictureFailed, picture, picture_beside
from service.report.scales import jumping, time_ticks, value_ticks
from service.report.tables import EXPORTS
from store.tables.opening import write_tables
from tests.service.report.house import NOW, House, run

SECOND = 10**9
HOSTILE = "=HYPERLINK(1)<script>alert('x')</script>"


def answer(trades: int = 60, **query: Any) -> dict[str, Any]:
    async def work(house: House) -> dict[str, Any]:
        found: dict[str, Any] = await house.get("/v1/performance", **query)
        return found

    return run(work, trades)


# --- exports ------------------------------------------------------------------------------------------------------------


def test_every_table_in_every_form_has_the_same_rows() -> None:
    """EX-1718: each table and curve as CSV with a header and UTC times, as JSON and as Parquet, with as many rows."""

    async def work(house: House) -> None:
        for name in EXPORTS:
            data, offered = await house.fetched(f"/v1/performance/export/{name}", format="csv")
            lines = list(csv.reader(io.StringIO(data.decode())))
            assert lines[0] == list(EXPORTS[name].columns)
            rows = json.loads((await house.fetched(f"/v1/performance/export/{name}", format="json"))[0])
            columns = (await house.fetched(f"/v1/performance/export/{name}", format="parquet"))[0]
            table = parquet.read_table(io.BytesIO(columns))
            assert len(lines) - 1 == len(rows) == table.num_rows
            assert table.column_names == lines[0]
            assert offered == f"{name}_start_2025-04-01_paper.csv"
            if rows:
                assert [str(value) for value in rows[0].values() if isinstance(value, str)] == [
                    cell for cell, value in zip(lines[1], rows[0].values(), strict=True) if isinstance(value, str)
                ]

    run(work, trades=30)


def test_exports_have_full_precision_and_their_range() -> None:
    """EX-1718, EX-1719: numbers as they are computed, instants to the nanosecond, the days of the range in the name."""

    async def work(house: House) -> None:
        found = await house.get("/v1/performance", points=20_000)
        rows = json.loads((await house.fetched("/v1/performance/export/realized", format="json"))[0])
        assert [row["value"] for row in rows] == [value for _, value in found["curves"]["realized"]][-len(rows) :]
        trades = json.loads((await house.fetched("/v1/performance/export/trades", format="json"))[0])
        assert len(trades) == found["dashboard"]["stats"]["trades"]
        assert trades[0]["closed_at"].endswith("Z")
        assert "." in trades[0]["closed_at"]
        some, name = await house.fetched(
            "/v1/performance/export/trades", format="json", **{"from": "2025-02-01", "to": "2025-02-28"}
        )
        assert name == "trades_2025-02-01_2025-02-28_paper.json"
        assert {row["closed_at"][:7] for row in json.loads(some)} == {"2025-02"}

    run(work)


def test_flows_are_exported_as_they_were_recorded() -> None:
    """EX-1705, EX-1718: deposits with account and note, exact amounts; a note is no formula."""

    async def work(house: House) -> None:
        with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE equity_snapshots SET note = '-1+cmd|A0' WHERE flow = '2500.0'")
        data, _ = await house.fetched("/v1/performance/export/flows", format="csv")
        row = next(csv.DictReader(io.StringIO(data.decode())))
        assert (row["account"], row["amount"], row["note"]) == ("paper", "2500.0", "'-1+cmd|A0")

    run(work, trades=5)


def test_texts_from_outside_are_no_formulas(tmp_path: Path) -> None:
    """A label that a spreadsheet would take for a formula is defused in CSV, and markup is text on the page."""

    async def work(house: House) -> None:
        with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE groups SET strategy = ?", [HOSTILE])
        data, _ = await house.fetched("/v1/performance/export/trades", format="csv")
        assert {row["strategy"] for row in csv.DictReader(io.StringIO(data.decode()))} == {f"'{HOSTILE}"}
        page, _ = await house.fetched("/v1/performance/report")
        assert b"<script" not in page
        assert b"=HYPERLINK(1)&lt;script&gt;" in page

    run(work, trades=5)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("export/moon", {}, "NotFound"),
        ("export/trades", {"format": "xml"}, "InvalidEnum"),
        ("picture/moon", {}, "InvalidEnum"),
        ("picture/equity", {"theme": "blue"}, "InvalidEnum"),
        ("trades", {"before": "yesterday"}, "WrongType"),
    ],
)
def test_what_there_is_not_is_refused(path: str, query: dict[str, str], code: str) -> None:
    """A table, form, chart or page that there is not is refused by name."""

    async def work(house: House) -> None:
        with pytest.raises(DaemonRefused) as caught:
            await house.fetched(f"/v1/performance/{path}", **query)
        assert caught.value.code == code

    run(work, trades=0)


def test_the_history_of_trades_goes_on_page_by_page() -> None:
    """EX-1624: closed groups with entry, exit, why, result, fees, worst and best, the newest first, filtered, by pages."""

    async def work(house: House) -> None:
        whole = (await house.get("/v1/performance/trades", limit=10_000))["trades"]
        assert [each["closed_at"] for each in whole] == sorted((each["closed_at"] for each in whole), reverse=True)
        pages, before = [], ""
        while True:
            said = await house.get("/v1/performance/trades", limit=7, before=before)
            pages += said["trades"]
            if not (before := said["before"]):
                break
        assert pages == whole
        one = whole[0]
        assert float(one["net_quote"]) == pytest.approx(float(one["realized_quote"]) - float(one["fees_quote"]))
        for each in whole:
            gained = float(each["exit_price"]) - float(each["entry_price"])
            assert (gained * (1 if each["side"] == "long" else -1) > 0) == (float(each["realized_quote"]) > 0)
        assert float(one["worst_percent"]) <= 0 <= float(one["best_percent"])
        stopped = (await house.get("/v1/performance/trades", reason="stop_loss", limit=1_000))["trades"]
        assert stopped == [each for each in whole if each["reason"] == "stop_loss"][:1_000]
        found = (await house.get("/v1/performance/trades", text="dip", limit=1_000))["trades"]
        assert {each["strategy"] for each in found} == {"Dip buyer"}

    run(work)


# --- the page -----------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Reads a page: its tags with their attributes, headings, and that every tag is closed in order."""

    VOID = frozenset({"meta", "line", "circle", "rect", "polygon", "polyline", "i"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.headings: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_the_page_is_one_file_that_says_everything() -> None:
    """EX-1718: one page with plots and tables, nothing from elsewhere, each drawing told in words, both themes."""
    found = answer(trades=80)
    text = page_of(found)
    page = _Page(text)
    assert page.open == []
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"}
    for word in ("http:", "https:", "@import", "url("):
        assert word not in text
    assert {"Equity", "Drawdown", "Months", "Long and short", "Pair by timeframe", "Best trades"} <= set(page.headings)
    drawn = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(drawn) == 3
    ids = {attrs.get("id") for _, attrs in page.tags}
    for attrs in drawn:
        assert attrs["role"] == "img"
        assert set((attrs["aria-labelledby"] or "").split()) <= ids
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "deposited" in text


def test_a_page_of_nothing_says_so() -> None:
    """EX-1714: without trades the page stands, with dashes and without drawings."""
    page = _Page(page_of(answer(trades=0)))
    assert page.open == []
    assert not [tag for tag, _ in page.tags if tag == "svg"]


def test_numbers_are_written_for_people() -> None:
    """EX-1714: a sign with each result, a dash for what is not defined, infinity only for a factor of wins alone."""
    assert (money(1234.5), money(-0.001), money(-2)) == ("+1,234.50", "0.00", "\u22122.00")
    assert (percent(None), factor(None, 3), factor(None, 0)) == ("\u2014", "\u221e", "\u2014")
    assert [short(each) for each in (0, 0.25, 950, 12_500, 2_500_000)] == ["0", "0.25", "950", "12.5k", "2.5M"]
    assert [axis_words([9_000, 13_000])(each) for each in (9_000, 13_000)] == ["9k", "13k"]
    near = [9_999.98, 9_999.99, 10_000.0]
    assert [axis_words(near)(each) for each in near] == ["9,999.98", "9,999.99", "10,000.00"]
    assert [duration(each * 10**9) for each in (0, 61, 90_000)] == ["0s", "1m 1s", "1d 1h"]


def test_a_deposit_is_a_step_of_the_curve() -> None:
    """EX-1705: a flow is no profit: the curve of total equity does not climb to it from the mark before."""
    curve = [[1, 100.0], [5, 600.0], [9, 610.0]]
    assert jumping(curve, [[5, 500.0]]) == [[1, 100.0], [5, 100.0], [5, 600.0], [9, 610.0]]
    assert jumping(curve, []) == curve
    assert jumping(curve, [[1, 100.0]]) == curve


def test_a_small_account_sees_its_cents() -> None:
    """EX-1709: where all results are below 100 USD, sums of months and pairs are not rounded to nothing."""
    found = answer(trades=3)
    cell = {"trades": 1, "net_pnl": 0.47, "win_rate_percent": 100.0}
    months = [{"year": 2026, "month": 11, "realized": 0.47, "return_percent": None}]
    found["dashboard"]["heatmap"], found["months"] = {"BTC/USDT": {"1h": cell}}, months
    text = page_of(found)
    assert text.count(">+0.47<") == 4  # month and year, cell and pair
    assert "1 trade<" in text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 7), (9_970, 13_100), (5, 5), (-0.002, 0.001), (0, 1e9)])
def test_axes_have_round_numbers(low: float, high: float) -> None:
    """The numbers of an axis enclose what is drawn, in equal steps, and are few."""
    found = value_ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert 3 <= len(found) <= 9
    steps = {round(right - left, 9) for left, right in pairwise(found)}
    assert max(steps) - min(steps) < 1e-8


@pytest.mark.parametrize("days", [0.0003, 0.005, 0.03, 0.2, 1, 3, 12, 40, 70, 200, 400, 2_000, 9_000])
def test_dates_of_an_axis_are_few_and_within(days: float) -> None:
    """The dates below a curve lie within it, in order, at most nine or so."""
    last = NOW
    first = last - int(days * 86_400e9)
    found = time_ticks(first, last)
    assert 1 <= len(found) <= 13
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert all(first <= each.at <= last for each in found)


def test_a_first_minute_has_its_times() -> None:
    """An axis on which no whole minute lies says when it begins and ends."""
    assert [each.text for each in time_ticks(NOW + SECOND, NOW + 40 * SECOND)] == ["00:00:01", "00:00:40"]


# --- pictures -----------------------------------------------------------------------------------------------------------


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found: tuple[int, int] = struct.unpack(">II", data[16:24])
    return found


@pytest.mark.slow(seconds=30)
def test_every_chart_is_drawn() -> None:
    """EX-1718: each chart as a PNG of 1600 x 900 in both themes, also when there is nothing to draw."""
    found, nothing = answer(trades=40), answer(trades=0)
    for number, chart in enumerate(CHARTS):
        theme = ("light", "dark")[number % 2]
        assert size_of(picture(found, chart, theme)) == (WIDTH, HEIGHT) == (1_600, 900)
    assert picture(found, "by_side", "light") != picture(found, "by_side", "dark")
    for chart in ("equity", "drawdown", "histogram", "heatmap", "by_pair", "by_day"):
        assert size_of(picture(nothing, chart)) == (WIDTH, HEIGHT)


@pytest.mark.slow(seconds=30)
def test_a_name_is_no_formula_of_a_picture() -> None:
    """EX-306: a strategy is named by whoever sends alerts; between dollar signs nothing is typeset; a long one is cut."""
    found = answer(trades=5)
    for row, name in zip(found["breakdown"]["strategy"], ("$x_{$", "y" * 256), strict=False):
        row["key"] = name
    found["filters"]["strategy"] = "$\\frac{$"
    assert size_of(picture(found, "by_strategy")) == (WIDTH, HEIGHT)


@pytest.mark.slow(seconds=30)
def test_a_picture_is_drawn_beside() -> None:
    """EX-1718: over the API a picture comes from a process of its own, in the theme that is asked for."""

    async def work(house: House) -> None:
        data, name = await house.fetched("/v1/performance/picture/months", theme="light")
        assert size_of(data) == (WIDTH, HEIGHT)
        assert name == "months_start_2025-04-01_paper.png"
        with pytest.raises(PictureFailed, match="KeyError"):
            await picture_beside({}, "months")

    run(work, trades=20)


def test_what_cannot_be_drawn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """PictureFailed for a chart that there is not; FeatureUnavailable without the library."""
    with pytest.raises(PictureFailed, match="equity"):
        picture({}, "moon")
    monkeypatch.setattr(pictures, "find_spec", lambda _: None)
    with pytest.raises(FeatureUnavailable, match="charts"):
        picture({}, "equity")
