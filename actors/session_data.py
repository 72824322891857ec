"""Prices of another account than the one that executes (PF-231): by which name a market goes there, and when it is stale.

Whose prices count and who executes are two questions. Entries wait while the prices that count are stale, whatever the
executing venue says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from actors.session_topics import DataFeed, SessionSettings
from actors.session_watch import Found, Watch
from protocol.instruments import Instrument
from protocol.market import FeedState
from rules.broker.data_venue import STALE_AFTER_NS, feed_stale
from rules.identity import market_names
from runtime.clock import NANOS

__all__ = ["FEED_STALE", "DataNames", "DataWatch"]

FEED_STALE: Final = "FeedStale"
"""Why an entry waits whose account goes by the prices of another."""

_STALE_AFTER_S: Final = STALE_AFTER_NS // NANOS


class DataNames:
    """By which names the markets of an account go at the account whose prices count."""

    def __init__(self) -> None:
        self._listed: dict[str, str] = {}
        self._ours: dict[str, set[str]] = {}
        self._theirs: dict[str, str] = {}

    @property
    def known(self) -> bool:
        """Whether the other account has said what it has."""
        return bool(self._listed)

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Take what the other account has."""
        self._listed = market_names(instruments)

    def follow(self, symbol: str) -> str | None:
        """Return the other account's symbol of a market of ours, None when it has none; what is asked for is followed.

        The same symbol, else the same pair: ``EUR/USD`` here is ``EUR/USD:USD`` where all is margin.
        """
        pair = symbol.partition(":")[0]
        theirs = self._listed.get(symbol.upper()) or self._listed.get(pair.upper())
        if theirs is not None:
            self._theirs[symbol] = theirs
            self._ours.setdefault(theirs, set()).add(symbol)
        return theirs

    def ours(self, theirs: str) -> tuple[str, ...]:
        """Return our symbols of a market there."""
        return tuple(sorted(self._ours.get(theirs, ())))

    def theirs(self, symbol: str) -> str | None:
        """Return the other account's symbol of a market that is followed."""
        return self._theirs.get(symbol)


class DataWatch(Watch):
    """Counts only quotes of the account whose prices are gone by; what our own venue says of its streams is no matter."""

    def __init__(self, settings: SessionSettings, feed: DataFeed, names: DataNames) -> None:
        super().__init__(settings)
        self._source = feed.account
        self._names = names
        self._quoted: dict[str, int] = {}
        self.closed: frozenset[str] = frozenset()
        """The other account's markets that are closed."""

    def use(self, settings: SessionSettings) -> None:
        """Go on under other settings; when prices are stale is no setting."""
        super().use(settings)
        self._deadline = STALE_AFTER_NS

    def heard(self, symbol: str, now: int) -> bool:
        """Take a quote; return whether its market was stale."""
        self._quoted[symbol] = now
        return super().heard(symbol, now)

    def feed(self, state: FeedState, now: int) -> None:
        """Leave aside what our own venue says of prices that nobody goes by."""

    def look(self, wanted: Collection[str], is_open: Callable[[str], bool], now: int) -> Found:  # noqa: ARG002
        """Find which markets are stale: asked for again after half of the time. Our own connection is never deaf."""
        return Found(super().look(wanted, self._is_open, now).ask_again)

    def _is_open(self, symbol: str) -> bool:
        return self._names.theirs(symbol) not in self.closed

    def _silent(self, symbol: str, now: int) -> tuple[str, str] | None:
        if not feed_stale(self._quoted.get(symbol), now, in_market_hours=self._is_open(symbol)):
            return None
        return (
            FEED_STALE,
            f"no quote of {symbol} from account {self._source} for {_STALE_AFTER_S} s, whose prices count",
        )

    def _mute_notice(self, symbols: str) -> tuple[str, str]:
        return FEED_STALE, f"no quote of {symbols} from account {self._source}, whose prices count: entries wait"
