"""The demo: a strategy that posts alerts to the daemon's own webhook, on made-up prices only."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec

from actors.demo import DemoSymbol, DemoTrader
from rules.signals import iso_ms
from service.config import Config, WebhookSecrets, open_webhook_secrets
from service.config.market import Account
from service.markets import Market
from strategies.crossing import Wish
from supervision.child import ChildSpec

__all__ = ["alert_body", "demo_trader"]

_NOTIONAL = Decimal(500)


def alert_body(
    *, secret: str, exchange: str, symbol: str, wish: Wish, price: Decimal, at: int, size: Decimal, label: str
) -> bytes:
    """Return an alert as TradingView would send it, sized in quote currency.

    An entry does not say what position was before: the last group may have ended by its targets, of which this strategy
    knows nothing, and a position before that does not fit reads as a missed alert.
    """
    entering = wish is Wish.ENTER
    before = {} if entering else {"prev_market_position": "long"}
    return msgspec.json.encode(
        {
            "secret": secret,
            "timestamp": iso_ms(at),
            "tv": {
                "exchange": exchange.upper(),
                "symbol": symbol,
                "timeframe": "1",
                "action": "buy" if entering else "sell",
                "market_position": "long" if entering else "flat",
                **before,
                "entry_price": str(price),
                "order_size": str(size),
            },
            "strategy_info": {"trade_id": f"{label}-{at}", "alert_name": label},
            "execution_intent": {"type": "signal", "position_size_type": "quote"},
        }
    )


def _current(secrets: WebhookSecrets, config: Config) -> str:
    """Return the secret that counts now: it may have been rotated since the start."""
    return (open_webhook_secrets(config) if secrets.folder is not None else secrets).secret.reveal()


def demo_trader(
    config: Callable[[], Config], account: Account, market: Market, secrets: WebhookSecrets, url: Callable[[], str]
) -> ChildSpec:
    """Return the recipe of the demo's actor for one account; ``config`` and ``url`` give what counts at the moment."""

    def body_of(symbol: str) -> Callable[[Wish, Decimal, int], bytes]:
        def body(wish: Wish, price: Decimal, at: int) -> bytes:
            return alert_body(
                secret=_current(secrets, config()),
                exchange=account.exchange,
                symbol=symbol,
                wish=wish,
                price=price,
                at=at,
                size=_NOTIONAL,
                label="demo crossing",
            )

        return body

    trader = partial(
        DemoTrader,
        account=account.name,
        timeframe="1m",
        symbols=[DemoSymbol(each.symbol, body_of(each.symbol)) for each in market.instruments],
        interval_s=float(config().demo.interval_s),
        url=url,
    )
    return ChildSpec("demo", trader, restart="transient")
