"""Canonical symbols: ``BASE/QUOTE`` spot, ``BASE/QUOTE:SETTLE`` perpetual (EX-303)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rules.identity.errors import UnknownSymbol
from rules.identity.markets import near_symbols

__all__ = ["MAX_SYMBOL_LENGTH", "QUOTES", "canonical_symbol"]

MAX_SYMBOL_LENGTH: Final = 64

QUOTES: Final = (
    "FDUSD",
    "USDT",
    "USDC",
    "TUSD",
    "BUSD",
    "DAI",
    "USD",
    "EUR",
    "GBP",
    "TRY",
    "BRL",
    "BTC",
    "ETH",
    "BNB",
)
"""Quote currencies that are split off when neither a separator nor a market list decides."""

_LONGEST_FIRST: Final = sorted(QUOTES, key=len, reverse=True)
_PERPETUAL = re.compile(r"(?:\.P|-SWAP|[-_.]?PERP)$")


def canonical_symbol(text: str, markets: Mapping[str, str] | None = None) -> str:
    """Return the unified symbol; raise ``UnknownSymbol`` (EX-303).

    ``markets`` are the names a venue's markets go by (``market_names``). With them the venue's own ids are understood
    and a name without separator must be one of them; without them the longest known quote is split off.
    """
    name = _without_prefix(text.strip())
    if markets is not None and name in markets:
        return markets[name]
    stem = _PERPETUAL.sub("", name)
    perpetual = stem != name
    if "/" in stem:
        pair, _, settle = stem.partition(":")
        base, _, quote = pair.partition("/")
    elif "-" in stem or "_" in stem:
        base, quote, settle = *_at_separator(stem, text), ""
    elif markets is not None:
        return _listed(stem + (".P" if perpetual else ""), text, markets)
    else:
        base, quote, settle = *_at_quote(stem, text), ""
    if ":" in stem and not settle:
        raise UnknownSymbol("the settle currency is missing", value=text)
    return _unified(base, quote, settle, perpetual=perpetual, text=text)


def _without_prefix(text: str) -> str:
    """Return the name in upper case without the chart's ``PREFIX:``; refuse delayed data and what is too long."""
    if len(text) > MAX_SYMBOL_LENGTH:
        raise UnknownSymbol(f"a symbol has at most {MAX_SYMBOL_LENGTH} characters", value=text)
    # Only ASCII is folded: other alphabets have letters whose upper case is a Latin one.
    name = "".join(each.upper() if each.isascii() else each for each in text)
    prefix, colon, rest = name.partition(":")
    if not colon or "/" in name:
        return name
    if not prefix or prefix.endswith(("_DL", "_DLY")):
        raise UnknownSymbol("the prefix names no venue, or delayed data", value=text)
    return rest


def _at_separator(stem: str, text: str) -> tuple[str, str]:
    parts = re.split(r"[-_]", stem)
    if len(parts) != 2:
        raise UnknownSymbol("one separator parts base and quote", value=text)
    return parts[0], parts[1]


def _at_quote(stem: str, text: str) -> tuple[str, str]:
    for quote in _LONGEST_FIRST:
        if stem.endswith(quote):
            return stem.removesuffix(quote), quote
    raise UnknownSymbol("ends with no known quote currency", value=text)


def _listed(name: str, text: str, markets: Mapping[str, str]) -> str:
    if name in markets:
        return markets[name]
    near = near_symbols(name, markets.values())
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownSymbol(f"the venue lists no such market{hint}", value=text)


def _is_currency(code: str) -> bool:
    """Whether this can be a currency code: capitals, digits, ``$``, or letters without case (there are such coins)."""
    return bool(code) and all(
        each.isupper() or each.isdigit() or each == "$" if each.isascii() else each.isalpha() and not _has_case(each)
        for each in code
    )


def _has_case(letter: str) -> bool:
    return letter.upper() != letter or letter.lower() != letter


def _unified(base: str, quote: str, settle: str, *, perpetual: bool, text: str) -> str:
    # A quote or settle currency never begins with a digit: such a tail is the delivery date of a future.
    sane = all(_is_currency(each) for each in (base, quote, settle or quote))
    if not sane or base == quote or quote[0].isdigit() or settle[:1].isdigit():
        raise UnknownSymbol("base and quote cannot be told", value=text)
    if perpetual and settle not in ("", quote):
        raise UnknownSymbol("two settle currencies", value=text)
    settle = quote if perpetual else settle
    return f"{base}/{quote}:{settle}" if settle else f"{base}/{quote}"
