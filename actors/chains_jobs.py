"""What a chain keeper has under way: one job for all who want the same chain, and whose turn it is in a scan."""

from __future__ import annotations

from typing import NamedTuple

from protocol.chains import AskChain, ChainReply
from rules.options.expiry import DteRange
from rules.options.fresh import START_GAP_S
from runtime.clock import NANOS
from runtime.envelope import Envelope
from runtime.timers import Timer

__all__ = ["Asker", "Job", "Scans", "Wanted"]


class Wanted(NamedTuple):
    """Which chain: equal ones are fetched once."""

    underlying: str
    days: DteRange
    strikes: int

    @classmethod
    def of(cls, asked: AskChain) -> Wanted:
        """Return what a request asks for."""
        return cls(asked.underlying, DteRange(asked.least_dte, asked.most_dte), asked.strikes)


class Asker(NamedTuple):
    """Who waits; ``look``: for one fetch only."""

    envelope: Envelope
    look: bool


class Job:
    """One chain on its way: waiting for its turn, being fetched, or waiting to be fetched again.

    ``due`` is when the present fetch was planned to begin, or the next one is; ``under_way`` is the number of the fetch that
    runs, 0 for none: what an earlier one still brings is nobody's. ``seen`` is what the last fetch came to.
    """

    __slots__ = ("asking", "due", "fetches", "seen", "timer", "under_way", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.asking: list[Asker] = []
        self.due = 0
        self.fetches = 0
        self.under_way = 0
        self.timer: Timer | None = None
        self.seen: ChainReply | None = None


class Scans:
    """The next free start of each scan: the requests of one scan start 2 s apart in the order in which they came (DK-68)."""

    def __init__(self) -> None:
        self._free: dict[str, int] = {}

    def turn(self, scan: str, now: int) -> int:
        """Take the next start of a scan; a request that belongs to none starts now."""
        if not scan:
            return now
        self._free = {name: at for name, at in self._free.items() if at > now}
        start = self._free.get(scan, now)
        self._free[scan] = start + START_GAP_S * NANOS
        return start
