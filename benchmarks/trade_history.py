"""A made-up history of trades in read models: what performance figures are measured and drawn with.

The rows are written as projections would leave them, without the journal before them; realizations of a trade sum to its net
result, equity marks follow from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any, Final

from store.tables.catalogue import insert_statement
from store.tables.database import Database

__all__ = ["BEGIN", "DAY", "STARTING", "make_history"]

DAY: Final = 86_400_000_000_000
BEGIN: Final = 1_735_689_600_000_000_000
"""2025-01-01."""

STARTING: Final = 10_000.0

_PAIRS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT", "LINK/USDT", "AVAX/USDT", "XRP/USDT")
_FRAMES: Final = ("15m", "1h", "4h", "1d")
_STRATEGIES: Final = ("Breakout", "Dip buyer", "Mean revert", "unlabelled")
_REASONS: Final = ("take_profit", "exit_signal", "stop_loss", "risk_close")


def make_history(
    database: Database,
    *,
    trades: int,
    days: int,
    marks_a_day: int = 24,
    flows: tuple[tuple[int, float], ...] = ((60, 2_500.0), (200, -1_500.0)),
    account: str = "paper",
    scope: str = "paper",
    seed: int = 7,
) -> None:
    """Write ``trades`` closed groups over ``days`` days from ``BEGIN``; ``flows`` are (day, USD)."""
    rng = Random(seed)
    position = 0
    realized: list[tuple[int, float]] = []
    closings = sorted(rng.random() ** 0.9 for _ in range(trades))
    with database.transaction():
        for number, share in enumerate(closings):
            closed_at = BEGIN + int(share * days * DAY)
            rows, net = _trade(rng, f"g{number:07}", closed_at, position, account, scope)
            position += 10
            realized.append((closed_at, net))
            for table, row in rows:
                sql = insert_statement(table, tuple(row), replace=True)
                database.execute(sql, list(row.values()))
        for row in _marks(rng, realized, days, marks_a_day, flows, account, scope):
            database.append("equity_snapshots", tuple(row), list(row.values()))
        reached = {"account": account, "position": position, "realized_exact": "0"}
        database.execute(insert_statement("equity_accounts", tuple(reached), replace=True), list(reached.values()))


def _trade(
    rng: Random, name: str, closed_at: int, position: int, account: str, scope: str
) -> tuple[list[tuple[str, dict[str, Any]]], float]:
    pair, frame = rng.choice(_PAIRS), rng.choice(_FRAMES)
    strategy, side = rng.choice(_STRATEGIES), "short" if rng.random() < 0.3 else "long"
    cost = round(rng.uniform(150, 900), 2)
    edge = {"Breakout": 0.45, "Dip buyer": 0.7, "Mean revert": 0.05, "unlabelled": 0.15}[strategy]
    percent = rng.gauss(edge, 1.6) + (0.2 if frame == "4h" else 0.0)
    gross, fees = round(cost * percent / 100, 4), round(cost * 0.001, 4)
    price = round(rng.uniform(1, 60_000), 2)
    opened_at = closed_at - int(rng.expovariate(1 / 9) * 3_600_000_000_000) - 60_000_000_000
    qty = format(Decimal(str(cost)) / 2 / Decimal(str(price)), ".8f")
    reason = rng.choice(_REASONS[:2]) if percent > 0 else rng.choice(_REASONS[1:])
    group = {
        "group_id": name,
        "position": position,
        "key": name,
        "user_id": "trader",
        "scope": scope,
        "venue": "binance",
        "account": account,
        "symbol": pair,
        "base": pair[:3],
        "quote": "USDT",
        "timeframe": frame,
        "side": side,
        "signal_id": f"s{name}",
        "strategy": strategy,
        "tp_mode": "aggregate",
        "base_entry_price": str(price),
        "max_pyramids": 1,
        "pyramids": 1,
        "state": "closed",
        "reason": reason,
        "realized_quote": str(gross),
        "fees_quote": str(fees),
        "worst_percent": format(min(percent, 0) - abs(rng.gauss(0, 1)), ".4f"),
        "best_percent": format(max(percent, 0) + abs(rng.gauss(0, 0.6)), ".4f"),
        "opened_at": opened_at,
        "first_fill_at": opened_at,
        "closed_at": closed_at,
        "updated_at": closed_at,
        "traded_position": position + 6,
    }
    rows: list[tuple[str, dict[str, Any]]] = [("groups", group)]
    rows += [("legs", _leg(name, layer, price, cost)) for layer in range(2)]
    closing = {"closed_at": closed_at, "position": position + 5, "reason": reason, "qty": qty, "price": price}
    rows += _realizations(name, cost, gross, fees, closing)
    return rows, gross - fees


def _realizations(
    name: str, cost: float, gross: float, fees: float, closing: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each of two legs earned."""
    half = (round(gross / 2, 4), round(fees / 2, 4))
    for lot, (part, fee) in enumerate((half, (round(gross - half[0], 4), round(fees - half[1], 4)))):
        yield (
            "realizations",
            {
                "position": closing["position"],
                "lot": lot,
                "group_id": name,
                "leg_id": f"p0.l{lot}",
                "client_order_id": f"o{name}",
                "trade_id": f"t{name}",
                "reason": closing["reason"],
                "qty": closing["qty"],
                "price": str(closing["price"]),
                "cost_quote": str(cost / 2),
                "realized_quote": str(part),
                "fees_quote": str(fee),
                "net_quote": str(Decimal(str(part)) - Decimal(str(fee))),
                "at": closing["closed_at"],
            },
        )


def _leg(name: str, layer: int, price: float, cost: float) -> dict[str, Any]:
    qty = format(Decimal(str(cost)) / 2 / Decimal(str(price)), ".8f")
    return {
        "group_id": name,
        "leg_id": f"p0.l{layer}",
        "pyramid": 0,
        "layer": layer,
        "price": str(price),
        "qty": qty,
        "gap_percent": "0",
        "weight_percent": "50",
        "tp_percent": "1",
        "state": "closed",
        "reason": "",
        "filled_qty": qty,
        "filled_quote": str(cost / 2),
    }


def _marks(
    rng: Random,
    realized: list[tuple[int, float]],
    days: int,
    a_day: int,
    flows: tuple[tuple[int, float], ...],
    account: str,
    scope: str,
) -> Iterator[dict[str, Any]]:
    worth, taken, due = STARTING, 0, dict(flows)
    for number in range(days * a_day):
        at = BEGIN + number * (DAY // a_day)
        while taken < len(realized) and realized[taken][0] <= at:
            worth += realized[taken][1]
            taken += 1
        flow = due.pop(number // a_day, 0.0) if number % a_day == a_day // 2 else 0.0
        worth += flow
        yield {
            "position": number + 1,
            "account": account,
            "scope": scope,
            "realized_equity": f"{worth:.4f}",
            "total_equity": f"{worth + rng.gauss(0, 12):.4f}",
            "flow": str(flow),
            "deployed": "0",
            "locked": "0",
            "at": at,
        }
