"""The parts of the IBKR adapter by themselves: ids, codes, proof of absence, notes, pace, and the book of orders."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.values import MarketType
from rules.broker.pacing import Kind
from tests.venues.manual_time import ManualTime
from venues.access import Access, Tools
from venues.errors import InsufficientFunds, OrderRejected, RateLimited, VenueDown
from venues.ibkr import IbkrVenue
from venues.ibkr.absence import DAY_NS, SETTLED_NS, Asked, absence, midnight
from venues.ibkr.book import Book
from venues.ibkr.codes import Meaning, error_of, meaning_of, refusal_code
from venues.ibkr.contracts import Contracts
from venues.ibkr.errors import CompetingSession, NoData, NotSubscribed, UnknownContract
from venues.ibkr.gateway import Trade, exact
from venues.ibkr.ids import engine_id, reference
from venues.ibkr.ledger import Known
from venues.ibkr.line import port_of
from venues.ibkr.notes import BLOCK, Notes
from venues.ibkr.orders import Plain
from venues.ibkr.pace import MARGIN_NS, Pace
from venues.ibkr.symbols import FX_PAIRS, read_symbol, symbol_of
from venues.known import make_venue

D = Decimal
NS = 1_000_000_000


# --- ids and symbols ----------------------------------------------------------------------------------------------------


@given(st.from_regex(r"bh[a-z0-9]{4,26}", fullmatch=True), st.sampled_from(["", "-SL", "-TP"]))
def test_ids_come_back_from_the_wire(client_id: str, suffix: str) -> None:
    """What stands in orderRef after a restart is read back as the id that the engine knows (EX-422, PF-232)."""
    told = engine_id(client_id + suffix, 17)
    assert reference(told) == client_id + suffix
    assert 6 <= len(told) <= 28


def test_orders_of_others_have_ids_of_their_own() -> None:
    """An order without a reference, or with somebody else's, is never taken for ours."""
    assert engine_id("", 1_500_000_001) == "ibperm1500000001"
    assert engine_id("My order!", 1_500_000_001) == "ibperm1500000001"


@pytest.mark.parametrize(
    ("symbol", "market", "kind", "name"),
    [
        ("AAPL/USD", MarketType.SPOT, "STK", "AAPL/USD"),
        ("BTC/USD", MarketType.SPOT, "CRYPTO", "BTC/USD"),
        ("EUR_USD", MarketType.PERP, "CASH", "EUR/USD:USD"),
        ("EUR.USD", MarketType.PERP, "CASH", "EUR/USD:USD"),
        ("EUR/USD:USD", MarketType.PERP, "CASH", "EUR/USD:USD"),
        ("ES/USD:USD-251219", MarketType.PERP, "FUT", "ES/USD:USD-251219"),
        ("SPY/USD:USD-251219-450.5-C", MarketType.SPOT, "OPT", "SPY/USD:USD-251219-450.5-C"),
    ],
)
def test_symbols_both_ways(symbol: str, market: MarketType, kind: str, name: str) -> None:
    """Every family of markets has a symbol that says all of it (PF-235)."""
    wanted = read_symbol(symbol, market)
    assert wanted.kind == kind
    assert symbol_of(kind, wanted.symbol, wanted.currency, wanted.expiry, wanted.strike, wanted.right) == name


def test_symbols_that_are_none() -> None:
    """What names no market of the account is an unknown contract; about 22 pairs are known from the start (PF-235)."""
    for symbol, market in (("NOSUCH", MarketType.SPOT), ("AAPL/USD", MarketType.PERP), ("a/b", MarketType.SPOT)):
        with pytest.raises(UnknownContract):
            read_symbol(symbol, market)
    assert len(FX_PAIRS) == 22
    assert all(read_symbol(pair, MarketType.PERP).kind == "CASH" for pair in FX_PAIRS)


def test_it_is_known() -> None:
    """The table of venues makes this adapter, on paper too."""
    access = Access(account="a", venue="ibkr", testnet=True)
    time = ManualTime()
    assert isinstance(make_venue(access, Tools(time.now_ns, time.sleep, lambda: 0.5)), IbkrVenue)


def test_paper_and_live_differ_by_port_only() -> None:
    """4002 is the paper gateway, 4001 the live one, and a configured port is used as it is."""
    access = Access(account="a", venue="ibkr")
    paper = Access(account="a", venue="ibkr", testnet=True)
    assert (port_of(access), port_of(paper)) == (4001, 4002)
    assert port_of(Access(account="a", venue="ibkr", testnet=True, port=7497)) == 7497


@given(st.decimals(min_value=0, max_value=10**9, places=5, allow_nan=False))
def test_numbers_survive_the_library(number: Decimal) -> None:
    """What the library made a float is the number that the broker wrote, and is written without exponent."""
    assert exact(float(str(number))) == number
    assert Decimal(str(Plain(number))) == number
    assert "E" not in str(Plain(number * D("1e-9")))


def test_what_the_library_calls_unset_is_nothing() -> None:
    """The largest float stands for a field that the broker left empty."""
    assert exact(1.7976931348623157e308) is None
    assert exact(float("nan")) is None
    assert exact("") is None


# --- codes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (100, "Max rate of messages", RateLimited),
        (162, "historical data query pacing violation", RateLimited),
        (420, "Invalid Real-time Query", RateLimited),
        (162, "HMDS query returned no data", NoData),
        (200, "No security definition", UnknownContract),
        (201, "reason:EQUITY WITH LOAN VALUE must exceed", InsufficientFunds),
        (201, "reason:no trading permissions", OrderRejected),
        (354, "not subscribed", NotSubscribed),
        (504, "Not connected", VenueDown),
        (1100, "Connectivity lost", VenueDown),
        (10197, "competing live session", CompetingSession),
    ],
)
def test_codes_are_typed_errors(code: int, text: str, kind: type[Exception]) -> None:
    """Every code that matters becomes one of our errors, with the broker's code and text in it."""
    error = error_of("ibkr", code, text)
    assert type(error) is kind
    assert text in error.message
    assert f"code {code}" in error.message


def test_codes_that_nobody_wrote_down_prove_nothing() -> None:
    """An unknown code is neither yes nor no."""
    assert meaning_of(99_999) is None
    assert {meaning_of(code) for code in (2106, 399, 2109)} == {Meaning.INFORMATION}
    assert refusal_code(110, "price variation") == "PrecisionRejected"


# --- proof of absence ------------------------------------------------------------------------------------------------------

PROVEN = Asked(
    sent_at=DAY_NS + 100 * NS, noted=True, connected_at=DAY_NS + 101 * NS, asked_at=DAY_NS + 105 * NS,
    day_began_at=DAY_NS, linked=True,
)  # fmt: skip


def test_absence_is_proven_by_a_connection_after_the_order() -> None:
    """The gateway let us in anew, has settled, is linked, and its lists cover the order's time: it has no such order."""
    assert absence(PROVEN) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"linked": False},
        {"connected_at": DAY_NS + 99 * NS},  # the connection that it was sent on
        {"asked_at": DAY_NS + 101 * NS + SETTLED_NS - 1},
        {"day_began_at": DAY_NS + 60 * NS},  # sent within a minute of midnight
        {"day_began_at": DAY_NS * 2},  # sent yesterday
        {"day_began_at": None},
        {"sent_at": None, "noted": False},
    ],
)
def test_absence_is_not_proven(changes: dict[str, Any]) -> None:
    """Whatever is missing from the proof leaves the order unknown (EX-426)."""
    assert absence(PROVEN._replace(**changes))


def test_an_order_that_was_never_noted_was_never_sent() -> None:
    """The note is on disk before the first byte leaves, so without one there was no byte."""
    assert absence(PROVEN._replace(sent_at=None)) == ""


def test_the_day_of_a_gateway_begins_at_its_own_midnight() -> None:
    """Five hours behind UTC, the day begins at 05:00 UTC."""
    hour = 3600 * NS
    assert midnight(DAY_NS * 10 + 6 * hour, -5 * hour) == DAY_NS * 10 + 5 * hour
    assert midnight(DAY_NS * 10 + 4 * hour, -5 * hour) == DAY_NS * 9 + 5 * hour


# --- notes -------------------------------------------------------------------------------------------------------------


def test_notes_outlive_the_process(tmp_path: Path) -> None:
    """What was sent and which order ids are used up is known to the next life, also after a line that was cut off."""
    first = Notes(str(tmp_path), "acc")
    first.load()
    first.write("bhfirst1", 5)
    first.reserve(40)
    with (tmp_path / "acc.sent.jsonl").open("a") as file:
        file.write('["bhcut')
    first.write("bhsecond", 6)
    second = Notes(str(tmp_path), "acc")
    second.load()
    assert [second.sent_at(key) for key in ("bhfirst1", "bhsecond", "bhcut")] == [5, 6, None]
    assert second.next_free == 40 + BLOCK + 1


# --- pace --------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_orders_go_before_data_that_waits() -> None:
    """Fifty-one messages at once: the last waits a second, and an order that comes later goes before waiting data."""
    time = ManualTime()
    pace = Pace(time.now_ns, time.sleep)
    went: list[str] = []

    async def go(kind: Kind, name: str) -> None:
        await pace.turn(kind)
        went.append(name)

    data = [asyncio.create_task(go(Kind.DATA, f"data {number}")) for number in range(42)]
    orders = [asyncio.create_task(go(Kind.ORDER, f"order {number}")) for number in range(11)]
    for _ in range(3):
        await asyncio.sleep(0)  # house: no wait, only the others' turns
    assert sum(name.startswith("data") for name in went) == 40
    assert sum(name.startswith("order") for name in went) == 10
    await time.passes(1 + MARGIN_NS / NS)
    await asyncio.gather(*data, *orders)
    assert went[50:] == ["order 10", "data 40", "data 41"]


@pytest.mark.anyio
async def test_a_closed_pace_lets_nobody_wait() -> None:
    """Whoever waits for a turn on a connection that ends is let go."""
    time = ManualTime()
    pace = Pace(time.now_ns, time.sleep)
    for _ in range(40):
        await pace.turn(Kind.DATA)
    waiting = asyncio.create_task(pace.turn(Kind.DATA))
    await asyncio.sleep(0)  # house: no wait, only the other's turn
    pace.close()
    with pytest.raises(ConnectionError):
        await waiting


# --- the book ------------------------------------------------------------------------------------------------------------


class Told:
    """A book with one order of 10 shares, and what it told."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.book = Book(Contracts("ibkr", ""), lambda: 7, lambda: "DU1")
        self.book.tell = self.heard.append
        self.known = Known("bhorder1", "AAPL/USD", qty=D(10), order_id=5, client_id=1)
        self.book.open(self.known)
        self.contract = SimpleNamespace(
            conId=265598, secType="STK", symbol="AAPL", currency="USD", lastTradeDateOrContractMonth="", strike=0.0,
            right="", multiplier="", comboLegs=[],
        )  # fmt: skip

    def execution(self, number: str, qty: int) -> None:
        told = SimpleNamespace(
            execId=number, orderRef="bhorder1", clientId=1, orderId=5, permId=900, acctNumber="DU1", side="BOT",
            lastLiquidity=2, time=datetime(2025, 11, 21, tzinfo=UTC),
        )  # fmt: skip
        self.book.execution(self.contract, told, Trade(D(qty), D(200)))

    def states(self) -> list[OrderState]:
        return [each.state for each in self.heard if isinstance(each, OrderReport)]

    def fills(self) -> list[FillReport]:
        return [each for each in self.heard if isinstance(each, FillReport)]


def test_filled_is_told_after_all_fills() -> None:
    """The status came first: the order is over only when its trades and their commissions have come."""
    told = Told()
    told.book.status(5, 1, 900, "Filled", D(10))
    told.execution("0001.01.01", 4)
    told.execution("0001.02.01", 6)
    assert OrderState.FILLED not in told.states()
    told.book.commission("0001.02.01", D(1), "USD")
    told.book.commission("0001.01.01", D(1), "USD")
    assert told.states()[-1] is OrderState.FILLED
    assert [fill.qty for fill in told.fills()] == [D(6), D(4)]


def test_repeats_and_corrections_are_no_second_fill() -> None:
    """The same execution again, and its correction (the same number but for the end), change nothing."""
    told = Told()
    for number in ("0001.01.01", "0001.01.01", "0001.01.02"):
        told.execution(number, 10)
        told.book.commission(number, D(1), "USD")
    assert len(told.fills()) == 1


def test_what_is_over_stays_over() -> None:
    """A late word of an earlier state opens nothing again."""
    told = Told()
    told.book.status(5, 1, 900, "Cancelled", D(0))
    told.book.status(5, 1, 900, "Submitted", D(0))
    assert told.known.state is OrderState.CANCELLED


def test_a_refused_cancel_cancels_nothing() -> None:
    """Codes about the cancel are not codes about the order: the library would call it cancelled."""
    told = Told()
    told.book.status(5, 1, 900, "Submitted", D(0))
    for code in (161, 10147, 10148, 100):
        told.book.refusal(5, 1, code, "cannot be cancelled")
        assert told.known.state is OrderState.OPEN


def test_an_unknown_code_refuses_nothing() -> None:
    """An order is refused by codes that say so, and unknown after all others."""
    told = Told()
    told.book.refusal(5, 1, 99_999, "strange")
    told.book.refusal(5, 1, 399, "will be placed at 09:30")
    assert told.known.state is OrderState.UNKNOWN
    told.book.refusal(5, 1, 201, "Order rejected - reason:no permission")
    assert told.known.state is OrderState.REJECTED
    assert "no permission" in told.known.reason


def test_the_brokers_own_word_counts_for_more_than_an_error() -> None:
    """An order that an error made look refused, and that then works, works."""
    told = Told()
    told.book.refusal(5, 1, 321, "Server error when validating")
    assert told.known.state is OrderState.REJECTED
    told.book.status(5, 1, 900, "Submitted", D(0))
    assert told.known.state is OrderState.OPEN


def test_a_fill_whose_commission_never_comes_is_told_all_the_same() -> None:
    """A position that nobody knows of is worse than a fee that is missing."""
    told = Told()
    told.book.status(5, 1, 900, "Filled", D(10))
    told.execution("0001.01.01", 10)
    assert told.book.incomplete
    told.book.tell_without_commission()
    assert [(fill.qty, fill.fee) for fill in told.fills()] == [(D(10), D(0))]
    assert told.states()[-1] is OrderState.FILLED
    assert not told.book.incomplete


def test_orders_of_other_accounts_are_not_ours() -> None:
    """A login with several accounts tells all of them; only one is traded here."""
    told = Told()
    order = SimpleNamespace(orderRef="", clientId=9, orderId=3, permId=77, account="DU2")
    told.book.order(told.contract, order, "Submitted")
    assert set(told.book.orders) == {"bhorder1"}
