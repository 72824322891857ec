"""The recorded month that replays run over: real 1-minute bars where they lie beside the project, made-up ones elsewhere."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from actors.sender import Alert
from service.config import Config, Secret, WebhookSecrets, parse
from service.demo import alert_body
from strategies.crossing import Wish

__all__ = ["SECRETS", "Recording", "alert_at", "configured", "open_recording"]

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
MONTH: Final = DATA / "crypto" / "ohlcv_1m" / "unknown_BTC-PERP_1m.parquet"
SECRETS: Final = WebhookSecrets(Secret("t" * 24), Secret("s" * 24), Secret("k" * 40))
SYMBOL: Final = "BTC/USDT"
BARS: Final = 45_000
"""Bars of the made-up month."""
_MINUTE_MS: Final = 60_000
_FIRST_MS: Final = 1_640_995_200_000


class Recording(NamedTuple):
    """A month of bars: its file, its columns (``ts`` in epoch seconds), and whether the bars were recorded."""

    path: Path
    columns: dict[str, list[Any]]
    real: bool

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return len(self.columns["ts"])


def open_recording(folder: Path) -> Recording:
    """Return the recorded month; without the data, a seeded one that is written to ``folder``."""
    real = MONTH.is_file()
    path = MONTH if real else _made_up(folder / "made-up.parquet")
    columns = pq.read_table(path).to_pydict()
    columns["ts"] = [int(each.timestamp()) for each in columns["ts"]]
    return Recording(path, columns, real)


def _made_up(path: Path) -> Path:
    """Write a walk of minutes that moves about as much as Bitcoin does; the same on every machine."""
    rng = random.Random(7)
    close = 46_000.0
    rows: dict[str, list[Any]] = {name: [] for name in ("ts", "open", "high", "low", "close", "volume")}
    for number in range(BARS):
        start, close = close, round(close * (1 + rng.gauss(0, 0.0008)), 1)
        top, bottom = max(start, close), min(start, close)
        rows["ts"].append(_FIRST_MS + number * _MINUTE_MS)
        rows["open"].append(start)
        rows["high"].append(round(top * (1 + abs(rng.gauss(0, 0.0003))), 1))
        rows["low"].append(round(bottom * (1 - abs(rng.gauss(0, 0.0003))), 1))
        rows["close"].append(close)
        rows["volume"].append(round(rng.uniform(1e5, 5e6), 2))
    schema = pa.schema([("ts", pa.timestamp("ms", tz="UTC")), *((name, pa.float64()) for name in list(rows)[1:])])
    pq.write_table(pa.table(rows, schema=schema), path)
    return path


def configured(recording: Recording, folder: Path, *, more: str = "", spread_bps: str = "0") -> Config:
    """Return a configuration that replays the month into a paper account of a million; ``more`` is further TOML."""
    text = f"""
[app]
data_dir = "{folder}"
[market]
source = "replay"
[market.replay."{SYMBOL}"]
path = "{recording.path}"
timeframe = "1m"
[signal]
rate_limit_per_minute = 6000
[[accounts]]
name = "paper"
latency_ms = 0
half_spread_bps = {spread_bps}
slippage_bps = 0
balances = {{ USDT = 1000000 }}
{more}
"""
    return parse(text, {})


def alert_at(recording: Recording, bar: int, wish: Wish, *, size: int = 1000) -> Alert:
    """Return an alert that comes half a minute into a bar, at its close."""
    # In the middle of a bar: no two stimuli of a replay come at one instant.
    at = recording.columns["ts"][bar] * 1_000_000_000 + 30_000_000_500
    body = alert_body(
        secret=SECRETS.secret.reveal(),
        exchange="binance",
        symbol=SYMBOL.replace("/", ""),
        wish=wish,
        price=Decimal(repr(recording.columns["close"][bar])),
        at=at,
        size=Decimal(size),
        label="bench",
    )
    return Alert(at, body)
