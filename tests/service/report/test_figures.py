"""Figures by range and filter from read models, over the real routes."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from benchmarks.performance import terms_at
from benchmarks.trade_history import BEGIN, DAY, STARTING
from protocol.notifications import DayFigures, DaySummaryKept
from protocol.values import Scope
from runtime.journal import Entry
from service.api.client import DaemonRefused
from service.api.table.everything import TABLE
from service.report.figures import PARTS, answer_of, live
from service.report.history import history
from store.opening import MEMORY
from store.performance import Wanted, progress_of
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import write_tables
from tests.service.report.house import DAYS, NOW, House, history_of, run


def rate(_: str) -> float:
    return 1.0


def asked(views: Views, wanted: Wanted) -> dict[str, object]:
    terms = terms_at(NOW)
    past = history(views, wanted, terms, rate)
    found: dict[str, object] = answer_of(past, live(views, wanted, terms, lambda _: None, rate), terms)
    return found


def close(found: object, wanted: object) -> bool:
    """Compare answers; numbers to 1e-9 relative."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(close(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    if isinstance(found, float) or isinstance(wanted, float):
        return found == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    return found == wanted


def test_figures_are_those_of_the_database(tmp_path: Path) -> None:
    """EX-1719: sums, curve and counts computed again from the tables, exactly, agree to 1e-9 relative."""
    with history_of(tmp_path) as views:
        found = asked(views, Wanted(Scope.PAPER))
        rows = views.realizations()
        net = sum((row.net_quote for row in rows), Decimal(0))
        groups = views.groups(limit=1_000)
    figures = found["dashboard"]
    assert isinstance(figures, dict)
    results = [row.realized_quote - row.fees_quote for row in groups]
    assert figures["pnl"]["all"] == pytest.approx(float(net), rel=1e-9)
    assert figures["stats"]["net_pnl"] == pytest.approx(float(sum(results)), rel=1e-9)
    assert figures["stats"]["wins"] == sum(each > 0 for each in results)
    assert figures["realized_curve"][-1]["value"] - figures["realized_curve"][0]["value"] == pytest.approx(
        float(net - sum(row.net_quote for row in rows if row.at == rows[0].at)), rel=1e-9
    )
    assert found["net_flows"] == 2_500
    assert found["total_pnl_percent"] == pytest.approx(100 * float(net) / (found["starting_equity"] + 2_500), rel=1e-9)  # type: ignore[operator]


def test_kept_figures_are_those_made_anew() -> None:
    """EX-1719: an answer from what was kept is the same as one computed from nothing, for every filter."""

    async def work(house: House) -> None:
        for query in ({}, {"range": "30d"}, {"symbol": "BTC/USDT"}, {"side": "short"}, {"timeframe": "4h"}):
            first = await house.get("/v1/performance", **query)
            again = await house.get("/v1/performance", **query)
            house.figures._kept.clear()
            anew = await house.get("/v1/performance", **query)
            assert close(first, again)
            assert close(first, anew)

    run(work)


def test_a_fill_changes_the_next_answer() -> None:
    """EX-1719: what was realized since is in the next answer; nothing new computes nothing anew."""

    async def work(house: House) -> None:
        before = await house.get("/v1/performance")
        kept = next(iter(house.figures._kept.values()))
        await house.get("/v1/performance")
        assert next(iter(house.figures._kept.values())) is kept
        with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE realizations SET position = position + 1000000 WHERE group_id = 'g0000003'")
            tables.execute("UPDATE realizations SET net_quote = '1000' WHERE group_id = 'g0000003' AND lot = 0")
        after = await house.get("/v1/performance")
        assert after["dashboard"]["pnl"]["all"] > before["dashboard"]["pnl"]["all"] + 900

    run(work)


def test_ranges_cut_everything_and_begin_where_equity_was() -> None:
    """EX-1719: a range holds its own results only; its curve and percent begin with the equity of its first instant."""

    async def work(house: House) -> None:
        whole = await house.get("/v1/performance", range="all")
        first = await house.get("/v1/performance", **{"from": "2025-01-01", "to": "2025-01-31"})
        rest = await house.get("/v1/performance", **{"from": "2025-02-01"})
        for name in ("trades", "wins", "losses"):
            parts = [each["dashboard"]["stats"][name] for each in (first, rest)]
            assert sum(parts) == whole["dashboard"]["stats"][name]
        parts = [each["dashboard"]["pnl"]["all"] for each in (first, rest)]
        assert sum(parts) == pytest.approx(whole["dashboard"]["pnl"]["all"])
        assert rest["range"]["since"] == BEGIN + 31 * DAY
        curve = first["curves"]["realized"]
        assert rest["curves"]["realized"][0][1] == pytest.approx(curve[-1][1])
        assert rest["starting_equity"] == pytest.approx(curve[-1][1], abs=60)  # marks lie a little beside it
        assert (first["net_flows"], rest["net_flows"]) == (0, 2_500)
        assert [amount for _, amount in rest["curves"]["flows"]] == [2_500]
        assert whole["range"]["name"] == "all"

    run(work)


def test_filters_add_up_to_the_whole() -> None:
    """EX-1719, EX-1704: the figures of each pair, side and strategy add up to those of all, and to their rows."""

    async def work(house: House) -> None:
        whole = await house.get("/v1/performance")
        for name in ("symbol", "side", "strategy", "timeframe"):
            rows = whole["breakdown"][name]
            parts = [await house.get("/v1/performance", **{name: row["key"]}) for row in rows]
            assert sum(part["dashboard"]["stats"]["trades"] for part in parts) == whole["dashboard"]["stats"]["trades"]
            for row, part in zip(rows, parts, strict=True):
                assert part["dashboard"]["pnl"]["all"] == pytest.approx(row["realized"])
                assert part["dashboard"]["stats"]["win_rate_percent"] == row["stats"]["win_rate_percent"]
                assert part["equity_basis"] == "realized"
        assert whole["equity_basis"] == "total"

    run(work, trades=60)


def test_equity_of_some_trades_is_that_of_an_account_that_made_only_them() -> None:
    """EX-1711, EX-1719: with a filter that splits an account drawdown is of what its trades realized, deposits apart."""

    async def work(house: House) -> None:
        found = await house.get("/v1/performance", symbol="ETH/USDT", points=2_000)
        begun, came = found["starting_equity"], dict(found["curves"]["flows"])
        index = top = 1.0
        worst, before = 0.0, begun
        for at, value in found["curves"]["realized"]:
            index *= (value - came.get(at, 0)) / before
            top, before = max(top, index), value
            worst = min(worst, 100 * (index / top - 1))
        assert begun == pytest.approx(STARTING, abs=60)
        assert list(came.values()) == [2_500]
        assert found["dashboard"]["drawdown"]["max_drawdown_percent"] == pytest.approx(worst, rel=1e-6)

    run(work)


def test_scopes_never_mix(tmp_path: Path) -> None:
    """EX-1719: live and paper of one database are answered apart, whatever else is asked."""
    with history_of(tmp_path, trades=30) as views:
        assert asked(views, Wanted(Scope.LIVE))["total_pnl"] == 0
        assert asked(views, Wanted(Scope.LIVE))["equity"] == 0
        assert asked(views, Wanted(Scope.PAPER))["open_groups"] == 0


def test_parts_and_points_of_an_answer() -> None:
    """A client takes the parts it draws; curves have as many points as it asks for, with their extremes."""

    async def work(house: House) -> None:
        found = await house.get("/v1/performance", parts="curves", points=40)
        assert set(PARTS) & found.keys() == {"curves"}
        assert len(found["curves"]["total"]) <= 40
        full = await house.get("/v1/performance", parts="curves", points=20_000)
        assert len(full["curves"]["total"]) == DAYS * 6
        for extreme in (min, max):
            assert extreme(value for _, value in found["curves"]["total"]) == extreme(
                value for _, value in full["curves"]["total"]
            )
        assert set(PARTS) & (await house.get("/v1/performance", parts="none")).keys() == set()

    run(work)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"range": "fortnight"}, "InvalidEnum"),
        ({"from": "tomorrow"}, "WrongType"),
        ({"from": "2025-02-01", "to": "2025-01-01"}, "OutOfRange"),
        ({"points": "3"}, "OutOfRange"),
        ({"parts": "curves,moon"}, "InvalidEnum"),
        ({"scope": "both"}, "InvalidEnum"),
    ],
)
def test_what_cannot_be_asked_is_refused(query: dict[str, str], code: str) -> None:
    """A word or a time that there is not is refused by its field, and nothing is computed."""

    async def work(house: House) -> None:
        with pytest.raises(DaemonRefused) as caught:
            await house.get("/v1/performance", **query)
        assert caught.value.code == code

    run(work, trades=0)


def test_days_and_their_order() -> None:
    """EX-1716: the newest days on which anything happened, each with its result and best and worst symbol."""

    async def work(house: House) -> None:
        days = (await house.get("/v1/performance/days", limit=10_000))["days"]
        assert [each["day"] for each in days] == sorted((each["day"] for each in days), reverse=True)
        whole = await house.get("/v1/performance")
        assert sum(each["groups_closed"] for each in days) == whole["dashboard"]["stats"]["trades"]
        assert sum(each["net_pnl"] for each in days) == pytest.approx(whole["dashboard"]["pnl"]["all"])
        one = await house.get("/v1/performance/day", day=days[0]["day"])
        assert {**one, "scope": "paper"} == pytest.approx(days[0])

    run(work)


def test_a_day_stays_as_it_was_stored_at_midnight() -> None:
    """EX-1716: a scope's day is what was stored; of a part of a scope, and of a day not stored, it is added up now."""

    async def work(house: House) -> None:
        before = (await house.get("/v1/performance/days", limit=10_000))["days"]
        day = before[3]["day"]
        with closing(open_journal(MEMORY)) as journal, closing(Projector(MEMORY)) as projector:
            figures = DayFigures(
                scope=Scope.PAPER, groups_closed=7, fills=9, volume_usd=Decimal("150.5"), net_pnl=Decimal("-0.1")
            )
            event = DaySummaryKept(day=day, text="so it was", figures=(figures,), at=NOW)
            journal.append([Entry("/operators/notifier", 1, event, NOW, 1, 1, 0)])
            projector.catch_up(journal)
            row = projector.database.fetch("SELECT * FROM day_summaries")[0]
        with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
            tables.execute(f"INSERT INTO day_summaries VALUES ({', '.join('?' * len(row))})", row)
        after = (await house.get("/v1/performance/days", limit=10_000))["days"]
        stored = after.pop(3)
        assert after == [each for each in before if each["day"] != day]
        assert (stored["groups_closed"], stored["net_pnl"], stored["kept_at"]) == (7, -0.1, NOW)
        assert await house.get("/v1/performance/day", day=day) == stored
        part = await house.get("/v1/performance/day", day=day, account="paper")
        assert (part["groups_closed"], part["kept_at"]) == (before[3]["groups_closed"], None)

    run(work)


def test_recorded_flows_are_listed(tmp_path: Path) -> None:
    """EX-1705: deposits are listed with their amount; one recorded while a price was missing is no profit either."""

    async def work(house: House) -> None:
        found = await house.get("/v1/performance/flows")
        assert [(each["account"], each["amount"]) for each in found["flows"]] == [("paper", "+2500.0")]

    run(work)
    with history_of(tmp_path, trades=10) as views:
        before = asked(views, Wanted(Scope.PAPER))["dashboard"]
        with closing(write_tables(tmp_path / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE equity_snapshots SET total_equity = NULL WHERE flow = '2500.0'")
        after = asked(views, Wanted(Scope.PAPER))["dashboard"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["drawdown"]["max_drawdown_percent"] == pytest.approx(
        before["drawdown"]["max_drawdown_percent"], abs=0.3
    )
    assert max(after["daily_returns"]) < 0.05


def test_progress_is_that_of_what_figures_are_made_of(tmp_path: Path) -> None:
    """What was is computed anew only after a realization, a mark, a fill of a group or its close."""
    with history_of(tmp_path, trades=5) as views:
        before = progress_of(views)
        with closing(write_tables(tmp_path / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE groups SET updated_at = updated_at + 1")
        assert progress_of(views) == before
        with closing(write_tables(tmp_path / "views.db")) as tables, tables.transaction():
            tables.execute("UPDATE groups SET traded_position = traded_position + 1")
        assert progress_of(views) != before


def test_answers_are_what_the_description_says() -> None:
    """What the OpenAPI document promises of performance is what is answered, with all parts and with none."""

    async def work(house: House) -> None:
        for path, query in (
            ("/v1/performance", {}),
            ("/v1/performance", {"parts": "none", "range": "7d"}),
            ("/v1/performance/day", {}),
            ("/v1/performance/days", {}),
            ("/v1/performance/flows", {}),
            ("/v1/performance/equity", {}),
            ("/v1/performance/trades", {}),
            ("/v1/performance/exports", {}),
        ):
            found = await house.get(path, **query)
            promised = TABLE["GET", path].gives
            assert msgspec.to_builtins(msgspec.convert(found, promised, strict=False)).keys() == found.keys(), path

    run(work)
