"""Alerts as senders write them, good and bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from service.config import Secret, WebhookSecrets
from simulation.world.draw import Draw
from simulation.world.markets import VENUE

__all__ = ["SECRETS", "Body", "Wish", "body_of", "broken_text", "text_of"]

SECRETS: Final = WebhookSecrets(Secret("t" * 24), Secret("s" * 24), Secret("k" * 40))
"""Those of every simulated house."""

Body = dict[str, Any]


class Wish(NamedTuple):
    """What a sender wants: its order, and its position after and before it (word and size)."""

    symbol: str
    timeframe: str
    action: str
    after: tuple[str, int]
    before: tuple[str, int]
    intent: str = "signal"


def body_of(wish: Wish, draw: Draw, price: Decimal, at: int, ident: str) -> Body:
    """Return the alert of a wish at a price and an instant (nanoseconds)."""
    size, unit = _size(draw, price)
    body: Body = {
        "secret": SECRETS.secret.reveal(),
        "timestamp": _time(draw, at),
        "tv": {
            "exchange": draw.choice((VENUE.upper(), VENUE)),
            "symbol": wish.symbol.replace("/", "").replace(":USDT", ".P"),
            "timeframe": wish.timeframe,
            "action": wish.action,
            "market_position": wish.after[0],
            "market_position_size": wish.after[1],
            "prev_market_position": wish.before[0],
            "prev_market_position_size": wish.before[1],
            "entry_price": str(price),
            "order_size": str(size),
        },
        "strategy_info": {"trade_id": ident, "alert_name": f"world {wish.timeframe}"},
        "execution_intent": {"type": wish.intent, "position_size_type": unit},
    }
    if draw.random() < 0.4:
        body["risk"] = _risk(draw, wish, price)
    return body


def _size(draw: Draw, price: Decimal) -> tuple[Decimal, str]:
    """Draw a size: mostly quote currency; now and then base units, next to nothing, or more than there is."""
    chance = draw.random()
    quote = draw.choice((300, 500, 900, 1_500, 3_000))
    if chance < 0.03:
        return Decimal(draw.choice(("1", "4.99", "9"))), "quote"
    if chance < 0.04:
        return Decimal(10) ** draw.randint(7, 12), "quote"
    if chance < 0.12:
        return round(Decimal(quote) / price, 6) or Decimal(quote), "base"
    return Decimal(quote), "quote"


def _time(draw: Draw, at: int) -> int | str:
    """Write an instant as senders do: milliseconds, seconds, or ISO 8601."""
    chance = draw.random()
    if chance < 0.8:
        return at // 1_000_000
    if chance < 0.9:
        return at // 1_000_000_000
    return datetime.fromtimestamp(at // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _risk(draw: Draw, wish: Wish, price: Decimal) -> Body:
    """Return a stop below and a target above (mirrored for a short), and how much slippage is borne."""
    sign = -1 if wish.after[0] == "short" else 1
    stop = price * (1 - sign * Decimal(draw.randint(10, 80)) / 1_000)
    target = price * (1 + sign * Decimal(draw.randint(8, 60)) / 1_000)
    risk: Body = {"stop_loss": f"{stop:.10f}", "take_profit": f"{target:.10f}"}
    if draw.random() < 0.3:
        risk["max_slippage_percent"] = draw.choice((0.05, 0.5, 2))
    return risk


def text_of(body: Body) -> str:
    """Return a body as it is posted."""
    return msgspec.json.encode(body).decode()


# --- what nobody can read ------------------------------------------------------------------------------------------------


def broken_text(body: Body, draw: Draw) -> str:
    """Return an alert that is wrong in one of the ways in which alerts are."""
    return draw.choice(_BROKEN)(body, draw)


def _changed(path: str, value: Any) -> Callable[[Body, Draw], str]:
    """Return a breaker that sets one field (``section.name``)."""
    section, _, name = path.rpartition(".")

    def broken(body: Body, _: Draw) -> str:
        if not section:
            return json.dumps({**body, name: value})
        return json.dumps({**body, section: {**body[section], name: value}})

    return broken


def _without(path: str) -> Callable[[Body, Draw], str]:
    section, _, name = path.rpartition(".")

    def broken(body: Body, _: Draw) -> str:
        holder = body[section] if section else body
        left = {key: value for key, value in holder.items() if key != name}
        return text_of({**body, section: left} if section else left)

    return broken


def _cut(body: Body, draw: Draw) -> str:
    text = text_of(body)
    return text[: draw.randrange(len(text))]


def _raw(text: str) -> Callable[[Body, Draw], str]:
    return lambda _body, _draw: text


_BROKEN: Final[tuple[Callable[[Body, Draw], str], ...]] = (
    _cut,
    _cut,
    _raw(""),
    _raw("[]"),
    _raw('"buy"'),
    _raw("null"),
    _raw("action=buy&symbol=BTCUSDT"),
    _raw("BTCUSDT long now \N{ROCKET}"),
    _raw("[" * 5_000),
    lambda body, _: "\ufeff" + text_of(body),
    lambda body, _: text_of(body) + text_of(body),
    lambda body, _: text_of(body).replace('"buy"', "NaN").replace('"sell"', "NaN"),
    lambda body, _: text_of({**body, "padding": "x" * 70_000}),
    _without("secret"),
    _without("timestamp"),
    _without("tv"),
    _without("tv.symbol"),
    _without("tv.action"),
    _without("strategy_info.trade_id"),
    _changed("secret", "wrong" * 5),
    _changed("secret", 7),
    _changed("timestamp", "yesterday"),
    _changed("timestamp", -1),
    _changed("timestamp", 10**30),
    _changed("tv", []),
    _changed("tv.exchange", "NOSUCH"),
    _changed("tv.symbol", "NOSUCHUSDT"),
    _changed("tv.symbol", ["BTCUSDT"]),
    _changed("tv.symbol", "\u202eTDSUCTB"),
    _changed("tv.symbol", "BTC\x00USDT"),
    _changed("tv.timeframe", "fortnight"),
    _changed("tv.action", "hold"),
    _changed("tv.action", 1),
    _changed("tv.entry_price", "-1"),
    _changed("tv.entry_price", 10**60),
    _changed("tv.entry_price", "1e400"),
    _changed("tv.entry_price", True),
    _changed("tv.order_size", "0"),
    _changed("tv.order_size", 10**40),
    _changed("tv.market_position_size", "a lot"),
    _changed("strategy_info.trade_id", "\ud800"),
    _changed("strategy_info.trade_id", "\N{SNOWMAN}" * 200),
    _changed("strategy_info.alert_name", {"deep": {"deeper": [None]}}),
    _changed("execution_intent.type", "gamble"),
    _changed("execution_intent.position_size_type", "furlongs"),
    _changed("risk", {"stop_loss": "-5", "take_profit": "none"}),
)
