"""How the loss offset is woken: by prices that leave their bands, and by one timer for the next instant that matters.

Nothing here looks at a price by itself. After a cycle each topic gets one condition, which whoever publishes a price
evaluates; the first price that meets it wakes the engine and ends all conditions until the next cycle sets new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.offset_figures import Figures
from protocol.market import PriceTick
from rules.offset import ANY_PRICE, Band
from runtime.bus import Bus, Wanted
from runtime.ref import ActorRef

__all__ = ["PriceWatch"]

_LOW = Decimal("-Infinity")
_HIGH = Decimal("Infinity")
_OPEN = Band(_LOW, _HIGH)


class PriceWatch:
    """The conditions set at present."""

    def __init__(self, bus: Bus, ref: ActorRef) -> None:
        self._bus = bus
        self._ref = ref
        self._topics: list[str] = []

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are watched."""
        return tuple(self._topics)

    def end(self) -> None:
        """Be woken by no price."""
        for topic in self._topics:
            self._bus.unsubscribe(topic, self._ref)
        self._topics.clear()

    def begin(self, figures: Figures, bands: Mapping[str, Band]) -> None:
        """Be woken by the first price outside the band of its group, or by a rate that a banded group waits for."""
        self.end()
        bids: dict[str, Band] = {}
        asks: dict[str, Band] = {}
        for group_id, band in bands.items():
            known = figures.get(group_id)
            if known is None:
                continue
            side = bids if known.long else asks
            side[known.market] = band.within(side.get(known.market, _OPEN))
            if known.rate:
                bids[known.rate] = ANY_PRICE
        for topic in sorted({*bids, *asks}):
            self._watch(topic, _beyond(bids.get(topic), asks.get(topic)))

    def any_price(self, topic: str) -> None:
        """Be woken by the next price of one market."""
        self._watch(topic, _is_price)

    def _watch(self, topic: str, wanted: Wanted) -> None:
        self._topics.append(topic)
        self._bus.subscribe(topic, self._ref, tell_kept=False, wanted=wanted)


def _is_price(fact: Any) -> bool:
    return type(fact) is PriceTick


def _beyond(bid: Band | None, ask: Band | None) -> Wanted:
    """Return the condition: this price is not strictly inside. Made for speed: it is asked at every price."""
    if bid is None or ask is None:
        return _bid_beyond(*bid) if bid is not None else _ask_beyond(*(ask or _OPEN))
    low, high, above, below = *bid, *ask

    def either(fact: Any) -> bool:
        return type(fact) is PriceTick and not (low < fact.bid < high and above < fact.ask < below)

    return either


def _bid_beyond(low: Decimal, high: Decimal) -> Wanted:
    def beyond(fact: Any) -> bool:
        return type(fact) is PriceTick and not low < fact.bid < high

    return beyond


def _ask_beyond(low: Decimal, high: Decimal) -> Wanted:
    def beyond(fact: Any) -> bool:
        return type(fact) is PriceTick and not low < fact.ask < high

    return beyond
