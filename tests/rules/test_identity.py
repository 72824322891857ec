"""Canonical venues, symbols, timeframes and the keys made of them (EX-301 to EX-304)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.instruments import Instrument, PrecisionRules
from protocol.values import MarketType, Side
from rules.identity import (
    IdentityError,
    InvalidSide,
    InvalidTimeframe,
    InvalidUser,
    UnknownSymbol,
    UnsupportedVenue,
    canonical_side,
    canonical_symbol,
    canonical_timeframe,
    canonical_venue,
    group_key,
    market_names,
    near_symbols,
    netted_with,
    opposite_key,
)
from rules.identity.symbols import QUOTES

RULES = PrecisionRules(*map(Decimal, ("0.01", "0.001", "0.001", "5")))


def market(symbol: str, venue_symbol: str) -> Instrument:
    """Return an instrument with the parts its unified symbol tells."""
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    kind = MarketType.PERP if settle else MarketType.SPOT
    return Instrument(
        venue="v", symbol=symbol, venue_symbol=venue_symbol, base=base, quote=quote, market_type=kind, rules=RULES
    )


@pytest.mark.parametrize(
    ("text", "venue"),
    [
        ("BINANCE", "binance"),
        ("Bybit", "bybit"),
        ("okx", "okx"),
        ("OKEX", "okx"),
        ("KuCoin", "kucoin"),
        ("MEXC", "mexc"),
        ("GATE", "gate"),
        ("GATEIO", "gate"),
        (" gate.io ", "gate"),
    ],
)
def test_venue_aliases(text: str, venue: str) -> None:
    """EX-302: the six venues go by their aliases in any case."""
    assert canonical_venue(text) == venue


@pytest.mark.parametrize(
    "text", ["NYSE", "", "binance ltd", "BINANCE_DL", "BINANCE_DLY", "B\u0131NANCE", "\ud800", "paper"]
)
def test_unsupported_venues(text: str) -> None:
    """EX-302: any other name, delayed data and look-alike letters are refused with a value every encoder takes."""
    with pytest.raises(UnsupportedVenue) as caught:
        canonical_venue(text)
    assert caught.value.code == "UnsupportedVenue"
    caught.value.value.encode("utf-8")


def test_a_wrong_venue_suggests_a_near_one() -> None:
    """EX-302: a typo is answered with the venue that was probably meant."""
    with pytest.raises(UnsupportedVenue, match="did you mean binance"):
        canonical_venue("BINANCEE")


def test_configured_venue_names() -> None:
    """EX-302: names of this installation are known beside the six, as they are spelled there, in any case."""
    known = ("paper", "replay", "binance-Main")
    assert [canonical_venue(text, known) for text in ("PAPER", "replay", "BINANCE-MAIN", "binance")] == [
        "paper",
        "replay",
        "binance-Main",
        "binance",
    ]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BINANCE:BTCUSDT", "BTC/USDT"),
        ("BTCUSDT.P", "BTC/USDT:USDT"),
        ("BYBIT:BTCUSDT.P", "BTC/USDT:USDT"),
        ("BTC-USDT-SWAP", "BTC/USDT:USDT"),
        ("BTCUSDTPERP", "BTC/USDT:USDT"),
        ("BTC-USDT-PERP", "BTC/USDT:USDT"),
        ("BTC/USDT.P", "BTC/USDT:USDT"),
        ("BTC_USDT", "BTC/USDT"),
        ("btc-usdt", "BTC/USDT"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("BTCUSD", "BTC/USD"),
        ("BTCTUSD", "BTC/TUSD"),
        ("ethbtc", "ETH/BTC"),
        ("1000PEPEUSDT", "1000PEPE/USDT"),
        ("1INCH-USDT", "1INCH/USDT"),
        ("PERPUSDT", "PERP/USDT"),
        ("BTC/USDT", "BTC/USDT"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("BTC/USD:BTC", "BTC/USD:BTC"),
        ("BTC-JPY", "BTC/JPY"),
        ("币安人生USDT", "币安人生/USDT"),
    ],
)
def test_symbols(text: str, symbol: str) -> None:
    """EX-303: prefix, suffix, separators and known quotes lead to one unified form."""
    assert canonical_symbol(text) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "USDT",
        "TUSD",
        "FOOBAR",
        "/",
        "/USDT",
        "BTC/",
        "BTC-",
        "-USDT",
        "BTC/USDT:",
        "BTC/USDT/ETH",
        "BINANCE:BTCUSDT/BINANCE:ETHUSDT",
        "BINANCE:BTC/USDT",
        ":BTCUSDT",
        "A:B:BTCUSDT",
        "BINANCE_DLY:BTCUSDT",
        ".P",
        "PERP",
        "BTC-PERP",
        "NQ1!",
        "BTCUSDT_260327",
        "BTC/USDT:USDT-260327",
        "BTC-27MAR26-50000-C",
        "BTC/USD:BTC.P",
        "USDT/USDT",
        "BTC USDT",
        "B|TCUSDT",
        "U\u017fDT",
        "\ud800USDT",
        "X" * 61 + "USDT",
    ],
)
def test_unknown_symbols(text: str) -> None:
    """EX-303: what does not tell base and quote for certain is refused, never guessed."""
    with pytest.raises(UnknownSymbol) as caught:
        canonical_symbol(text)
    assert caught.value.code == "UnknownSymbol"


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("base", ["SOL", "1000PEPE", "XRP", "A", "USDX"])
def test_every_quote_is_split_off(base: str, quote: str) -> None:
    """EX-303: the longest matching quote is split off, for spot and perpetual alike."""
    assert canonical_symbol(base + quote) == f"{base}/{quote}"
    assert canonical_symbol(f"X:{base}{quote}.P") == f"{base}/{quote}:{quote}"


def test_the_market_list_decides() -> None:
    """EX-303: with a market list its names win and names without separator that it lacks are unknown."""
    names = market_names(
        [
            market("BTC/USDT", "BTC-USDT"),
            market("BTC/USDT:USDT", "XBTUSDTM"),
            market("BTC/USD:BTC", "XBTUSDM"),
            market("AB/CUSDT", "ab_cusdt"),
        ]
    )
    found = {
        text: canonical_symbol(text, names)
        for text in ("BTCUSDT", "KUCOIN:BTCUSDT.P", "XBTUSDTM", "BTCUSDTPERP", "xbtusdm", "BTCUSD.P", "ABCUSDT")
    }
    assert found == {
        "BTCUSDT": "BTC/USDT",
        "KUCOIN:BTCUSDT.P": "BTC/USDT:USDT",
        "XBTUSDTM": "BTC/USDT:USDT",
        "BTCUSDTPERP": "BTC/USDT:USDT",
        "xbtusdm": "BTC/USD:BTC",
        "BTCUSD.P": "BTC/USD:BTC",
        "ABCUSDT": "AB/CUSDT",
    }
    with pytest.raises(UnknownSymbol, match=r"did you mean .*BTC/USDT"):
        canonical_symbol("BTCUSTD", names)


def test_colliding_names_are_dropped_not_guessed() -> None:
    """EX-303: spot wins over a perpetual of the same id; a name two spot markets claim belongs to neither."""
    names = market_names(
        [
            market("BTC/USDT", "BTCUSDT"),
            market("BTC/USDT:USDT", "BTCUSDT"),
            market("A/BUSDT", "A-BUSDT"),
            market("AB/USDT", "AB-USDT"),
        ]
    )
    assert (names["BTCUSDT"], names["BTCUSDT.P"]) == ("BTC/USDT", "BTC/USDT:USDT")
    assert "ABUSDT" not in names
    assert names["AB-USDT"] == "AB/USDT"


@pytest.mark.parametrize("text", ["OANDA:EURUSD", "EUR/USD", "EUR_USD", "EURUSD", "EUR/USD:USD", "EURUSD.P"])
def test_where_all_is_margin_a_pair_is_its_position(text: str) -> None:
    """EX-303: a broker without spot markets means its margin market by every name of the pair."""
    names = market_names([market("EUR/USD:USD", "EUR_USD")])
    assert canonical_symbol(text, names) == "EUR/USD:USD"


def test_near_symbols() -> None:
    """EX-303: a wrong symbol suggests the nearest known ones, whatever separators it is written with."""
    known = ("BTC/USDT", "ETH/USDT", "BTC/USDT:USDT", "SOL/USDC", "BTC/USDC")
    assert near_symbols("BTCUSTD", known)[0] == "BTC/USDT"
    assert near_symbols("BINANCE:BTC-USDT", known)[:2] == ("BTC/USDT", "BTC/USDT:USDT")
    assert len(near_symbols("BTCUSD", known)) == 3
    assert near_symbols("QQQQ", known) == ()
    assert near_symbols("BTC", ()) == ()


@pytest.mark.parametrize(
    ("text", "timeframe"),
    [
        ("15", "15m"),
        (15, "15m"),
        ("015", "15m"),
        ("90", "90m"),
        ("240", "4h"),
        ("1440", "1d"),
        ("D", "1d"),
        ("d", "1d"),
        ("W", "1w"),
        ("M", "1M"),
        ("m", "1m"),
        ("1M", "1M"),
        ("1m", "1m"),
        ("S", "1s"),
        ("30S", "30s"),
        ("60S", "1m"),
        ("90s", "90s"),
        ("3600s", "1h"),
        ("86400s", "1d"),
        ("36H", "36h"),
        ("48h", "2d"),
        ("7D", "7d"),
        ("12M", "12M"),
        (" 4h ", "4h"),
        ("525600", "365d"),
        ("525600D", "525600d"),
    ],
)
def test_timeframes(text: str | int, timeframe: str) -> None:
    """EX-304: minutes by default, exact folds up to the day, months by capital M only."""
    assert canonical_timeframe(text) == timeframe


@pytest.mark.parametrize(
    "text",
    ["0", "", "-5", "15x", "1 m", "1.5", "m1", "525601", "525601s", "9" * 9000, "\uff11\uff15", "1mm", 0, -1, 10**5000],
    ids=lambda value: str(value)[:12] if isinstance(value, str) else type(value).__name__,
)
def test_invalid_timeframes(text: str | int) -> None:
    """EX-304: zero, too large, other units and other digits are refused."""
    with pytest.raises(InvalidTimeframe) as caught:
        canonical_timeframe(text)
    assert caught.value.code == "InvalidTimeframe"


def test_group_key() -> None:
    """EX-301: the key is made of canonical parts only."""
    assert group_key("u1", "OKEX", "BTC-USDT-SWAP", 60, "Short") == "u1|okx|BTC/USDT:USDT|1h|short"
    assert group_key("u1", "PAPER", "BTCUSDT", "D", Side.LONG, venues=("paper",)) == "u1|paper|BTC/USDT|1d|long"


@pytest.mark.parametrize("user", ["", "a|b", " a", "a\n"])
def test_users_that_would_blur_keys(user: str) -> None:
    """EX-301: a user name that could make two identities one key is refused."""
    with pytest.raises(InvalidUser):
        group_key(user, "BINANCE", "BTCUSDT", "15", "long")


def test_sides() -> None:
    """EX-301: a side is long or short, nothing else."""
    assert canonical_side(" LONG ") is Side.LONG
    with pytest.raises(InvalidSide):
        canonical_side("buy")
    with pytest.raises(InvalidSide):
        opposite_key("u1|binance|BTC/USDT|1h")


def test_opposite_key() -> None:
    """EX-913: each key has one opposite, whose opposite it is."""
    key = group_key("u1", "BINANCE", "BTCUSDT", "15", "long")
    assert opposite_key(key) == "u1|binance|BTC/USDT|15m|short"
    assert opposite_key(opposite_key(key)) == key


def test_what_a_venue_nets() -> None:
    """EX-913: the other side of a perpetual in any timeframe, and nothing of a spot market."""
    begins, ends = netted_with("u1|binance|BTC/USDT:USDT|15m|long") or ("", "")
    assert (begins, ends) == ("u1|binance|BTC/USDT:USDT|", "|short")
    assert netted_with("u1|binance|BTC/USDT:USDT|1h|short") == ("u1|binance|BTC/USDT:USDT|", "|long")
    assert netted_with("u1|binance|BTC/USDT|15m|long") is None
    with pytest.raises(InvalidSide):
        netted_with("u1|binance|BTC/USDT:USDT|15m")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(), max_size=12),
        st.text("BTCUSDPERX1:/-_.", max_size=16),
        st.builds("{}{}".format, st.text("ABX19", max_size=5), st.sampled_from([*QUOTES, "USDT.P", "-USDT-SWAP"])),
    )
)
def test_canonical_symbols_are_fixed_points(text: str) -> None:
    """EX-303: canonicalising a canonical symbol changes nothing, and nothing but UnknownSymbol is raised."""
    try:
        symbol = canonical_symbol(text)
    except IdentityError as error:
        assert isinstance(error, UnknownSymbol)  # noqa: PT017 - most texts are refused, which is right
        return
    assert canonical_symbol(symbol) == symbol
    assert canonical_symbol(symbol.lower()) == symbol


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[0-9]{0,7}[smhdwMSHDW]?", fullmatch=True) | st.integers(-5, 600_000))
def test_canonical_timeframes_are_fixed_points(text: str | int) -> None:
    """EX-304: canonicalising a canonical timeframe changes nothing, and nothing but InvalidTimeframe is raised."""
    try:
        timeframe = canonical_timeframe(text)
    except IdentityError as error:
        assert isinstance(error, InvalidTimeframe)  # noqa: PT017 - many texts are refused, which is right
        return
    assert canonical_timeframe(timeframe) == timeframe
