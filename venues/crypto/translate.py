"""Turn ccxt's unified structures into our values. Amounts become base units, numbers stay exact.

Everything raises an error of ``errors.UNREADABLE`` for a structure that cannot be right.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance, FillReport, OrderReport, Position
from protocol.values import MarketType, OrderSide
from venues.ccxt_public.translate import as_decimal
from venues.crypto.dialect import Dialect, Row

__all__ = ["NS_PER_MS", "Translator", "instrument"]

NS_PER_MS: Final = 1_000_000
_LIKE_OURS: Final = re.compile(r"[a-z0-9]{6,28}")


def _number(value: Any) -> Decimal:
    return Decimal(0) if value is None or value == "" else as_decimal(value)


def _bare(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def instrument(dialect: Dialect, market: Row) -> Instrument:
    """Return the instrument of a ccxt market (EX-501)."""
    size = _number(market.get("contractSize")) or Decimal(1)
    size = size if market.get("contract") else Decimal(1)
    precision, limits = market["precision"], market["limits"]
    step = as_decimal(precision["amount"]) * size
    least = _number((limits.get("amount") or {}).get("min")) * size
    tick = as_decimal(precision["price"])
    return Instrument(
        venue=dialect.venue,
        symbol=market["symbol"],
        venue_symbol=market["id"],
        base=market["base"],
        quote=market["quote"],
        market_type=MarketType.PERP if market.get("swap") else MarketType.SPOT,
        rules=PrecisionRules(
            tick_size=_bare(tick),
            step_size=_bare(step),
            min_qty=_bare(max(least, step)),
            min_notional=_bare(_number((limits.get("cost") or {}).get("min"))),
        ),
        contract_size=_bare(size),
        maker_fee=_number(market.get("maker")),
        taker_fee=_number(market.get("taker")),
    )


class Translator:
    """Knows the dialect and the markets. ``instruments`` is replaced when rules are loaded anew."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.instruments: dict[str, Instrument] = {}

    def size(self, symbol: str) -> Decimal:
        """Return base units a unit of the venue's amounts."""
        known = self.instruments.get(symbol)
        return known.contract_size if known is not None else Decimal(1)

    def amount(self, symbol: str, qty: Decimal) -> Decimal:
        """Return base units in the venue's amounts; ``ValueError`` when it does not come out even."""
        size = self.size(symbol)
        amount = qty / size
        if amount * size != qty:
            raise ValueError(f"{qty} is no number of contracts of {size}")
        return _bare(amount)

    def own_id(self, order: Row) -> str:
        """Return our client id of an order; of somebody else's order, the id it goes by, which is never one of ours."""
        text = str(order.get("clientOrderId") or "")
        return self.own_of(text, str(order.get("id") or ""))

    def own_of(self, text: str, number: str) -> str:
        """Return our client id of the venue's form of one."""
        ours = self._dialect.client_id_in(text) if text else None
        if ours is None and (not text or _LIKE_OURS.fullmatch(text)):
            return f"{self._dialect.venue}-{number}"
        return ours or text[:200]

    def report(self, order: Row, now: int, client_order_id: str = "") -> OrderReport:
        """Return how an order stands. ``now`` (the venue's clock) where it does not say when."""
        symbol = order["symbol"]
        stamp = order.get("lastUpdateTimestamp") or order.get("timestamp")
        return OrderReport(
            client_order_id=client_order_id or self.own_id(order),
            symbol=symbol,
            state=self._dialect.order_state(order),
            venue_order_id=str(order.get("id") or ""),
            filled_qty=_bare(_number(order.get("filled")) * self.size(symbol)),
            reason=self._dialect.reason(order),
            at=int(stamp) * NS_PER_MS if stamp else now,
        )

    def fill(self, trade: Row, client_order_id: str) -> FillReport:
        """Return a trade of ours."""
        symbol = trade["symbol"]
        fee = trade.get("fee") or next(iter(trade.get("fees") or ()), None) or {}
        known = self.instruments.get(symbol)
        return FillReport(
            client_order_id=client_order_id,
            trade_id=str(trade["id"]),
            symbol=symbol,
            side=OrderSide(trade["side"]),
            qty=_bare(as_decimal(trade["amount"]) * self.size(symbol)),
            price=as_decimal(trade["price"]),
            fee=_number(fee.get("cost")),
            fee_currency=str(fee.get("currency") or (known.quote if known is not None else "")),
            maker=self._dialect.maker(trade),
            at=int(trade["timestamp"]) * NS_PER_MS,
        )

    def balances(self, balance: Row) -> tuple[Balance, ...]:
        """Return every currency with an amount."""
        found = []
        totals = balance.get("total") or {}
        for currency in sorted(totals):
            free, locked = (_number((balance.get(part) or {}).get(currency)) for part in ("free", "used"))
            if free or locked:
                found.append(Balance(currency, free, max(locked, Decimal(0))))
        return tuple(found)

    def positions(self, rows: list[Row]) -> tuple[Position, ...]:
        """Return every open position, both sides of a hedged one netted."""
        held: dict[str, Decimal] = {}
        for row in rows:
            qty = _number(row.get("contracts")) * self.size(row["symbol"])
            signed = -abs(qty) if row.get("side") == "short" else qty
            held[row["symbol"]] = held.get(row["symbol"], Decimal(0)) + signed
        return tuple(Position(symbol, _bare(qty)) for symbol, qty in sorted(held.items()) if qty)
