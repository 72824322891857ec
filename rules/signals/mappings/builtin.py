"""The mappings that come with the house, in the order they are recognised.

Sources of the 3Commas shapes: 3Commas Help Center, "Signal bot: JSON file for Strategy type" and "... in Custom signal
type"; the DCA bots' message as users of ``trade_signal/trading_view`` send it (its pairs are written ``QUOTE_BASE``).
"""

from __future__ import annotations

from typing import Final

from rules.signals.mappings.recipe import BULKHEAD, Form, Mapping

__all__ = ["BUILTIN"]

_OPENING: Final = {
    **dict.fromkeys(("enter_long", "enterlong", "open_long", "openlong", "long_entry", "buy_long"), "long"),
    **dict.fromkeys(("enter_short", "entershort", "open_short", "openshort", "short_entry", "sell_short"), "short"),
}
_CLOSING: Final = {
    **dict.fromkeys(("exit_long", "exitlong", "close_long", "closelong", "long_exit"), "long"),
    **dict.fromkeys(("exit_short", "exitshort", "close_short", "closeshort", "short_exit"), "short"),
}
_SIDELESS: Final = ("exit", "close", "close_all", "exit_all", "flat", "close_position")
_REDUCING: Final = {"reduce_long": "long", "reduce_short": "short"}
_REVERSING: Final = {"reverse_long": "long", "reverse_short": "short"}

_ACTIONS: Final = {
    **_OPENING,
    **_CLOSING,
    **_REDUCING,
    **_REVERSING,
    **dict.fromkeys((*_SIDELESS, "reduce", "reverse", "entry", "enter", "open"), ""),
}
"""What a word says of the direction; nothing where it names none."""

_INTENTS: Final = {
    **dict.fromkeys((*_OPENING, "buy", "sell", "long", "short", "entry", "enter", "open", "signal"), "signal"),
    **dict.fromkeys((*_CLOSING, *_SIDELESS), "exit"),
    **dict.fromkeys((*_REDUCING, "reduce"), "reduce"),
    **dict.fromkeys((*_REVERSING, "reverse"), "reverse"),
}

_DIRECTION_FIELDS: Final = ("action", "side", "direction", "order_action", "strategy.order.action", "order.action")

_FIELDS: Final = {
    "secret": ("secret", "passphrase", "webhook_secret", "password"),
    "source": (),
    "timestamp": ("timestamp", "timenow", "time", "date", "fired_at", "alert_time"),
    "tv.exchange": ("exchange", "venue", "tv_exchange"),
    "tv.symbol": ("symbol", "ticker", "pair", "instrument", "tv_instrument"),
    "tv.timeframe": ("timeframe", "interval", "tf", "resolution"),
    "tv.action": _DIRECTION_FIELDS,
    "tv.market_position": ("market_position", "position"),
    "tv.market_position_size": ("market_position_size", "position_size"),
    "tv.prev_market_position": ("prev_market_position", "previous_position"),
    "tv.prev_market_position_size": ("prev_market_position_size", "previous_position_size"),
    "tv.entry_price": ("entry_price", "order_price", "limit_price", "price", "entry"),
    "tv.close_price": ("close_price", "close", "trigger_price", "signal_price"),
    "tv.order_size": ("order_size", "contracts", "qty", "quantity", "size", "amount", "volume"),
    "tv.bar_time": ("bar_time", "candle_time", "bar"),
    "tv.max_lag_seconds": ("max_lag",),
    "strategy_info.trade_id": ("trade_id", "id", "order_id", "alert_id", "signal_id"),
    "strategy_info.alert_name": ("alert_name", "strategy", "strategy_name", "bot", "name"),
    "strategy_info.alert_message": ("comment", "alert_message", "message", "note"),
    "execution_intent.type": ("type", "intent", "action", "side", "direction", "order_action"),
    "execution_intent.position_size_type": ("size_type", "currency_type", "qty_type"),
    "risk.stop_loss": ("stop_loss", "sl", "stop"),
    "risk.take_profit": ("take_profit", "tp", "target"),
    "risk.max_slippage_percent": ("max_slippage_percent", "slippage"),
}
"""Where the common names of flat alerts lead."""

_WORDS: Final = {"tv.action": _ACTIONS, "execution_intent.type": {**_INTENTS, "market": "", "limit": "", "order": ""}}

_SIGNAL_BOT: Final = Mapping(
    name="3commas",
    doc="The JSON of a 3Commas signal bot, strategy or custom type.",
    recognise=("tv_instrument", "action"),
    fields={
        "secret": ("secret",),
        "timestamp": ("timestamp",),
        "tv.exchange": ("tv_exchange",),
        "tv.symbol": ("tv_instrument",),
        "tv.timeframe": ("timeframe", "interval"),
        "tv.action": ("action",),
        "tv.market_position": ("strategy_info.market_position",),
        "tv.market_position_size": ("strategy_info.market_position_size",),
        "tv.prev_market_position": ("strategy_info.prev_market_position",),
        "tv.prev_market_position_size": ("strategy_info.prev_market_position_size",),
        "tv.entry_price": ("order.price",),
        "tv.close_price": ("trigger_price",),
        "tv.order_size": ("order.amount",),
        "tv.bar_time": ("bar_time",),
        "tv.max_lag_seconds": ("max_lag",),
        "strategy_info.trade_id": ("trade_id", "id"),
        "strategy_info.alert_name": ("alert_name", "bot_uuid"),
        "execution_intent.type": ("action",),
        "execution_intent.position_size_type": ("order.currency_type",),
    },
    words={"tv.action": {**_OPENING, **_CLOSING}, "execution_intent.type": _INTENTS},
)

_DCA_BOT: Final = Mapping(
    name="3commas-dca",
    doc="The older JSON of a 3Commas DCA bot. The bot's direction does not stand in it: long, unless you say otherwise.",
    recognise=("message_type", "bot_id", "email_token"),
    equals={"message_type": "bot"},
    fields={
        "secret": ("email_token",),
        "timestamp": ("timestamp",),
        "tv.exchange": ("exchange", "tv_exchange"),
        "tv.symbol": ("pair",),
        "tv.timeframe": ("timeframe", "interval"),
        "tv.action": ("action",),
        "tv.close_price": ("price", "trigger_price", "close"),
        "tv.order_size": ("volume",),
        "strategy_info.trade_id": ("trade_id", "id"),
        "strategy_info.alert_name": ("bot_id",),
        "execution_intent.type": ("action",),
    },
    words={
        "tv.action": dict.fromkeys(
            ("close_at_market_price", "close_at_market_price_all", "start_deal", "add_funds_in_quote"), ""
        ),
        "execution_intent.type": {"close_at_market_price": "exit", "close_at_market_price_all": "exit"},
    },
    constants={"execution_intent.position_size_type": "quote"},
    defaults={"tv.action": "long"},
    swapped=("tv.symbol",),
)

_FLAT: Final = Mapping(
    name="flat",
    doc="A flat JSON object with the common names: ticker, exchange, interval, action, price, contracts, time, id ...",
    fields=_FIELDS,
    words=_WORDS,
)

_KEYVALUE: Final = Mapping(
    name="keyvalue",
    form=Form.KEYVALUE,
    doc="key=value pairs between spaces, commas, semicolons or line ends, with the same names as flat.",
    fields=_FIELDS,
    words=_WORDS,
)

_TEXT: Final = Mapping(
    name="text",
    form=Form.TEXT,
    doc="Plain text such as `buy BTCUSDT @ 65000 2026-03-01T12:00:00Z`.",
    patterns=(
        "{action} {symbol} @ {price} {timestamp}",
        "{action} {symbol} at {price} {timestamp}",
        "{action} {size} {symbol} @ {price} {timestamp}",
        "{action} {symbol} @ {price}",
        "{action} {symbol} at {price}",
        "{action} {size} {symbol} @ {price}",
        "{_}: order {action} @ {size} filled on {symbol}. New strategy position is {_}",
    ),
    fields=_FIELDS,
    words=_WORDS,
)

BUILTIN: Final = {
    each.name: each
    for each in (
        Mapping(
            name=BULKHEAD,
            doc="The alert text of bulkhead's own pages: it has `tv` and `execution_intent`.",
            recognise=(),
        ),
        _SIGNAL_BOT,
        _DCA_BOT,
        _FLAT,
        _KEYVALUE,
        _TEXT,
    )
}
"""Name -> mapping."""
