"""What each account is worth at the newest prices, as its exchange counts it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from protocol.market import PriceTick
from protocol.values import MarketType
from runtime.errors import ActorError
from runtime.system import ActorSystem
from service.api.host import exchange_of
from service.api.rows import newest_prices
from venues.errors import VenueError
from venues.paper.messages import PaperAnswer, PaperView

__all__ = ["equity_of", "worth"]

_ANSWER_S = 0.5


async def equity_of(system: ActorSystem, accounts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the worth of each account in its quote currency; ``equity`` is None while a price is missing."""
    found = []
    for account in accounts:
        exchange = system.lookup(exchange_of(system, account))
        if exchange is None:
            continue
        try:
            view = await exchange.ask(PaperView(fills_since=system.now()), _ANSWER_S)
        except (ActorError, VenueError):
            continue  # what is away at present is worth nothing known; the others are shown all the same
        held = {balance.currency for balance in view.balances} | {position.symbol for position in view.positions}
        symbols = [each.symbol for each in view.instruments if each.base in held or each.symbol in held]
        prices = await newest_prices(system, ((account, symbol) for symbol in symbols))
        currency, equity = worth(view, {symbol: tick for (_, symbol), tick in prices.items()})
        found.append(
            {"account": account, "currency": currency, "equity": None if equity is None else format(equity, "f")}
        )
    return found


def worth(view: PaperAnswer, prices: dict[str, PriceTick]) -> tuple[str, Decimal | None]:
    """Return quote currency and worth of spot balances at the bid; None when a held currency has no price.

    Perpetual accounts are worth their balances; what an open position has not realised yet is shown beside.
    """
    quote = view.instruments[0].quote if view.instruments else ""
    spot = {each.base: each.symbol for each in view.instruments if each.market_type is MarketType.SPOT}
    total = Decimal(0)
    for balance in view.balances:
        amount = balance.free + balance.locked
        if balance.currency == quote:
            total += amount
        elif amount:
            tick = prices.get(spot.get(balance.currency, ""))
            if tick is None:
                return quote, None
            total += amount * tick.bid
    return quote, total
