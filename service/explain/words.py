"""Numbers, instants and names in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from protocol.orders import OrderRequest
from rules.notation import plain

__all__ = ["ago", "and_list", "fees", "number", "order_words", "words"]


def number(value: Decimal | None) -> str:
    """Return a decimal in plain digits without trailing zeros."""
    if value is None:
        return "none"
    return plain(value)


def ago(span_ns: int) -> str:
    """Return a span of time in the unit that fits."""
    seconds = span_ns / 1e9
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f} ms"
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if abs(seconds) < 7_200 else f"{seconds / 3_600:.1f} h"


def words(code: Any) -> str:
    """Return a code word as words (``exit_signal`` is ``exit signal``)."""
    return str(getattr(code, "value", code)).replace("_", " ")


def and_list(parts: list[str]) -> str:
    """Return parts as a list in prose."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}" if parts else "nothing"


def fees(by_currency: dict[str, Decimal]) -> str:
    """Return fees by currency."""
    return and_list([f"{number(amount)} {currency}" for currency, amount in sorted(by_currency.items())])


def order_words(request: OrderRequest) -> str:
    """Return an order in words."""
    price = "at the market" if request.price is None else f"at {number(request.price)}"
    trigger = f", triggered at {number(request.stop_price)}" if request.stop_price is not None else ""
    return f"{request.type.value} order to {request.side.value} {number(request.qty)} {request.symbol} {price}{trigger}"
