"""The names a venue's markets go by, and the market somebody probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from protocol.instruments import Instrument
from protocol.values import MarketType

__all__ = ["MAX_SUGGESTIONS", "market_names", "near_symbols"]

MAX_SUGGESTIONS: Final = 3


def market_names(instruments: Iterable[Instrument]) -> dict[str, str]:
    """Return every accepted name in upper case -> unified symbol, for one venue's instruments (EX-303).

    Names are the unified symbol, the venue's own id and base+quote; a perpetual's also with ``.P``, and its pair alone where
    the venue has no spot market of it (``EUR/USD`` at a broker where all is margin). Where names collide
    the unified symbol wins, then spot, then perpetuals settled in quote; a name that two markets of one such class
    claim is dropped, so that it is refused rather than guessed.
    """
    listed = list(instruments)
    spot = [each for each in listed if each.market_type is MarketType.SPOT]
    perps = [each for each in listed if each.market_type is MarketType.PERP]
    linear = [each for each in perps if each.symbol.endswith(f":{each.quote}")]
    inverse = [each for each in perps if not each.symbol.endswith(f":{each.quote}")]
    names: dict[str, str] = {}
    _claim(names, ((each.symbol, each.symbol) for each in listed))
    _claim(names, ((each.venue_symbol, each.symbol) for each in spot))
    _claim(names, ((each.base + each.quote, each.symbol) for each in spot))
    for some in (linear, inverse):
        for suffix in (".P", ""):
            _claim(names, ((each.venue_symbol + suffix, each.symbol) for each in some))
            _claim(names, ((each.base + each.quote + suffix, each.symbol) for each in some))
        _claim(names, ((f"{each.base}/{each.quote}", each.symbol) for each in some))
    return names


def _claim(names: dict[str, str], wanted: Iterable[tuple[str, str]]) -> None:
    """Add the names of one class that no earlier class took and only one market claims."""
    claims: dict[str, set[str]] = {}
    for name, symbol in wanted:
        claims.setdefault(name.upper(), set()).add(symbol)
    for name, symbols in claims.items():
        if name not in names and len(symbols) == 1:
            names[name] = symbols.pop()


def _squash(text: str) -> str:
    """Return the letters and digits only: how a symbol looks whatever the separators."""
    return re.sub(r"[\W_]", "", re.sub(r"(\.P|-SWAP|PERP)$|:.*$", "", text.upper()))


def near_symbols(symbol: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known symbols spelled nearest to a wrong one, best first; separators and prefix ignored."""
    text = symbol if "/" in symbol else symbol.rpartition(":")[2]
    wanted = _squash(text[:64])
    by_look: dict[str, list[str]] = {}
    for each in sorted(set(known)):
        by_look.setdefault(_squash(each), []).append(each)
    looks = difflib.get_close_matches(wanted, by_look, n=MAX_SUGGESTIONS)
    return tuple(each for look in looks for each in by_look[look])[:MAX_SUGGESTIONS]
