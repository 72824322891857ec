"""A second, plain telling of the figures of section 17, quadratic and by calendar; only for comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from math import fsum, sqrt
from typing import Any

from rules.performance import FillLine, Realization, Snapshot, Trade


def local(at: int, zone: tzinfo) -> date:
    """Return the calendar day of an instant."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at // 1000)).astimezone(zone).date()


def windows(realizations: list[Realization], now: int, zone: tzinfo) -> list[float]:
    """Return day, week, month and all (EX-1702): by the same day, the same ISO week, the same month."""
    today = local(now, zone)
    past = [(local(each.at, zone), each.pnl) for each in realizations if each.at <= now]
    return [
        fsum(pnl for day, pnl in past if day == today),
        fsum(pnl for day, pnl in past if day.isocalendar()[:2] == today.isocalendar()[:2]),
        fsum(pnl for day, pnl in past if (day.year, day.month) == (today.year, today.month)),
        fsum(pnl for _, pnl in past),
    ]


def stats(trades: list[Trade]) -> dict[str, Any]:
    """Return the figures of EX-1706 and EX-1713."""
    won = [trade.net_pnl for trade in trades if trade.net_pnl > 0]
    lost = [trade.net_pnl for trade in trades if trade.net_pnl < 0]
    profit, loss = fsum(won), -fsum(lost)
    return {
        "trades": len(trades),
        "wins": len(won),
        "losses": len(lost),
        "breakeven": sum(trade.net_pnl == 0 for trade in trades),
        "win_rate_percent": 100 * len(won) / len(trades) if trades else None,
        "gross_profit": profit,
        "gross_loss": loss,
        "net_pnl": profit - loss,
        "average_win": profit / len(won) if won else None,
        "average_loss": -loss / len(lost) if lost else None,
        "rr_ratio": (profit / len(won)) / (loss / len(lost)) if won and lost else None,
        "profit_factor": profit / loss if lost else None,
        "expectancy": (profit - loss) / len(trades) if trades else None,
    }


def indices(snapshots: list[Snapshot]) -> list[float]:
    """Return the flow-adjusted index (EX-1711)."""
    found = [1.0] if snapshots else []
    for before, each in pairwise(snapshots):
        dead = before.total_equity <= 0 or each.total_equity <= 0 or found[-1] <= 0
        found.append(0.0 if dead else max(found[-1] * (each.total_equity - each.flow) / before.total_equity, 0.0))
    return found


def falls(snapshots: list[Snapshot]) -> list[float]:
    """Return each drawdown in percent (EX-1711)."""
    index = indices(snapshots)
    return [100 * (index[k] / max(index[: k + 1]) - 1) for k in range(len(index))]


def returns(snapshots: list[Snapshot], now: int, zone: tzinfo) -> list[float] | None:
    """Return the daily returns (EX-1712), None where a day began with nothing."""
    if not snapshots:
        return []
    first, today = local(snapshots[0].at, zone), local(now, zone)
    later = [(local(each.at, zone), each) for each in snapshots[1:]]
    day = first if any(each == first for each, _ in later) else first + timedelta(days=1)
    found = []
    while day < today:
        before = [snapshots[0], *(each for one, each in later if one < day)][-1].total_equity
        after = [snapshots[0], *(each for one, each in later if one <= day)][-1].total_equity
        if before <= 0:
            return None
        found.append((after - fsum(each.flow for one, each in later if one == day)) / before - 1)
        day += timedelta(days=1)
    return found


def ratios(found: list[float] | None, annual: float, days: int) -> tuple[float | None, float | None]:
    """Return Sharpe and Sortino (EX-1712, EX-1714)."""
    if found is None or len(found) < 2:
        return None, None
    rf = (1 + annual / 100) ** (1 / days) - 1
    mean = fsum(each - rf for each in found) / len(found)
    deviation = sqrt(fsum((each - rf - mean) ** 2 for each in found) / (len(found) - 1))
    downside = sqrt(fsum(min(each - rf, 0) ** 2 for each in found) / len(found))
    return (
        mean / deviation * sqrt(days) if deviation >= 1e-12 else None,
        mean / downside * sqrt(days) if downside >= 1e-12 else None,
    )


def day_summary(
    day: date, zone: tzinfo, trades: list[Trade], fills: list[FillLine], realizations: list[Realization]
) -> tuple[Any, ...]:
    """Return groups closed, fills, volume, result, best and worst symbol of a day (EX-1716)."""
    rows = [each for each in realizations if local(each.at, zone) == day]
    traded = [each for each in fills if local(each.at, zone) == day]
    sums = {each.symbol: sum((one.pnl for one in rows if one.symbol == each.symbol), 0.0) for each in rows}
    names = sorted(sums)
    return (
        len([each for each in trades if local(each.closed_at, zone) == day]),
        len(traded),
        fsum(each.qty * each.price * each.quote_usd for each in traded),
        fsum(each.pnl for each in rows),
        next((name for name in names if sums[name] == max(sums.values())), None),
        next((name for name in names if sums[name] == min(sums.values())), None),
    )
