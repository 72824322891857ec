"""Eight recorded months and the alerts of a busy desk over them: twelve spot pairs and a perpetual, about 2,000 signals.

The sender buys dips in up to five steps and leaves on the way up. That is no advice: it makes groups that take profit,
groups that wait, and groups that lose for long, more of them at once than the pool has slots. Now and then it does what
senders do: the same alert twice, one that is late, one that nobody can read, one for a market that is not there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow.parquet as pq

from actors.sender import Alert
from service.config import Config, parse
from tests.system.recorded import DATA, SECRETS

__all__ = ["FILES", "season_alerts", "season_config"]

HOUR_S: Final = 3_600
FILES: Final = {
    **{f"{coin}/USDT": (f"ohlcv_5m/binance_{coin}USDT_5m.parquet", "5m") for coin in ("BTC", "ETH", "SOL")},
    **{
        f"{coin}/USDT": (f"ohlcv_1h/binance_{coin}USDT_1h.parquet", "1h")
        for coin in ("XRP", "DOGE", "LTC", "LINK", "AVAX", "ATOM", "TRX", "BCH", "NEAR")
    },
    "ETH/USDT:USDT": ("ohlcv_1h/binance_ETHUSDT_1h.parquet", "1h"),
}
"""Symbol to recording (file, length of its bars)."""

WINDOW: Final = 48
DIP: Final = 0.03
STEP: Final = 0.022
RISE: Final = 0.012
PYRAMIDS: Final = 5
PATIENCE: Final = 24 * 28
SETTINGS: Final = """
[execution_pool]
max_open_groups = 10
[waiting_rule]
max_queue_minutes = 720
[grid_strategy]
levels = [
  { gap_percent = 0, weight_percent = 40, tp_percent = 2.5 },
  { gap_percent = -0.6, weight_percent = 30, tp_percent = 2.5 },
  { gap_percent = -1.2, weight_percent = 30, tp_percent = 3 },
]
overrides = [
  { match = { symbol = "ETH/USDT" }, tp_mode = "aggregate", tp_aggregate_percent = 2.5 },
  { match = { symbol = "SOL/USDT" }, tp_mode = "hybrid", tp_aggregate_percent = 4 },
  { match = { symbol = "LINK/USDT" }, tp_mode = "pyramid_aggregate", tp_aggregate_percent = 3 },
  { match = { symbol = "AVAX/USDT" }, tp_mode = "pyramid_aggregate", pyramid_scope = "per_pyramid" },
  { match = { symbol = "DOGE/USDT" }, entry_order_type = "market" },
]
[risk_engine]
loss_threshold_percent = -4
required_pyramids_for_timer = 3
post_pyramids_wait_minutes = 60
evaluate_interval_sec = 300
"""


class Bars(NamedTuple):
    """Hourly closes: instants (seconds, the END of the hour) and prices."""

    at: list[int]
    close: list[float]


def season_config(data_dir: Any, *, slots: int = 10, offset: bool = True) -> Config:
    """Return the configuration of the season: a paper account of a million, ten slots, losers offset by winners."""
    tables = "\n".join(
        f'[market.replay."{symbol}"]\npath = "{DATA / name}"\ntimeframe = "{length}"'
        for symbol, (name, length) in FILES.items()
    )
    text = f"""
[app]
data_dir = "{data_dir}"
[market]
source = "replay"
{tables}
[signal]
rate_limit_per_minute = 6000
[[accounts]]
name = "paper"
latency_ms = 0
balances = {{ USDT = 1000000 }}
{SETTINGS.replace("max_open_groups = 10", f"max_open_groups = {slots}")}
enabled = {str(offset).lower()}
"""
    return parse(text, {})


def season_alerts(*, seed: int = 11) -> list[Alert]:
    """Return the alerts of the season in the order they fire; the same seed gives the same ones."""
    draw = random.Random(seed)
    alerts: list[Alert] = []
    for index, (symbol, (name, length)) in enumerate(sorted(FILES.items())):
        bars = _hours(name, length)
        for timeframe, window in (("60", WINDOW), ("240", 4 * WINDOW)):
            wishes = _perpetual(bars) if symbol.endswith(":USDT") else _dips(bars, window)
            for number, (row, body) in enumerate(wishes):
                at = bars.at[row] * 10**9 + (30 + index) * 10**9 + (500 if timeframe == "60" else 700)
                full = _body(symbol, timeframe, bars.close[row], at, f"{timeframe}-{number}", body)
                alerts.append(Alert(at, msgspec.json.encode(full)))
                alerts.extend(_as_senders_do(draw, at, full))
    return sorted(alerts, key=lambda alert: (alert.at, alert.body))


def _hours(name: str, length: str) -> Bars:
    table = pq.read_table(DATA / name, columns=["ts", "close"]).to_pydict()
    stride = 12 if length == "5m" else 1
    rows = range(stride - 1, len(table["ts"]), stride)
    seconds = HOUR_S // stride
    return Bars(
        [int(table["ts"][row].timestamp()) + seconds for row in rows], [float(table["close"][row]) for row in rows]
    )


def _dips(bars: Bars, window: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Buy below the average in up to five steps, leave above it or when patience ends; sometimes sell a part."""
    held, last, since = 0, 0.0, 0
    deep = DIP if window == WINDOW else 2 * DIP
    for row in range(window, len(bars.close)):
        price = bars.close[row]
        mean = sum(bars.close[row - window : row]) / window
        if held == 0:
            if price < mean * (1 - deep):
                held, last, since = 1, price, row
                yield row, _order("buy", "long", held, held - 1)
        elif held < PYRAMIDS and price < last * (1 - STEP):
            held, last = held + 1, price
            yield row, _order("buy", "long", held, held - 1)
        elif price > mean * (1 + RISE) or row - since > PATIENCE:
            if held > 2 and row % 3 == 0:
                yield row, _order("sell", "long", held - 1, held)
                held -= 1
            else:
                yield row, _order("sell", "flat", 0, held)
                held = 0


def _perpetual(bars: Bars) -> Iterator[tuple[int, dict[str, Any]]]:
    """Follow the crossing of two averages, long and short, turning at once by reversal."""
    side = ""
    for row in range(4 * WINDOW, len(bars.close), 6):
        fast = sum(bars.close[row - WINDOW : row]) / WINDOW
        slow = sum(bars.close[row - 4 * WINDOW : row]) / (4 * WINDOW)
        wanted = "long" if fast > slow else "short"
        if wanted != side:
            order = _order("buy" if wanted == "long" else "sell", wanted, 1, 1 if side else 0, before=side or "flat")
            order["execution_intent"]["type"] = "reverse" if side else "signal"
            side = wanted
            yield row, order


def _order(action: str, after: str, size: int, size_before: int, *, before: str = "") -> dict[str, Any]:
    return {
        "tv": {
            "action": action,
            "market_position": after,
            "market_position_size": size,
            "prev_market_position": before or ("flat" if size_before == 0 else "long"),
            "prev_market_position_size": size_before,
        },
        "execution_intent": {"type": "signal", "position_size_type": "quote"},
    }


def _body(symbol: str, timeframe: str, price: float, at: int, ident: str, order: dict[str, Any]) -> dict[str, Any]:
    ticker = symbol.replace("/", "").removesuffix(":USDT") + (".P" if symbol.endswith(":USDT") else "")
    tv = {"exchange": "BINANCE", "symbol": ticker, "timeframe": timeframe, "order_size": "1500", **order["tv"]}
    return {
        "secret": SECRETS.secret.reveal(),
        "timestamp": at // 1_000_000,
        "tv": {**tv, "entry_price": str(Decimal(repr(price)))},
        "strategy_info": {"trade_id": ident, "alert_name": f"dips {timeframe}"},
        "execution_intent": order["execution_intent"],
    }


def _as_senders_do(draw: random.Random, at: int, body: dict[str, Any]) -> Iterator[Alert]:
    """Yield what comes besides one alert in ten: a resend, a late copy, nonsense, a market that is not there."""
    chance = draw.random()
    if chance < 0.03:
        yield Alert(at + 5 * 10**9, msgspec.json.encode(body))
    elif chance < 0.05:
        late = {**body, "timestamp": body["timestamp"] - 200_000, "strategy_info": {"trade_id": "late"}}
        yield Alert(at + 7 * 10**9, msgspec.json.encode(late))
    elif chance < 0.065:
        yield Alert(at + 9 * 10**9, msgspec.json.encode({**body, "tv": {**body["tv"], "action": "hold"}}))
    elif chance < 0.08:
        yield Alert(at + 11 * 10**9, msgspec.json.encode({**body, "tv": {**body["tv"], "symbol": "NOSUCHUSDT"}}))
    elif chance < 0.1 and not body["tv"]["symbol"].endswith(".P"):
        short = {**body["tv"], "action": "sell", "market_position": "short", "prev_market_position": "flat"}
        yield Alert(at + 13 * 10**9, msgspec.json.encode({**body, "tv": short}))
