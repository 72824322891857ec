"""Binance's payloads as our values, and ccxt's errors as ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.ccxt_public import UnknownSymbol, library
from venues.ccxt_public.errors import UNREADABLE, as_venue_error
from venues.ccxt_public.quotes import Quotes
from venues.ccxt_public.translate import as_decimal, bar_of_event, bar_of_row, book_prices
from venues.errors import AuthFailed, NetworkTimeout, OrderNotFound, PermissionDenied, RateLimited, VenueDown

NS = 1_000_000_000
PRICE = st.decimals("0.00000001", "999999", places=8)


@given(PRICE)
def test_decimals_are_exact(value: Decimal) -> None:
    """Every number the venue can write is read back digit for digit."""
    assert format(as_decimal(f"{value:.8f}"), "f") == f"{value:.8f}"


@pytest.mark.parametrize("value", [1.1, float("nan"), None, True, "", "1,5", "0x10", [], {}, b"1"])
def test_no_binary_floats(value: Any) -> None:
    """A float, a flag, bytes or text that is no number is refused, never rounded into a price."""
    with pytest.raises(ValueError, match="not a number"):
        as_decimal(value)


@pytest.mark.parametrize(
    "bid, ask", [("0", "1"), ("-1", "1"), ("2", "1"), ("NaN", "1"), ("1", "Infinity"), ("1e30", "1e31")]
)
def test_impossible_books(bid: str, ask: str) -> None:
    """A best bid and ask that cannot be is refused."""
    with pytest.raises(UNREADABLE):
        book_prices(bid, ask)


@given(PRICE, PRICE)
def test_books(one: Decimal, two: Decimal) -> None:
    """Any positive, uncrossed book is taken as it is."""
    bid, ask = sorted((one, two))
    assert book_prices(str(bid), str(ask)) == (bid, ask)


GOOD = [1_723_161_240_000, "2", "4", "1", "3", "10"]


def test_bars() -> None:
    """A row and an event of the same candle are the same bar."""
    event = {"t": GOOD[0], "o": "2", "h": "4", "l": "1", "c": "3", "v": "10", "i": "1m", "x": True}
    bar = bar_of_row("BTC/USDT", GOOD, 60)
    assert bar == bar_of_event("BTC/USDT", event, 60)
    assert (bar.at, bar.duration_s, bar.low) == (1_723_161_240 * NS, 60, Decimal(1))


@pytest.mark.parametrize(
    "place, value",
    [(0, 1_723_161_241_000), (0, -60_000), (0, "1723161240000"), (0, None), (1, "5"), (2, "2"), (3, "3.5"), (4, "NaN"),
     (5, "-1"), (5, None), (1, 2.0)],
)  # fmt: skip
def test_impossible_bars(place: int, value: Any) -> None:
    """A bar off its grid, with prices outside low..high or with a number in inexact form is refused."""
    row = [*GOOD]
    row[place] = value
    with pytest.raises(UNREADABLE):
        bar_of_row("BTC/USDT", row, 60)


# --- quotes ---


def test_half_a_quote_is_none() -> None:
    """Without a last price, or without a book, no tick is told."""
    quotes = Quotes()
    assert quotes.book("A/B", Decimal(1), Decimal(2), 0) is None
    assert quotes.last("C/D", Decimal(1), 0) is None
    tick = quotes.last("A/B", Decimal("1.5"), 5)
    assert tick is not None
    assert (tick.bid, tick.ask, tick.last, tick.at) == (Decimal(1), Decimal(2), Decimal("1.5"), 5)


def test_unchanged_prices_are_repeated_each_second() -> None:
    """The same price is told again after a second, so that the age of the newest tick says whether the feed lives."""
    quotes = Quotes()
    quotes.last("A/B", Decimal(1), 0)
    told = [at for at in range(0, 5 * NS, NS // 4) if quotes.book("A/B", Decimal(1), Decimal(1), at)]
    assert told == [0, NS, 2 * NS, 3 * NS, 4 * NS]


# --- errors ---


@pytest.mark.parametrize(
    "name, ours",
    [
        ("AuthenticationError", AuthFailed), ("AccountSuspended", AuthFailed), ("PermissionDenied", PermissionDenied),
        ("AccountNotEnabled", PermissionDenied), ("RestrictedLocation", PermissionDenied),
        ("OrderNotFound", OrderNotFound), ("DDoSProtection", RateLimited), ("RateLimitExceeded", RateLimited),
        ("RequestTimeout", NetworkTimeout), ("ExchangeNotAvailable", VenueDown), ("OnMaintenance", VenueDown),
        ("NetworkError", VenueDown), ("BadResponse", VenueDown),
    ],
)  # fmt: skip
def test_errors_map(name: str, ours: type[Exception]) -> None:
    """The nearest known base class of ccxt's error decides which of ours it is (EX-1104)."""
    assert type(as_venue_error("binance", getattr(library.load().errors, name)("text"))) is ours


def test_every_ccxt_error_has_a_name_here() -> None:
    """No error of ccxt is taken for an unreadable answer."""
    errors = library.load().errors
    for name in errors.error_hierarchy["BaseError"]:
        assert "unreadable" not in str(as_venue_error("binance", getattr(errors, name)("text")))


def test_text_is_cut_and_on_one_line() -> None:
    """A page of HTML in an error does not flood the screen."""
    message = as_venue_error("binance", ValueError("line\n" * 1000)).message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("symbol", ["BTC/USTD", "btc/usdt", "BTCUSDT", "BTC-USDT", "BTCUSDTT"])
def test_near_symbols(symbol: str) -> None:
    """A misspelt symbol is answered with what was probably meant."""
    assert UnknownSymbol("binance", symbol, ["ETH/BTC", "BTC/USDT", "SHIB/USDT"]).near[0] == "BTC/USDT"


def test_nothing_near() -> None:
    """Where nothing is near nothing is suggested."""
    assert UnknownSymbol("binance", "???", ["BTC/USDT"]).near == ()
