"""What OANDA says, read without binary fractions; its log read once and in order; its week; its requests."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from venues.oanda.bodies import body_of, text_of
from venues.oanda.calls import Calls
from venues.oanda.ledger import Ledger
from venues.oanda.refusals import code_of
from venues.oanda.week import is_open
from venues.oanda.words import balance_of, bars_of, decimal_of, instant_of, market_of, position_of, rfc3339, tick_of

D = Decimal
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "api" / "oanda_v20"


def recorded(name: str, call: str) -> Any:
    """Return a recorded answer; skip where the recordings are not at hand."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded answers are not at hand")
    return json.loads((RECORDED / f"{name}.json").read_text())[call]["response"]


# --- recorded answers ---------------------------------------------------------------------------------------------------


def test_recorded_instruments() -> None:
    """Precision, least size and margin are what the account's list says, each in its own unit."""
    said = recorded("accounts", "_v3_account_by_accountID_instruments")["instruments"]
    found = {each["name"]: market_of("oanda", each) for each in said}
    eur, dax = found["EUR_USD"], found["DE30_EUR"]
    assert (eur.instrument.symbol, eur.tick, eur.instrument.rules.step_size) == ("EUR/USD:USD", D("0.00001"), 1)
    assert (eur.margin_rate, eur.min_trailing, eur.max_units) == (D("0.05"), D("0.0005"), 100_000_000)
    assert (dax.instrument.quote, dax.tick, dax.kind) == ("EUR", D("0.1"), "CFD")


def test_recorded_prices() -> None:
    """The first bid and ask of the book are the touch; a heartbeat is none."""
    stream = recorded("pricing", "_v3_accounts_accountID_pricing_stream")
    ticks = [tick_of(each) for each in stream if each["type"] == "PRICE"]
    assert ticks[0] is not None
    assert (ticks[0].symbol, ticks[0].bid, ticks[0].ask) == ("EUR/JPY:JPY", D("114.295"), D("114.312"))
    assert tick_of({"instrument": "EUR_USD", "time": "2016-10-27T08:38:43.094548890Z", "bids": [], "asks": []}) is None


def test_recorded_positions_and_money() -> None:
    """Positions are net; free money is cash without the margin in use, never a floating profit."""
    said = recorded("positions", "_v3_accounts_accountID_openpositions")["positions"]
    assert {each.symbol: each.qty for each in map(position_of, said)} == {"DE30/EUR:EUR": 10, "EUR/USD:USD": -100}
    account = recorded("accounts", "_v3_account_by_accountID")["account"]
    balance = balance_of(account)
    assert (balance.currency, balance.free, balance.free + balance.locked) == ("EUR", D("38746.7580"), D("48695.6580"))


def test_recorded_candles() -> None:
    """Finished candles are bars of the middle."""
    said = recorded("instruments", "_v3_instruments_instrument_candles")
    bars = bars_of("DE30/EUR:EUR", 300, said, "mid")
    assert [each.close for each in bars] == [D("10506.0"), D("10504.9"), D("10505.0"), D("10509.0"), D("10507.8")]
    said["candles"][-1]["complete"] = False
    assert len(bars_of("DE30/EUR:EUR", 300, said, "mid")) == 4


def test_recorded_log() -> None:
    """A replaced order keeps its client id, and its cancel ends it; orders without an id get a name that is not ours."""
    ledger = Ledger("EUR")
    ledger.begin(2306)
    facts = ledger.take(recorded("transactions", "_v3_accounts_transaction_sinceid")["transactions"])
    assert ledger.last == 2311
    reports = [each for each in facts if isinstance(each, OrderReport)]
    assert [(each.client_order_id, each.state) for each in reports] == [
        ("myID", OrderState.OPEN),
        ("myID", OrderState.CANCELLED),
        ("oanda-2309", OrderState.OPEN),
    ]


def test_recorded_close_of_a_trade() -> None:
    """The fill of a trade's close is a fill of the closing order."""
    said = recorded("trades", "_v3_account_accountID_trades_close")
    ledger = Ledger("EUR")
    ledger.begin(2315)
    facts = ledger.take([said["orderCreateTransaction"], said["orderFillTransaction"]])
    (fill,) = [each for each in facts if isinstance(each, FillReport)]
    assert (fill.side, fill.qty, fill.price, fill.symbol) == (OrderSide.SELL, 100, D("1.09289"), "EUR/USD:USD")


# --- numbers and times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [1.1, None, True, "", "1,5", "NaN", "Infinity", [], "0x10"])
def test_numbers_are_text(wrong: object) -> None:
    """A binary fraction, or what is no number, is refused: no amount goes through a float."""
    with pytest.raises(ValueError, match="number"):
        decimal_of(wrong)


@given(st.integers(0, 2**62))
def test_times_are_exact(at: int) -> None:
    """Nanoseconds survive the way there and back."""
    assert instant_of(rfc3339(at)) == at


@pytest.mark.parametrize("wrong", ["", "2016-10-27", "2016-10-27T08:38:43", 5, None, "yesterdayZ"])
def test_times_that_are_none(wrong: object) -> None:
    """What is no time of the venue is refused."""
    with pytest.raises(ValueError, match=r"time|Invalid|month"):
        instant_of(wrong)


@given(st.decimals(min_value=D("0.00001"), max_value=D(10**9), places=5))
def test_numbers_in_requests(number: Decimal) -> None:
    """A number is written without exponent and means the same."""
    text = text_of(number)
    assert Decimal(text) == number
    assert "e" not in text.lower()


# --- the week -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "open_"),
    [
        ("2024-08-09T20:58:00", True),  # Friday 16:58 in New York, summer
        ("2024-08-09T20:59:00", False),
        ("2024-08-10T12:00:00", False),
        ("2024-08-11T21:04:00", False),
        ("2024-08-11T21:05:00", True),  # Sunday 17:05 in New York
        ("2024-12-13T21:58:00", True),  # winter: an hour later in UTC
        ("2024-12-13T21:59:00", False),
        ("2024-12-15T22:05:00", True),
        ("2024-11-03T22:04:00", False),  # the night the clocks go back
        ("2024-11-03T22:05:00", True),
    ],
)
def test_the_fx_week(when: str, open_: bool) -> None:
    """The week runs from Sunday 17:05 to Friday 16:59 in New York, through both changes of the clocks."""
    at = int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()) * 10**9
    assert is_open(at) is open_


# --- requests -----------------------------------------------------------------------------------------------------------


def request(kind: OrderType, **fields: Any) -> OrderRequest:
    """Return a sale."""
    known = {
        "client_order_id": "bhwords001",
        "symbol": "EUR/USD:USD",
        "side": OrderSide.SELL,
        "type": kind,
        "qty": D("1E+3"),
    }
    return OrderRequest(**known | fields)


def test_bodies() -> None:
    """Each kind of order is what OANDA calls it; sales have negative units; a limit at once is a bound."""
    extensions = {"clientExtensions": {"id": "bhwords001"}, "instrument": "EUR_USD", "units": "-1000"}
    first = {"positionFill": "REDUCE_FIRST"} | extensions
    assert body_of(request(OrderType.MARKET)) == first | {"type": "MARKET", "timeInForce": "IOC"}
    ioc = body_of(request(OrderType.IOC, price=D("1.10")))
    assert ioc == first | {"type": "MARKET", "timeInForce": "IOC", "priceBound": "1.1"}
    limit = body_of(request(OrderType.LIMIT, price=D("1.1"), reduce_only=True))
    assert limit == first | {"type": "LIMIT", "timeInForce": "GTC", "price": "1.1", "positionFill": "REDUCE_ONLY"}
    stop = body_of(request(OrderType.STOP, stop_price=D("1.1")))
    assert stop == first | {"type": "STOP", "timeInForce": "GTC", "price": "1.1"}


def test_pages_go_to_our_own_host() -> None:
    """Of a page's address only the range is used: a venue's answer never says where the token is sent."""
    page = Calls("1-2").page("https://evil.example/v3/accounts/9/transactions/idrange?from=1&to=100&type=ORDER_FILL")
    assert (str(page), page.params) == ("v3/accounts/1-2/transactions/idrange", {"from": 1, "to": 100})


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("MARKET_HALTED", "MarketHalted"),
        ("INSUFFICIENT_MARGIN", "InsufficientFunds"),
        ("UNITS_MIMIMUM_NOT_MET", "PrecisionRejected"),
        ("CLOSEOUT_POSITION_DOESNT_EXIST", "ReduceOnly"),
        ("SOMETHING_NEW", "OrderRejected"),
    ],
)
def test_codes(reason: str, code: str) -> None:
    """The venue's reasons are the house's codes; unknown ones are refusals."""
    assert code_of(reason) == code


# --- the log ------------------------------------------------------------------------------------------------------------


def log_of(seed: int, length: int = 40) -> list[dict[str, Any]]:
    """Return a made-up log: orders, fills in parts with and without a new number, cancels, refusals, other things."""
    chance, found, pending = random.Random(seed), list[dict[str, Any]](), list[dict[str, Any]]()

    def add(kind: str, **fields: Any) -> dict[str, Any]:
        number = str(len(found) + 1)
        found.append({"id": number, "type": kind, "time": rfc3339(10**18 + len(found))} | fields)
        return found[-1]

    while len(found) < length:
        what = chance.choice(("order", "order", "fill", "fill", "cancel", "reject", "other"))
        name = {"clientExtensions": {"id": f"bhlog{len(found):04d}"}, "instrument": "EUR_USD"}
        if what == "order":
            pending.append(add("LIMIT_ORDER", units="100", timeInForce="GTC", **name) | {"left": 100})
        elif what == "reject":
            add("LIMIT_ORDER_REJECT", rejectReason="PRICE_INVALID", **name)
        elif what == "other":
            add("DAILY_FINANCING")
        elif pending:
            order = chance.choice(pending)
            key = {"orderID": order["id"], "clientOrderID": order["clientExtensions"]["id"]}
            if what == "cancel":
                pending.remove(order)
                add("ORDER_CANCEL", reason="CLIENT_REQUEST", **key)
                continue
            part = chance.choice((10, order["left"]))
            order["left"] -= part
            add("ORDER_FILL", units=str(part), price="1.1", instrument="EUR_USD", reason="LIMIT_ORDER", **key)
            if order["left"] <= 0:
                pending.remove(order)
    return found


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_log_is_read_once_and_in_order(seed: int, chance: random.Random) -> None:
    """However transactions come, repeated and out of order, the facts and the orders are those of the log itself."""
    log = log_of(seed)
    straight, crooked = Ledger("USD"), Ledger("USD")
    expected = straight.take(log)
    sent = [*log, *chance.sample(log, 20)]
    chance.shuffle(sent)
    told = [fact for each in sent for fact in crooked.take([each])]
    assert told == expected
    assert crooked.orders == straight.orders
    assert (crooked.last, crooked.behind) == (len(log), False)


@given(st.integers(0, 10**6))
def test_what_a_log_adds_up_to(seed: int) -> None:
    """An order's filled quantity is the sum of its fills, and it is filled when nothing is left."""
    ledger = Ledger("USD")
    facts = ledger.take(log_of(seed))
    for key, known in ledger.orders.items():
        traded = sum((each.qty for each in facts if isinstance(each, FillReport) and each.client_order_id == key), D(0))
        assert known.filled == traded
        assert (known.state is OrderState.FILLED) == (traded == known.wanted and known.wanted > 0)


def test_a_gap_is_noticed() -> None:
    """What lies behind a gap waits; numbers that the venue says do not exist are skipped in the end."""
    ledger, log = Ledger("USD"), log_of(1)
    assert ledger.take(log[1:]) == []
    assert ledger.behind
    facts = ledger.skip(1)
    assert facts
    assert not ledger.behind
    assert ledger.take(log) == []


def test_what_cannot_be_read_is_not_lost() -> None:
    """A transaction that is broken raises, and is read when it comes again whole."""
    ledger, (order, *_) = Ledger("USD"), log_of(3)
    order |= {"type": "LIMIT_ORDER", "units": "1.0.0", "clientExtensions": {"id": "bhlog9999"}, "instrument": "EUR_USD"}
    with pytest.raises(ValueError, match="number"):
        ledger.take([order])
    assert ledger.last == 0
    assert len(ledger.take([order | {"units": "100"}])) == 1
