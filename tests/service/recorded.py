"""A real run in small: one replay through the whole house whose journal the tests of trace and explain read."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

from actors.sender import Alert
from protocol.groups import GroupOpened
from runtime.journal import Record
from runtime.memory_journal import MemoryJournal
from service.cli.replay_alerts import with_proof
from service.config import parse
from service.replaying import read_alerts, run_replay

__all__ = ["GROUP_A", "first", "journal", "of", "records"]

GROUP_A = "s00000001"
"""The signal that opens the group whose ladder fills and whose targets close it."""

# A slow dip of two percent and back: the ladder fills, the targets close it; then flat prices for the second group.
_PATH = [100.0, 99.4, 98.9, 98.4, 98.0, 98.6, 99.6, 100.6, 101.6, 102.6, 102.0, 102.0, 102.0, 102.0, 102.0, 102.0]


def _bars() -> str:
    rows = ["ts,open,high,low,close,volume"]
    previous = _PATH[0]
    for index, price in enumerate(_PATH):
        low, high = min(previous, price) - 0.05, max(previous, price) + 0.05
        rows.append(f"2024-01-01T{index // 4:02d}:{index % 4 * 15:02d}:00Z,{previous},{high},{low},{price},1000")
        previous = price
    return "\n".join(rows) + "\n"


def _alert(at: str, trade: str, action: str, before: str, after: str, price: str) -> str:
    tv = {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": action,
        "market_position": after,
        "prev_market_position": before,
        "market_position_size": "0" if after == "flat" else "1",
        "prev_market_position_size": "0" if before == "flat" else "1",
        "entry_price": price,
        "close_price": price,
        "order_size": "1000",
    }
    intent = {"type": "signal", "position_size_type": "quote"}
    body = {"timestamp": at, "source": "tradingview", "tv": tv, "execution_intent": intent}
    return json.dumps({**body, "strategy_info": {"trade_id": trade, "alert_name": "dip"}})


def _alerts(folder: Path) -> list[Alert]:
    lines = [
        _alert("2024-01-01T00:15:00Z", "a", "buy", "flat", "long", "99.4"),
        _alert("2024-01-01T00:15:00Z", "a", "buy", "flat", "long", "99.4"),  # a duplicate
        _alert("2024-01-01T02:45:00Z", "b", "buy", "flat", "long", "102"),
        _alert("2024-01-01T03:15:00Z", "c", "sell", "long", "flat", "102"),
        _alert("2024-01-01T03:30:00Z", "d", "sell", "long", "flat", "102"),  # nothing is open any more
    ]
    path = folder / "alerts.jsonl"
    path.write_text("\n".join(lines))
    return read_alerts(path)


@functools.cache
def journal() -> MemoryJournal:
    """Return the journal of the run."""
    kept = MemoryJournal()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bars.csv").write_text(_bars())
        files = f'"BTC/USDT" = {{ path = "{folder}/bars.csv", timeframe = "15m" }}'
        text = f'[market]\nsource = "replay"\n[market.replay]\n{files}\n'
        alerts, secrets = with_proof(_alerts(folder))
        run_replay(parse(text, {"BULKHEAD_APP__DATA_DIR": name}), alerts=alerts, secrets=secrets, journal=kept)
    return kept


def records() -> list[Record]:
    """Return all records of the run."""
    return list(journal().read_all())


def of(kind: type) -> list[Record]:
    """Return the records of one event type."""
    return [record for record in records() if type(record.event) is kind]


def first(kind: type, signal_id: str = GROUP_A) -> Record:
    """Return the first record of a type in the group that a signal opened."""
    group = next(each.event.group_id for each in of(GroupOpened) if each.event.signal_id == signal_id)
    return next(record for record in of(kind) if getattr(record.event, "group_id", group) == group)
