"""Keys, symbols and timeframes against a second, plain telling of EX-301 to EX-304."""

from __future__ import annotations

import re
from itertools import product

import pytest

from rules.identity import IdentityError, canonical_symbol, canonical_timeframe, group_key

QUOTES = ["FDUSD", "USDT", "USDC", "TUSD", "BUSD", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "BTC", "ETH", "BNB"]
BASES = ("SOL", "BTC", "USDT", "USD", "1000PEPE", "PERP", "SWAP", "P", "F", "")
FORMS = (
    "{b}{q}",
    "{b}{q}.P",
    "{b}{q}PERP",
    "{b}-{q}",
    "{b}_{q}",
    "{b}-{q}-SWAP",
    "{b}_{q}.P",
    "{b}/{q}",
    "{b}/{q}:{q}",
    "X:{b}{q}",
    "X:{b}-{q}",
    "X:{b}{q}.P",
)


def symbol(text: str) -> str:
    """Return the unified symbol as EX-303 describes it, step by step; UnknownSymbol for what has none."""
    name = text.strip().upper()
    if "/" not in name and ":" in name:
        name = name.split(":", 1)[1]
    perpetual = False
    for suffix in (".P", "-SWAP", "PERP"):
        if name.endswith(suffix):
            name, perpetual = name[: -len(suffix)], True
            break
    if "/" in name:
        pair, _, settle = name.partition(":")
        base, quote = pair.split("/", 1)
        perpetual = perpetual or bool(settle)
    elif re.search(r"[-_]", name):
        base, quote = re.split(r"[-_]", name, maxsplit=1)
    else:
        matches = sorted((each for each in QUOTES if name.endswith(each)), key=len)
        base, quote = (name[: -len(matches[-1])], matches[-1]) if matches else ("", "")
    if not base or not quote:
        return "UnknownSymbol"
    return f"{base}/{quote}:{quote}" if perpetual else f"{base}/{quote}"


def found_symbol(text: str) -> str:
    """Return what we make of a symbol, or the code of the refusal."""
    try:
        return canonical_symbol(text)
    except IdentityError as error:
        return error.code


@pytest.mark.parametrize("form", FORMS)
def test_every_way_to_write_a_pair(form: str) -> None:
    """EX-303: every base and quote in every accepted form; a pair of one currency with itself is refused by us."""
    for base, quote in product(BASES, QUOTES):
        text = form.format(b=base, q=quote)
        for spelled in (text, text.lower(), f"  {text} "):
            expected = symbol(spelled)
            pair = expected.partition(":")[0].split("/")
            if len(pair) == 2 and pair[0] == pair[1]:
                expected = "UnknownSymbol"
            assert found_symbol(spelled) == expected, spelled


def timeframe(text: str) -> str:
    """Return the canonical interval as EX-304 describes it; InvalidTimeframe for what is none."""
    form = re.fullmatch(r"(\d*)([A-Za-z]?)", text.strip(), re.ASCII)
    if form is None or not form[0]:
        return "InvalidTimeframe"
    unit = {"": "m", "M": "M", "m": "m"}.get(form[2], form[2].lower())
    count = int(form[1]) if form[1] else 1
    if unit not in "smhdwM" or not 1 <= count <= 525_600:
        return "InvalidTimeframe"
    while (unit, count) != (folded := fold(unit, count)):
        unit, count = folded
    return f"{count}{unit}"


def fold(unit: str, count: int) -> tuple[str, int]:
    """Fold once: 60 s to a minute, 60 m to an hour, 24 h to a day; days and months stay."""
    size, larger = {"s": (60, "m"), "m": (60, "h"), "h": (24, "d")}.get(unit, (0, ""))
    return (larger, count // size) if size and count % size == 0 else (unit, count)


def found_timeframe(text: str) -> str:
    """Return what we make of an interval, or the code of the refusal."""
    try:
        return canonical_timeframe(text)
    except IdentityError as error:
        return error.code


def test_every_timeframe() -> None:
    """EX-304: every unit with every number that matters, bare numbers, bare letters, and what is no interval."""
    counts = ["", "0", "00", "01", *map(str, range(1, 200)), "240", "1440", "2880", "3600", "7200", "10080", "86400"]
    counts += ["86399", "525599", "525600", "525601", "999999", "1000000", "-1", "1.5", "+1", "1 "]
    units = ["", "s", "m", "h", "d", "w", "M", "S", "H", "D", "W", "x", "mo", "min", "Q", "y", " h"]
    for count, unit in product(counts, units):
        text = f"{count}{unit}"
        assert found_timeframe(text) == timeframe(text), text
        if text.isdigit() and text[0] != "0":
            assert found_timeframe(text) == canonical_or_code(int(text)), text


def canonical_or_code(value: int) -> str:
    """Return what we make of a whole number of minutes."""
    try:
        return canonical_timeframe(value)
    except IdentityError as error:
        return error.code


VENUES = {
    "BINANCE": "binance",
    "BYBIT": "bybit",
    "OKX": "okx",
    "OKEX": "okx",
    "KUCOIN": "kucoin",
    "MEXC": "mexc",
    "GATE": "gate",
    "GATEIO": "gate",
    "GATE.IO": "gate",
}


@pytest.mark.parametrize("side", ["long", "short"])
def test_keys(side: str) -> None:
    """EX-301, EX-302: the key of every alias, in any case; canonical parts make the same key again."""
    for alias, venue in VENUES.items():
        for name in (alias, alias.lower(), alias.title(), f" {alias} "):
            key = group_key("u1", name, "BTCUSDT", "60", side)
            assert key == f"u1|{venue}|BTC/USDT|1h|{side}"
        assert group_key(*key.split("|")) == key


def test_the_first_wrong_part_is_told() -> None:
    """EX-301: of several wrong parts the venue is told before the symbol, and the symbol before the timeframe."""
    for parts, code in (
        (("NYSE", "AAPL", "0"), "UnsupportedVenue"),
        (("OKX", "AAPL", "0"), "UnknownSymbol"),
        (("OKX", "BTCUSDT", "0"), "InvalidTimeframe"),
    ):
        with pytest.raises(IdentityError) as caught:
            group_key("u1", *parts, "long")
        assert caught.value.code == code
