"""What a precision cache remembers: every market's rules, and how the last fetches ended."""

from __future__ import annotations

import msgspec

from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.precision import RulesFetched, RulesFetchFailed
from runtime.clock import NANOS

__all__ = ["RulesBook"]


class RulesBook(msgspec.Struct):
    """Markets by unified symbol. ``failures`` counts failed fetches since the last that worked."""

    instruments: dict[str, Instrument] = {}
    fetched_at: int | None = None
    failed_at: int | None = None
    error: str = ""
    failures: int = 0
    retry_at: int | None = None

    def apply(self, event: Event) -> None:
        """Change the book by one event of the cache."""
        match event:
            case RulesFetched():
                for symbol in event.gone:
                    self.instruments.pop(symbol, None)
                self.instruments.update((each.symbol, each) for each in event.changed)
                self.fetched_at, self.failed_at, self.error = event.at, None, ""
                self.failures, self.retry_at = 0, None
            case RulesFetchFailed():
                self.failed_at, self.error = event.at, event.error
                self.failures += 1
                self.retry_at = event.at + event.retry_after_s * NANOS

    def all(self) -> tuple[Instrument, ...]:
        """Return every market, by symbol."""
        return tuple(self.instruments[symbol] for symbol in sorted(self.instruments))

    def knows(self, name: str) -> bool:
        """Whether a market of this unified symbol or venue's id is known (EX-508)."""
        return name in self.instruments or any(each.venue_symbol == name for each in self.instruments.values())

    def differences(self, found: tuple[Instrument, ...]) -> tuple[tuple[Instrument, ...], tuple[str, ...]]:
        """Return the markets that are new or changed, and the symbols that are gone."""
        known = self.instruments
        changed = tuple(each for each in found if known.get(each.symbol) != each)
        gone = tuple(sorted(known.keys() - {each.symbol for each in found}))
        return changed, gone

    def due_at(self, refresh_s: int) -> int | None:
        """Return when the next fetch is due by itself; None while nothing is known and nothing failed."""
        if self.retry_at is not None:
            return self.retry_at
        return None if self.fetched_at is None else self.fetched_at + refresh_s * NANOS + 1
