"""Measure slippage and cap the price of orders that must not slip (EX-720..724)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from protocol.errors import BulkheadError
from protocol.groups import SlippageAction
from protocol.instruments import PrecisionRules
from protocol.values import OrderSide
from rules.precision import floor_to, quotient

__all__ = ["NoExpectedPrice", "Slippage", "Verdict", "cap_price", "slippage", "slippage_limit", "worth_enough"]


class NoExpectedPrice(BulkheadError):
    """There is no price above zero to measure against."""


class Verdict(StrEnum):
    """What became of a fill's slippage."""

    OK = "ok"
    WARNING = "warning:SlippageWarning"
    ERROR = "error:SlippageExceeded"


class Slippage(NamedTuple):
    """How much worse than expected a fill was; negative is better and never exceeds."""

    percent: Decimal
    limit_percent: Decimal
    exceeded: bool
    verdict: Verdict


def slippage_limit(configured: Decimal, of_signal: Decimal | None) -> Decimal:
    """Return the limit in percent: the smaller of the configured and the signal's own (EX-721)."""
    return configured if of_signal is None else min(configured, of_signal)


def slippage(
    side: OrderSide, expected: Decimal, fill: Decimal, *, limit_percent: Decimal, action: SlippageAction
) -> Slippage:
    """Judge a fill against the price expected when its order was sent. Raises ``NoExpectedPrice`` at or below zero."""
    if expected <= 0:
        raise NoExpectedPrice(f"expected price {expected} is not above zero")
    worse = fill - expected if side is OrderSide.BUY else expected - fill
    percent = quotient(worse * 100, expected)
    exceeded = percent > limit_percent
    verdict = Verdict.OK
    if exceeded:
        verdict = Verdict.WARNING if action is SlippageAction.WARN else Verdict.ERROR
    return Slippage(percent, limit_percent, exceeded, verdict)


def cap_price(side: OrderSide, expected: Decimal, limit_percent: Decimal, tick: Decimal) -> Decimal:
    """Return the worst price a capped order may trade at; rounding never widens the cap (EX-724)."""
    if expected <= 0:
        raise NoExpectedPrice(f"expected price {expected} is not above zero")
    if side is OrderSide.BUY:
        return floor_to(expected + expected * limit_percent / 100, tick)
    lowest = expected - expected * limit_percent / 100
    rounded = floor_to(lowest, tick)
    return rounded if rounded == lowest else rounded + tick


def worth_enough(cap: Decimal, side: OrderSide, qty: Decimal, rules: PrecisionRules) -> Decimal:
    """Return a cap at which a sale is worth what the venue asks for at least: venues value a capped order at its cap.

    That is nearer to the price than the tolerance asks for, never beyond a price at which the quantity may be sold at all.
    """
    if side is OrderSide.BUY or cap * qty >= rules.min_notional:
        return cap
    lowest = floor_to(quotient(rules.min_notional, qty), rules.tick_size)
    while lowest * qty < rules.min_notional:
        lowest += rules.tick_size
    return lowest
