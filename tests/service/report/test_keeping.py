"""When figures are computed anew, and deposits over the API."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from random import Random
from typing import Any

import anyio
import pytest

from benchmarks.performance import terms_at
from protocol.performance import EQUITY, EquityMarked, MarkedFor, RecordFlow
from protocol.values import Scope
from service.api.client import DaemonRefused
from service.report.figures import answer_of, live
from service.report.history import Book, history
from store.opening import MEMORY
from store.performance import Wanted
from store.projector import Projector
from store.sqlite_journal import open_journal
from store.tables.opening import write_tables
from tests.service.report.house import NOW, House, run
from tests.service.report.test_figures import close
from tests.store.test_ledger import act, dollar
from tests.store.trading import ModelGroup, Script

SECOND = 10**9


def change(house: House, sql: str) -> None:
    """Write into the read models, as the projector does."""
    with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
        tables.execute(sql)


def test_a_history_that_takes_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1719: what is new is added at once when that was quick, and after a pause in proportion when it takes long.

    How long the first look took says nothing of it: after one of six seconds a fill is seen at the next look.
    """
    clock = [NOW]
    read = Book.read

    async def work(house: House) -> None:
        house.host.system.now = lambda: clock[0]
        computed: list[int] = []

        def slow(book: Book, *given: Any) -> Any:
            computed.append(clock[0])
            clock[0] += 2 * SECOND
            return read(book, *given)

        monkeypatch.setattr(Book, "read", slow)
        for after_s in (0, 1, 4, 1, 4):
            clock[0] += after_s * SECOND
            await house.get("/v1/performance", parts="none")
            change(house, "UPDATE realizations SET position = position + 100000 WHERE position > 0")
        # What is added first is added at 3 s, at once. That took two seconds, done at 5 s, and stands for six: the looks
        # at 9 s and 10 s take it as it is, that at 14 s does not.
        assert [(at - NOW) // SECOND for at in computed] == [0, 3, 14]

    run(work, trades=10)


def test_a_rate_that_moves_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-109: a long history in a currency whose rate moves with each tick is valued anew after a pause."""
    clock, read = [NOW], Book.read

    async def work(house: House) -> None:
        change(house, "UPDATE groups SET quote = 'EUR'")
        house.host.system.now = lambda: clock[0]
        house.figures.prices.quote_usd = lambda _: 1.0 + (clock[0] - NOW) / (100 * SECOND)  # type: ignore[method-assign]

        def slow(book: Book, *given: Any) -> Any:
            found = read(book, *given)
            clock[0] += 2 * SECOND
            return found

        monkeypatch.setattr(Book, "read", slow)
        results = []
        for after_s in (0, 1, 4, 1, 4):
            clock[0] += after_s * SECOND
            results.append((await house.get("/v1/performance", parts="none"))["dashboard"]["stats"]["net_pnl"])
        # Two seconds' work, done at 2 s, stands for six: the look at 8 s is the first at another rate than that of 0 s.
        assert [each / results[0] for each in results] == pytest.approx([1, 1, 1, 1.08, 1.08])

    run(work, trades=10)


def test_read_models_made_anew_are_read_anew() -> None:
    """After a rebuild of the read models nothing of what was kept is added to."""

    async def work(house: House) -> None:
        before = await house.get("/v1/performance")
        change(house, "DELETE FROM realizations WHERE position > (SELECT max(position) - 20 FROM realizations)")
        after = await house.get("/v1/performance")
        house.figures._kept.clear()
        anew = await house.get("/v1/performance")
        assert after["dashboard"]["pnl"] == anew["dashboard"]["pnl"] != before["dashboard"]["pnl"]

    run(work, trades=40)


def test_what_is_kept_has_an_end() -> None:
    """Of many ranges and filters only the newest few are kept."""

    async def work(house: House) -> None:
        for side in ("", "long", "short"):
            for frame in ("", "15m", "1h", "4h"):
                await house.get("/v1/performance", side=side, timeframe=frame, parts="none")
        assert len(house.figures._kept) == 6

    run(work, trades=10)


class _Keeper:
    """Stands for the keeper of equity: notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[RecordFlow] = []

    async def ask(self, request: RecordFlow, _: float) -> EquityMarked:
        self.asked.append(request)
        return EquityMarked(
            account=request.account,
            scope=Scope.PAPER,
            reason=MarkedFor.FLOW,
            starting=Decimal(0),
            flow=request.amount,
            note=request.note,
            marks=(),
            at=NOW,
        )


def test_a_deposit_goes_to_the_keeper_of_equity() -> None:
    """EX-1705: a flow is recorded for the only account, or for the one named; what is none is refused."""

    async def work(house: House) -> None:
        keeper = _Keeper()
        house.host.system.lookup = {EQUITY: keeper}.get

        async def post(body: dict[str, Any]) -> Any:
            return await anyio.to_thread.run_sync(lambda: house.client.post("/v1/performance/flows", body))

        said = await post({"amount": "12.5", "note": "cash"})
        assert (said["account"], said["amount"], said["note"]) == ("paper", "+12.5", "cash")
        await post({"amount": "-3", "account": "paper"})
        assert [each.amount for each in keeper.asked] == [Decimal("12.5"), Decimal(-3)]
        for body, code in (
            ({"amount": "0"}, "OutOfRange"),
            ({"amount": "1", "account": "gone"}, "NotFound"),
            ({"amount": "1", "note": "x" * 201}, "OutOfRange"),
        ):
            with pytest.raises(DaemonRefused) as caught:
                await post(body)
            assert caught.value.code == code
        assert len(keeper.asked) == 2

    run(work, trades=0)


@pytest.mark.parametrize("seed", range(3))
def test_a_book_that_is_added_to_is_one_made_from_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1719: figures and curves added to look by look are those computed from the database, to 1e-9 relative."""
    monkeypatch.setattr("store.ledger._PAGE", 5)
    rng, terms = Random(seed), terms_at(10**9)
    with closing(open_journal(MEMORY)) as journal, closing(Projector(MEMORY)) as projector:
        script, views = Script(journal), projector.views()
        groups: list[ModelGroup] = []
        closed: list[ModelGroup] = []
        wanted = Wanted(Scope.PAPER), Wanted(Scope.PAPER, symbol="BTC/USDT")
        books = [Book(each, dollar, terms.zone) for each in wanted]
        for _ in range(10):
            for _ in range(rng.randrange(1, 8)):
                act(script, groups, closed, rng)
            projector.catch_up(journal)
            for number, each in enumerate(wanted):
                if books[number].ledger.is_outdated(views):
                    books[number] = Book(each, dollar, terms.zone)
                present = live(views, each, terms, lambda _: None, dollar)
                added, anew = books[number].read(views, terms), history(views, each, terms, dollar)
                assert close(answer_of(added, present, terms), answer_of(anew, present, terms))
