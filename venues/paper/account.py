"""Money of a paper account: totals, locks and perpetual positions; changed by fills and locks only.

What holds after every change: the sum of a currency's flows is exact (nothing is rounded here but the cost share of a
partly closed perpetual, whose rest stays with the rest of the position), and ``locked`` is the sum of the open orders'
locks.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from protocol.orders import Balance, Position
from protocol.paper import PaperOrderFilled
from protocol.values import MarketType, OrderSide
from venues.paper.numbers import ZERO, ceil_money, round_money

__all__ = ["Account", "PerpPosition"]


class PerpPosition(msgspec.Struct, frozen=True):
    """A perpetual position: signed ``qty`` in base units and its signed entry ``cost`` in quote currency."""

    currency: str
    qty: Decimal = ZERO
    cost: Decimal = ZERO


class Account(msgspec.Struct):
    """Totals and locks by currency; perpetual positions by symbol. ``free`` = total - locks - margin."""

    leverage: Decimal = Decimal(1)
    totals: dict[str, Decimal] = msgspec.field(default_factory=dict)
    locks: dict[str, Decimal] = msgspec.field(default_factory=dict)
    perps: dict[str, PerpPosition] = msgspec.field(default_factory=dict)

    def copy(self) -> Account:
        """Return an independent account with the same contents."""
        return Account(self.leverage, self.totals.copy(), self.locks.copy(), self.perps.copy())

    def margin(self, currency: str) -> Decimal:
        """Return what open perpetual positions hold of a currency: |entry cost| / leverage, rounded up."""
        return sum(
            (ceil_money(abs(p.cost) / self.leverage) for p in self.perps.values() if p.currency == currency), ZERO
        )

    def free(self, currency: str) -> Decimal:
        """Return what a new order may use; below zero only when a perpetual filled worse than its lock foresaw."""
        return self.totals.get(currency, ZERO) - self.locks.get(currency, ZERO) - self.margin(currency)

    def position(self, symbol: str) -> Decimal:
        """Return the signed quantity of a perpetual, 0 when flat."""
        perp = self.perps.get(symbol)
        return perp.qty if perp else ZERO

    def lock(self, currency: str, change: Decimal) -> None:
        """Set more (or, below zero, less) of a currency aside."""
        left = self.locks.get(currency, ZERO) + change
        assert left >= 0, f"{currency} locks would fall to {left}"
        if left:
            self.locks[currency] = left
        else:
            self.locks.pop(currency, None)

    def _add(self, currency: str, amount: Decimal) -> None:
        self.totals[currency] = self.totals.get(currency, ZERO) + amount

    def fill(self, base: str, quote: str, market_type: MarketType, event: PaperOrderFilled) -> None:
        """Move money and position as a fill says; locks are moved by the caller."""
        signed = event.qty if event.side is OrderSide.BUY else -event.qty
        if market_type is MarketType.PERP:
            self._fill_perp(event.symbol, quote, signed, event.price)
        else:
            self._add(base, signed)
            self._add(quote, -signed * event.price)
        self._add(event.fee_currency, -event.fee)

    def _fill_perp(self, symbol: str, quote: str, signed: Decimal, price: Decimal) -> None:
        held = self.perps.get(symbol, PerpPosition(quote))
        closing = min(abs(held.qty), abs(signed)) if held.qty * signed < 0 else ZERO
        qty, cost = held.qty, held.cost
        if closing:
            # a full close takes the whole cost, so no rounding rest can be left behind
            share = cost if closing == abs(qty) else round_money(cost * closing / abs(qty))
            closed = closing if signed > 0 else -closing
            self._add(quote, -closed * price - share)
            qty, cost, signed = qty + closed, cost - share, signed - closed
        qty, cost = qty + signed, cost + signed * price
        if qty:
            self.perps[symbol] = PerpPosition(quote, qty, cost)
        else:
            self.perps.pop(symbol, None)

    def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount, by name; margin counts as locked."""
        rows = []
        for currency in sorted(self.totals):
            held = self.locks.get(currency, ZERO) + self.margin(currency)
            if self.totals[currency] or held:
                rows.append(Balance(currency, self.totals[currency] - held, held))
        return tuple(rows)

    def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position, by symbol."""
        return tuple(Position(symbol, self.perps[symbol].qty) for symbol in sorted(self.perps))
