"""Recorded prices and alerts for whole-system runs: real candles, alerts at fixed places in them."""

from __future__ import annotations

import socket
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from actors.sender import Alert
from service.config import Config, Secret, WebhookSecrets, parse
from service.demo import alert_body
from strategies.crossing import Wish

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "crypto"
SECRETS = WebhookSecrets(Secret("t" * 24), Secret("s" * 24), Secret("k" * 40))
MINUTE = {"BTC/USDT": ("ohlcv_1m/unknown_BTC-PERP_1m.parquet", "1m")}
FIVE_MINUTES = {f"{coin}/USDT": (f"ohlcv_5m/binance_{coin}USDT_5m.parquet", "5m") for coin in ("BTC", "ETH", "SOL")}


def need_data() -> None:
    """Skip where the recorded market data does not lie beside the project."""
    if not DATA.is_dir():
        pytest.skip(f"recorded market data is not at {DATA}")


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configured(files: dict[str, tuple[str, str]], *, data_dir: Path, latency_ms: int = 0, port: int = 0) -> Config:
    """Return a configuration that replays these files into a paper account of a million."""
    tables = "\n".join(
        f'[market.replay."{symbol}"]\npath = "{DATA / name}"\ntimeframe = "{timeframe}"'
        for symbol, (name, timeframe) in files.items()
    )
    text = f"""
[app]
data_dir = "{data_dir}"
[market]
source = "replay"
{tables}
[webhook]
port = {port}
[signal]
rate_limit_per_minute = 6000
[[accounts]]
name = "paper"
latency_ms = {latency_ms}
balances = {{ USDT = 1000000 }}
"""
    return parse(text, {})


def alerts_for(files: dict[str, tuple[str, str]], *, each: int, size: int = 1000, offset_s: int = 30) -> list[Alert]:
    """Return ``each`` alerts a symbol, spread over its recording: enter, exit, enter ... at the close of a real bar.

    An exit comes soon (12 bars) after every second entry, long after the others: some groups take profit, some do not.
    """
    alerts = []
    for index, (symbol, (name, _)) in enumerate(files.items()):
        table = pq.read_table(DATA / name, columns=["ts", "close"]).to_pydict()
        step = len(table["ts"]) // (each + 1)
        for number in range(each):
            row = (number + 1) * step - (step - 12 if number % 4 == 1 else 0)
            # In the middle of a bar, and no two stimuli at one instant.
            at = int(table["ts"][row].timestamp()) * 1_000_000_000 + offset_s * 1_000_000_000 + 500 + index
            body = alert_body(
                secret=SECRETS.secret.reveal(),
                exchange="binance",
                symbol=symbol.replace("/", ""),
                wish=Wish.EXIT if number % 2 else Wish.ENTER,
                price=Decimal(repr(table["close"][row])),
                at=at,
                size=Decimal(size),
                label="test",
            )
            alerts.append(Alert(at, body))
    return sorted(alerts, key=lambda alert: alert.at)
