"""Which markets the accounts trade, as their sessions said when they came up."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Final

from protocol.instruments import Instrument
from protocol.venue import SessionUp
from rules.identity import UnknownSymbol, canonical_symbol, market_names, near_symbols
from service.api.answers import Refused

__all__ = ["Markets"]

_FEW: Final = 10
"""So many symbols are named where one is not known and nothing is like it."""

_LIKENESS: Final = 0.75
"""Below this a symbol is not what was meant: DOGE/USDT and SOL/USDT share their quote and no more."""


class Markets:
    """The instruments of each account."""

    def __init__(self) -> None:
        self._of_account: dict[str, tuple[Instrument, ...]] = {}

    def learn(self, news: SessionUp) -> None:
        """Take over what a session reports."""
        self._of_account[news.account] = news.instruments

    def canonical(self, symbol: str, account: str) -> str:
        """Return the unified symbol that the account's market has; refuse others with the near ones.

        While the account's session has never been up, a symbol is returned as it is: the gateway decides.
        """
        instruments = self._of_account.get(account)
        if not instruments:
            return symbol
        names: Mapping[str, str] = market_names(instruments)
        symbols = {each.symbol for each in instruments}
        try:
            found = canonical_symbol(symbol, names)
            if found in symbols:
                return found
        except UnknownSymbol:
            pass
        near = [each for each in near_symbols(symbol.upper(), symbols) if _alike(symbol.upper(), each)]
        hint = f"; did you mean {', '.join(near)}?" if near else f"; it has {', '.join(sorted(symbols)[:_FEW])}"
        raise Refused(
            422, "UnknownSymbol", f"account {account} has no market {symbol}{hint}", path="symbol", value=symbol
        )


def _alike(given: str, symbol: str) -> bool:
    return SequenceMatcher(None, given, symbol).ratio() >= _LIKENESS
