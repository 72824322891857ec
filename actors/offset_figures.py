"""What the loss offset knows of its account's groups, and what they stand at by the newest prices (EX-1002, EX-1026)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from actors.offset_state import OffsetState
from actors.session import market_topic
from protocol.groups import GroupChanged, GroupState
from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.values import Side
from rules.offset import Candidate
from rules.precision import FALLBACK_RULES
from rules.quote_usd import USD_LIKE, quote_usd, rate_symbol
from runtime.bus import Bus
from runtime.clock import NANOS

__all__ = ["STALE_NS", "Figures", "Known", "Weighed"]

STALE_NS: Final = 30 * NANOS
"""Oldest price that an offset uses (EX-1026)."""

_NO_FEE: Final = Decimal(0)


class Known(NamedTuple):
    """A group as it last said it stands, and where its price and its rate are found (``rate`` empty: it is USD)."""

    standing: GroupChanged
    market: str
    quote: str
    rate: str

    @property
    def long(self) -> bool:
        """Whether it sells at the bid."""
        return self.standing.side is Side.LONG


class Weighed(NamedTuple):
    """The groups with a position at an instant; ``left_out`` says why some take no part, by group."""

    candidates: list[Candidate]
    left_out: dict[str, str]


class Figures:
    """The groups of one account by id, and their figures whenever they are asked for."""

    def __init__(self, account: str, bus: Bus) -> None:
        self._account = account
        self._bus = bus
        self._groups: dict[str, Known] = {}
        self._fees: dict[str, Decimal] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def __contains__(self, group_id: str) -> bool:
        return group_id in self._groups

    def __iter__(self) -> Iterator[Known]:
        return iter(self._groups.values())

    def get(self, group_id: str) -> Known | None:
        """Return a group, None when it has not said how it stands or is closed."""
        return self._groups.get(group_id)

    def take(self, standing: GroupChanged) -> GroupChanged | None:
        """Take over how a group stands; return how it stood before. A closed one is forgotten."""
        before = self._groups.get(standing.group_id)
        if standing.state is GroupState.CLOSED:
            self._groups.pop(standing.group_id, None)
        else:
            quote = standing.quote or standing.symbol.partition("/")[2].partition(":")[0]
            rate = "" if quote in USD_LIKE else market_topic(self._account, rate_symbol(quote))
            market = before.market if before is not None else market_topic(self._account, standing.symbol)
            self._groups[standing.group_id] = Known(standing, market, quote, rate)
        return before.standing if before is not None else None

    def take_markets(self, markets: Iterable[Instrument]) -> None:
        """Take over what market orders cost in each market."""
        self._fees = {market.symbol: market.taker_fee for market in markets}

    def weigh(self, state: OffsetState, now: int) -> Weighed:
        """Return every group with a position at the newest prices, in the order of their ids."""
        candidates: list[Candidate] = []
        left_out: dict[str, str] = {}
        for group_id in sorted(self._groups):
            known = self._groups[group_id]
            if known.standing.open_qty <= 0:
                continue
            candidate = self._candidate(known, state, now)
            candidates.append(candidate)
            if known.standing.frozen:
                left_out[group_id] = "Frozen"
            elif candidate.mark is None:
                left_out[group_id] = "StaleMark"
            elif candidate.quote_usd is None:
                left_out[group_id] = "QuoteRateMissing"
        return Weighed(candidates, left_out)

    def candidate(self, group_id: str, state: OffsetState, now: int) -> Candidate | None:
        """Return one group at the newest prices."""
        known = self._groups.get(group_id)
        return None if known is None else self._candidate(known, state, now)

    def _candidate(self, known: Known, state: OffsetState, now: int) -> Candidate:
        standing = known.standing
        rules = standing.rules or FALLBACK_RULES
        tick: PriceTick | None = self._bus.kept(known.market)
        fresh = tick is not None and now - tick.at <= STALE_NS and not standing.frozen
        group_id = standing.group_id
        return Candidate(
            group_id,
            standing.side,
            standing.state,
            standing.avg_entry,
            (tick.bid if known.long else tick.ask) if tick is not None and fresh else None,
            standing.open_qty,
            quote_usd(known.quote, self._bus.kept(known.rate) if known.rate else None, now),
            rules.step_size,
            rules.min_qty,
            rules.min_notional,
            standing.first_fill_at,
            standing.received,
            state.timers.get(group_id),
            group_id in state.blocked,
            group_id in state.skipped,
            self._fees.get(standing.symbol, _NO_FEE),
        )
