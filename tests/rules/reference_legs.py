"""Count for the second writing of the group: legs, splits, rounding, targets (EX-107, EX-602 to EX-609, EX-710)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any


def eighteen(value: Fraction) -> Fraction:
    """Round half-even to 18 places (EX-107)."""
    return Fraction(round(value * 10**18), 10**18)


def floor_to(value: Fraction, unit: Fraction) -> Fraction:
    """Round down to a multiple."""
    return math.floor(value / unit) * unit


def allocate(held: dict[str, Fraction], qty: Fraction, step: Fraction) -> dict[str, Fraction]:
    """Return EX-710's split."""
    total = sum(held.values(), Fraction(0))
    if qty == total:
        return dict(held)
    wanted = {leg: eighteen(qty * part / total) for leg, part in held.items()}
    shares = {leg: min(floor_to(part, step), held[leg]) for leg, part in wanted.items()}
    left = qty - sum(shares.values(), Fraction(0))
    for leg in sorted(wanted, key=lambda leg: shares[leg] - wanted[leg]):
        more = min(step, left, held[leg] - shares[leg])
        shares[leg] += more
        left -= more
    return shares


def in_order(held: dict[str, Fraction], qty: Fraction) -> dict[str, Fraction]:
    """Give leg after leg what it holds."""
    parts: dict[str, Fraction] = {}
    for leg, most in held.items():
        part = min(most, qty)
        if part > 0:
            parts[leg] = part
            qty -= part
    return parts


class Leg:
    """One leg."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.id: str = given["id"]
        self.pyramid: int = given["pyramid"]
        self.qty = Fraction(given["qty"])
        self.percent = Fraction(given["tp_percent"])
        self.entry = "working"
        self.cancelling = False
        self.gross = self.filled = self.closed = self.dust = self.cost = self.realized = Fraction(0)
        self.target: tuple[Fraction, Fraction] | None = None
        self.target_cancelling = False
        self.deferred: Fraction | None = None
        self.deferred_qty = Fraction(0)
        self.hit = False

    @property
    def open(self) -> Fraction:
        """What is held of it."""
        return self.filled - self.closed - self.dust

    @property
    def average(self) -> Fraction:
        """What the open part has cost, per unit."""
        return eighteen(self.cost / self.open)


class Targets:
    """Which prices a mode watches, and where legs rest theirs."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.sign = 1 if given["side"] == "long" else -1
        self.mode: str = given["mode"]
        self.tick = Fraction(given["rules"]["tick_size"])
        tp = given.get("tp", {})
        self.base = Fraction(tp.get("tp_aggregate_percent", "1"))
        own = tp.get("pyramid_tp_percents", {}) if self.mode == "pyramid_aggregate" else {}
        self.own = {int(name): Fraction(value) for name, value in own.items()}
        self.alone = self.mode == "pyramid_aggregate" and tp.get("pyramid_scope") == "per_pyramid"
        self.rests = self.mode in ("per_leg", "leg", "hybrid")

    def resting(self, leg: Leg) -> Fraction:
        """EX-602, EX-603."""
        price = floor_to(leg.average * (1 + self.sign * leg.percent / 100), self.tick)
        if self.sign > 0:
            return price if price > leg.average else floor_to(leg.average, self.tick) + self.tick
        return max(price, self.tick)

    def watched(self, legs: Iterable[Leg], gone: set[int]) -> list[tuple[int | None, Fraction]]:
        """Return (pyramid or None for the group, target) of EX-606 to EX-609; ``gone`` are closing."""
        lots = [leg for leg in legs if leg.open > 0]
        if self.mode in ("per_leg", "leg") or not lots:
            return []
        if not self.alone:
            return [(None, self._target(lots))]
        numbers = sorted({leg.pyramid for leg in lots} - gone)
        return [(number, self._target([leg for leg in lots if leg.pyramid == number])) for number in numbers]

    def _target(self, lots: list[Leg]) -> Fraction:
        qty = sum((leg.open for leg in lots), Fraction(0))
        cost = sum((leg.cost for leg in lots), Fraction(0))
        gain = sum((leg.cost * self.own.get(leg.pyramid, self.base) for leg in lots), Fraction(0)) / 100
        return eighteen((cost + self.sign * gain) / qty)
