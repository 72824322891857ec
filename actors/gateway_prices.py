"""The newest price of a market, asked of the account that trades it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from actors.gateway_settings import GatewaySettings
from protocol.webhook import NewestPrice
from rules.identity import IdentityError, canonical_symbol, canonical_venue
from runtime.errors import ActorError
from runtime.journal import JournalError
from runtime.system import ActorSystem

__all__ = ["newest_price"]

_WAIT_S: Final = 2.0


async def newest_price(
    system: ActorSystem,
    settings: GatewaySettings,
    markets: Mapping[str, Mapping[str, str]],
    venue: str,
    symbol: str,
    sign: int,
) -> Decimal | None:
    """Return the ask (``sign`` +1: we buy) or the bid; None when nobody knows one, or what is meant is no market."""
    try:
        venue = canonical_venue(venue, settings.venues)
        symbol = canonical_symbol(symbol, markets.get(venue))
    except IdentityError:
        return None  # said by the checks that follow
    routes = [each for each in settings.routes.get(venue, ()) if each.trades(symbol)]
    prices = system.lookup(routes[0].prices) if routes else None
    if prices is None:
        return None
    try:
        tick = (await prices.ask(NewestPrice(symbol), timeout_s=_WAIT_S)).tick
    except (ActorError, JournalError):
        return None
    if tick is None:
        return None
    return tick.ask if sign > 0 else tick.bid
